/// How the connection to Mainstay stands; for health pages and metrics.
public struct MainstayStatus: Hashable, Sendable {
    public enum Source: String, Hashable, Sendable {
        /// No definitions are known: the defaults in code are served.
        case code
        /// The file of the last run.
        case cache
        /// Mainstay.
        case stream
    }

    /// Whether the stream is open and has given its first definitions.
    public var connected = false
    /// Where the definitions in force come from.
    public var source = Source.code
    /// Of the definitions in force.
    public var version: Int64?
    /// When they took effect here, in UTC milliseconds since 1970.
    public var lastChangeAt: Int64?
    /// Why there is no connection, or why the last definitions were not taken.
    public var lastError: String?
    /// Flags that cannot be evaluated as written.
    public var flagProblems: [String] = []
    /// User entries waiting to be sent.
    public var exposuresPending = 0
    /// User entries that were not taken because too many were waiting, since the start.
    public var exposuresDropped = 0
    /// Batches that Mainstay accepted, and batches it refused for good, since the start.
    public var batchesAccepted = 0
    public var batchesRefused = 0
    /// Why the cache file could not be read or written; nil when it last worked.
    public var cacheError: String?
}
