import Dispatch
import GRDB
import Synchronization

/// SQLite through GRDB: write-ahead log, one writer that commits in groups, a few readers.
///
/// What `write` returned is on disk (`synchronous = FULL`). Readers see a consistent view and never wait for the
/// writer.
package final class SQLiteDatabase: SQLDatabase {
    package let dialect = SQLDialect.sqlite
    package let path: String

    private let options: SQLiteOptions
    private let writer: SQLiteLink
    private let committer: GroupCommitter
    private let turnstile: Turnstile
    private let readers: Mutex<[SQLiteLink?]>
    private let opening = DispatchQueue(label: "mainstay.sqlite.open")

    /// Opens the file, and makes it when there is none. Blocks for as long as the disk takes.
    ///
    /// - Throws: `SQLError.unavailable` when the file cannot be opened or is no database.
    package init(path: String, options: SQLiteOptions = SQLiteOptions()) throws {
        self.path = path
        self.options = options
        var configuration = Self.configuration(options, cacheKibibytes: options.writerCacheKibibytes)
        configuration.journalMode = .wal
        configuration.label = "mainstay.sqlite.writer"
        writer = try SQLiteLink(
            path: path, configuration: configuration, preparedStatements: options.preparedStatements)
        var setUp = "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;"
        if let pages = options.maximumPages { setUp += "PRAGMA max_page_count = \(pages);" }
        try writer.setUp(setUp, path: path)
        committer = GroupCommitter(link: writer, options: options)
        let limits = Turnstile.Limits(
            slots: max(options.readers, 1), waiting: options.waitingReads,
            waitMilliseconds: options.waitTimeoutMilliseconds)
        turnstile = Turnstile(name: "reader of the database", limits: limits)
        readers = Mutex(Array(repeating: nil, count: limits.slots))
    }

    package var statistics: SQLiteStatistics {
        var statistics = committer.statistics
        statistics.waitingReads = turnstile.waitingCount
        return statistics
    }

    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        let slot = try await turnstile.enter()
        defer { turnstile.leave(slot) }
        return try await reader(slot).read(body)
    }

    @discardableResult
    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await committer.submit(body)
    }

    package func close() async {
        await committer.close()
        await turnstile.close()
        let links = readers.withLock { links in
            defer { links = links.map { _ in nil } }
            return links.compactMap { $0 }
        }
        for link in links { await link.close() }
        await writer.close()
    }

    private func reader(_ slot: Int) async throws -> SQLiteLink {
        if let link = readers.withLock({ $0[slot] }) { return link }
        let link = try await opening.run { [path, options] in
            var configuration = Self.configuration(options, cacheKibibytes: options.readerCacheKibibytes)
            configuration.readonly = true
            configuration.label = "mainstay.sqlite.reader"
            return try SQLiteLink(
                path: path, configuration: configuration, preparedStatements: options.preparedStatements)
        }
        readers.withLock { $0[slot] = link }
        return link
    }

    private static func configuration(_ options: SQLiteOptions, cacheKibibytes: Int) -> Configuration {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        // Were a ROLLBACK ever to fail, the next BEGIN reports it; without this the process would stop instead.
        configuration.allowsUnsafeTransactions = true
        configuration.busyMode = .timeout(Double(options.busyTimeoutMilliseconds) / 1_000)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA cache_size = -\(cacheKibibytes); PRAGMA temp_store = MEMORY")
        }
        return configuration
    }
}
