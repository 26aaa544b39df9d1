import GRDB

/// Another program's write transaction on a SQLite file with a rollback journal, which keeps readers out.
final class ExclusiveLock: @unchecked Sendable {
    private let queue: DatabaseQueue

    init(_ path: String) throws {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA journal_mode = DELETE")
            try database.execute(sql: "BEGIN EXCLUSIVE")
        }
    }

    func release() {
        try? queue.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
    }
}
