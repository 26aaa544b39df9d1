import Decide
import Record
import SQL
import TestSupport
import Testing

@Suite("The record, on both databases")
struct RecordTests {
    @Test("an event's state, lines, effects and deadline are written together", arguments: TestDriver.available)
    func oneTransaction(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ in
            try await record.declareFavorites()
            clock.advance(.seconds(1))
            _ = try await record.changeFavorites(1)
            clock.advance(.seconds(1))
            _ = try await record.reportFailure(at: clock.now)
            let incident = try #require(try await record.incident("storefront-favorites-1"))
            #expect(incident.prime?.change.id == "flag:storefront/favorites@2")
            #expect(try await record.changes().map(\.id) == ["flag:storefront/favorites@2"])
            let kinds = try await record.timeline().map(\.entry.kind)
            #expect(
                kinds == [
                    "flag.declared", "flag.changed", "check.failed", "incident.opened", "incident.suspect_named",
                ])
            let pages = try await record.claim(.act, owner: "a", lease: .seconds(10), limit: 10)
            #expect(pages.map(\.key) == ["deliver/storefront-favorites-1/ada/email/opened"])
            #expect(try await record.nextDeadline() == clock.now + .minutes(5))
        }
    }

    @Test("a refused event leaves nothing behind", arguments: TestDriver.available)
    func refused(driver: TestDriver) async throws {
        try await withRecord(driver) { record, _, _ in
            let release = NewRelease(
                service: "storefront", feature: "favorites", commit: "abc1234", author: "ada", variant: "v9")
            try await record.declareFavorites()
            let subject = Subject(.release, release.id)
            try await record.apply(subject, .release(.created(release)), by: Actor(.person, "ada"))
            let head = try await record.timelineHead()
            // The flag has no variant v9: the third step of this transaction refuses, so none of it stands.
            await #expect(throws: Refusal.self) {
                try await record.apply(subject, .release(.forced(reason: "now")), by: Actor(.person, "ada"))
            }
            #expect(try await record.timelineHead() == head)
            #expect(try await record.release(release.id)?.status == .waiting)
            #expect(try await record.rollout(release.id) == nil)
        }
    }

    @Test("concurrent events on one thing are all applied, once each", arguments: TestDriver.available)
    func concurrent(driver: TestDriver) async throws {
        try await withRecord(driver) { record, _, place in
            try await record.declareFavorites()
            let other = Record(database: try openDatabase(place.location), policy: .shop, now: { .epoch })
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...40 {
                    let chosen = number.isMultiple(of: 2) ? record : other
                    group.addTask { _ = try await chosen.changeFavorites(number) }
                }
                try await group.waitForAll()
            }
            await other.database.close()
            #expect(try await record.flag(service: "storefront", key: "favorites")?.version == 41)
            let ids = try await record.timeline().map(\.id)
            #expect(ids == Array(1...41))
        }
    }

    @Test("the timeline cannot be changed, not even by SQL", arguments: TestDriver.available)
    func appendOnly(driver: TestDriver) async throws {
        try await withRecord(driver) { record, _, _ in
            try await record.declareFavorites()
            for sql in ["UPDATE timeline SET text = 'nothing happened'", "DELETE FROM timeline"] {
                await #expect(throws: SQLError.self) {
                    try await record.database.write { try $0.execute(sql) }
                }
            }
            #expect(try await record.timeline().count == 1)
        }
    }

    @Test("an effect is leased to one, and goes to another when the lease ends", arguments: TestDriver.available)
    func leases(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ in
            _ = try await record.reportFailure(at: clock.now)
            let first = try await record.claim(.act, owner: "a", lease: .seconds(10), limit: 10)
            #expect(first.count == 1)
            #expect(try await record.claim(.act, owner: "b", lease: .seconds(10), limit: 10).isEmpty)
            clock.advance(.seconds(11))
            let second = try await record.claim(.act, owner: "b", lease: .seconds(10), limit: 10)
            #expect(second.map(\.attempt) == [2])
            let page = Subject(.page, "storefront-favorites-1/ada/email/opened")
            let delivered = [Occurrence(page, .page(.delivered(proof: "250 Ok")), by: .mainstay)]
            await #expect(throws: Refusal.self) {
                try await record.apply(delivered, completing: first[0])
            }
            try await record.apply(delivered, completing: second[0])
            #expect(try await record.page(page.id)?.proof == "250 Ok")
            clock.advance(.minutes(1))
            #expect(try await record.claim(.act, owner: "a", lease: .seconds(10), limit: 10).isEmpty)
        }
    }

    @Test("a postponed effect comes back when it is due", arguments: TestDriver.available)
    func postponed(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ in
            _ = try await record.reportFailure(at: clock.now)
            let claimed = try await record.claim(.act, owner: "a", lease: .seconds(10), limit: 1)
            let page = Subject(.page, "storefront-favorites-1/ada/email/opened")
            let failed = Event.page(.attemptFailed(reason: "451 busy", isFinal: false))
            try await record.postpone(
                claimed[0], until: clock.now + .seconds(5), [Occurrence(page, failed, by: .mainstay)])
            #expect(try await record.claim(.act, owner: "a", lease: .seconds(10), limit: 1).isEmpty)
            #expect(try await record.nextDue(.act) == clock.now + .seconds(5))
            clock.advance(.seconds(5))
            #expect(try await record.claim(.act, owner: "a", lease: .seconds(10), limit: 1).map(\.attempt) == [2])
            #expect(try await record.page(page.id)?.lastFailure == "451 busy")
        }
    }

    @Test("two at once never claim the same effect", arguments: TestDriver.available)
    func noDoubleClaims(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, place in
            for number in 1...30 {
                let delivery = Delivery(
                    page: "p\(number)", service: "storefront", incident: "i",
                    target: PageTarget(name: "ada", method: .email),
                    message: PageMessage(
                        title: "t", severity: .low, lines: [], acknowledge: false, undo: nil, undoTitle: nil,
                        isResolved: false))
                try await record.apply(Subject(.page, "p\(number)"), .page(.requested(delivery)), by: .mainstay)
            }
            let instant = clock.now
            let other = Record(database: try openDatabase(place.location), policy: .shop, now: { instant })
            let claimed = try await withThrowingTaskGroup(of: [String].self) { group in
                for number in 0..<12 {
                    let chosen = number.isMultiple(of: 2) ? record : other
                    group.addTask {
                        try await chosen.claim(.act, owner: "o\(number)", lease: .seconds(60), limit: 5).map(\.key)
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            await other.database.close()
            #expect(claimed.count == Set(claimed).count)
            #expect(Set(claimed).count == 30)
        }
    }

    @Test("a named lease has one holder at a time", arguments: TestDriver.available)
    func namedLease(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ in
            #expect(try await record.holdLease("observer", owner: "a", for: .seconds(10)))
            #expect(try await !record.holdLease("observer", owner: "b", for: .seconds(10)))
            #expect(try await record.holdLease("observer", owner: "a", for: .seconds(10)))
            clock.advance(.seconds(11))
            #expect(try await record.holdLease("observer", owner: "b", for: .seconds(10)))
            try await record.dropLease("observer", owner: "a")
            #expect(try await !record.holdLease("observer", owner: "a", for: .seconds(10)))
            try await record.dropLease("observer", owner: "b")
            #expect(try await record.holdLease("observer", owner: "a", for: .seconds(10)))
        }
    }

    @Test(
        "a process that has the database to itself takes up at once what a dead one left",
        arguments: TestDriver.available)
    func takesUp(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ in
            _ = try await record.reportFailure(at: clock.now)
            #expect(try await record.claim(.act, owner: "dead", lease: .hours(1), limit: 10).count == 1)
            #expect(try await record.holdLease("observer", owner: "dead", for: .hours(1)))
            try await record.forgetLeases()
            #expect(try await record.claim(.act, owner: "new", lease: .hours(1), limit: 10).count == 1)
            #expect(try await record.holdLease("observer", owner: "new", for: .hours(1)))
        }
    }

    @Test("deadlines that have come are listed, earliest first", arguments: TestDriver.available)
    func deadlines(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ in
            _ = try await record.reportFailure(at: clock.now)
            #expect(try await record.overdue().isEmpty)
            clock.advance(.minutes(5))
            #expect(try await record.overdue() == [Subject(.incident, "storefront-favorites-1")])
            try await record.apply(record.overdue()[0], .deadlineReached, by: .mainstay)
            #expect(try await record.overdue().isEmpty)
            #expect(try await record.timeline().last?.entry.kind == "incident.repaged")
        }
    }
}

@Suite("What a record does with what it cannot read")
struct UnreadableTests {
    @Test("an effect that cannot be read holds up no other", arguments: TestDriver.available)
    func passedOver(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ in
            try await record.database.write { connection in
                try connection.execute(
                    """
                    INSERT INTO outbox (id, effect_key, lane, body, created_at, due_at, expires_at, attempts)
                    VALUES (-1, 'from-the-future', 'act', '{"teleport":{}}', 0, 0, 9000000000000000, 0)
                    """)
            }
            _ = try await record.reportFailure(at: clock.now)
            let claimed = try await record.claim(.act, owner: "a", lease: .seconds(10), limit: 10)
            #expect(claimed.map(\.key) == ["deliver/storefront-favorites-1/ada/email/opened"])
        }
    }

    @Test("a database of a newer version is refused", arguments: TestDriver.available)
    func newer(driver: TestDriver) async throws {
        try await withRecord(driver) { record, _, _ in
            try await record.database.write { connection in
                try connection.execute("UPDATE schema_versions SET version = 99 WHERE version = 3")
            }
            await #expect(throws: SQLError.self) { try await record.migrate() }
        }
    }
}
