/// Limits of a `SQLiteDatabase`; each has a name, so that a refusal can be traced to it.
package struct SQLiteOptions: Sendable {
    /// Connections that read at the same time; opened when first needed.
    package var readers = 4
    package var waitingReads = 1_000
    package var waitingWrites = 4_096
    /// Writes that may share one commit.
    package var groupLimit = 256
    /// How long a read waits for a free reader.
    package var waitTimeoutMilliseconds: Int64 = 10_000
    /// How long to wait for another process that holds the file's lock.
    package var busyTimeoutMilliseconds: Int64 = 5_000
    package var writerCacheKibibytes = 2_048
    package var readerCacheKibibytes = 1_024
    /// Prepared statements kept by each connection.
    package var preparedStatements = 128
    /// How often a body is run when it throws `SQLError.conflict`.
    package var tries = 5
    /// Largest size of the file in pages of 4 KiB; past it a write fails as on a full disk.
    package var maximumPages: Int?

    package init() {}
}

/// What a `SQLiteDatabase` has done since it was opened.
package struct SQLiteStatistics: Sendable, Equatable {
    /// Transactions committed; each is one fsync, however many writes it holds.
    package var commits = 0
    /// Bodies whose writes were committed.
    package var writes = 0
    package var largestGroup = 0
    package var waitingWrites = 0
    package var waitingReads = 0
}
