/// What a server's messages meant, for whoever keeps accounts and pools.
package enum ServerEvent {
    /// A statement ended, well or with its `sqlState`.
    case ended(RunningStatement)
    /// An earlier error of its batch ended it before it ran.
    case skipped(RunningStatement)
    /// ReadyForQuery for the client.
    case ready(TransactionStatus)
    /// ReadyForQuery for something that we asked; with the SQLSTATE when it failed.
    case ourQueryEnded(TransactionStatus, sqlState: SQLState?)
    case parameter(name: String, value: String)
    /// The server is about to close the connection.
    case farewell(SQLState)
    /// A plan no longer fits its statement, as after a migration: the statement has to be prepared anew.
    case stale(statement: UInt32)
    /// What tables and types there are has changed, or may have, and others see it from now on.
    case schemaChanged
}

/// Five characters in a machine word.
package struct SQLState: Hashable, Sendable, CustomStringConvertible {
    package let code: UInt64

    package init(_ text: some Collection<UInt8>) {
        code = text.prefix(5).reduce(0) { $0 << 8 | UInt64($1) }
    }

    package init(_ text: StaticString) {
        self.init(text.withUTF8Buffer { Array($0) })
    }

    package var description: String {
        String(
            decoding: stride(from: 32, through: 0, by: -8).map { UInt8(truncatingIfNeeded: code >> UInt64($0)) },
            as: UTF8.self)
    }
}

extension SQLState {
    /// cannot_connect_now, admin_shutdown and the like say "again"; this one says "not now, not this".
    package static let insufficientResources = SQLState("53000")
    package static let queryCanceled = SQLState("57014")
    static let featureNotSupported = SQLState("0A000")
}

/// One statement on a server.
package struct RunningStatement {
    /// Nil when it was never told: a Bind of a name that nobody prepared, a function call.
    package var query: QueryInfo?
    /// Nanoseconds of the caller's monotonic clock.
    package var sentAt: Int64
    /// That its text names (`ReleaseNames`); 0: none.
    package var release: UInt32 = 0
    /// As its CommandComplete counts them; the sum over a simple query of several statements.
    package var rows = 0
    /// Of its rows, or of the data that it copied out, as they were sent.
    package var bytes = 0
    package var tag = CommandTag.other
    package var sqlState: SQLState?

    package init(query: QueryInfo?, sentAt: Int64, release: UInt32 = 0) {
        self.query = query
        self.sentAt = sentAt
        self.release = release
    }
}
