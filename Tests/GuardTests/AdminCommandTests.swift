import Decide
import PGWire
import Testing

@testable import Guard

private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}

struct AdminCommandTests {
    private static let query = QueryKey(fingerprint: 0xAB)

    @Test(
        "commands are read in any case, with and without semicolon",
        arguments: [
            ("", .nothing), (" ;; ", .nothing), ("show pools;", .show("POOLS")), ("SHOW", .show("HELP")),
            ("PAUSE", .pause(database: nil, within: .seconds(2))),
            ("pause shop within 500ms", .pause(database: "shop", within: .milliseconds(500))),
            ("PAUSE WITHIN 1s", .pause(database: nil, within: .seconds(1))),
            ("PAUSE \"WITHIN\"", .pause(database: "WITHIN", within: .seconds(2))),
            ("RESUME shop", .resume(database: "shop")),
            (
                "SWITCH shop TO db2:5433 WITHIN 5s;",
                .switchTarget(database: "shop", to: "db2:5433", within: .seconds(5))
            ),
            ("RECONNECT", .reconnect(database: nil)), ("reload", .reload),
            ("DROP RULE console-1", .dropRule("console-1")),
            ("LETIN 00000000000000ab", .letIn(query)),
            (
                "LIMIT QUERY ab TO 2 FOR 10m BECAUSE 'it''s slow'",
                .addRule(BudgetRule(.limit(2), ClientPattern(query: query), reason: "it's slow", lasts: .minutes(10)))
            ),
            (
                "block user \"Odd Name\" application reports for 1h",
                .addRule(
                    BudgetRule(
                        .block, ClientPattern(user: "Odd Name", application: "reports"), reason: "by hand",
                        lasts: .hours(1)))
            ),
            (
                "ALLOW DATABASE shop FOR 30d",
                .addRule(BudgetRule(.allow, ClientPattern(database: "shop"), reason: "by hand", lasts: .days(30)))
            ),
        ] as [(String, AdminCommand)])
    func reads(_ text: String, _ command: AdminCommand) throws {
        #expect(try AdminCommand.parse(text) == command)
    }

    @Test(
        "what cannot be meant is refused, and says what would be right",
        arguments: [
            ("EXPLODE", "SHOW HELP"), ("RELOAD now", "SHOW HELP"), ("PAUSE shop UNTIL 3s", "WITHIN is missing"),
            ("PAUSE WITHIN never", "no length of time"), ("SWITCH shop", "TO is missing"),
            ("SWITCH shop TO", "host:port is missing"), ("DROP TABLE users", "RULE is missing"),
            ("LIMIT QUERY zz TO 1 FOR 1m", "no fingerprint"), ("LIMIT QUERY ab FOR 1m", "how many servers"),
            ("LIMIT QUERY ab TO -1 FOR 1m", "a number of servers"), ("BLOCK FOR 1m", "whom the rule is for"),
            ("BLOCK USER a", "ends by itself"), ("BLOCK USER a FOR 31d", "at most in 30 days"),
            ("BLOCK USER 'a FOR 1m", "not closed"), ("BLOCK COLOUR red FOR 1m", "not known in a rule"),
            (String(repeating: "x", count: 5_000), "5000 bytes"),
        ])
    func refuses(_ text: String, _ words: String) {
        #expect {
            _ = try AdminCommand.parse(text)
        } throws: { error in
            "\(error)".contains(words)
        }
    }

    @Test("any text is a command or a clear error", arguments: 0..<200)
    func fuzz(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let words = [
            "LIMIT", "QUERY", "ab", "TO", "2", "FOR", "10m", "'", "\"", ";", "PAUSE", "WITHIN", "é", "\u{0}", "SHOW",
        ]
        let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in
            words.randomElement(using: &random) ?? ""
        }.joined(separator: Bool.random(using: &random) ? " " : "")
        do throws(WireError) {
            _ = try AdminCommand.parse(text)
        } catch {
            #expect(error.sqlState == "42601", "seed \(seed): \(error)")
        }
    }
}
