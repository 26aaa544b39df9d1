import Decide
import Record

/// What a release, or any change, did to the traffic of databases.
///
/// When clients name their releases, the release's own queries are held against those of the days before: of the same
/// programs where they are named, else all others. Else the change's time in the ledger divides before from after.
package struct QueryDiffView: Sendable {
    package enum Basis: Hashable, Sendable {
        /// By the names that clients gave.
        case named([String])
        /// By the time of a change.
        case change(Change)
    }

    /// A change is judged by what follows it within this time; a week later other things have changed too.
    package static let after: Span = .days(7)

    package var title: String
    package var basis: Basis
    package var database: String?
    package var before: QueryWindow
    package var afterwards: QueryWindow
    /// What ended the time after, if it is not now.
    package var endedBy: String?
    package var diff: QueryDiff

    /// One sentence on how before and after were told apart.
    package var method: String {
        switch basis {
        case .named(let names):
            "Queries that clients named as \(names.joined(separator: " or ")), held against those of the days before."
        case .change: "All queries since the change, whichever release sent them, held against those before it."
        }
    }

    /// Of a release, by the name that clients give it (without their program's name: of all programs), or by its id in
    /// Mainstay; nil: neither knows it.
    package static func load(
        release name: String, database: String? = nil, _ record: Record, now: Instant
    ) async throws -> QueryDiffView? {
        let release = try await record.release(name)
        let services = Set(record.policy.services.keys)
        let known =
            [name]
            + (release.map { [$0.commit, $0.shortCommit, String($0.commit.prefix(7))] } ?? []).filter { $0 != name }
        let names = try await record.names(ofReleases: known, database: database).filter { told in
            release.map { ReleaseName(told).mayBe(of: $0.service, among: services) } ?? true
        }
        if let first = try await record.firstUse(ofReleases: names, database: database) {
            return try await load(
                named: names, first, title: release?.title ?? name, database: database, record, now: now)
        }
        if release != nil { return try await load(change: Rollout.change(name), database: database, record, now: now) }
        let told = try await record.changes(limit: 500).first {
            $0.kind == .release && $0.isRelease(named: name, services: services)
        }
        guard let told else { return nil }
        return try await load(change: told.id, database: database, record, now: now)
    }

    private static func load(
        named names: [String], _ first: Instant, title: String, database: String?, _ record: Record, now: Instant
    ) async throws -> QueryDiffView {
        let end = min(now, first + after)
        var old = try await record.queries(
            from: first - QueryDiff.baseline, to: first, QueryFilter(database: database, excludedReleases: names))
        let new = try await record.queries(from: first, to: end, QueryFilter(database: database, releases: names))
        let programs = Set(new.samples.compactMap { ReleaseName($0.release).program })
        old.samples = Predecessors.samples(old.samples, of: programs)
        return QueryDiffView(
            title: title, basis: .named(names), database: database, before: old, afterwards: new,
            endedBy: end < now ? "\(after.spoken) are enough" : nil,
            diff: try await compare(
                old, new, database, Predecessors.find(before: old.samples, after: new.samples, of: programs), record,
                now: now))
    }

    /// Of any change in the ledger; nil: there is no such change.
    package static func load(
        change id: String, database: String? = nil, _ record: Record, now: Instant
    ) async throws -> QueryDiffView? {
        guard let change = try await record.change(id) else { return nil }
        let (end, endedBy) = try await self.end(of: change, record, now: now)
        let filter = QueryFilter(database: database)
        let old = try await record.queries(from: change.at - QueryDiff.baseline, to: change.at, filter)
        let new = try await record.queries(from: change.at, to: end, filter)
        return QueryDiffView(
            title: change.title, basis: .change(change), database: database, before: old, afterwards: new,
            endedBy: endedBy, diff: try await compare(old, new, database, nil, record, now: now))
    }

    /// What comes after the next change of the service is no longer this change's doing alone.
    private static func end(
        of change: Change, _ record: Record, now: Instant
    ) async throws -> (Instant, String?) {
        var ends: [(Instant, String)] = [(change.at + after, "\(after.spoken) are enough")]
        if let undone = change.undoneAt { ends.append((undone, "it was undone")) }
        let next = try await record.changes(service: change.service, limit: 500)
            .filter { $0.at > change.at && ($0.kind == .release || $0.kind == .flag) }.min { $0.at < $1.at }
        if let next { ends.append((next.at, "the next change came: \(next.title)")) }
        guard let first = ends.min(by: { $0.0 < $1.0 }), first.0 < now else { return (now, nil) }
        return (first.0, first.1)
    }

    /// - Parameter predecessors: by database, releases whose queries are to be expected; nil: of all.
    private static func compare(
        _ old: QueryWindow, _ new: QueryWindow, _ database: String?, _ predecessors: [String: Set<String>]?,
        _ record: Record, now: Instant
    ) async throws -> QueryDiff {
        let rhythms = try await rhythms(old, database, record, now: now)
        func uses(_ window: QueryWindow) -> [QueryUse] {
            window.samples.map { sample in
                let key = QueryUse.Key(database: sample.database, query: sample.query)
                let expected = predecessors.map { known in
                    known[sample.database]?.contains(sample.release) ?? false ? sample.figures.calls : 0
                }
                return QueryUse(
                    database: sample.database, query: sample.query, text: sample.text, figures: sample.figures,
                    rhythm: rhythms[key], expected: expected)
            }
        }
        return QueryDiff.compare(
            before: QueryPeriod(span: old.covered, uses: uses(old)), after: QueryPeriod(span: new.span, uses: uses(new))
        )
    }

    /// By minute where an hour of them is kept, else by hour.
    private static func rhythms(
        _ window: QueryWindow, _ database: String?, _ record: Record, now: Instant
    ) async throws -> [QueryUse.Key: QueryRhythm] {
        let minutes = max(window.firstAt ?? window.start, now - .hours(23))
        if window.end - minutes >= .hours(1) {
            return try await record.rhythms(from: minutes, to: window.end, .minute, database: database)
        }
        return try await record.rhythms(from: window.start, to: window.end, .hour, database: database)
    }
}
