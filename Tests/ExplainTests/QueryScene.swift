import Decide
import Record

/// Traffic of a shop's database, as a guard counts it.
enum Traffic {
    static let select = QueryKey(fingerprint: 0xA1)
    static let insert = QueryKey(fingerprint: 0xB2)
    static let texts = [
        select: "SELECT * FROM products WHERE id = $1", insert: "INSERT INTO favorites VALUES ($1, '<b>&')",
    ]

    static func sample(
        _ query: QueryKey, _ calls: Int, release: String = "", took: Int64 = 1_000, empty: Int = 0,
        errors: [String: Int] = [:], database: String = "shop"
    ) -> QuerySample {
        var figures = QueryFigures()
        figures.calls = calls
        figures.nanoseconds = took * 1_000 * Int64(calls)
        figures.rows = calls - empty
        figures.errors = errors
        if query == insert { (figures.writes, figures.emptyWrites) = (calls, empty) }
        figures.latency = LatencyCounts([LatencyCounts.Pair(microseconds: took, count: calls)])
        return QuerySample(
            database: database, query: query, release: release, text: texts[query] ?? "SELECT $1", figures: figures)
    }

    /// Eight hours of usual traffic, one round every ten minutes.
    static func usual(_ scene: Scene, release: String = "") async throws {
        for _ in 0..<48 {
            try await scene.record.sample(queries: [
                sample(select, 1_000, release: release), sample(insert, 50, release: release, empty: 1),
            ])
            scene.wait(.minutes(10))
        }
    }

    /// Two minutes in which nothing is stored and the database takes long.
    static func broken(_ scene: Scene, release: String = "") async throws {
        scene.wait(.minutes(1))
        try await scene.record.sample(queries: [
            sample(select, 200, release: release, took: 40_000), sample(insert, 20, release: release, empty: 20),
        ])
        scene.wait(.minutes(1))
    }

    static func change(_ id: String, at: Instant, release: String? = nil, kind: Change.Kind = .release) -> Change {
        Change(
            id: id, kind: kind, service: "storefront", feature: "favorites", title: "favorites \(id)",
            actor: Actor(.person, "lin"), reason: nil, at: at, release: release)
    }
}
