import Act
import AsyncHTTPClient
import Decide
import Explain
import Foundation
import Guard
import Logging
import Observe
import Record
import SQL
import ServiceLifecycle
import Synchronization
import UnixSignals
import Web

/// The composition root of `mainstay serve`: configuration → parts → one service group.
struct MainstayServer: Sendable {
    let configurationPath: String
    let configuration: Configuration
    let environment: [String: String]
    let logger: Logger

    func run() async throws {
        FileLimit.raise(logger)
        try DataDirectory.prepare(configuration.server)
        guard let settings = configuration.guardSettings else { return try await runHouse(behind: nil) }
        let decisions = DecisionQueue()
        let proxy = try makeGuard(settings, decisions)
        let progress = HouseBehindGuard.Progress()
        // Whoever sends it means the configuration, also while there is nobody to read it.
        signal(SIGHUP, SIG_IGN)
        let house = HouseBehindGuard(progress: progress, logger: labelled("lifecycle")) {
            try await runHouse(behind: (proxy, decisions, progress))
        }
        // The guard is the last to start, and so the first to stop: what it counted and decided to the end is taken.
        try await ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: house), .init(service: proxy)],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: labelled("lifecycle"))
        ).run()
    }

    private typealias Front = (proxy: Guard, decisions: DecisionQueue, progress: HouseBehindGuard.Progress)

    private func runHouse(behind front: Front?) async throws {
        let database = try openDatabase(configuration.server.database)
        do {
            try await serve(database, behind: front)
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }

    private func serve(_ database: any SQLDatabase, behind front: Front?) async throws {
        let record = Record(
            database: database, policy: configuration.policy, now: WallClock.now, logger: labelled("record"))
        try await record.migrate()
        if database.dialect == .sqlite { try await record.forgetLeases() }
        try await Beginnings(record: record, configuration: configuration, environment: environment, logger: logger)
            .prepare()
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: CheckRunner.clientConfiguration())
        let pages = PageClient()
        let probe = SQLProbe()
        do {
            try await build(record, client, pages, probe, front).run()
        } catch {
            try await close(client, pages, probe)
            throw error
        }
        try await close(client, pages, probe)
    }

    private func close(_ client: HTTPClient, _ pages: PageClient, _ probe: SQLProbe) async throws {
        await probe.close()
        try await pages.shutdown()
        try await client.shutdown()
    }

    /// Every part, in the order they start; they stop in the opposite one.
    private func build(
        _ record: Record, _ client: HTTPClient, _ pages: PageClient, _ probe: SQLProbe, _ front: Front?
    ) throws -> ServiceGroup {
        let settings = SettingsBox(configuration)
        let owner =
            "\(ProcessInfo.processInfo.hostName)/\(ProcessInfo.processInfo.processIdentifier)/\(UUID().uuidString.prefix(8))"
        let links = LinkSigner(
            key: try DataDirectory.linkKey(configuration.server), base: configuration.server.publicURL)
        let candidates = CandidateVariants()
        let intake = ResultIntake(record: record, logger: labelled("checks"))
        let runner = CheckRunner(
            client: client, probe: probe, secret: { settings.current.services[$0]?.syntheticSecret },
            clock: WallClock.now)
        var options = CheckScheduler.Options()
        options.startsPaused = true
        let scheduler = CheckScheduler(
            definitions: configuration.checks, options: options, clock: WallClock.now,
            forcing: { candidates.forced(service: $0.service, feature: $0.feature) },
            sink: { await intake.take($0) }, run: { await runner.run($0, forcing: $1) })
        let requests = RequestRunner(
            record: record, checks: access(scheduler, settings), candidates: candidates, owner: owner,
            logger: labelled("requests"))
        let observer = Observer(
            record: record, owner: owner, intake: intake, candidates: candidates, requests: requests,
            schedule: { await scheduler.schedule() }, logger: labelled("observer"))
        let dispatcher = PageDispatcher(
            record: record, owner: owner,
            carrier: PageCarrier(
                addresses: { settings.current.addressBook }, mail: MailSender(), client: pages, now: WallClock.now),
            links: links, logger: labelled("pages"))
        let parts = GuardParts(
            control: front?.proxy, decisions: front?.decisions ?? DecisionQueue(), record: record,
            logger: labelled("queries"))
        let reload = Reload(
            path: configurationPath, environment: environment, record: record, settings: settings,
            scheduler: scheduler, proxy: front?.proxy, logger: labelled("configuration"))
        let web = buildApplication(
            webServices(record, links, scheduler, settings, parts), host: configuration.server.host,
            port: configuration.server.port,
            onReady: { port in
                front?.progress.serves()
                announce(port: port)
            })
        var services: [any Service] = [
            Housekeeping(record: record, logger: labelled("housekeeping")), intake, scheduler,
            Ticker(record: record, logger: labelled("time")), dispatcher, observer, reload, web,
        ]
        if let intake = parts.intake { services.append(intake) }
        if let front {
            services.append(
                GuardHouse(
                    record: record, decisions: front.decisions, control: front.proxy, place: owner,
                    logger: labelled("guard")))
        }
        return ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) },
                gracefulShutdownSignals: front == nil ? [.sigterm, .sigint] : [], logger: labelled("lifecycle")))
    }

    private func access(_ scheduler: CheckScheduler, _ settings: SettingsBox) -> CheckAccess {
        CheckAccess(
            runNow: { await scheduler.runNow($0, forcing: $1) },
            runApart: { await scheduler.runNow($0, forcing: $1, reports: false) },
            place: { id in
                settings.current.checks.first { $0.id == id }.map { ($0.service, $0.feature) }
            })
    }

    private func webServices(
        _ record: Record, _ links: LinkSigner, _ scheduler: CheckScheduler, _ settings: SettingsBox,
        _ parts: GuardParts
    ) -> WebServices {
        let publicURL = configuration.server.publicURL
        var web = WebSettings(publicURL: publicURL)
        // Processes with the same key count a reporter as the same one.
        web.addressSecret = links.derivedSecret("reporters")
        web.trustsForwardedFor = configuration.server.trustsForwardedFor
        var services = WebServices(
            record: record, settings: web, linkSigner: links, version: Version.current, logger: labelled("web"))
        services.vitals = [ObserverWatch(record, now: WallClock.now).vital]
        services.runCheck = { await scheduler.runNow($0) }
        services.postmortem = { id in
            guard try await record.incident(id) != nil else { return nil }
            return try await Postmortem.markdown(for: id, record, now: WallClock.now(), base: publicURL)
        }
        services.reportOrigins = { Set(settings.current.services.values.flatMap(\.origins)) }
        services.guardControl = parts.control
        services.gauges = [{ await Gauges.scheduler(scheduler.statistics) }, { parts.gauges }]
        return services
    }

    /// - Parameter decisions: takes what the guard decides, and never makes it wait.
    private func makeGuard(_ settings: GuardSettings, _ decisions: DecisionQueue) throws -> Guard {
        let (path, environment) = (configurationPath, self.environment)
        return try Guard(
            settings: settings, logger: labelled("guard"), wallClock: WallClock.now,
            reading: { try ConfigurationLoader.loadGuard(path: path, environment: environment) },
            memory: GuardMemory.at(
                settings.stateFile ?? configuration.server.dataDirectory + "/guard.json", logger: labelled("guard")),
            onDecision: { decisions.put($0) },
            onReady: { port in
                FileHandle.standardOutput.say("mainstay guard listening on \(settings.host):\(port)")
            })
    }

    /// For people and for scripts that wait for it.
    private func announce(port: Int) {
        let url = configuration.server.publicURL
        FileHandle.standardOutput.say("mainstay listening on \(configuration.server.host):\(port), \(url)")
    }

    private func labelled(_ label: String) -> Logger {
        var labelled = Logger(label: "mainstay.\(label)")
        labelled.logLevel = logger.logLevel
        return labelled
    }
}

/// The one place that reads the time of day.
enum WallClock {
    @Sendable static func now() -> Instant {
        Instant(milliseconds: Int64((Date().timeIntervalSince1970 * 1_000).rounded(.down)))
    }
}

/// The configuration in force; replaced as a whole when it is read anew.
final class SettingsBox: Sendable {
    private let configuration: Mutex<Configuration>

    init(_ configuration: Configuration) {
        self.configuration = Mutex(configuration)
    }

    var current: Configuration {
        get { configuration.withLock { $0 } }
        set { configuration.withLock { $0 = newValue } }
    }
}

/// Drops what is past its keeping time, once an hour.
struct Housekeeping: Service {
    let record: Record
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do { try await Task.sleep(for: .seconds(3_600)) } catch { return }
                do {
                    try await record.prune()
                } catch {
                    logger.error("old samples could not be dropped", metadata: ["cause": "\(error)"])
                }
            }
        }
    }
}
