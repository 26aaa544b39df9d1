import Decide
import EndToEndSupport
import Foundation
import NIOHTTP1
import Testing

extension EndToEnd {
    /// What people and programs get wrong, and how they are told.
    @Suite(.serialized) struct BadInputTests {
        struct Bad: Sendable, CustomTestStringConvertible {
            var what: String
            /// Replaced in a file that is in order.
            var old: String
            var new: String
            /// What must be said, in any order.
            var says: [String]

            var testDescription: String { what }
        }

        static let bad = [
            Bad(
                what: "unknown key", old: "email: { smtp", new: "emial: { smpt", says: ["smpt", "did you mean 'smtp'"]),
            Bad(
                what: "unknown person", old: "people: [ ada ]", new: "people: [ aad ]",
                says: ["aad", "did you mean 'ada'"]),
            Bad(what: "bad YAML", old: "people: [ ada ]", new: "people: [ ada", says: []),
            Bad(what: "impossible schedule", old: "every: 5s", new: "every: 0s", says: ["every"]),
            Bad(
                what: "a run longer than its interval", old: "every: 5s", new: "every: 5s\n    timeout: 9s",
                says: ["timeout", "5s"]),
            Bad(
                what: "unknown journey", old: "[ favorites-saved ]", new: "[ favorites-savd ]",
                says: ["favorites-saved"]),
        ]

        @Test("mainstay check names file, line and what was meant, and exits with 1", arguments: bad)
        func check(bad: Bad) async throws {
            try await Town.run { town in
                var plan = TownPlan()
                plan.journeyEvery = "5s"
                let good = try plan.configuration(mailPort: 25)
                let text = good.replacingOccurrences(of: bad.old, with: bad.new)
                #expect(text != good)
                try town.configure(good)
                let before = try await check(town)
                #expect(before.code == 0, "\(before.errors)")
                try town.configure(text)
                let outcome = try await check(town)
                #expect(outcome.code == 1)
                for words in bad.says { #expect(outcome.errors.contains(words), "\(outcome.errors)") }
                let lines = good.components(separatedBy: "\n")
                let line = (lines.firstIndex { $0.contains(bad.old) } ?? 0) + 1
                // A list that is not closed is noticed a line or two later; all else is named to the line.
                let near = bad.says.isEmpty ? line...line + 2 : line...line + 1
                #expect(
                    near.contains { outcome.errors.contains("mainstay.yaml:\($0):") },
                    "no place near line \(line): \(outcome.errors)")
            }
        }

        private func check(_ town: Town) async throws -> Command.Outcome {
            try await Command.run(
                Binaries.mainstay, ["check", town.configurationPath], environment: town.variables)
        }

        @Test("a bad file at SIGHUP leaves the running configuration in force, a good one replaces it")
        func reload() async throws {
            try await Town.run { town in
                try town.configure()
                try await town.startMainstay()
                let good = try String(contentsOfFile: town.configurationPath, encoding: .utf8)
                try town.configure(good.replacingOccurrences(of: "people: [ ada ]", with: "people: [ aad ]"))
                town.mainstay.signal(SIGHUP)
                try await eventually("the problem is logged") {
                    town.mainstay.output.contains("did you mean 'ada'")
                        && town.mainstay.output.contains("the running one stays in force")
                }
                #expect(try await town.api.isHealthy())
                #expect(try await town.api.get("/api/v1/services")["items"]?.array?.count == 1)
                try town.configure(good + "\n")
                town.mainstay.signal(SIGHUP)
                try await eventually("the good one is in the ledger") {
                    try await town.api.all("/api/v1/changes?service=storefront")
                        .contains { $0["kind"]?.string == "configuration" }
                }
            }
        }

        @Test("bodies that are too large or broken are refused, with the reason")
        func bodies() async throws {
            try await Town.run { town in
                try town.configure()
                try await town.startMainstay()
                let long = String(repeating: "x", count: 2 << 20)
                let change = try await town.api(.PUT, Flags.path, Flags.body(number: 1, reason: long))
                #expect(change.status == 413)
                let report = try await town.api(
                    .POST, "/api/v1/reports", ["service": "storefront", "text": .string(String(long.prefix(20_000)))])
                #expect(report.status == 413)
                let garbage = try await town.api.send(
                    .PUT, Flags.path, Array("{\"definition\": ".utf8), type: "application/json")
                #expect(garbage.status == 400, "\(garbage.text)")
                #expect(garbage.headers["content-type"] == "application/problem+json")

                let release = try await town.api(
                    .POST, "/api/v1/releases",
                    [
                        "service": "storefront", "feature": "favorites", "commit": "5f2c1e7a90b4", "variant": "v2",
                        "author": "dora",
                    ])
                let id = try #require(release.json["id"]?.string, "\(release.text)")
                let path = "/api/v1/releases/\(id.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? id)"
                let junit = "<testsuites>\n<testsuite name=\"a\">\n<testcase name=\"b\">\n</testsuite></testsuites>"
                let evidence = try await town.api.send(
                    .POST, path + "/evidence?source=junit.xml", Array(junit.utf8), type: "application/xml")
                #expect([400, 422].contains(evidence.status), "\(evidence.status)")
                #expect(evidence.text.contains("line 4"), "\(evidence.text)")
                let start = try await town.api(.POST, path + "/start", [:])
                #expect(start.status == 409, "broken evidence is no evidence: \(start.text)")
                #expect(try await Flags.version(town.api) == 1)
            }
        }

        @Test("a journey whose SQL is wrong accuses no change, and its owner is told")
        func wrongSQL() async throws {
            try await Town.run { town in
                var plan = TownPlan()
                plan.journeyEvery = "2s"
                plan.journeySQL = "SELECT count(*) AS n FROM favourites"
                try town.configure(plan)
                try await town.startStorefront()
                try await town.startMainstay()
                // A change just before: it must not be accused, far less taken back.
                try await Flags.serve("v1b", town.api, reason: "for the test")
                let incident = try await eventually("an incident") {
                    try await town.api.all("/api/v1/incidents").first
                }
                let id = incident["id"]?.string ?? ""
                try await eventually("ada is told") { town.mail.mails.contains { $0.contains("favourites") } }
                let detail = try await town.api.get("/api/v1/incidents/\(id)")
                #expect(detail["alerts"]?.array?.first?["isDefinitionFault"]?.bool == true)
                #expect(detail["suspects"] == [], "\(detail["suspects"]?.compactText ?? "")")
                #expect(detail["undone"] == [:])
                let flag = try await town.api.get(Flags.path)
                #expect(flag["definition"]?["defaultVariant"]?.string == "v1b")
            }
        }
    }
}
