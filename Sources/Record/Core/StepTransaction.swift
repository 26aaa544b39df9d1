import Decide
import SQL

/// One transaction's work: runs steps on things until nothing is left to forward, then writes all of it.
///
/// Invariants:
/// 1. Each thing is loaded once, at its version, and written once, only if it is still at that version.
/// 2. Timeline ids are taken last, from a counter row that is held until commit: ids are gapless and in commit
///    order, so that a reader who has seen id n has seen everything before it.
/// 3. At most `stepLimit` steps: a loop among machines is a bug and fails loudly instead of filling the disk.
struct StepTransaction {
    static let stepLimit = 500

    private struct Line {
        var entry: Entry
        var actor: Actor
        var subject: Subject
    }

    let connection: any SQLConnection
    let now: Instant
    let policy: Policy
    private var loaded: [Subject: StoredThing?] = [:]
    private var touched: [Subject] = []
    private var lines: [Line] = []
    private var effects: [Effect] = []

    init(connection: any SQLConnection, now: Instant, policy: Policy) {
        self.connection = connection
        self.now = now
        self.policy = policy
    }

    mutating func run(_ occurrences: [Occurrence]) throws {
        var queue = occurrences
        var next = 0
        while next < queue.count {
            guard next < StepTransaction.stepLimit else {
                throw SQLError(.constraint, "more than \(StepTransaction.stepLimit) steps followed from one event")
            }
            queue.append(contentsOf: try take(queue[next]))
            next += 1
        }
    }

    private mutating func take(_ occurrence: Occurrence) throws -> [Occurrence] {
        let subject = occurrence.subject
        let stored = try load(subject)
        let input = StepInput(
            now: now, actor: occurrence.actor, subject: subject, policy: policy,
            facts: try Facts.gather(for: subject, stored?.thing, now: now, policy: policy, connection))
        let step = try Machine.step(stored?.thing, occurrence.event, input)
        if let thing = step.state {
            keep(subject, thing, due: step.due)
        }
        lines += step.entries.map { Line(entry: $0, actor: occurrence.actor, subject: subject) }
        effects += step.effects
        for change in step.changes { try ChangeLedger.write(change, connection) }
        for report in step.reports { try ReportStore.write(report, connection) }
        return step.forwards
    }

    private mutating func load(_ subject: Subject) throws -> StoredThing? {
        if let known = loaded[subject] { return known }
        // Only the first: with one lock each, transactions that meet on one thing queue up and cannot deadlock. What
        // follows from it is rarely contended, and the version decides there.
        let stored = try StoredThing.load(subject, locking: loaded.isEmpty, connection)
        loaded[subject] = .some(stored)
        return stored
    }

    private mutating func keep(_ subject: Subject, _ thing: Thing, due: Instant?) {
        let known = loaded[subject] ?? nil
        if let known, known.thing == thing, known.due == due { return }
        loaded[subject] = .some(
            StoredThing(thing: thing, version: known?.version ?? 0, due: due, isNew: known?.isNew ?? true))
        if !touched.contains(subject) { touched.append(subject) }
    }

    mutating func commit() throws -> Applied {
        var applied = Applied()
        // One order for all processes, so that two transactions over the same things cannot deadlock.
        for subject in touched.sorted(by: { ($0.kind.rawValue, $0.id) < ($1.kind.rawValue, $1.id) }) {
            guard let stored = loaded[subject] ?? nil else { continue }
            try stored.save(subject, at: now, connection)
            applied.things[subject] = stored.thing
            if stored.due != nil { applied.hasDue = true }
            if case .flag(let flag) = stored.thing { applied.flagServices.insert(flag.service) }
            if case .guardRules = stored.thing { applied.hasGuardRules = true }
        }
        for effect in effects {
            if try Outbox.add(effect, at: now, connection) { applied.lanes.insert(effect.lane) }
        }
        applied.entries = try Timeline.append(
            lines.map { ($0.entry, $0.actor, $0.subject) }, at: now, connection)
        return applied
    }
}
