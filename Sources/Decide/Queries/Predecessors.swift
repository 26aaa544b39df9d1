/// Which releases a release takes the place of. Clients name releases, not programs: another program on the same
/// database has releases too, and its queries are not missing from this one.
package enum Predecessors {
    /// Share of a release's queries that an earlier one has to have sent.
    static let enough = 0.5

    /// By database: releases of before (empty: without a name) that sent at least half of the queries of after.
    package static func find(before: [QuerySample], after: [QuerySample]) -> [String: Set<String>] {
        var queries: [String: Set<QueryKey>] = [:]
        for sample in after where sample.query.isOne && sample.figures.calls > 0 {
            queries[sample.database, default: []].insert(sample.query)
        }
        var shared: [String: [String: Set<QueryKey>]] = [:]
        for sample in before where queries[sample.database]?.contains(sample.query) ?? false {
            shared[sample.database, default: [:]][sample.release, default: []].insert(sample.query)
        }
        return shared.reduce(into: [:]) { found, entry in
            let needed = enough * Double(queries[entry.key]?.count ?? 0)
            found[entry.key] = Set(entry.value.filter { Double($0.value.count) >= needed }.keys)
        }
    }
}
