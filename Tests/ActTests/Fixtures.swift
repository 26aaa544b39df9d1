import Decide
import Logging
import Record
import SQL
import Synchronization
import TestSupport
import Testing

@testable import Act

final class TestClock: Sendable {
    private let instant = Mutex(Instant(milliseconds: 1_795_323_109_000))

    var now: Instant { instant.withLock { $0 } }

    func advance(_ span: Span) { instant.withLock { $0 = $0 + span } }
}

extension Logger {
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

extension LinkSigner {
    static let test = LinkSigner(key: Array(repeating: 7, count: 32), base: "https://mainstay.example/")
}

extension OutgoingPage {
    static func fixture(
        id: String = "shop-favorites-1/ada/email/opened", title: String = "[high] favorites does not work (shop)",
        lines: [String] = ["Since 04:51: the list lacks it.", "Suspect: favorites v1 → v2, by lin."],
        undo: String? = "flag:shop/favorites@2", method: PageTarget.Method = .email
    ) -> OutgoingPage {
        let incident = String(id.split(separator: "/").first ?? "")
        return OutgoingPage(
            Delivery(
                page: id, service: "shop", incident: incident, target: PageTarget(name: "ada", method: method),
                message: PageMessage(
                    title: title, severity: .high, lines: lines, acknowledge: true, undo: undo,
                    undoTitle: undo.map { _ in "favorites v1 → v2" }, isResolved: false)),
            requestedAt: Instant(milliseconds: 1_795_323_109_000), links: .test)
    }
}

extension MailServer {
    static func at(_ server: SMTPServer, timeout: Span = .seconds(30)) -> MailServer {
        MailServer(url: server.url, from: "mainstay@example.test", timeout: timeout)
    }
}

extension DeliveryOutcome {
    var kind: String {
        switch self {
        case .delivered: "delivered"
        case .temporary: "temporary"
        case .permanent: "permanent"
        }
    }

    var words: String {
        switch self {
        case .delivered(let proof): proof
        case .temporary(let reason, _), .permanent(let reason): reason
        }
    }
}

/// Waits for what another thread is about to bring about; the test's own time limit ends a wait in vain.
func eventually(_ condition: () async throws -> Bool) async throws {
    while try await !condition() { try await Task.sleep(for: .milliseconds(5)) }
}

/// A database that can go away: writes are refused while it is.
final class FlakyDatabase: SQLDatabase {
    private let database: any SQLDatabase
    private let isAway = Mutex(false)
    private let refusals = Mutex(0)

    init(_ database: any SQLDatabase) { self.database = database }

    var dialect: SQLDialect { database.dialect }
    var refused: Int { refusals.withLock { $0 } }

    func goAway() { isAway.withLock { $0 = true } }
    func comeBack() { isAway.withLock { $0 = false } }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try check()
        return try await database.read(body)
    }

    func write<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try check()
        return try await database.write(body)
    }

    func close() async { await database.close() }

    private func check() throws {
        guard isAway.withLock({ $0 }) else { return }
        refusals.withLock { $0 += 1 }
        throw SQLError(.unavailable, "the database is away")
    }
}

/// A record in a temporary directory with one team, and what Act needs to page it.
struct Desk: Sendable {
    static let incident = "shop-favorites-1"

    let clock = TestClock()
    let database: FlakyDatabase
    let record: Record
    let book: AddressBookBox
    let client = PageClient(timeout: .seconds(30))

    static func run(
        _ book: AddressBook, targets: [PageTarget] = [PageTarget(name: "ada", method: .email)],
        _ body: (Desk) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory("act") { directory in
            let desk = try Desk(path: directory + "/record.db", book, targets)
            do {
                try await desk.record.migrate()
                try await body(desk)
            } catch {
                await desk.close()
                throw error
            }
            await desk.close()
        }
    }

    private init(path: String, _ book: AddressBook, _ targets: [PageTarget]) throws {
        database = FlakyDatabase(try SQLiteDatabase(path: path))
        let policy = Policy(
            services: ["shop": ServicePolicy(name: "shop", team: "shop", features: [:])],
            teams: ["shop": TeamPolicy(name: "shop", targets: targets)])
        record = Record(database: database, policy: policy, now: { [clock] in clock.now }, logger: .silent)
        self.book = AddressBookBox(book)
    }

    private func close() async {
        do { try await client.shutdown() } catch { Issue.record(error) }
        await database.close()
    }

    func dispatcher(_ owner: String = "a", pause: Span = .milliseconds(5)) -> PageDispatcher {
        var limits = PageDispatcher.Limits()
        limits.pause = pause
        limits.longestPause = .milliseconds(20)
        return PageDispatcher(
            record: record, owner: owner, carrier: carrier, links: .test, limits: limits, logger: .silent)
    }

    var carrier: PageCarrier {
        PageCarrier(
            addresses: { [book] in book.current }, mail: MailSender(), client: client, now: { [clock] in clock.now })
    }

    func openIncident(_ id: String = Desk.incident) async throws {
        let alert = Alert(
            id: "shop/up", kind: .check, severity: .high, since: clock.now, summary: "the shop does not answer")
        try await record.apply(
            Subject(.incident, id), .incident(.opened(service: "shop", feature: "favorites", alert)), by: .mainstay)
    }

    func pages() async throws -> [Page] { try await record.pages(ofIncident: Desk.incident) }

    func page() async throws -> Page { try #require(try await pages().first) }

    func waiting() async throws -> Int { try await record.outboxDepth()["act"] ?? 0 }

    /// Lines of the timeline about pages.
    func news() async throws -> [String] {
        try await record.database.read { connection in
            try connection.query("SELECT kind FROM timeline WHERE kind LIKE 'page.%' ORDER BY id").map {
                try $0.text("kind")
            }
        }
    }
}

extension AddressBook {
    static func mailing(_ server: SMTPServer, timeout: Span = .seconds(30)) -> AddressBook {
        AddressBook(people: ["ada": "ada@example.test"], mail: .at(server, timeout: timeout))
    }
}
