import Testing

@testable import Decide

@Suite("Fair queue")
struct FairQueueTests {
    private func queue(
        slots: Int = 1, accounts: Int32 = 8, _ change: (inout BudgetSettings) -> Void = { _ in }
    ) -> FairQueue<Int> {
        var settings = BudgetSettings(slots: slots, mode: .enforce)
        change(&settings)
        var queue = FairQueue<Int>(settings)
        for account in 0..<accounts { queue.reset(account: account) }
        return queue
    }

    private func key(_ account: Int32, _ standing: FlowKey.Standing = .ordinary) -> FlowKey {
        FlowKey(account: account, standing: standing)
    }

    /// Serves everyone, one at a time, each for its estimated cost.
    private func drain(_ queue: inout FairQueue<Int>, now: Int64 = 0) -> [Int] {
        var served: [Int] = []
        while let next = queue.dequeue(now: now) {
            served.append(next.waiter)
            queue.finish(next.flow, payer: next.flow, rest: 0)
        }
        return served
    }

    @Test("one query's waiters are served in the order of arrival")
    func arrival() {
        var queue = queue()
        queue.start(key(0), cost: ms)
        for waiter in 0..<50 { _ = queue.enqueue(waiter, flow: key(0), cost: ms, now: 0) }
        queue.finish(key(0), payer: key(0), rest: 0)
        #expect(drain(&queue) == Array(0..<50))
    }

    @Test("equal queries take turns, whoever has more waiting")
    func turns() {
        var queue = queue()
        for waiter in 0..<6 { _ = queue.enqueue(waiter, flow: key(0), cost: ms, now: 0) }
        for waiter in 10..<13 { _ = queue.enqueue(waiter, flow: key(1), cost: ms, now: 0) }
        #expect(drain(&queue) == [0, 10, 1, 11, 2, 12, 3, 4, 5])
    }

    @Test("a query that costs three times as much gets a third of the turns")
    func costs() {
        var queue = queue()
        for waiter in 0..<10 { _ = queue.enqueue(waiter, flow: key(0), cost: 3 * ms, now: 0) }
        for waiter in 100..<130 { _ = queue.enqueue(waiter, flow: key(1), cost: ms, now: 0) }
        let first = drain(&queue).prefix(20)
        #expect(first.count { $0 < 100 } == 5)
    }

    @Test("an estimate that was too low is charged when the slot comes back")
    func charged() {
        var queue = queue()
        queue.start(key(0), cost: ms)
        for waiter in 0..<3 { _ = queue.enqueue(waiter, flow: key(0), cost: ms, now: 0) }
        for waiter in 10..<15 { _ = queue.enqueue(waiter, flow: key(1), cost: ms, now: 0) }
        queue.finish(key(0), payer: key(0), rest: 3 * ms)
        #expect(drain(&queue) == [10, 11, 12, 13, 0, 14, 1, 2])
    }

    @Test("nobody saves up slot time by staying away")
    func noCredit() {
        var queue = queue()
        for _ in 0..<1_000 {
            queue.start(key(0), cost: ms)
            queue.finish(key(0), payer: key(0), rest: 0)
        }
        for waiter in 0..<4 { _ = queue.enqueue(waiter, flow: key(0), cost: ms, now: 0) }
        for waiter in 10..<20 { _ = queue.enqueue(waiter, flow: key(1), cost: ms, now: 0) }
        #expect(drain(&queue).prefix(6).count { $0 < 10 } >= 2)
    }

    @Test("protected clients have four times the weight")
    func weight() {
        var queue = queue { $0.protectedWeight = 4 }
        for waiter in 0..<20 { _ = queue.enqueue(waiter, flow: key(0), cost: 4 * ms, now: 0) }
        for waiter in 100..<140 { _ = queue.enqueue(waiter, flow: key(1, .protected), cost: 4 * ms, now: 0) }
        let first = drain(&queue).prefix(25)
        #expect((19...21).contains(first.count { $0 >= 100 }))
    }

    @Test("a newcomer does not overtake whoever waits, and runs at once when nobody does")
    func newcomer() {
        var queue = queue(slots: 2)
        #expect(queue.canRun(key(0)))
        queue.start(key(0), cost: ms)
        queue.start(key(1), cost: ms)
        #expect(!queue.canRun(key(2)))
        _ = queue.enqueue(1, flow: key(0), cost: ms, now: 0)
        queue.finish(key(1), payer: key(1), rest: 0)
        #expect(!queue.canRun(key(2)))
        #expect(queue.dequeue(now: 0)?.waiter == 1)
    }

    @Test("a limited query's waiters stand aside, and others pass")
    func limited() {
        var queue = queue(slots: 4)
        queue.setLimit(1, account: 0)
        queue.start(key(0), cost: ms)
        #expect(!queue.canRun(key(0)))
        #expect(queue.canRun(key(1)))
        _ = queue.enqueue(1, flow: key(0), cost: ms, now: 0)
        #expect(queue.dequeue(now: 0) == nil)
        #expect(queue.canRun(key(1)))
        queue.finish(key(0), payer: key(0), rest: 0)
        #expect(queue.dequeue(now: 0)?.waiter == 1)
    }

    @Test("a limited query has four times its limit waiting at most, and the newest are served first")
    func bound() {
        var queue = queue(slots: 4)
        queue.setLimit(2, account: 0)
        queue.start(key(0), cost: ms)
        queue.start(key(0), cost: ms)
        for waiter in 0..<8 { #expect(queue.enqueue(waiter, flow: key(0), cost: ms, now: 0) != nil) }
        #expect(queue.enqueue(8, flow: key(0), cost: ms, now: 0) == nil)
        #expect(queue.enqueue(9, flow: key(1), cost: ms, now: 0) != nil)
        _ = queue.dequeue(now: 0)
        queue.finish(key(0), payer: key(0), rest: 0)
        #expect(queue.dequeue(now: 0)?.waiter == 7)
    }

    @Test("a limit drops who is too many, oldest first")
    func trims() {
        var queue = queue(slots: 1)
        queue.start(key(0), cost: ms)
        for waiter in 0..<10 { _ = queue.enqueue(waiter, flow: key(0), cost: ms, now: 0) }
        queue.setLimit(1, account: 0)
        #expect(queue.takeDropped().map(\.waiter) == [0, 1, 2, 3, 4, 5])
        #expect(queue.count == 4)
    }

    @Test("a limit that does not shed keeps everyone, in order")
    func keeps() {
        var queue = queue(slots: 1)
        queue.start(key(0), cost: ms)
        for waiter in 0..<10 { _ = queue.enqueue(waiter, flow: key(0), cost: ms, now: 0) }
        queue.setLimit(1, sheds: false, account: 0)
        queue.expire(now: 5 * second)
        #expect(queue.takeDropped().isEmpty)
        queue.finish(key(0), payer: key(0), rest: 0)
        #expect(drain(&queue, now: 1) == Array(0..<10))
    }

    @Test(
        "a limited query's waiter is dropped after a second, another's after the timeout",
        arguments: [(1_000, 0), (1_001, 1), (120_000, 1), (120_001, 2)])
    func expires(after: Int64, expected: Int) {
        var queue = queue(slots: 1)
        queue.start(key(2), cost: ms)
        queue.setLimit(1, account: 0)
        _ = queue.enqueue(0, flow: key(0), cost: ms, now: 0)
        _ = queue.enqueue(1, flow: key(1), cost: ms, now: 0)
        queue.expire(now: after * ms)
        #expect(queue.takeDropped().count == expected)
    }

    @Test("once the oldest has waited half a second and the rest would too, three of four turns go to the newest")
    func overdue() {
        var queue = queue(slots: 1)
        for waiter in 0..<12 { _ = queue.enqueue(waiter, flow: key(0), cost: 200 * ms, now: 0) }
        // The last two need 400 ms in all.
        #expect(drain(&queue, now: 501 * ms) == [11, 10, 9, 0, 8, 7, 6, 1, 5, 4, 2, 3])
    }

    @Test("a burst that the slots can serve within half a second is served in order, however long it has waited")
    func burst() {
        var queue = queue(slots: 4)
        for waiter in 0..<1_000 { _ = queue.enqueue(waiter, flow: key(0), cost: 2 * ms, now: 0) }
        #expect(drain(&queue, now: 2_000 * ms) == Array(0..<1_000))
    }

    @Test("a waiter that goes away leaves the others as they were", arguments: 0..<5)
    func removes(gone: Int) throws {
        var queue = queue(slots: 1)
        queue.start(key(1), cost: ms)
        let handles = (0..<5).map { queue.enqueue($0, flow: key(0), cost: ms, now: 0) }
        let handle = try #require(handles[gone])
        #expect(queue.remove(handle) == gone)
        #expect(queue.remove(handle) == nil)
        queue.finish(key(1), payer: key(1), rest: 0)
        #expect(drain(&queue) == (0..<5).filter { $0 != gone })
        #expect(queue.remove(handle) == nil)
    }

    @Test("a fifth of the slots is kept for protected clients")
    func reserve() {
        var queue = queue(slots: 10) { $0.protected = [ClientPattern(user: "checkout")] }
        for _ in 0..<8 {
            #expect(queue.canRun(key(0)))
            queue.start(key(0), cost: ms)
        }
        #expect(!queue.canRun(key(0)))
        _ = queue.enqueue(1, flow: key(0), cost: ms, now: 0)
        #expect(queue.dequeue(now: 0) == nil)
        #expect(queue.canRun(key(1, .protected)))
        queue.start(key(1, .protected), cost: ms)
        queue.start(key(1, .protected), cost: ms)
        #expect(!queue.canRun(key(1, .protected)))
        _ = queue.enqueue(2, flow: key(1, .protected), cost: ms, now: 0)
        queue.finish(key(1, .protected), payer: key(1, .protected), rest: 0)
        #expect(queue.dequeue(now: 0)?.waiter == 2)
        #expect(queue.dequeue(now: 0) == nil)
    }

    @Test("the whole queue is bounded")
    func capacity() {
        var queue = queue { $0.queueCapacity = 3 }
        for waiter in 0..<3 { #expect(queue.enqueue(waiter, flow: key(0), cost: ms, now: 0) != nil) }
        #expect(queue.enqueue(3, flow: key(1), cost: ms, now: 0) == nil)
    }

    @Test("with budgets off, slots are given in the order of arrival across queries")
    func off() {
        var queue = queue { $0.mode = .off }
        for waiter in 0..<30 { _ = queue.enqueue(waiter, flow: key(Int32(waiter % 3)), cost: ms, now: 0) }
        #expect(drain(&queue, now: 2 * second) == Array(0..<30))
    }
}
