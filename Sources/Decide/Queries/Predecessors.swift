/// Which releases a release takes the place of. Clients that name no program name only releases: another program on the
/// same database has releases too, and its queries are not missing from this one.
package enum Predecessors {
    /// Share of a release's queries that an earlier one has to have sent.
    static let enough = 0.5

    /// What to hold releases of these programs against: in each database where one of them was before, all that names
    /// no other program. Elsewhere, or where `programs` is empty, all there is: the program may have had no name yet.
    package static func samples(_ before: [QuerySample], of programs: Set<String>) -> [QuerySample] {
        let known = Set(
            before.filter { ReleaseName($0.release).program.map(programs.contains) ?? false }.map(\.database))
        return before.filter { sample in
            !known.contains(sample.database) || ReleaseName(sample.release).program.map(programs.contains) ?? true
        }
    }

    /// By database: releases of before (empty: without a name) that are of these programs, or sent at least half of the
    /// queries of after.
    package static func find(
        before: [QuerySample], after: [QuerySample], of programs: Set<String> = []
    ) -> [String: Set<String>] {
        var queries: [String: Set<QueryKey>] = [:]
        for sample in after where sample.query.isOne && sample.figures.calls > 0 {
            queries[sample.database, default: []].insert(sample.query)
        }
        var found: [String: Set<String>] = [:]
        var shared: [String: [String: Set<QueryKey>]] = [:]
        for sample in before {
            guard let after = queries[sample.database] else { continue }
            if let program = ReleaseName(sample.release).program, programs.contains(program) {
                found[sample.database, default: []].insert(sample.release)
            } else if after.contains(sample.query) {
                shared[sample.database, default: [:]][sample.release, default: []].insert(sample.query)
            }
        }
        for (database, releases) in shared {
            let needed = enough * Double(queries[database]?.count ?? 0)
            found[database, default: []].formUnion(releases.filter { Double($0.value.count) >= needed }.keys)
        }
        return found
    }
}
