import SQL

/// Fills an empty shop with products, people and posts: always the same ones.
///
/// Everyone has the password `demo`; the addresses are `user0001@storefront.test` and so on.
struct DemoData: Sendable {
    /// How much of it.
    enum Size: String, Sendable, CaseIterable {
        case none, small, demo
    }

    static let small = DemoData(products: 200, users: 400, posts: 500)
    static let demo = DemoData(products: 10_000, users: 5_000, posts: 50_000)

    /// The scrypt hash of `demo`, which all demo users share: hashing it thousands of times would take minutes.
    static let password =
        "scrypt$16384$8$1$WLUvgc/frPQ1eRsBA9VEww==$Gd29Ja57g/uGH2fHY8H0Isibl4ECw9gmnztGEGFqyF8="

    /// Rows for each statement, well below both databases' limits on parameters.
    static let batch = 500

    var products: Int
    var users: Int
    var posts: Int

    /// Fills each table that is empty, all in one transaction; changes nothing in the others.
    func fill(_ database: any SQLDatabase) async throws {
        try await database.write { connection in
            try insert(
                "products", ["id", "name", "category", "description", "price_cents", "search_text"],
                count: products, row: Self.product, connection)
            let usersAreNew = try insert(
                "users", ["id", "email", "name", "password", "synthetic", "created_at"],
                count: users, row: Self.user, connection)
            // Posts name their authors by id, which only holds for users of this making.
            guard usersAreNew else { return }
            try insert(
                "posts", ["id", "user_id", "title", "body", "created_at"], count: posts,
                row: { Self.post($0, of: posts, users: users) }, connection)
        }
    }

    /// Returns whether the table was empty.
    @discardableResult
    private func insert(
        _ table: String, _ columns: [String], count: Int, row: (Int) -> [SQLValue], _ connection: any SQLConnection
    ) throws -> Bool {
        guard try connection.query("SELECT id FROM \(table) LIMIT 1").isEmpty else { return false }
        let places = "(" + columns.map { _ in "?" }.joined(separator: ", ") + ")"
        var first = 1
        while first <= count {
            let last = min(count, first + Self.batch - 1)
            let values = Array(repeating: places, count: last - first + 1).joined(separator: ", ")
            try connection.execute(
                "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES \(values)",
                (first...last).flatMap(row))
            first = last + 1
        }
        if connection.dialect == .postgres, count > 0 {
            // The ids were given, so that the sequence has to be told where to go on.
            _ = try connection.query(
                "SELECT setval(pg_get_serial_sequence('\(table)', 'id'), (SELECT MAX(id) FROM \(table))) AS next")
        }
        return true
    }
}

/// SplitMix64: small, quick, and the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: Int, stream: UInt64) {
        state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 ^ stream &* 0xD1B5_4A32_D192_ED03
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int(next() % UInt64(elements.count))]
    }

    mutating func pick(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.count))
    }
}
