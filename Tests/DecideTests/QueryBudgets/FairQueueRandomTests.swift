import Testing

@testable import Decide

/// Random operations beside a model that keeps plain lists.
@Suite("Fair queue under random operations")
struct FairQueueRandomTests {
    struct Held {
        var flow: FlowKey
        var charged: Int64
    }

    @Test("keeps its invariants", arguments: 0..<200)
    func holds(seed: Int) {
        var dice = SimulationDice(seed: seed)
        var settings = BudgetSettings(slots: 1 + dice.number(6), mode: .enforce)
        settings.queueCapacity = 40
        if dice.number(2) == 0, settings.slots > 1 { settings.protected = [ClientPattern(user: "a")] }
        var queue = FairQueue<Int>(settings)
        for account in 0..<5 { queue.reset(account: Int32(account)) }
        var waiting: [Int: (handle: WaiterHandle, flow: FlowKey)] = [:]
        var held: [Held] = []
        var (now, next) = (Int64(0), 0)
        for step in 0..<400 {
            now += Int64(dice.number(40)) * ms
            let flow = FlowKey(
                account: Int32(dice.number(5)), standing: [.ordinary, .ordinary, .allowed, .protected][dice.number(4)])
            switch dice.number(7) {
            case 0, 1, 2:
                if queue.canRun(flow) {
                    queue.start(flow, cost: ms)
                    held.append(Held(flow: flow, charged: ms))
                } else if let handle = queue.enqueue(next, flow: flow, cost: ms, now: now) {
                    waiting[next] = (handle, flow)
                    next += 1
                }
            case 3, 4:
                guard !held.isEmpty else { break }
                let ended = held.remove(at: dice.number(held.count))
                queue.finish(ended.flow, payer: ended.flow, rest: Int64(dice.number(50)) * ms - ms)
                while let served = queue.dequeue(now: now) {
                    #expect(waiting.removeValue(forKey: served.waiter)?.flow == served.flow, "seed \(seed)")
                    held.append(Held(flow: served.flow, charged: ms))
                }
            case 5:
                guard let (waiter, place) = waiting.min(by: { $0.key < $1.key }), dice.number(2) == 0 else { break }
                #expect(queue.remove(place.handle) == waiter, "seed \(seed)")
                waiting[waiter] = nil
            default:
                let limit: Int? = dice.number(2) == 0 ? nil : 1 + dice.number(3)
                queue.setLimit(limit, sheds: dice.number(2) == 0, account: Int32(dice.number(5)))
                queue.expire(now: now)
                while let served = queue.dequeue(now: now) {
                    waiting[served.waiter] = nil
                    held.append(Held(flow: served.flow, charged: ms))
                }
            }
            for dropped in queue.takeDropped() {
                #expect(waiting.removeValue(forKey: dropped.waiter) != nil, "dropped twice, seed \(seed)")
            }
            check(queue, waiting.count, held, "seed \(seed), step \(step)")
        }
    }

    private func check(_ queue: FairQueue<Int>, _ waiting: Int, _ held: [Held], _ place: String) {
        #expect(queue.count == waiting, "\(place)")
        #expect(queue.busy == held.count && queue.busy <= queue.slots, "\(place)")
        let unprotected = held.count { $0.flow.standing != .protected }
        #expect(queue.busyUnprotected == unprotected && unprotected <= queue.slots - queue.reserved, "\(place)")
        let alive = queue.flows.filter { $0.count > 0 }
        let placed = queue.unprotectedHeap.count + queue.protectedHeap.count + queue.parked.count
        #expect(alive.count == placed && queue.flowIndex.count == placed, "\(place)")
        #expect(alive.reduce(0) { $0 + $1.count } == waiting, "\(place)")
        // Whoever could run does: nobody waits beside a slot that is free for them.
        for flow in alive where !queue.isHeld(flow.key) && queue.busy < queue.slots {
            let kept = flow.key.standing != .protected && queue.busyUnprotected >= queue.slots - queue.reserved
            #expect(kept || flow.heapIndex >= 0, "\(place)")
        }
    }
}
