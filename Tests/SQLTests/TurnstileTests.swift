import TestSupport
import Testing

@testable import SQL

@Suite("Turnstile", .timeLimit(.minutes(1)))
struct TurnstileTests {
    private func make(slots: Int = 1, waiting: Int = 100, wait: Int64 = 30_000) -> Turnstile {
        Turnstile(name: "seat", limits: .init(slots: slots, waiting: waiting, waitMilliseconds: wait))
    }

    @Test("slots are given out once each, and the one given back last comes first")
    func slots() async throws {
        let turnstile = make(slots: 3)
        let first = try await turnstile.enter()
        let second = try await turnstile.enter()
        #expect(first != second)
        turnstile.leave(first)
        #expect(try await turnstile.enter() == first)
    }

    @Test("those who wait come through in order")
    func order() async throws {
        let turnstile = make()
        let slot = try await turnstile.enter()
        let passed = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<10 {
                group.addTask {
                    let slot = try await turnstile.enter()
                    #expect(passed.next() == number + 1)
                    turnstile.leave(slot)
                }
                await until { turnstile.waitingCount == number + 1 }
            }
            turnstile.leave(slot)
            try await group.waitForAll()
        }
        #expect(passed.value == 10)
        #expect(turnstile.waitingCount == 0)
    }

    @Test("a full line refuses")
    func fullLine() async throws {
        let turnstile = make(waiting: 1)
        let slot = try await turnstile.enter()
        async let waiting = turnstile.enter()
        await until { turnstile.waitingCount == 1 }
        let error = await sqlError { try await turnstile.enter() }
        #expect(error?.code == .unavailable)
        #expect(error?.message == "too many callers wait for a seat (1)")
        turnstile.leave(slot)
        #expect(try await waiting == slot)
    }

    @Test("a cancelled waiter leaves the line")
    func cancellation() async throws {
        let turnstile = make()
        let slot = try await turnstile.enter()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: CancellationError.self) { _ = try await turnstile.enter() }
            }
            await until { turnstile.waitingCount == 1 }
            group.cancelAll()
        }
        #expect(turnstile.waitingCount == 0)
        turnstile.leave(slot)
        #expect(try await turnstile.enter() == slot)
    }

    @Test("a shorter wait ends before a longer one that began earlier")
    func waits() async throws {
        let turnstile = make()
        let slot = try await turnstile.enter()
        async let long = turnstile.enter()
        await until { turnstile.waitingCount == 1 }
        #expect(await sqlError { try await turnstile.enter(waitMilliseconds: 10) }?.code == .unavailable)
        #expect(turnstile.waitingCount == 1)
        turnstile.leave(slot)
        #expect(try await long == slot)
    }

    @Test("closing sends those who wait away and waits for those inside")
    func closing() async throws {
        let turnstile = make()
        let slot = try await turnstile.enter()
        async let waiting = sqlError { try await turnstile.enter() }
        await until { turnstile.waitingCount == 1 }
        async let closed: Void = turnstile.close()
        #expect(await waiting?.code == .unavailable)
        turnstile.leave(slot)
        await closed
        #expect(await sqlError { try await turnstile.enter() }?.code == .unavailable)
    }
}
