/// Limits of a `PostgresDatabase`; each has a name, so that a refusal can be traced to it.
package struct PoolOptions: Sendable {
    /// Connections at most; each is opened when first needed, and has a thread of its own while it works.
    package var connections = 8
    /// Callers that may wait for a connection.
    package var waitingLimit = 1_000
    package var waitTimeoutMilliseconds: Int64 = 10_000
    /// Unless the URL has a `connect_timeout` of its own. The library counts in seconds, two at least.
    package var connectTimeoutMilliseconds: Int64 = 5_000
    package var statementTimeoutMilliseconds: Int64 = 30_000
    /// How long past its own timeout the server may stay silent before the connection is given up.
    package var silenceMilliseconds: Int64 = 5_000
    /// How often a body is run when it loses a race.
    package var tries = 10
    /// Prepared statements kept by each connection.
    package var preparedStatements = 128
    package var applicationName = "mainstay"

    package init() {}
}

/// What a `PostgresDatabase` has done since it was opened.
package struct PostgresStatistics: Sendable, Equatable {
    /// Connections made, reconnections included.
    package var connections = 0
    /// Bodies run again after a lost race.
    package var conflicts = 0
    package var waiting = 0
}
