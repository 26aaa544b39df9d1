import Hummingbird
import HummingbirdTesting
import Logging
import MainstayKit
import SQL
import Synchronization
import TestSupport

@testable import Storefront

/// A clock that stands still until a test moves it.
final class TestClock: Sendable {
    private let time = Mutex<Int64>(1_760_000_000_000)

    var wall: WallClock { WallClock { self.time.withLock { $0 } } }

    func advance(by milliseconds: Int64) { time.withLock { $0 += milliseconds } }
}

/// Stands in for Mainstay, and writes down what it was told.
final class RecordingMainstay: Sendable {
    struct Refusal: Error {}

    private struct State {
        var variants: [String: String]
        var exposures: [(flag: String, variant: String, key: String)] = []
        var active: [UserContext] = []
        var reports: [ProblemReport] = []
        var isReachable = true
    }

    private let state: Mutex<State>

    init(variants: [String: String] = [:]) { state = Mutex(State(variants: variants)) }

    var reports: [ProblemReport] { state.withLock { $0.reports } }
    var active: [UserContext] { state.withLock { $0.active } }
    var exposures: [(flag: String, variant: String, key: String)] { state.withLock { $0.exposures } }

    func set(_ flag: String, _ variant: String) { state.withLock { $0.variants[flag] = variant } }
    func setReachable(_ value: Bool) { state.withLock { $0.isReachable = value } }

    var guardian: Guardian {
        Guardian(
            context: { key, header, synthetic in
                UserContext(key: key, isSynthetic: synthetic || header == "signed")
            },
            variant: { flag, fallback, user in
                self.state.withLock { state in
                    let variant = user.forced[flag] ?? state.variants[flag] ?? fallback
                    state.exposures.append((flag, variant, user.key))
                    return variant
                }
            },
            sawActive: { user in self.state.withLock { $0.active.append(user) } },
            report: { report in
                try self.state.withLock { state in
                    guard state.isReachable else { throw Refusal() }
                    state.reports.append(report)
                }
            },
            connection: { .init(isOpen: true, source: "stream") })
    }
}

/// A shop of a test's own: 30 products, 3 people and 12 posts on a SQLite file that goes with the test.
struct TestShop: Sendable {
    static let data = DemoData(products: 30, users: 3, posts: 12)

    let shop: Shop
    let client: any TestClientProtocol
    let mainstay: RecordingMainstay
    let clock: TestClock

    static func run(
        variants: [String: String] = [:], data: DemoData = Self.data, setup: TestingSetup = .router,
        guardian: Guardian? = nil,
        _ body: @Sendable @escaping (TestShop) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let clock = TestClock()
            let database = try SQLiteDatabase(path: directory + "/shop.sqlite")
            try await Schema.migrate(database, at: 0)
            try await data.fill(database)
            let mainstay = RecordingMainstay(variants: variants)
            let shop = Shop(
                store: Store(database: database), guardian: guardian ?? mainstay.guardian, clock: clock.wall,
                logger: quiet)
            try await shop.application().test(setup) { client in
                try await body(TestShop(shop: shop, client: client, mainstay: mainstay, clock: clock))
            }
            await database.close()
        }
    }
}

let quiet: Logger = {
    var logger = Logger(label: "storefront.tests") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .critical
    return logger
}()
