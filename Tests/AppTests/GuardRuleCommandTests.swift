import ArgumentParser
import Decide
import Testing

@testable import App

/// `mainstay guard …`, as it is typed.
struct GuardRuleCommandTests {
    private static let words = ["guard", "rule", "add", "--reason", "the sale", "--for", "2h"]

    @Test("what is given is what is sent")
    func sent() throws {
        let parsed = try MainstayCommand.parseAsRoot(
            Self.words + ["--limit", "2", "--query", "00ab12cd34ef5678", "--user", "app"])
        let add = try #require(parsed as? GuardRuleCommand.Add)
        let body: JSONValue = [
            "action": "limit", "limit": 2, "query": "00ab12cd34ef5678", "user": "app", "reason": "the sale",
            "lastsMs": 7_200_000,
        ]
        #expect(add.body == body)
        let block = try MainstayCommand.parseAsRoot(Self.words + ["--block", "--database", "shop"])
        #expect((block as? GuardRuleCommand.Add)?.body["action"] == "block")
        #expect((block as? GuardRuleCommand.Add)?.body["limit"] == nil)
    }

    @Test(
        "what makes no rule is told before anything is sent",
        arguments: [
            (["--user", "app"], "Give one of --limit, --block and --allow."),
            (["--user", "app", "--block", "--allow"], "Give one of --limit"), (["--block"], "Say for whom"),
            (["--block", "--user", "app", "--for", "2"], "not a length of time"),
            (["--block", "--user", "app", "--for", "31d"], "at most 30d"),
        ])
    func refused(words: [String], message: String) {
        let error = #expect(throws: (any Error).self) { try MainstayCommand.parseAsRoot(Self.words + words) }
        #expect(error.map { MainstayCommand.message(for: $0).contains(message) } == true)
    }

    @Test("a guard without a subcommand still runs the proxy")
    func runs() throws {
        let parsed = try MainstayCommand.parseAsRoot(["guard", "--config", "shop.yaml"])
        #expect((parsed as? GuardCommand.Run)?.config == "shop.yaml")
    }

    @Test("a rule is one line")
    func line() {
        let rule: JSONValue = [
            "id": "rule-3", "action": "limit", "limit": 2, "query": "00ab12cd34ef5678", "user": nil, "database": "shop",
            "until": "2026-11-22T04:51:49.000Z", "createdBy": "ada", "reason": "the sale",
        ]
        #expect(
            GuardRuleCommand.line(rule)
                == "rule-3  limit 2  query 00ab12cd34ef5678  database shop  until 2026-11-22T04:51:49.000Z  ada: the sale"
        )
    }
}
