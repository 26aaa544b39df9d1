import Decide
import EndToEndSupport
import Foundation
import Guard
import PGWire
import SQL
import TestSupport
import Testing

/// Settings that follow a client from server to server, as the real server has them.
@Suite("Guard: carried settings before PostgreSQL", .enabled(if: TestDriver.isPostgresAvailable))
struct CarriedPostgresTests {
    private static func scene(servers: Int, _ body: (GuardScene) async throws -> Void) async throws {
        try await GuardScene.runBeforePostgres {
            $0.limits.poolSize = servers
        } _: { scene in
            try await body(scene)
        }
    }

    private static func direct() async throws -> WireClient {
        let client = try await WireClient.connect(try GuardScene.postgres().port)
        try await client.logIn()
        return client
    }

    private static func pinned(_ scene: GuardScene) async throws -> Int {
        try await scene.proxy.snapshot().pools.reduce(0) { $0 + $1.clientsPinned }
    }

    @Test("more clients than servers set something and all go on, each with its own value")
    func progress() async throws {
        try await Self.scene(servers: 2) { scene in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...12 {
                    group.addTask {
                        let client = try await scene.client()
                        let value = "\(number)s"
                        _ = try await client.query("SET statement_timeout = '\(value)'")
                        for round in 0..<20 {
                            let answer =
                                round % 2 == 0
                                ? try await client.query("SHOW statement_timeout")
                                : try await client.execute("SHOW statement_timeout")
                            #expect(answer.rows == [[value]])
                        }
                        await client.close()
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await Self.pinned(scene) == 0)
            #expect(try await scene.counters.violations == 0)
        }
    }

    // MARK: Spelling

    private static let spellings = [
        ("search_path", "SET search_path = a, \"B\", \"$user\""),
        ("search_path", "SET search_path TO A, \"$user\", public"),
        ("search_path", "SET search_path = ''"), ("search_path", "SET search_path = 'a b', 'it''s'"),
        ("search_path", "SET SCHEMA 'Foo'"), ("search_path", "SET search_path TO \"a,b\", c"),
        ("statement_timeout", "SET statement_timeout = 5000"),
        ("statement_timeout", "SET statement_timeout TO '5 min'"),
        ("statement_timeout", "SET Statement_Timeout = '1h'"), ("work_mem", "SET work_mem = '64MB'"),
        ("work_mem", "SET SESSION work_mem TO 1024"), ("lock_timeout", "set lock_timeout='250ms' -- x"),
        ("default_transaction_isolation", "SET default_transaction_isolation = 'repeatable read'"),
        ("synchronous_commit", "SET synchronous_commit = OFF"), ("enable_seqscan", "SET enable_seqscan = FALSE"),
        ("random_page_cost", "SET random_page_cost = 1.50"), ("geqo_seed", "SET geqo_seed = +0.5"),
        ("log_min_duration_statement", "SET log_min_duration_statement = -1"),
        ("bytea_output", "SET bytea_output = Escape"),
        ("my.own", "SET My.Own = Foo"), ("my.own", "SET my.own = \"Foo\""),
        ("my.own", "SET my.own = '''quoted'' \"x\"'"),
        ("my.own", "SET my.own = 'a; b -- c'"), ("my.own", "SET my.own = -12"),
        ("client_min_messages", "SET client_min_messages = 'WARNING'"), ("TimeZone", "SET TIME ZONE 'Asia/Tokyo'"),
        ("TimeZone", "SET TIME ZONE -7"), ("DateStyle", "SET DateStyle = German, DMY"),
        ("work_mem", "SET work_mem = 070000"), ("my.own", "SET my.own = 'back\\slash'"),
        ("my.own", "SET my.own = E'\\x41'"),
        ("my.own", "SET my.own = 'é'"),
        ("default_text_search_config", "SET default_text_search_config = 'pg_catalog.german'"),
    ]

    enum Way: CaseIterable {
        case simple, extended, inside, extendedInside
    }

    private static func run(_ text: String, _ way: Way, _ client: WireClient) async throws {
        if way == .inside || way == .extendedInside { _ = try await client.query("BEGIN") }
        let answer =
            way == .simple || way == .inside ? try await client.query(text) : try await client.execute(text)
        #expect(answer.errors.isEmpty, "\(text): \(answer.errors)")
        if way == .inside || way == .extendedInside { _ = try await client.query("COMMIT") }
    }

    @Test("however a value is written, it is the same on the next server, and gone for others", arguments: Way.allCases)
    func spelling(_ way: Way) async throws {
        let own = try await Self.direct()
        try await Self.scene(servers: 2) { scene in
            for (name, text) in Self.spellings {
                let before = try await own.query("SELECT current_setting('\(name)', true)").rows
                try await Self.run(text, way, own)
                let expected = try await own.query("SHOW \(name)").rows
                _ = try await own.query("DISCARD ALL")
                let (client, blocker) = (try await scene.client(), try await scene.client())
                try await Self.run(text, way, client)
                #expect(try await client.query("SHOW \(name)").rows == expected, "\(text)")
                // The server that it was on is taken now, if the client does not keep it.
                _ = try await blocker.query("BEGIN")
                #expect(try await client.query("SHOW \(name)").rows == expected, "\(text), elsewhere")
                if name != "my.own" {
                    #expect(try await blocker.query("SHOW \(name)").rows == before, "\(text), for others")
                }
                _ = try await blocker.query("COMMIT")
                await client.close()
                await blocker.close()
            }
        }
        await own.close()
    }

    // MARK: Programs

    private static let names = ["work_mem", "statement_timeout", "search_path", "lock_timeout"]

    private static func setting(_ chance: inout Chance) -> String {
        let number = 1 + chance.below(5)
        switch chance.below(4) {
        case 0: return "SET work_mem = \(number * 100)"
        case 1: return "SET statement_timeout TO '\(number * 10)s'"
        case 2: return "SET search_path = p\(number), public"
        default: return "SET SESSION lock_timeout = \(number)000"
        }
    }

    private static func statement(_ chance: inout Chance, isCertain: Bool) -> String {
        switch chance.below(isCertain ? 16 : 24) {
        case 0...4: setting(&chance)
        case 5: "\(setting(&chance)); \(setting(&chance))"
        case 6: "RESET \(chance.pick(names))"
        case 7: "SET \(chance.pick(names)) TO DEFAULT"
        case 8: chance.pick(["RESET ALL", "DISCARD ALL"])
        case 9, 10: "BEGIN"
        case 11, 12: "COMMIT"
        case 13: "ROLLBACK"
        case 14: chance.pick(["SELECT 1/0", "SET work_mem = 'nonsense'", "\(setting(&chance)); SELECT 1/0"])
        case 15: "SELECT 1"
        case 16: "SAVEPOINT s"
        case 17: "ROLLBACK TO s"
        case 18: "RELEASE s"
        case 19: "SET LOCAL work_mem = 777"
        case 20: "SELECT set_config('work_mem', '888', \(chance.pick(["true", "false"])))"
        case 21: chance.pick(["COMMIT AND CHAIN", "ROLLBACK AND CHAIN"])
        case 22: "BEGIN; \(setting(&chance)); \(chance.pick(["COMMIT", "ROLLBACK", "SELECT 1"]))"
        default: chance.pick(["COMMIT; BEGIN", "DO 'BEGIN SET work_mem = 999; END'", "SET work_mem = E'1234'"])
        }
    }

    /// The same program on a connection of its own and through the guard: every answer is the same.
    private static func compare(_ seed: UInt64, _ scene: GuardScene, isCertain: Bool) async throws {
        var chance = Chance(seed: seed)
        let (own, client) = (try await direct(), try await scene.client())
        var program: [String] = []
        for _ in 0..<60 {
            var text = statement(&chance, isCertain: isCertain)
            let isExtended = chance.below(3) == 0 && !text.contains(";") && text != "DISCARD ALL"
            // Nobody gets a server while it is in a transaction for long.
            if program.last.map({ $0.hasPrefix("BEGIN") }) ?? false, isCertain, chance.below(3) == 0 { text = "COMMIT" }
            program.append(text)
            let texts = [text] + names.map { "SHOW \($0)" }
            for asked in texts {
                let isThis = isExtended && asked == text
                let expected = isThis ? try await own.execute(asked) : try await own.query(asked)
                let answer = isThis ? try await client.execute(asked) : try await client.query(asked)
                guard
                    "\(answer.rows) \(answer.tags) \(answer.states) \(String(describing: answer.status))"
                        != "\(expected.rows) \(expected.tags) \(expected.states) \(String(describing: expected.status))"
                else { continue }
                Issue.record(
                    "seed \(seed): \(asked) is \(answer), not \(expected), after\n\(program.joined(separator: "\n"))")
                return
            }
        }
        _ = try await client.query("ROLLBACK")
        await own.close()
        if chance.below(2) == 0 { _ = try await client.query("BEGIN; SET work_mem = 555") }
        await client.close()
    }

    /// Pinned clients need servers of their own; the others share two.
    @Test("random programs of several clients, each as if it were alone", arguments: [(true, 2), (false, 6)])
    func programs(_ isCertain: Bool, _ servers: Int) async throws {
        let first = UInt64.random(in: 0...1_000_000)
        print("seed \(first)")
        try await Self.scene(servers: servers) { scene in
            for round in 0..<4 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<6 {
                        let seed = first + UInt64(round * 6 + number)
                        group.addTask { try await Self.compare(seed, scene, isCertain: isCertain) }
                    }
                    try await group.waitForAll()
                }
            }
            try await scene.comesToRest()
            #expect(try await scene.counters.violations == 0)
        }
    }

    // MARK: Search paths

    @Test("one text in two search paths is two statements")
    func searchPaths() async throws {
        let own = try await Self.direct()
        for (schema, value) in [("carried_a", "1"), ("carried_b", "'text'::text, 2")] {
            _ = try await own.query("DROP SCHEMA IF EXISTS \(schema) CASCADE; CREATE SCHEMA \(schema)")
            _ = try await own.query("CREATE TABLE \(schema).t AS SELECT \(value)")
        }
        try await Self.scene(servers: 1) { scene in
            let (one, other) = (try await scene.client(), try await scene.client())
            _ = try await one.query("SET search_path = carried_a")
            _ = try await other.query("SET search_path = carried_b")
            #expect(try await one.execute("SELECT * FROM t", statement: "s").rows == [["1"]])
            #expect(try await other.execute("SELECT * FROM t", statement: "s").rows == [["text", "2"]])
            for _ in 0..<8 {
                #expect(try await one.executePrepared("s").rows == [["1"]])
                #expect(try await other.executePrepared("s").rows == [["text", "2"]])
            }
            _ = try await one.query("SET search_path = carried_b")
            #expect(try await one.executePrepared("s").rows == [["text", "2"]])
            #expect(try await Self.pinned(scene) == 0)
        }
        _ = try await own.query("DROP SCHEMA carried_a, carried_b CASCADE")
        await own.close()
    }

    // MARK: Refusals

    @Test("nothing is done for a client whose settings the next server refuses")
    func refused() async throws {
        let own = try await Self.direct()
        let name = "carried_\(UInt32.random(in: 0 ... .max))"
        _ = try await own.query("CREATE ROLE \(name) SUPERUSER LOGIN; CREATE TABLE \(name) (n int)")
        try await Self.scene(servers: 1) { scene in
            let (client, other) = (try await WireClient.connect(scene.port), try await WireClient.connect(scene.port))
            try await client.logIn(user: name)
            try await other.logIn(user: name)
            _ = try await client.query("SET session_replication_role = replica")
            _ = try await other.query("SELECT 1")
            _ = try await own.query("ALTER ROLE \(name) NOSUPERUSER; GRANT ALL ON \(name) TO \(name)")
            try await client.send { bytes in
                bytes.writePGQuery("INSERT INTO \(name) VALUES (1)")
                bytes.writePGQuery("INSERT INTO \(name) VALUES (2)")
            }
            let told = try await client.answer()
            #expect(told.types == "E" && told.states == ["08006"], "\(told)")
            #expect(told.errors.first?.message.contains("session_replication_role") ?? false)
            #expect(try await own.query("SELECT count(*) FROM \(name)").rows == [["0"]])
            #expect(try await other.query("SELECT 1").rows == [["1"]])
        }
        _ = try await own.query("DROP TABLE \(name)")
        _ = try await own.query("DROP ROLE \(name)")
        await own.close()
    }

    // MARK: Our own driver

    @Test("our own driver sets what it needs and keeps no server")
    func driver() async throws {
        try await Self.scene(servers: 2) { scene in
            var url = try #require(URLComponents(string: TestDriver.serverURL))
            (url.host, url.port) = ("127.0.0.1", scene.port)
            var options = PoolOptions()
            options.connections = 3
            let databases = try (0..<3).map { _ in
                try PostgresDatabase(url: try #require(url.string), options: options)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<60 {
                    let database = databases[number % 3]
                    group.addTask {
                        let value = try await database.read {
                            try $0.query("SELECT current_setting('bytea_output') AS value").first?.optionalText("value")
                        }
                        #expect(value == "hex")
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await Self.pinned(scene) == 0)
            for database in databases { await database.close() }
        }
    }
}

/// Chance that can be repeated: splitmix64.
private struct Chance {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func below(_ limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((value ^ (value >> 31)) % UInt64(limit))
    }

    mutating func pick(_ values: [String]) -> String { values[below(values.count)] }
}
