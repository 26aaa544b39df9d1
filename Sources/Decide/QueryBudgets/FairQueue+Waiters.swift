extension FairQueue {
    /// Nil when the queue, or the limited query's own share of it, is full.
    mutating func enqueue(_ waiter: Waiter, flow key: FlowKey, cost: Int64, now: Int64) -> WaiterHandle? {
        guard count < capacity else { return nil }
        if key.standing == .ordinary {
            let gate = gates[Int(key.account)]
            if gate.limit != .max, gate.sheds, gate.queuedOrdinary >= bound(gate.limit) { return nil }
        }
        if key.rule >= 0, rules[Int(key.rule)].queued >= bound(rules[Int(key.rule)].limit) { return nil }
        let place = flow(key)
        sequence += 1
        let node = makeNode(
            Node(waiter: waiter, flow: place, enqueuedAt: now, sequence: sequence, cost: cost))
        append(node, to: Int(place))
        return WaiterHandle(node: node, generation: nodes[Int(node)].generation)
    }

    /// The waiter, if it was still waiting.
    mutating func remove(_ handle: WaiterHandle) -> Waiter? {
        guard handle.node >= 0, Int(handle.node) < nodes.count,
            nodes[Int(handle.node)].generation == handle.generation
        else { return nil }
        return unlink(handle.node)
    }

    /// Gives a free slot to whoever is next, and takes it for them.
    mutating func dequeue(now: Int64) -> Served? {
        while busy < slots, let flow = lowest() {
            let place = Int(flow)
            // Charged since it was put into its place: it comes later now.
            let finish = isFair ? gates[Int(flows[place].key.account)].finish : 0
            if finish > flows[place].start {
                flows[place].start = finish
                siftDown(flow)
                continue
            }
            if dropExpired(flow, now: now) { continue }
            if isHeld(flows[place].key) {
                take(flow)
                parked.append(flow)
                continue
            }
            return serve(flow, now: now)
        }
        return nil
    }

    private mutating func serve(_ flow: Int32, now: Int64) -> Served? {
        let key = flows[Int(flow)].key
        let node = choose(flow, now: now)
        let (enqueuedAt, cost) = (nodes[Int(node)].enqueuedAt, nodes[Int(node)].cost)
        start(key, cost: cost)
        guard let waiter = unlink(node) else { return nil }
        if flows[Int(flow)].count > 0, flows[Int(flow)].heapIndex >= 0 {
            flows[Int(flow)].start = isFair ? max(virtualTime, gates[Int(key.account)].finish) : 0
            siftDown(flow)
        }
        return Served(waiter: waiter, flow: key, waited: now - enqueuedAt, enqueuedAt: enqueuedAt, cost: cost)
    }

    private mutating func choose(_ flow: Int32, now: Int64) -> Int32 {
        let (place, key) = (Int(flow), flows[Int(flow)].key)
        guard isFair, flows[place].count > 1 else { return flows[place].head }
        if key.rule < 0, isShedding(key) { return flows[place].tail }
        let head = flows[place].head
        guard now - nodes[Int(head)].enqueuedAt > overdueWait, isBehind(flows[place].count, nodes[Int(head)].cost)
        else { return head }
        flows[place].turn = (flows[place].turn + 1) % 4
        return flows[place].turn == 0 ? flows[place].head : flows[place].tail
    }

    /// The slots would need longer than `overdueWait` for all these waiters. A burst that they can serve in less is
    /// served in order however old its first one is: turning to the newest would keep the oldest old for ever.
    private func isBehind(_ waiters: Int, _ cost: Int64) -> Bool {
        let (work, overflow) = Int64(waiters).multipliedReportingOverflow(by: cost)
        return overflow || work / Int64(slots) > overdueWait
    }

    // MARK: Expiry

    /// Drops everyone who has waited too long. To be called at each tick; the dropped are in `takeDropped`.
    mutating func expire(now: Int64) {
        guard count > 0 else { return }
        for place in flows.indices where flows[place].count > 0 {
            _ = dropExpired(Int32(place), now: now)
        }
    }

    mutating func takeDropped() -> [Dropped] {
        guard !dropped.isEmpty else { return [] }
        defer { dropped.removeAll(keepingCapacity: true) }
        return dropped
    }

    /// Whether the flow has lost its last waiter, or its first one.
    private mutating func dropExpired(_ flow: Int32, now: Int64) -> Bool {
        let longest = maxWait(flows[Int(flow)].key)
        var any = false
        while flows[Int(flow)].count > 0, now - nodes[Int(flows[Int(flow)].head)].enqueuedAt > longest {
            drop(flows[Int(flow)].head, .expired)
            any = true
        }
        return any
    }

    mutating func drop(_ node: Int32, _ reason: Dropped.Reason) {
        let key = flows[Int(nodes[Int(node)].flow)].key
        if let waiter = unlink(node) { dropped.append(Dropped(waiter: waiter, flow: key, reason: reason)) }
    }

    // MARK: Waiting longest

    /// The oldest waiter of each flow, and how many there are, for the pressure gate.
    func forEachHead(_ body: (FlowKey, _ enqueuedAt: Int64, _ count: Int) -> Void) {
        guard count > 0 else { return }
        for flow in flows where flow.count > 0 { body(flow.key, nodes[Int(flow.head)].enqueuedAt, flow.count) }
    }

    // MARK: Lists

    private mutating func flow(_ key: FlowKey) -> Int32 {
        if let known = flowIndex[key] { return known }
        let made: Int32
        if let free = freeFlows.popLast() {
            flows[Int(free)] = Flow(key: key)
            made = free
        } else {
            flows.append(Flow(key: key))
            made = Int32(flows.count - 1)
        }
        flowIndex[key] = made
        return made
    }

    private mutating func makeNode(_ node: Node) -> Int32 {
        guard let free = freeNodes.popLast() else {
            nodes.append(node)
            return Int32(nodes.count - 1)
        }
        let generation = nodes[Int(free)].generation
        nodes[Int(free)] = node
        nodes[Int(free)].generation = generation
        return free
    }

    private mutating func append(_ node: Int32, to flow: Int) {
        let isFirst = flows[flow].count == 0
        nodes[Int(node)].previous = flows[flow].tail
        if isFirst { flows[flow].head = node } else { nodes[Int(flows[flow].tail)].next = node }
        flows[flow].tail = node
        flows[flow].count += 1
        count += 1
        countQueued(flows[flow].key, 1)
        guard isFirst else { return }
        flows[flow].sequence = nodes[Int(node)].sequence
        flows[flow].start = isFair ? max(virtualTime, gates[Int(flows[flow].key.account)].finish) : 0
        if isHeld(flows[flow].key) { parked.append(Int32(flow)) } else { push(Int32(flow)) }
    }

    private mutating func countQueued(_ key: FlowKey, _ change: Int32) {
        gates[Int(key.account)].queued += change
        if key.standing == .ordinary { gates[Int(key.account)].queuedOrdinary += change }
        if key.rule >= 0 { rules[Int(key.rule)].queued += change }
    }

    /// Takes the node out of its flow, and the flow out of everything when it was the last.
    private mutating func unlink(_ node: Int32) -> Waiter? {
        let (flow, previous, next) = (nodes[Int(node)].flow, nodes[Int(node)].previous, nodes[Int(node)].next)
        let waiter = nodes[Int(node)].waiter
        if previous >= 0 { nodes[Int(previous)].next = next } else { flows[Int(flow)].head = next }
        if next >= 0 { nodes[Int(next)].previous = previous } else { flows[Int(flow)].tail = previous }
        nodes[Int(node)].waiter = nil
        nodes[Int(node)].generation &+= 1
        freeNodes.append(node)
        count -= 1
        flows[Int(flow)].count -= 1
        countQueued(flows[Int(flow)].key, -1)
        if flows[Int(flow)].count == 0 {
            forget(flow)
        } else if previous < 0 {
            flows[Int(flow)].sequence = nodes[Int(next)].sequence
            if flows[Int(flow)].heapIndex >= 0 { siftDown(flow) }
        }
        return waiter
    }

    private mutating func forget(_ flow: Int32) {
        if flows[Int(flow)].heapIndex >= 0 { take(flow) } else { parked.removeAll { $0 == flow } }
        flowIndex[flows[Int(flow)].key] = nil
        freeFlows.append(flow)
    }
}

// MARK: Heaps

extension FairQueue {
    /// The flow with the lowest start among those that a free slot is for.
    private func lowest() -> Int32? {
        let ordinary = busyUnprotected < slots - reserved ? unprotectedHeap.first : nil
        guard let protected = protectedHeap.first else { return ordinary }
        guard let ordinary else { return protected }
        return isBefore(ordinary, protected) ? ordinary : protected
    }

    private func isBefore(_ one: Int32, _ other: Int32) -> Bool {
        let (left, right) = (flows[Int(one)].start, flows[Int(other)].start)
        return left != right ? left < right : flows[Int(one)].sequence < flows[Int(other)].sequence
    }

    private func isProtected(_ flow: Int32) -> Bool { flows[Int(flow)].key.standing == .protected }

    mutating func push(_ flow: Int32) {
        if isProtected(flow) {
            protectedHeap.append(flow)
            flows[Int(flow)].heapIndex = protectedHeap.count - 1
        } else {
            unprotectedHeap.append(flow)
            flows[Int(flow)].heapIndex = unprotectedHeap.count - 1
        }
        siftUp(flow)
    }

    mutating func take(_ flow: Int32) {
        let place = flows[Int(flow)].heapIndex
        flows[Int(flow)].heapIndex = -1
        let last = isProtected(flow) ? protectedHeap.removeLast() : unprotectedHeap.removeLast()
        guard last != flow else { return }
        put(last, at: place)
        siftUp(last)
        siftDown(last)
    }

    private mutating func put(_ flow: Int32, at place: Int) {
        if isProtected(flow) { protectedHeap[place] = flow } else { unprotectedHeap[place] = flow }
        flows[Int(flow)].heapIndex = place
    }

    private func at(_ place: Int, sameHeapAs flow: Int32) -> Int32? {
        if isProtected(flow) { return place < protectedHeap.count ? protectedHeap[place] : nil }
        return place < unprotectedHeap.count ? unprotectedHeap[place] : nil
    }

    private mutating func siftUp(_ flow: Int32) {
        while flows[Int(flow)].heapIndex > 0 {
            let place = flows[Int(flow)].heapIndex
            guard let parent = at((place - 1) / 2, sameHeapAs: flow), isBefore(flow, parent) else { return }
            put(parent, at: place)
            put(flow, at: (place - 1) / 2)
        }
    }

    mutating func siftDown(_ flow: Int32) {
        while true {
            let place = flows[Int(flow)].heapIndex
            guard var child = at(2 * place + 1, sameHeapAs: flow) else { return }
            if let right = at(2 * place + 2, sameHeapAs: flow), isBefore(right, child) { child = right }
            guard isBefore(child, flow) else { return }
            let below = flows[Int(child)].heapIndex
            put(child, at: place)
            put(flow, at: below)
        }
    }
}
