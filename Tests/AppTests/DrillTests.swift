import Decide
import Foundation
import Testing

@testable import App

@Suite("Drills")
struct DrillTests {
    private static let drills = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "drills")

    @Test(
        "the drills of the project are in order", arguments: ["favorites", "favorites-healthy", "favorites-unnoticed"])
    func ours(name: String) throws {
        let plan = try DrillPlan.load(path: Self.drills.appending(path: "\(name).yaml").path)
        #expect(plan.scenario == name)
        #expect(plan.users == 300)
        #expect(plan.featureUsers == 3_600)
        #expect(plan.limit <= .seconds(90))
        #expect(plan.expect.lostEvents == 0)
    }

    private let least = """
        scenario: x
        title: y
        rollout: [ { share: 100%, hold: 1s } ]
        release: { feature: f, variant: v, commit: abcdef1, author: ada }
        expect: {}
        """

    @Test("a plan has defaults for the rest")
    func defaults() throws {
        let plan = try DrillPlan.parse(least, file: "d.yaml")
        #expect(plan.requestsPerSecond == 250)
        #expect(plan.journeys)
        #expect(plan.release.force == nil)
        #expect(plan.original == nil)
    }

    @Test(
        "a mistake is named with its line",
        arguments: [
            ("users: many", "d.yaml:6: users: 'many' is not a whole number from 1 to 5000."),
            ("check-interval: 5", "d.yaml:6: check-interval: '5' is not a time like 5s or 1m30s."),
            ("feature-users: 36", "d.yaml:6: feature-users: '36' is not a share like 36%."),
            ("journeys: perhaps", "d.yaml:6: journeys: 'perhaps' is neither on nor off."),
            ("end: someday", "d.yaml:6: end: 'someday' is none of resolved, completed."),
            ("user: 3", "d.yaml:6: unknown key 'user'."),
        ])
    func mistakes(line: String, message: String) {
        let error = #expect(throws: DrillPlanError.self) {
            try DrillPlan.parse(least + "\n" + line, file: "d.yaml")
        }
        #expect(error?.description == message)
    }

    @Test("what is missing is named")
    func missing() {
        let error = #expect(throws: DrillPlanError.self) { try DrillPlan.parse("scenario: x", file: "d.yaml") }
        #expect(error?.description == "d.yaml:1: title: is missing.")
    }

    // MARK: Expectations

    private var report: DrillReport {
        var report = DrillReport(scenario: "x")
        report.blockedByGate = true
        report.detectedAfterS = 2
        report.affectedShare = 0.013
        report.suspect = .init(kind: "release", name: "v2", rank: 1, proof: true)
        report.reachedShare = 0.05
        return report
    }

    private func expectations(_ text: String) throws -> DrillPlan.Expectations {
        try DrillPlan.parse(least.replacingOccurrences(of: "expect: {}", with: "expect: { \(text) }"), file: "d").expect
    }

    @Test(
        "expectations that hold say nothing",
        arguments: [
            "blocked-by-gate: on", "detected-within: 2s", "affected-share-at-most: 1.3%", "suspect-rank: 1",
            "proof: on",
            "wrong-undos: 0", "reaches: 5%",
        ])
    func met(text: String) throws {
        #expect(try expectations(text).unmet(by: report) == [])
    }

    @Test(
        "expectations that do not hold are listed",
        arguments: [
            ("blocked-by-gate: off", "blocked by the gate: expected false, found true"),
            ("detected-within: 1s", "detected: expected within 1s, took 2.0 s"),
            ("undone-within: 8s", "undone: expected within 8s, but it never happened"),
            ("affected-share-at-most: 1%", "affected users: expected at most 1 %, were 1.30 %"),
            ("suspect-rank: 2", "rank of the guilty change: expected 2, found 1"),
            ("proof: off", "proof: expected false, found true"),
            ("reaches: 100%", "reach: expected 100 % of users, was 5 %"),
        ])
    func unmet(text: String, complaint: String) throws {
        let said = try expectations(text).unmet(by: report).map { $0.replacingOccurrences(of: "1.3 %", with: "1.30 %") }
        #expect(said == [complaint])
    }

    @Test("the report's JSON has every key, null where nothing happened")
    func json() throws {
        let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(report)) as? [String: Any]
        let keys = [
            "scenario", "blocked_by_gate", "detected_after_s", "paged_after_s", "undone_after_s", "verified_after_s",
            "users_active", "users_affected", "affected_share", "suspect", "wrong_undos", "lost_events", "original",
        ]
        for key in keys { #expect(object?[key] != nil, "\(key) is missing") }
        #expect(object?["paged_after_s"] is NSNull)
    }

    // MARK: The mailbox

    @Test("the mail server keeps what it is given, and unstuffs dots")
    func mailbox() {
        var session = MailSink.Session()
        let answers = session.take(
            "EHLO me\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<ada@b.test>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n"
        )
        #expect(answers.map { String($0.prefix(3)) } == ["250", "250", "250", "354", "250", "221"])
        #expect(session.finished.map(\.to) == ["ada@b.test"])
        #expect(session.finished.first?.text == "Subject: x\n\n.dot\n")
        #expect(session.isOver)
    }

    @Test("commands may come in pieces, and out of order they are refused")
    func pieces() {
        var session = MailSink.Session()
        #expect(session.take("DA") == [])
        #expect(session.take("TA\r\n") == ["503 5.5.1 RCPT first"])
        #expect(session.take("WHAT\r\n") == ["502 5.5.2 not known here"])
    }

    @Test("an endless line ends the session")
    func endless() {
        var session = MailSink.Session()
        #expect(session.take(String(repeating: "x", count: MailSink.mailLimit + 1)) == ["500 line too long"])
        #expect(session.isOver)
    }

    @Test("the undo link is found in a mail, whatever its encoding", arguments: ["7bit", "base64", "quoted-printable"])
    func undoLink(encoding: String) {
        let link = "http://127.0.0.1:8600/l/abc.def-_"
        let text = "Acknowledge\nhttp://127.0.0.1:8600/l/other\n\nUndo favorites v2\n\(link)\n"
        let body =
            switch encoding {
            case "base64": Data(text.utf8).base64EncodedString()
            case "quoted-printable": text.replacingOccurrences(of: "Undo", with: "=55ndo=\n")
            default: text
            }
        let mail = """
            Subject: x
            Content-Type: multipart/alternative; boundary="b"

            --b
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: \(encoding)

            \(body)
            --b--
            """
        #expect(DrillWatch.undoLink(in: mail, base: "http://127.0.0.1:8600") == link)
    }
}
