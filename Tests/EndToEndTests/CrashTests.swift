import Decide
import EndToEndSupport
import Foundation
import NIOHTTP1
import Synchronization
import Testing

extension EndToEnd {
    /// kill -9 at any moment loses nothing that was acknowledged.
    @Suite(.serialized) struct CrashTests {
        static let rounds = 8

        /// What clients were told, by the text each carries.
        final class Told: Sendable {
            private let texts = Mutex<(sent: [String], acknowledged: Set<String>)>(([], []))
            private let over = Mutex(false)

            /// No more are sent; the last ones get their answers, or they could still arrive while the rest is counted.
            var isOver: Bool {
                get { over.withLock { $0 } || Task.isCancelled }
                set { over.withLock { $0 = newValue } }
            }

            var sent: [String] { texts.withLock { $0.sent } }
            var acknowledged: Set<String> { texts.withLock { $0.acknowledged } }

            func next(_ word: String) -> String {
                texts.withLock { texts in
                    texts.sent.append("\(word) \(texts.sent.count + 1)")
                    return texts.sent[texts.sent.count - 1]
                }
            }

            func acknowledge(_ text: String) { texts.withLock { _ = $0.acknowledged.insert(text) } }
        }

        @Test("what was acknowledged survives kill -9 at any moment, and nothing is there twice")
        func killed() async throws {
            try await Town.run { town in
                try town.configure()
                try await town.startMainstay()
                let start = try await Flags.version(town.api)
                let (changes, reports) = (Told(), Told())
                let seed = UInt64.random(in: .min ... .max)
                print("kill -9: seed \(seed)")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await change(town, changes) }
                    for _ in 0..<3 { group.addTask { await report(town, reports) } }
                    try await interrupt(town, seed: seed)
                    (changes.isOver, reports.isOver) = (true, true)
                    try await group.waitForAll()
                }
                try await verify(town, changes, reports, versionAtStart: start)
            }
        }

        private func interrupt(_ town: Town, seed: UInt64) async throws {
            var generator = SeededGenerator(seed: seed)
            for _ in 0..<Self.rounds {
                try await Task.sleep(for: .milliseconds(Int.random(in: 50...1_500, using: &generator)))
                try await town.mainstay.kill()
                try await town.startMainstay()
            }
            // The last start has to work too, not only to come up.
            try await Task.sleep(for: .milliseconds(300))
        }

        /// As fast as answers come. A change whose answer did not arrive may or may not have happened; it is not
        /// repeated.
        private func change(_ town: Town, _ told: Told) async {
            while !told.isOver {
                let text = told.next("change")
                let body = Flags.body(number: told.sent.count, reason: text)
                let answer = try? await town.api(.PUT, "/api/v1/flags/storefront/favorites", body)
                if answer?.status == 200 { told.acknowledge(text) }
                if answer == nil { await pause() }
            }
        }

        private func report(_ town: Town, _ told: Told) async {
            var door = town.api
            door.token = town.serviceToken
            while !told.isOver {
                let text = told.next("report")
                let answer = try? await door(
                    .POST, "/api/v1/reports",
                    [
                        "service": "storefront", "feature": "favorites", "text": .string(text),
                        "user": .string("user of \(text)"),
                    ])
                if answer?.status == 202 { told.acknowledge(text) }
                if answer?.status != 202 { await pause() }
            }
        }

        private func pause() async { try? await Task.sleep(for: .milliseconds(20)) }

        private func verify(_ town: Town, _ changes: Told, _ reports: Told, versionAtStart: Int64) async throws {
            let ledger = try await town.api.all("/api/v1/changes?service=storefront").compactMap {
                $0["reason"]?.string
            }
            let kept = try await town.api.all("/api/v1/reports?service=storefront").compactMap { $0["text"]?.string }
            let lines = try await town.api.timeline()
            print(
                "kill -9: \(changes.acknowledged.count) of \(changes.sent.count) changes and "
                    + "\(reports.acknowledged.count) of \(reports.sent.count) reports were acknowledged")
            #expect(!changes.acknowledged.isEmpty && !reports.acknowledged.isEmpty)
            #expect(changes.acknowledged.subtracting(ledger) == [], "acknowledged changes are not in the ledger")
            #expect(reports.acknowledged.subtracting(kept) == [], "acknowledged reports are gone")
            let own = ledger.filter { $0.hasPrefix("change ") }
            #expect(Set(own).count == own.count, "changes are in the ledger twice")
            #expect(Set(kept).count == kept.count, "reports are there twice")
            #expect(Set(kept).subtracting(reports.sent) == [])
            #expect(lines.compactMap { $0["id"]?.integer } == Array(1...Int64(max(1, lines.count))), "ids have gaps")
            #expect(lines.count { $0["kind"]?.string == "flag.changed" } == own.count)
            #expect(lines.count { $0["kind"]?.string == "report.received" } == kept.count)
            #expect(try await Flags.version(town.api) == versionAtStart + Int64(own.count))
        }
    }
}
