import Decide
import EndToEndSupport
import Foundation
import NIOHTTP1
import TestSupport
import Testing

extension EndToEnd {
    /// Several Mainstays over one PostgreSQL.
    @Suite(.serialized, .enabled(if: TestDriver.isPostgresAvailable, "needs MAINSTAY_TEST_POSTGRES"))
    struct ClusterTests {
        struct Member: Sendable {
            var process: TownProcess
            var door: Door

            /// Planned starts of checks by this process.
            func checkStarts() async throws -> Double {
                let text = try await door(.GET, "/metrics").text
                let line = text.split(separator: "\n").first { $0.hasPrefix("mainstay_check_starts_total ") }
                return line.flatMap { Double($0.split(separator: " ")[1]) } ?? 0
            }
        }

        /// Three members that start at the same moment on an empty database, so they also race to migrate it.
        private func cluster(
            _ plan: TownPlan = TownPlan(), _ body: @escaping @Sendable (Town, [Member]) async throws -> Void
        ) async throws {
            let database = try await TestDatabase.make(.postgres)
            do {
                try await Town.run { town in
                    var plan = plan
                    plan.database = database.location
                    try town.configure(plan)
                    let members = try (1...3).map { try Self.member($0, town) }
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for member in members {
                            group.addTask { try await town.start(member.process, member.door) }
                        }
                        try await group.waitForAll()
                    }
                    try await body(town, members)
                }
            } catch {
                try await database.remove()
                throw error
            }
            try await database.remove()
        }

        private static func member(_ number: Int, _ town: Town) throws -> Member {
            let port = try FreePort.take()
            let process = town.process(
                "mainstay-\(number)", Binaries.mainstay, ["serve", "--config", town.configurationPath],
                environment: [
                    "MAINSTAY_LISTEN": "127.0.0.1:\(port)", "MAINSTAY_DATA": "\(town.directory)/mainstay-\(number)",
                ])
            return Member(process: process, door: Door(url: "http://127.0.0.1:\(port)", token: town.api.token))
        }

        @Test("changes through three processes at once are neither lost nor doubled")
        func concurrentChanges() async throws {
            try await cluster { town, members in
                let start = try await Flags.version(members[0].door)
                let accepted = try await withThrowingTaskGroup(of: [String].self) { group in
                    for (index, member) in members.enumerated() {
                        group.addTask { try await Self.change(member, number: index, times: 25) }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
                #expect(accepted.count > 25, "only \(accepted.count) of 75 changes were accepted")
                for member in members {
                    #expect(try await Flags.version(member.door) == start + Int64(accepted.count))
                }
                let ledger = try await members[1].door.all("/api/v1/changes?service=storefront")
                let reasons = ledger.compactMap { $0["reason"]?.string }.filter { $0.hasPrefix("change ") }
                #expect(reasons.sorted() == accepted.sorted())
                let lines = try await members[2].door.timeline()
                #expect(lines.compactMap { $0["id"]?.integer } == Array(1...Int64(max(1, lines.count))))
                #expect(lines.count { $0["kind"]?.string == "flag.changed" } == accepted.count)
                #expect(lines.count { $0["kind"]?.string == "account.created" } == 2, "admin and service-storefront")
            }
        }

        private static func change(_ member: Member, number: Int, times: Int) async throws -> [String] {
            var accepted: [String] = []
            for turn in 0..<times {
                let reason = "change \(number)/\(turn)"
                let body = Flags.body(number: number * 1_000 + turn, reason: reason)
                let answer = try await member.door(.PUT, Flags.path, body)
                switch answer.status {
                case 200: accepted.append(reason)
                case 409, 503: continue
                default: throw Complaint("\(answer.status) \(answer.text)")
                }
            }
            return accepted
        }

        @Test("a client of one process sees at once what was changed through another")
        func stream() async throws {
            try await cluster { town, members in
                let (opened, isOpen) = AsyncStream.makeStream(of: Void.self)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try await within(what: "the change reaches the other process's client") {
                            try await members[0].door.listen(
                                "/api/v1/flags/stream?service=storefront", onOpen: { isOpen.finish() }
                            ) { $0.hasPrefix("data:") && $0.contains("\"number\":4711") }
                        }
                    }
                    for await _ in opened {}
                    let body = Flags.body(number: 4_711, reason: "for the stream")
                    #expect(try await members[1].door(.PUT, Flags.path, body).status == 200)
                    try await group.waitForAll()
                }
            }
        }

        @Test("one process runs the checks; when it is killed, another takes over and pages go out once")
        func takeover() async throws {
            var plan = TownPlan()
            // Nothing listens there: trouble that pages.
            plan.components = ["door: { check: { tcp: \"127.0.0.1:1\", every: 1s } }"]
            try await cluster(plan) { town, members in
                let first = try await eventually("a process runs the checks") {
                    try await Self.busy(members).first
                }
                let page = try await Self.deliveredPage(members[first].door)
                #expect(page["to"]?.string == "ada")
                try await members[first].process.kill()
                let survivors = members.indices.filter { $0 != first }.map { members[$0] }
                let second = try await eventually("another process takes the checks over") {
                    try await Self.busy(survivors).first
                }
                // Another look: both must not run them.
                let busy = try await Self.busy(survivors)
                #expect(busy == [second], "checks run in \(busy.count) processes at a time")
                let incidents = try await survivors[0].door.all("/api/v1/incidents")
                #expect(incidents.count == 1, "one trouble, \(incidents.count) incidents")
                let identifiers = town.mail.headers("Message-ID")
                #expect(identifiers.count >= 1)
                #expect(Set(identifiers).count == identifiers.count, "a page went out twice: \(identifiers)")
            }
        }

        /// Those whose checks went on between two looks.
        private static func busy(_ members: [Member]) async throws -> [Int] {
            var before: [Double] = []
            for member in members { before.append(try await member.checkStarts()) }
            try await Task.sleep(for: .seconds(3))
            var busy: [Int] = []
            for (index, member) in members.enumerated() {
                if try await member.checkStarts() > before[index] { busy.append(index) }
            }
            #expect(busy.count <= 1, "checks run in \(busy.count) processes at a time")
            return busy
        }

        private static func deliveredPage(_ door: Door) async throws -> JSONValue {
            try await eventually("the page is delivered") {
                guard let incident = try await door.all("/api/v1/incidents").first?["id"]?.string else { return nil }
                let pages = try await door.all("/api/v1/incidents/\(incident)/pages")
                return pages.first { $0["status"]?.string == "delivered" }
            }
        }
    }
}
