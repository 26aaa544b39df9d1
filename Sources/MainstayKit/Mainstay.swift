import AsyncHTTPClient
import Decide
import Interop
import Logging
import NIOCore
import ServiceLifecycle

/// A service's connection to Mainstay: feature flags evaluated in process, who saw what, and users' reports.
///
/// ```swift
/// let httpClient = HTTPClient(configuration: Mainstay.httpClientConfiguration)
/// let mainstay = Mainstay(
///     configuration: MainstayConfiguration(url: "http://127.0.0.1:8600", service: "storefront", token: token),
///     httpClient: httpClient, logger: logger)
/// // Run `mainstay` in your ServiceGroup, after the HTTP client and before the server. Then, per request:
/// let user = mainstay.userContext(key: account.id, syntheticHeader: request.headers["Mainstay-Synthetic"])
/// mainstay.sawActive(user)
/// if mainstay.variant("favorites", default: "v1", for: user) == "v2" { … }
/// ```
///
/// Evaluation never waits and never fails: it reads the definitions last received, those of the last run
/// (`MainstayConfiguration.cacheFile`) before anything was received, and without either serves the default given in
/// the call. A Mainstay that is down therefore changes nothing for users.
public final class Mainstay: Sendable, Service {
    /// For an HTTP client that says at once when nobody listens. By default a client goes on trying by itself, and a
    /// report or a reconnection would wait for its own time limit instead.
    public static var httpClientConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(5)
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }

    private let configuration: MainstayConfiguration
    private let clock: KitClock
    private let logger: Logger
    private let store = FlagStore()
    private let exposures: ExposureSender
    private let client: MainstayClient?
    private let cache: FlagCache?
    private let verifier: SyntheticVerifier?

    /// Loads the definitions of the last run at once, so that it serves before `run()` is called and with Mainstay
    /// away. A cache file that cannot be read is reported in the log and in `status`, and otherwise ignored.
    /// - Parameter httpClient: stays the caller's to shut down, after `run()` has returned. Best made with
    ///   `Mainstay.httpClientConfiguration`.
    public convenience init(configuration: MainstayConfiguration, httpClient: HTTPClient, logger: Logger) {
        self.init(configuration: configuration, httpClient: httpClient, logger: logger, clock: .system)
    }

    package init(configuration: MainstayConfiguration, httpClient: HTTPClient, logger: Logger, clock: KitClock) {
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        client = configuration.url.map { url in
            let base = url.hasSuffix("/") ? String(url.dropLast()) : url
            return MainstayClient(httpClient: httpClient, url: base, token: configuration.token, clock: clock)
        }
        exposures = ExposureSender(
            service: configuration.service, client: client, limit: configuration.maximumExposures, clock: clock,
            logger: logger)
        cache = configuration.cacheFile.map(FlagCache.init(path:))
        verifier = configuration.syntheticSecret.map(SyntheticVerifier.init(secret:))
        loadCache()
    }

    /// The name of the variant that the user gets, and records that the user saw it (unless synthetic).
    ///
    /// Call it where the variant decides what happens, not in advance: what it records is counted as "this user met
    /// this variant".
    /// - Parameter fallback: served, and recorded, when the flag is not known, is disabled, has no default or cannot
    ///   be evaluated.
    public func variant(_ flag: String, default fallback: String, for user: UserContext) -> String {
        let (evaluation, _) = decide(flag, user)
        let variant = evaluation.variant ?? fallback
        exposures.record(flag, variant, evaluation.version, user)
        return variant
    }

    /// The value of the variant that the user gets, and records that the user saw it (unless synthetic). The fallback
    /// is served also when the value is of another type; it is recorded as variant `default`.
    public func value<Value: FlagReadable>(
        _ flag: String, default fallback: Value, for user: UserContext
    ) -> Value {
        let (evaluation, _) = decide(flag, user)
        let value = evaluation.value.flatMap { Value(flagValue: FlagValue($0)) }
        exposures.record(
            flag, value == nil ? "default" : evaluation.variant ?? "default", evaluation.version, user)
        return value ?? fallback
    }

    /// What the user gets and why. Records nothing.
    public func evaluate(_ flag: String, for user: UserContext) -> FlagEvaluation {
        let (evaluation, forced) = decide(flag, user)
        return FlagEvaluation(evaluation, forced: forced)
    }

    /// The user was active: the whole of which those who met a fault are a share. Call it once per request.
    public func sawActive(_ user: UserContext) {
        exposures.recordActive(user)
    }

    /// Hands a user's report to Mainstay. Returns once Mainstay has it on disk.
    /// - Throws: `MainstayError`; the user should then be told that nobody has read the report.
    public func report(_ report: ProblemReport) async throws {
        guard let client else {
            throw MainstayError(
                code: .notConfigured, operation: "reports.send", detail: "There is no Mainstay to report to.")
        }
        var body: [String: JSONValue] = ["service": .string(configuration.service), "text": .string(report.text)]
        body["feature"] = report.feature.map(JSONValue.string)
        body["user"] = report.user.map { .string(UserHash(key: $0).hex) }
        body["page"] = report.page.map(JSONValue.string)
        let answer = try await client.post(
            "/api/v1/reports", .object(body), timeout: configuration.requestTimeout, operation: "reports.send")
        guard (200..<300).contains(answer.status) else {
            throw MainstayError(
                code: .refused, operation: "reports.send", status: answer.status,
                detail: answer.detail.isEmpty ? "Mainstay refused the report." : answer.detail)
        }
    }

    /// The user of a request. With a valid `Mainstay-Synthetic` header it is synthetic and has the header's variants
    /// forced; any other header is ignored.
    /// - Parameters:
    ///   - key: nil or empty for someone who cannot be told apart.
    ///   - syntheticHeader: the request's header `Mainstay-Synthetic`.
    public func userContext(key: String?, syntheticHeader: String?) -> UserContext {
        var user = UserContext(key: key)
        guard let syntheticHeader, let header = verifier?.verify(syntheticHeader, now: clock.now()) else { return user }
        user.isSynthetic = true
        user.forced = header.forced
        if user.key.isEmpty { user.key = header.user }
        return user
    }

    /// How the connection stands now.
    public var status: MainstayStatus {
        var status = store.status
        exposures.describe(into: &status)
        return status
    }

    /// Keeps the definitions current, writes them to the cache file and sends exposures, until the service shuts
    /// down; then sends the last exposures. Call it once.
    public func run() async throws {
        guard let client else {
            try await waitForShutdown()
            return
        }
        let (changes, changed) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let stream = FlagStream(
            client: client, configuration: configuration, store: store, clock: clock, logger: logger,
            changed: { changed.yield() })
        await cancelWhenGracefulShutdown { [self] in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await stream.run() }
                group.addTask { await self.keepCache(changes) }
                group.addTask { [configuration] in
                    await self.exposures.run(
                        every: configuration.exposureInterval, timeout: configuration.requestTimeout)
                }
            }
        }
        await finish()
    }

    private func waitForShutdown() async throws {
        do {
            try await gracefulShutdown()
        } catch is CancellationError {
            return
        }
    }

    private func finish() async {
        await writeCache()
        do {
            try await exposures.flush(timeout: configuration.shutdownTimeout)
        } catch {
            logger.warning("The last exposures could not be sent.", metadata: ["error": "\(error)"])
        }
    }
}

// MARK: Evaluation

extension Mainstay {
    private func decide(_ flag: String, _ user: UserContext) -> (Evaluation, forced: Bool) {
        let flags = store.flags
        if let variant = user.forced[flag] {
            // A variant that the flag does not have cannot be forced; without definitions only the code can know.
            if let forced = flags?.evaluation(of: flag, forcing: variant) { return (forced, true) }
            if flags?.contains(flag) != true {
                return (Evaluation(key: flag, variant: variant, reason: .targetingMatch), true)
            }
        }
        guard let flags else {
            return (Evaluation(key: flag, reason: .error, errorCode: .flagNotFound), false)
        }
        // The clock is read only for rules that do.
        let context = EvaluationContext(
            targetingKey: user.key.isEmpty ? nil : user.key, attributes: user.json,
            timestamp: flags.readsTimestamp ? clock.now() : .epoch)
        return (flags.evaluate(flag, context: context), false)
    }
}

// MARK: Cache

extension Mainstay {
    private func loadCache() {
        guard let cache else { return }
        do {
            guard let bytes = try cache.read(limit: FlagdCodec.maximumBytes) else { return }
            try store.load(cached: bytes, at: clock.now())
            logger.info("Flag definitions of the last run loaded.", metadata: ["version": "\(status.version ?? 0)"])
        } catch {
            store.cacheFailed("\(error)")
            logger.error("The flag cache cannot be read.", metadata: ["file": "\(cache.path)", "error": "\(error)"])
        }
    }

    /// Changes that come while one is being written are written once, as the newest.
    private func keepCache(_ changes: AsyncStream<Void>) async {
        for await _ in changes { await writeCache() }
    }

    private func writeCache() async {
        guard let cache, let received = store.received else { return }
        do {
            try await cache.write(received.bytes)
            store.cacheFailed(nil)
        } catch {
            store.cacheFailed("\(error)")
            logger.error("The flag cache cannot be written.", metadata: ["file": "\(cache.path)", "error": "\(error)"])
        }
    }
}
