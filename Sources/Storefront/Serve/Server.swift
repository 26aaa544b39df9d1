import AsyncHTTPClient
import Foundation
import Hummingbird
import Logging
import MainstayKit
import NIOCore
import SQL

/// The running Storefront: puts the parts together, and takes them apart in the opposite order.
struct Server: Sendable {
    static let syntheticEmail = "synthetic@storefront.test"

    struct Settings: Sendable {
        var host: String
        var port: Int
        var database: String
        var mainstay: String?
        var mainstayToken: String?
        var syntheticSecret: String?
        var syntheticPassword: String?
        var flagCache: String?
        var seed: DemoData.Size
        var secureCookies: Bool
    }

    let settings: Settings
    let logger: Logger

    func run() async throws {
        let database = try openDatabase(settings.database)
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: Mainstay.httpClientConfiguration)
        let outcome: Result<Void, any Error>
        do {
            try await Self.prepare(database, seed: settings.seed)
            outcome = .success(try await serve(Store(database: database), client))
        } catch {
            outcome = .failure(error)
        }
        await database.close()
        try await client.shutdown()
        try outcome.get()
    }

    /// Brings the tables up to date, and fills an empty shop.
    static func prepare(_ database: any SQLDatabase, seed: DemoData.Size, clock: WallClock = .system) async throws {
        try await Schema.migrate(database, at: clock.now())
        switch seed {
        case .none: break
        case .small: try await DemoData.small.fill(database)
        case .demo: try await DemoData.demo.fill(database)
        }
    }

    private func serve(_ store: Store, _ client: HTTPClient) async throws {
        let mainstay = Mainstay(
            configuration: MainstayConfiguration(
                url: settings.mainstay, service: "storefront", token: settings.mainstayToken,
                cacheFile: settings.flagCache, syntheticSecret: settings.syntheticSecret),
            httpClient: client, logger: logger)
        let shop = Shop(
            store: store, guardian: .live(mainstay), cookies: CookieJar(secure: settings.secureCookies), logger: logger)
        var application = shop.application(host: settings.host, port: settings.port) { channel in
            announce(channel.localAddress?.port ?? settings.port)
        }
        application.beforeServerStarts {
            guard let password = settings.syntheticPassword else { return }
            try await shop.ensureSyntheticUser(password: password)
        }
        application.addServices(mainstay)
        try await application.runService()
    }

    /// One line on standard output, for people and for whatever started the process.
    private func announce(_ port: Int) {
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        do {
            try FileHandle.standardOutput.write(
                contentsOf: Data("storefront listening on http://\(host):\(port)\n".utf8))
        } catch {
            // Nobody reads along; `write(_:)` would end the process for it.
        }
    }
}

extension Shop {
    /// Makes Mainstay's synthetic user, or gives it its password anew. It is marked, and left out of analytics.
    func ensureSyntheticUser(password: String) async throws {
        let account = try await store.account(email: Server.syntheticEmail)
        if let account, account.user.synthetic, try await passwords.verify(password, account.password) { return }
        let hash = try await passwords.hash(password)
        _ = try await store.ensureSyntheticUser(email: Server.syntheticEmail, password: hash, at: clock.now())
    }
}
