import Dispatch
import GRDB
import Glibc
import Synchronization

/// `@unchecked Sendable`: `open` is touched only on `queue`.
final class SQLiteProbeConnection: ProbeConnection, @unchecked Sendable {
    /// Which file the path named when it was opened. A restored database is another file under the same name, and the
    /// old connection would go on reading the one that is gone.
    private struct FileIdentity: Equatable {
        let device: UInt64
        let inode: UInt64
    }

    private let path: String
    private let queue = DispatchQueue(label: "mainstay.probe.sqlite")
    private var open: (link: SQLiteLink, identity: FileIdentity)?
    private let running = Mutex<SQLiteLink?>(nil)
    private let deadline = Mutex(ContinuousClock.now)

    init(path: String) { self.path = path }

    func run(_ request: ProbeRequest, _ completion: @escaping @Sendable (Result<[SQLRow], any Error>) -> Void) {
        queue.async { [self] in completion(Result { try answer(request) }) }
    }

    func interrupt() { running.withLock { $0 }?.interrupt() }

    private func answer(_ request: ProbeRequest) throws -> [SQLRow] {
        deadline.withLock { $0 = request.deadline }
        try request.checkDeadline()
        do {
            let link = try connected()
            running.withLock { $0 = link }
            defer { running.withLock { $0 = nil } }
            return try link.runBlocking { database, statements in
                // Foreign schemas change at any time: nothing prepared is kept from one question to the next.
                defer { statements.removeAll() }
                try request.checkDeadline()
                return try statements.query(database, request.sql, request.values, budget: request.budget)
            }
        } catch let error as SQLError where error.code == .unavailable {
            // A lock waited for until the deadline is lateness.
            if ContinuousClock.now >= request.deadline { throw SQLError.deadlinePassed }
            open = nil
            throw error
        }
    }

    private func connected() throws -> SQLiteLink {
        let identity = try identity()
        if let open, open.identity == identity { return open.link }
        open = nil
        var configuration = Configuration()
        configuration.readonly = true
        configuration.allowsUnsafeTransactions = true
        configuration.label = "mainstay.probe.sqlite"
        configuration.busyMode = .callback { [weak self] _ in
            guard let self, ContinuousClock.now < deadline.withLock({ $0 }) else { return false }
            usleep(2_000)
            return true
        }
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA query_only = ON; PRAGMA cache_size = -512")
        }
        let link = try SQLiteLink(path: path, configuration: configuration, preparedStatements: 1)
        open = (link, identity)
        return link
    }

    private func identity() throws(SQLError) -> FileIdentity {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw SQLError(.unavailable, "\(path): there is no such database file, or it may not be read")
        }
        return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
}
