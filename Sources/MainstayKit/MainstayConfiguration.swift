/// Where Mainstay is, and which service this is.
public struct MainstayConfiguration: Sendable {
    /// Of the Mainstay server, without a path: `https://mainstay.example.com`. Nil: no connection; flags come from
    /// `cacheFile` or the defaults in code.
    public var url: String?
    /// This service's name in Mainstay's configuration.
    public var service: String
    /// Access token with the right to read this service's flags and to send exposures and reports.
    public var token: String?
    /// Where the last known definitions are kept, so that the service starts as it last ran while Mainstay is away.
    /// One file per process: two that share it may each write it. Nil: nothing is kept.
    public var cacheFile: String?
    /// Shared with Mainstay: proves that a synthetic user's header is Mainstay's. Nil: such headers are ignored.
    public var syntheticSecret: String?
    /// How often exposures are sent.
    public var exposureInterval: Duration = .seconds(1)
    /// User entries held for the next batch; what comes past it is counted as dropped.
    public var maximumExposures = 100_000
    /// Silence on the stream after which the connection is given up. The server sends a comment every 15 s.
    public var streamSilence: Duration = .seconds(45)
    /// Wait before the first and at most before any reconnection; it doubles in between, and a random part is taken
    /// off so that many clients do not come back at once.
    public var reconnectDelay: ClosedRange<Duration> = .milliseconds(100)...(.seconds(5))
    /// For each request, and for the answer to begin on the stream.
    public var requestTimeout: Duration = .seconds(10)
    /// For the last exposures when the service shuts down.
    public var shutdownTimeout: Duration = .seconds(3)

    public init(
        url: String?, service: String, token: String? = nil, cacheFile: String? = nil, syntheticSecret: String? = nil
    ) {
        self.url = url
        self.service = service
        self.token = token
        self.cacheFile = cacheFile
        self.syntheticSecret = syntheticSecret
    }
}
