import Foundation
import SQL

@testable import Storefront

/// Where a test's tables live.
enum TestDatabase: Sendable {
    case sqlite, postgres

    static let postgresURL = ProcessInfo.processInfo.environment["MAINSTAY_TEST_POSTGRES"]

    /// Runs `body` on an empty database (SQLite) or an empty schema (PostgreSQL) of its own.
    func run(_ body: @Sendable (any SQLDatabase) async throws -> Void) async throws {
        switch self {
        case .sqlite:
            try await withTemporaryDirectory { directory in
                let database = try SQLiteDatabase(path: directory + "/contract.sqlite")
                try await body(database)
                await database.close()
            }
        case .postgres:
            guard let url = Self.postgresURL else { return }
            let schema = "storefront_\(UUID().uuidString.prefix(8).lowercased())"
            let admin = try openDatabase(url)
            _ = try await admin.write { try $0.execute("CREATE SCHEMA \(schema)") }
            let mark = url.contains("?") ? "&" : "?"
            let database = try openDatabase("\(url)\(mark)options=-csearch_path%3D\(schema)")
            do {
                try await body(database)
            } catch {
                await database.close()
                _ = try await admin.write { try $0.execute("DROP SCHEMA \(schema) CASCADE") }
                await admin.close()
                throw error
            }
            await database.close()
            _ = try await admin.write { try $0.execute("DROP SCHEMA \(schema) CASCADE") }
            await admin.close()
        }
    }
}
