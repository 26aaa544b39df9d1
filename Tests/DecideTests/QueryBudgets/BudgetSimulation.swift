import Decide

let ms: Int64 = 1_000_000
let second: Int64 = 1_000 * ms

/// Clients, the budgets and a simulated database, in simulated time.
struct BudgetSimulation {
    struct Statement {
        var query: UInt64
        var kind: StatementKind = .select
        /// Milliseconds of work, evenly spread.
        var work: ClosedRange<Double>
    }

    /// Clients that do the same.
    struct Source {
        var name: String
        var script: [Statement]
        /// Calls a second at random times, or nil for clients that wait for their answer.
        var rate: Double?
        var clients = 0
        /// Milliseconds between an answer and the next call.
        var think = 0.0
        /// Milliseconds after a rejection or a failure.
        var backoff = 10.0
        var from: Int64 = 0
        var until: Int64 = .max
        /// The client gives up after this many milliseconds (and cancels), and tries again this many times.
        var patience: Double?
        var retries = 0
        var release: String?
        /// Each call has a fingerprint of its own.
        var isGenerated = false
    }

    struct Outcome {
        var source: Int
        var arrived: Int64
        var ended: Int64
        var succeeded: Bool
        var rejected: Bool
    }

    private enum Event {
        case arrival(source: Int, client: Int)
        case nextStatement(request: Int)
        case gaveUp(request: Int)
        case cancelArrives(request: Int, byGuard: Bool)
        case tick
        case slowdown(Double)
        case release(String)
        case failing(Bool)
    }

    private struct Request {
        enum State { case waiting, running, idle, done }
        var source: Int
        var client: Int
        var arrived: Int64
        var attempt: Int
        var state = State.waiting
        var statement = 0
        var handle: WaiterHandle?
        var token: SlotToken?
        var generated: UInt64 = 0
        var byGuard = false
    }

    var budgets: QueryBudgets
    var sources: [Source]
    var outcomes: [Outcome] = []
    var decisions: [BudgetDecision] = []
    /// Waits for a slot in nanoseconds, by source and time of the turn.
    var waits: [(source: Int, at: Int64, waited: Int64)] = []
    private(set) var now: Int64 = 0
    private var database: SimulatedDatabase
    private var dice: SimulationDice
    private var agenda = Agenda<Event>()
    private var requests: [Int: Request] = [:]
    private var tokens: [SlotToken: Int] = [:]
    private var classes: [ClientClass] = []
    /// What clients' last transactions that began with BEGIN turned out to be, as the data plane remembers it.
    private var usual: [[Int]: QueryKey] = [:]
    private var lastRequest = 0
    private var generated: UInt64 = 1 << 40
    /// Statements end at once with 53200.
    private var isFailing = false

    init(_ settings: BudgetSettings, knee: Double, seed: Int, _ sources: [Source]) {
        budgets = QueryBudgets(settings, now: 0)
        database = SimulatedDatabase(knee: knee)
        dice = SimulationDice(seed: seed)
        self.sources = sources
        for (place, source) in sources.enumerated() {
            classes.append(budgets.classify(ClientIdentity(user: source.name, release: source.release)))
            if source.rate != nil {
                agenda.add(.arrival(source: place, client: -1), at: source.from + Int64(dice.share() * 1e6))
            }
            for client in 0..<source.clients {
                agenda.add(.arrival(source: place, client: client), at: source.from + Int64(dice.share() * 5e6))
            }
        }
        agenda.add(.tick, at: 100 * ms)
    }

    mutating func slow(by factor: Double, at time: Int64) { agenda.add(.slowdown(factor), at: time) }
    mutating func release(_ name: String, at time: Int64) { agenda.add(.release(name), at: time) }
    mutating func fail(_ fails: Bool, at time: Int64) { agenda.add(.failing(fails), at: time) }

    mutating func run(until end: Int64) {
        while let next = agenda.next {
            if let ends = database.nextEnd(), ends <= next, ends <= end {
                move(to: ends)
                statementEnded(database.takeEnded())
                continue
            }
            guard next <= end else { break }
            move(to: next)
            handle(agenda.take())
        }
        move(to: end)
    }

    private mutating func move(to time: Int64) {
        database.advance(to: time)
        now = time
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .arrival(let source, let client): arrive(source, client)
        case .nextStatement(let request): nextStatement(request)
        case .gaveUp(let request): giveUp(request)
        case .cancelArrives(let request, let byGuard): cancelArrives(request, byGuard)
        case .tick: tick()
        case .slowdown(let factor): database.slowdown = factor
        case .release(let name): decisions += releaseStarted(name)
        case .failing(let fails): isFailing = fails
        }
    }

    private mutating func releaseStarted(_ name: String) -> [BudgetDecision] {
        budgets.releaseStarted(name, now: now)
        return []
    }

    // MARK: Clients

    private mutating func arrive(_ place: Int, _ client: Int) {
        let source = sources[place]
        guard now < source.until else { return }
        if let rate = source.rate {
            let gap = -Double.logarithm(1 - dice.share()) / rate
            agenda.add(.arrival(source: place, client: -1), at: now + max(1, Int64(gap * 1e9)))
        }
        call(place, client, attempt: 0)
    }

    private mutating func call(_ place: Int, _ client: Int, attempt: Int) {
        lastRequest += 1
        let number = lastRequest
        var request = Request(source: place, client: client, arrived: now, attempt: attempt)
        if sources[place].isGenerated {
            generated += 1
            request.generated = generated
        }
        requests[number] = request
        if let patience = sources[place].patience {
            agenda.add(.gaveUp(request: number), at: now + Int64(patience * 1e6))
        }
        switch budgets.admit(wish(request), expected: usual[[place, client]], waiter: number, now: now) {
        case .run(let token):
            waits.append((place, now, 0))
            start(number, token)
        case .queue(let handle): requests[number]?.handle = handle
        case .reject: end(number, succeeded: false, rejected: true)
        }
    }

    private func wish(_ request: Request) -> SlotRequest {
        let statement = sources[request.source].script[request.statement]
        let query =
            statement.kind == .transactionControl
            ? .transactionControl : QueryKey(fingerprint: request.generated > 0 ? request.generated : statement.query)
        return SlotRequest(query, statement.kind, classes[request.source])
    }

    private mutating func start(_ number: Int, _ token: SlotToken) {
        tokens[token] = number
        requests[number]?.token = token
        run(number)
    }

    private mutating func run(_ number: Int) {
        guard let request = requests[number] else { return }
        requests[number]?.state = .running
        let work = isFailing ? 0.1 : dice.within(sources[request.source].script[request.statement].work)
        database.start(number, work: work * 1e6)
    }

    private mutating func statementEnded(_ number: Int) {
        guard let request = requests[number], let token = request.token else { return }
        let result = StatementResult(isFailing ? .failed(SQLStateCode("53200")!) : .succeeded, rows: 1)
        guard !isFailing, request.statement + 1 < sources[request.source].script.count else {
            giveBack(number, token, result)
            end(number, succeeded: !isFailing, rejected: false)
            return
        }
        budgets.statementEnded(token, result, now: now)
        requests[number]?.statement += 1
        requests[number]?.state = .idle
        agenda.add(.nextStatement(request: number), at: now + ms / 10)
    }

    private mutating func nextStatement(_ number: Int) {
        guard let request = requests[number], request.state == .idle, let token = request.token else { return }
        let wish = wish(request)
        if request.client >= 0, wish.query != .transactionControl {
            usual[[request.source, request.client]] = wish.query
        }
        switch budgets.statementStarted(token, wish, now: now) {
        case .run: run(number)
        case .reject:
            giveBack(number, token, .succeeded)
            end(number, succeeded: false, rejected: true)
        }
    }

    private mutating func giveBack(_ number: Int, _ token: SlotToken, _ result: StatementResult) {
        tokens[token] = nil
        budgets.finished(token, result, now: now)
        serve()
    }

    private mutating func serve() {
        while let turn = budgets.next(now: now) {
            let request = requests[turn.waiter]
            waits.append((request?.source ?? 0, now, now - (request?.arrived ?? now)))
            start(turn.waiter, turn.token)
        }
    }

    private mutating func end(_ number: Int, succeeded: Bool, rejected: Bool) {
        guard let request = requests.removeValue(forKey: number) else { return }
        let source = sources[request.source]
        outcomes.append(
            Outcome(
                source: request.source, arrived: request.arrived, ended: now, succeeded: succeeded, rejected: rejected))
        if request.client >= 0 {
            let pause = succeeded ? source.think : source.backoff
            let again = now + max(1, Int64(pause * 1e6))
            agenda.add(.arrival(source: request.source, client: request.client), at: again)
        } else if !succeeded, request.attempt < source.retries {
            call(request.source, -1, attempt: request.attempt + 1)
        }
    }

    private mutating func giveUp(_ number: Int) {
        guard let request = requests[number] else { return }
        switch request.state {
        case .waiting:
            if let handle = request.handle { _ = budgets.removeWaiter(handle, now: now) }
            end(number, succeeded: false, rejected: false)
        case .running: agenda.add(.cancelArrives(request: number, byGuard: false), at: now + ms)
        case .idle, .done: break
        }
    }

    private mutating func cancelArrives(_ number: Int, _ byGuard: Bool) {
        guard let request = requests[number], let token = request.token, database.cancel(number) else { return }
        let outcome: StatementOutcome = byGuard ? .cancelledByGuard : .failed(SQLStateCode("57014")!)
        giveBack(number, token, StatementResult(outcome))
        end(number, succeeded: false, rejected: false)
    }

    private mutating func tick() {
        agenda.add(.tick, at: now + 100 * ms)
        let report = budgets.tick(now: now)
        decisions += report.decisions
        for (number, _) in report.rejected { end(number, succeeded: false, rejected: true) }
        for token in report.cancel {
            guard let number = tokens[token] else { continue }
            agenda.add(.cancelArrives(request: number, byGuard: true), at: now + 2 * ms)
        }
        serve()
    }
}

extension BudgetSimulation {
    struct Tally: CustomStringConvertible {
        var calls = 0
        var succeeded = 0
        var rejected = 0
        /// Milliseconds, of those that succeeded.
        var percentile99 = 0.0
        var median = 0.0

        var success: Double { calls == 0 ? 0 : Double(succeeded) / Double(calls) }

        var description: String {
            "\(calls) calls, \(succeeded) succeeded, \(rejected) rejected, median \(median) ms, p99 \(percentile99) ms"
        }
    }

    /// Calls that arrived in the time given and have ended, and those that are still waiting as failed.
    func tally(_ name: String, _ range: Range<Int64>) -> Tally {
        var tally = Tally()
        var latencies: [Double] = []
        for outcome in outcomes where sources[outcome.source].name == name && range.contains(outcome.arrived) {
            tally.calls += 1
            if outcome.rejected { tally.rejected += 1 }
            guard outcome.succeeded else { continue }
            tally.succeeded += 1
            latencies.append(Double(outcome.ended - outcome.arrived) / 1e6)
        }
        for request in requests.values where sources[request.source].name == name && range.contains(request.arrived) {
            if now - request.arrived > second { tally.calls += 1 }
        }
        latencies.sort()
        guard !latencies.isEmpty else { return tally }
        tally.percentile99 = latencies[min(latencies.count - 1, Int(Double(latencies.count) * 0.99))]
        tally.median = latencies[latencies.count / 2]
        return tally
    }

    func count(_ name: String) -> Int { decisions.count { $0.name == name } }
}

extension Double {
    /// Natural, without Foundation: atanh series after halving into 0.5…1.
    static func logarithm(_ value: Double) -> Double {
        guard value > 0 else { return -40 }
        let mantissa = value.significand
        let y = (mantissa - 1) / (mantissa + 1)
        var (term, sum) = (y, 0.0)
        for k in stride(from: 1.0, through: 31, by: 2) {
            sum += term / k
            term *= y * y
        }
        return 2 * sum + Double(value.exponent) * 0.693_147_180_559_945_3
    }
}
