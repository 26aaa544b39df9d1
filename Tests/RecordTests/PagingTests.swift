import Decide
import Record
import SQL
import TestSupport
import Testing

@Suite("Record: pages of lists")
struct PagingTests {
    @Test(
        "pages have no gaps and no repetitions, also for what came in one millisecond", arguments: TestDriver.available)
    func things(_ driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ in
            let definition = FlagDefinition(variants: ["on": true], defaultVariant: "on")
            for key in ["a", "b", "c", "d", "e"] {
                try await record.apply(
                    Subject(.flag, "storefront/\(key)"),
                    .flag(.declared(service: "storefront", key: key, definition)), by: .mainstay)
                if key == "c" { clock.advance(.seconds(1)) }
            }
            var (found, cursor): ([String], ListCursor?) = ([], nil)
            repeat {
                let page = try await record.things(.flag, service: "storefront", after: cursor, limit: 2)
                found += page.map(\.id)
                cursor = page.last.map { ListCursor(at: $0.createdAt, id: $0.id) }
            } while cursor != nil
            #expect(found == ["e", "d", "c", "b", "a"].map { "storefront/\($0)" })
            #expect(try await record.things(.flag, statuses: ["rolling"], after: nil, limit: 9).isEmpty)
        }
    }

    @Test("another system's change is noted once, in ledger and timeline", arguments: TestDriver.available)
    func note(_ driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ in
            for number in 1...3 {
                let change = Change(
                    id: "external:storefront/\(number)", kind: .infrastructure, service: "storefront",
                    feature: number == 1 ? "favorites" : nil, title: "disk \(number)",
                    actor: Actor(.service, "provisioner"), reason: nil, at: clock.now)
                #expect(try await record.note(change: change))
                #expect(try await !record.note(change: change))
            }
            let first = try await record.changes(service: "storefront", after: nil, limit: 2)
            #expect(first.map(\.title) == ["disk 3", "disk 2"])
            let last = try #require(first.last)
            let rest = try await record.changes(
                service: "storefront", after: ListCursor(at: last.at, id: last.id), limit: 2)
            #expect(rest.map(\.title) == ["disk 1"])
            #expect(
                try await record.timeline(after: 0).map(\.entry.kind) == [String](repeating: "change.noted", count: 3))
        }
    }

    @Test(
        "a release that several tell of at once is noted once, and what each tells of it is kept",
        arguments: TestDriver.available)
    func noteAtOnce(_ driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, place in
            let other = Record(database: try openDatabase(place.location), policy: .shop, now: { .epoch })
            var change = Change(
                id: "external:storefront/r7", kind: .release, service: "storefront", feature: nil, title: "r7",
                actor: Actor(.service, "pipeline"), reason: nil, at: clock.now)
            change.release = "r7"
            for number in 0..<20 {
                change.id = "external:storefront/r\(number)"
                var (ended, undone) = (change, change)
                (ended.endedAt, undone.undoneAt) = (clock.now, clock.now)
                try await withThrowingTaskGroup(of: Bool.self) { [change] group in
                    group.addTask { try await record.note(change: change) }
                    group.addTask { try await other.note(change: change) }
                    let firsts = try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                    #expect(firsts == 1)
                }
                try await withThrowingTaskGroup(of: Bool.self) { [ended, undone] group in
                    group.addTask { try await record.note(change: ended) }
                    group.addTask { try await other.note(change: undone) }
                    let firsts = try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                    #expect(firsts == 0)
                }
                let kept = try #require(try await record.change(change.id))
                #expect(kept.endedAt != nil && kept.undoneAt != nil)
            }
            await other.database.close()
            let kinds = try await record.timeline(after: 0).map(\.entry.kind)
            #expect(kinds.count { $0 == "change.noted" } == 20 && kinds.count == 60)
        }
    }

    @Test("reports are paged too", arguments: TestDriver.available)
    func reports(_ driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ in
            for number in 1...3 {
                let report = Report(
                    id: "r\(number)", service: "storefront", feature: "favorites", text: "broken", reporter: "x",
                    page: nil, at: clock.now)
                try await record.apply(
                    Subject(.reports, "storefront/favorites"), .reports(.received(report)),
                    by: Actor(.customer, "a customer"))
            }
            let first = try await record.reports(service: "storefront", feature: "favorites", after: nil, limit: 2)
            #expect(first.map(\.id) == ["r3", "r2"])
            let rest = try await record.reports(
                service: "storefront", feature: nil, after: ListCursor(at: clock.now, id: "r2"), limit: 2)
            #expect(rest.map(\.id) == ["r1"])
        }
    }
}
