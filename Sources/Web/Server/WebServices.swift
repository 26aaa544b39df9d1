import Act
import Decide
import Logging
import Record

/// Everything the HTTP side works with. Built by App; tests build it around a record of their own.
package struct WebServices: Sendable {
    package var record: Record
    package var settings: WebSettings
    package var version: String
    package var logger: Logger
    /// Reads the links that pages carry.
    package var linkSigner: LinkSigner
    package var flagHub: FlagHub
    package var streams: StreamSlots
    package var limits: RateLimits
    package var metrics: WebMetrics

    /// Runs a check now and takes its result in; nil: it cannot be run by this process.
    package var runCheck: @Sendable (_ check: String) async -> CheckResult? = { _ in nil }
    /// An incident's postmortem in Markdown; nil: there is no such incident.
    package var postmortem: @Sendable (_ incident: String) async throws -> String? = { _ in nil }
    /// What else must be well for `/healthz`, beside the database.
    package var vitals: [Vital] = []
    /// Further lines for `/metrics`.
    package var gauges: [@Sendable () async throws -> [MetricSample]] = []
    /// Origins whose pages may send customer reports straight to Mainstay: `https://shop.example.test`.
    package var reportOrigins: @Sendable () -> Set<String> = { [] }

    /// Of the guard that runs in this process; nil: none does.
    package var guardControl: (any GuardControl)?

    package init(
        record: Record, settings: WebSettings, linkSigner: LinkSigner, version: String,
        logger: Logger = Logger(label: "web")
    ) {
        self.record = record
        self.linkSigner = linkSigner
        self.settings = settings
        self.version = version
        self.logger = logger
        flagHub = FlagHub(record: record, settings: settings, logger: logger)
        streams = StreamSlots(limit: settings.maxStreams)
        limits = RateLimits()
        metrics = WebMetrics()
    }
}

/// Something without which Mainstay does not do its work.
package struct Vital: Sendable {
    package var name: String
    /// Nil: well; else one sentence that says what is wrong.
    package var complaint: @Sendable () async -> String?

    package init(_ name: String, complaint: @escaping @Sendable () async -> String?) {
        self.name = name
        self.complaint = complaint
    }
}
