import SQL

/// The Storefront's data, on SQLite or PostgreSQL with the same statements.
struct Store: Sendable {
    let database: any SQLDatabase

    /// Throws unless the database answers.
    func ping() async throws {
        _ = try await database.read { connection in try connection.query("SELECT 1 AS one") }
    }

    /// `LIKE` pattern for "contains `text`", with `!` as its escape character.
    static func pattern(containing text: String) -> String {
        var pattern = "%"
        for character in text {
            if character == "%" || character == "_" || character == "!" { pattern.append("!") }
            pattern.append(character)
        }
        return pattern + "%"
    }
}
