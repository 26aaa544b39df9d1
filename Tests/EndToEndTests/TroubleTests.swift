import Decide
import EndToEndSupport
import Foundation
import NIOHTTP1
import Testing

extension EndToEnd {
    /// The things around Mainstay fail: the mail server, the disk, the database.
    @Suite(.serialized) struct TroubleTests {
        @Test(
            "a mail server that refuses or hangs delays the page; it arrives when the server works again",
            arguments: [MailServer.Manners.refuse, .hang])
        func mail(manners: MailServer.Manners) async throws {
            try await Town.run { town in
                town.mail.manners = manners
                var plan = TownPlan()
                plan.mailTimeout = "1s"
                plan.components = ["door: { check: { tcp: \"127.0.0.1:1\", every: 1s } }"]
                try town.configure(plan)
                try await town.startMainstay()
                let failed = try await page(town) { ($0["attempts"]?.integer ?? 0) >= 1 }
                #expect(failed["status"]?.string == "queued")
                #expect(failed["lastFailure"]?.string?.isEmpty == false)
                #expect(town.mail.mails.isEmpty)
                let lines = try await town.api.timeline()
                #expect(lines.contains { $0["kind"]?.string == "page.delayed" }, "the incident says that it waits")
                town.mail.manners = .accept
                let delivered = try await page(town) { $0["status"]?.string == "delivered" }
                #expect(delivered["proof"]?.string?.contains("queued as TOWN") == true)
                #expect(town.mail.mails.count { $0.contains("To: ") } >= 1)
            }
        }

        /// The first incident's page to ada, once it is as wanted.
        private func page(_ town: Town, _ wanted: (JSONValue) -> Bool) async throws -> JSONValue {
            try await eventually("a page of the incident") {
                guard let incident = try await town.api.all("/api/v1/incidents").first?["id"]?.string else {
                    return nil
                }
                return try await town.api.all("/api/v1/incidents/\(incident)/pages").first(where: wanted)
            }
        }

        @Test(
            "a full disk refuses changes with 503, loses nothing, and works again when there is room",
            .enabled(if: SmallDisk.isPossible, "needs root, to mount a small disk"))
        func fullDisk() async throws {
            try await Town.run { town in
                try town.configure()
                try await SmallDisk.run(at: town.directory + "/mainstay") { disk in
                    try await town.startMainstay()
                    var accepted = 0
                    try disk.fill()
                    let refused = try await eventually("a change is refused") { () -> Door.Answer? in
                        let body = Flags.body(number: accepted + 1, reason: String(repeating: "x", count: 900))
                        let answer = try await town.api(.PUT, Flags.path, body)
                        if answer.status == 200 { accepted += 1 }
                        return answer.status == 200 ? nil : answer
                    }
                    #expect(refused.status == 503, "\(refused.text)")
                    #expect(refused.headers["retry-after"] != nil)
                    #expect(refused.json["detail"]?.string?.contains("nothing was changed") == true, "\(refused.text)")
                    #expect(try await Flags.version(town.api) == Int64(1 + accepted), "reading goes on")
                    try disk.clear()
                    try await eventually("changes are accepted again") {
                        let answer = try await town.api(.PUT, Flags.path, Flags.body(number: 77, reason: "room again"))
                        return answer.status == 200
                    }
                    #expect(try await Flags.version(town.api) == Int64(2 + accepted))
                    try await town.mainstay.kill()
                    try await town.startMainstay()
                    #expect(try await Flags.version(town.api) == Int64(2 + accepted))
                    try await town.mainstay.stop()
                }
            }
        }

        @Test(
            "a dead database is said to be dead, and Mainstay recovers by itself with nothing lost",
            .enabled(if: OwnPostgres.isPossible, "needs Debian's postgresql"))
        func deadDatabase() async throws {
            try await Town.run { town in
                let postgres = try await OwnPostgres.make(in: town.directory)
                try await postgres.start()
                do {
                    try await deadDatabase(town, postgres)
                } catch {
                    try? await postgres.stop()
                    throw error
                }
                try await postgres.stop()
            }
        }

        private func deadDatabase(_ town: Town, _ postgres: OwnPostgres) async throws {
            var plan = TownPlan()
            plan.database = postgres.url
            try town.configure(plan)
            try await town.startMainstay()
            #expect(try await town.api(.PUT, Flags.path, Flags.body(number: 1, reason: "before")).status == 200)
            try await postgres.stop()
            let health = try await eventually("it says that it is not well") { () -> Door.Answer? in
                let answer = try await town.api(.GET, "/healthz")
                return answer.status == 503 ? answer : nil
            }
            #expect(health.text.contains("database"), "\(health.text)")
            let refused = try await town.api(.PUT, Flags.path, Flags.body(number: 2, reason: "meanwhile"))
            #expect(refused.status == 503, "\(refused.text)")
            #expect(refused.headers["retry-after"] != nil)
            #expect(refused.headers["content-type"] == "application/problem+json")
            #expect(town.mainstay.isRunning)
            try await postgres.start()
            try await eventually("it is well again") { try await town.api.isHealthy() }
            #expect(try await Flags.version(town.api) == 2)
            try await eventually("changes are accepted again") {
                try await town.api(.PUT, Flags.path, Flags.body(number: 3, reason: "after")).status == 200
            }
            let reasons = try await town.api.all("/api/v1/changes?service=storefront").compactMap {
                $0["reason"]?.string
            }
            #expect(reasons.sorted() == ["after", "before"])
            #expect(town.mainstay.isRunning)
        }
    }
}
