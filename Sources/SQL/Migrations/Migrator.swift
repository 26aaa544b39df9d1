/// Brings a database to the version this program knows, in one transaction: all of the steps, or none.
///
/// Several processes may do so at once: PostgreSQL makes them queue by an advisory lock, SQLite by its one writer.
package struct Migrator: Sendable {
    /// Several programs may keep their tables in one database, each under its own name.
    package let schema: String
    package let migrations: [Migration]

    package init(schema: String, migrations: [Migration]) {
        self.schema = schema
        self.migrations = migrations
    }

    /// - Parameters:
    ///   - appliedAt: milliseconds since 1970, kept with each step.
    ///   - upTo: the version to stop at, for tests of migrations from earlier ones.
    /// - Returns: the versions before and after.
    /// - Throws: `SQLError.newer` when the database was written by a later program.
    @discardableResult
    package func migrate(
        _ database: any SQLDatabase, appliedAt: Int64, upTo: Int? = nil
    ) async throws -> (from: Int, to: Int) {
        guard migrations.map(\.version) == Array(1..<migrations.count + 1) else {
            throw SQLError(.statement, "the migrations of '\(schema)' are not numbered 1, 2, 3 and so on")
        }
        let pair = try await database.write { connection in
            try migrate(connection, appliedAt: appliedAt, upTo: upTo ?? migrations.count)
        }
        return (pair[0], pair[1])
    }

    private func migrate(_ connection: any SQLConnection, appliedAt: Int64, upTo: Int) throws -> [Int] {
        try lock(connection)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS schema_versions (
                schema TEXT NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL, applied_at BIGINT NOT NULL,
                PRIMARY KEY (schema, version))
            """)
        let from = try currentVersion(connection)
        guard from <= migrations.count else {
            throw SQLError(
                .newer,
                "the database's '\(schema)' tables are of version \(from), but this program knows only up to version"
                    + " \(migrations.count): start the newer program again, or restore a backup made before it")
        }
        for migration in migrations where migration.version > from && migration.version <= upTo {
            try apply(migration, connection, appliedAt: appliedAt)
        }
        return [from, max(from, min(upTo, migrations.count))]
    }

    private func lock(_ connection: any SQLConnection) throws {
        guard connection.dialect == .postgres else { return }
        if let transaction = connection as? PostgresTransaction { try transaction.liftStatementTimeout() }
        // One lock for all schemas: they share the table of versions, which may have to be made.
        _ = try connection.query("SELECT pg_advisory_xact_lock(7237110, 1)")
    }

    private func currentVersion(_ connection: any SQLConnection) throws -> Int {
        let rows = try connection.query(
            "SELECT COALESCE(MAX(version), 0) AS version FROM schema_versions WHERE schema = ?", [.text(schema)])
        return try rows.first.map { Int(try $0.int("version")) } ?? 0
    }

    private func apply(_ migration: Migration, _ connection: any SQLConnection, appliedAt: Int64) throws {
        for statement in migration.statements(connection.dialect) {
            do {
                try connection.execute(statement)
            } catch let error as SQLError where error.code == .statement || error.code == .constraint {
                let step = "migration \(migration.version) (\(migration.name)) of '\(schema)'"
                throw SQLError(error.code, "\(step) failed: \(error.message)", state: error.state)
            }
        }
        try connection.execute(
            "INSERT INTO schema_versions (schema, version, name, applied_at) VALUES (?, ?, ?, ?)",
            [.text(schema), SQLValue(migration.version), .text(migration.name), .integer(appliedAt)])
    }
}
