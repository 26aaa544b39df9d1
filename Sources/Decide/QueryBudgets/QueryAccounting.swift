/// The accounts of all fingerprints of one pool: a bounded table.
///
/// 1. Account 0 is everything past the bound, account 1 transaction control; neither is ever a culprit.
/// 2. An account's index is stable while `references > 0`, or while it has a trip or a breaker.
/// 3. Nothing here iterates over the dictionary, whose order is not the same in two runs.
struct QueryAccounting: Sendable {
    static let other: Int32 = 0
    static let control: Int32 = 1
    static let firstTracked: Int32 = 2

    var accounts: [QueryAccount] = []
    private var index: [QueryKey: Int32] = [:]
    /// Accounts met last, by a part of the fingerprint.
    private var recent = [Int32](repeating: 0, count: 64)
    private var hand: Int32 = firstTracked
    private(set) var secondStart: Int64
    /// Since the release that is running started.
    private(set) var releaseStart: Int64?
    private(set) var untracked: UInt64 = 0

    static let second: Int64 = 1_000_000_000
    private static let day: Int64 = 86_400 * second

    init(_ settings: BudgetSettings, now: Int64) {
        secondStart = now
        for query in [QueryKey(fingerprint: 0), .transactionControl] {
            accounts.append(QueryAccount(query: query, at: now, isNew: false, baselineDays: 1))
        }
        index[.transactionControl] = Self.control
        index.reserveCapacity(settings.trackedQueries)
        accounts.reserveCapacity(settings.trackedQueries + 2)
    }

    /// Offset so that restored days lie in the positive numbers even right after the machine has started.
    static func day(_ now: Int64) -> Int64 { now / day + 40 }

    func find(_ query: QueryKey) -> Int32? { index[query] }

    /// As `find`, for every call: most are of few queries, and one place is looked at before the table.
    mutating func findOften(_ query: QueryKey) -> Int32? {
        let place = Int(truncatingIfNeeded: query.fingerprint & 63)
        let guess = Int(recent[place])
        if guess != Self.other, guess < accounts.count, accounts[guess].query == query { return recent[place] }
        guard let found = index[query] else { return nil }
        recent[place] = found
        return found
    }

    /// The query's account, made if there is room for it.
    mutating func account(of query: QueryKey, now: Int64, settings: BudgetSettings, ruleMask: UInt64) -> Int32 {
        if let found = index[query] { return found }
        return make(query, now: now, settings: settings, ruleMask: ruleMask)
    }

    private mutating func make(
        _ query: QueryKey, now: Int64, settings: BudgetSettings, ruleMask: UInt64
    ) -> Int32 {
        var account = QueryAccount(
            query: query, at: now, isNew: releaseStart != nil, baselineDays: settings.baselineDays)
        account.ruleMask = ruleMask
        account.isProtected = settings.protected.contains { $0.matches(query) }
        if accounts.count < settings.trackedQueries + 2 {
            accounts.append(account)
            let made = Int32(accounts.count - 1)
            index[query] = made
            return made
        }
        guard let place = place(now: now) else {
            untracked += 1
            return Self.other
        }
        index[accounts[Int(place)].query] = nil
        accounts[Int(place)] = account
        index[query] = place
        return place
    }

    /// Looks at a few accounts only: this is on the path of a query. Generated SQL makes a new fingerprint a call: it
    /// must not push out what has a history, and what was called in one second only must make room for the next.
    private mutating func place(now: Int64) -> Int32? {
        for _ in 0..<8 where accounts.count > Int(Self.firstTracked) {
            hand = hand + 1 < accounts.count ? hand + 1 : Self.firstTracked
            guard !accounts[Int(hand)].isProtected else { continue }
            let quiet: Int64
            switch accounts[Int(hand)].activeSeconds {
            case ..<2: quiet = -1
            case ..<60: quiet = 10 * Self.second
            default: quiet = 7 * Self.day
            }
            if accounts[Int(hand)].isIdle(for: quiet, at: now) { return hand }
        }
        return nil
    }

    // MARK: Seconds

    /// Closes the second for everyone once it is over; returns whether it was.
    mutating func closeSecond(now: Int64) -> Bool {
        let length = now - secondStart
        guard length >= Self.second else { return false }
        let number = secondStart / Self.second
        for place in accounts.indices { accounts[place].closeSecond(length: length, number: number) }
        let newDay = Self.day(now) != Self.day(secondStart)
        if newDay { for place in accounts.indices { accounts[place].service.halve() } }
        secondStart = now
        return true
    }

    /// Everyone learns but a query that is tripped: a runaway must not become its own budget. Seconds under pressure
    /// count too, since a pool that is always full would never learn what is usual for it.
    mutating func learn(now: Int64, anyTripped: Bool, settings: BudgetSettings) {
        let isFrozen = isFrozen(now: now, settings: settings)
        for place in accounts.indices where place >= Int(Self.firstTracked) && accounts[place].trip == nil {
            if !isFrozen, accounts[place].frozenBaseline != nil || accounts[place].isNew {
                accounts[place].frozenBaseline = nil
                accounts[place].isNew = false
            }
            accounts[place].learn(day: Self.day(now), learnsSpeed: !isFrozen && !anyTripped)
        }
    }

    func isFrozen(now: Int64, settings: BudgetSettings) -> Bool {
        guard let releaseStart else { return false }
        return now - releaseStart < settings.baselineFreeze.nanoseconds
    }

    // MARK: Releases

    /// Freezes every baseline as it is; whoever is met for the first time from now on is new.
    mutating func releaseStarted(now: Int64, settings: BudgetSettings) {
        releaseStart = now
        for place in accounts.indices where place >= Int(Self.firstTracked) {
            accounts[place].frozenBaseline = accounts[place].learnedBaseline(settings)
            accounts[place].isNew = false
        }
    }

    /// The present release's own traffic is usual from now on.
    mutating func releaseProven() {
        releaseStart = nil
        for place in accounts.indices {
            accounts[place].frozenBaseline = nil
            accounts[place].isNew = false
        }
    }

    // MARK: Who waits

    /// Admissions of the running second and the one before it, of accounts that `counts` names.
    func admissions(where counts: (Int32) -> Bool) -> (all: Int, late: Int) {
        var sum = (all: 0, late: 0)
        for place in accounts.indices where accounts[place].admissions > 0 || accounts[place].last.admissions > 0 {
            guard counts(Int32(place)) else { continue }
            sum.all += Int(accounts[place].admissions) + Int(accounts[place].last.admissions)
            sum.late += Int(accounts[place].lateAdmissions) + Int(accounts[place].last.lateAdmissions)
        }
        return sum
    }

    mutating func forgetWaits() {
        for place in accounts.indices {
            (accounts[place].admissions, accounts[place].lateAdmissions) = (0, 0)
            (accounts[place].last.admissions, accounts[place].last.lateAdmissions) = (0, 0)
        }
    }

    enum Speed: Hashable, Sendable {
        /// Hardly anything was called.
        case none
        /// It was, and what is usual for it is not known.
        case unknown
        /// How many times as slow as usual.
        case known(Double)
    }

    /// Of the calls of the last second, over everyone but `excluded` and the tripped.
    func speed(excluding excluded: Int32? = nil) -> Speed {
        var (all, known, weighted) = (0.0, 0.0, 0.0)
        for place in accounts.indices where place >= Int(Self.firstTracked) && Int32(place) != excluded {
            guard accounts[place].trip == nil, accounts[place].last.calls > 0 else { continue }
            let number = Double(accounts[place].last.calls)
            all += number
            guard let slowdown = accounts[place].slowdown else { continue }
            known += number
            weighted += number * slowdown
        }
        guard known >= 5 else { return all >= 5 ? .unknown : .none }
        return .known(weighted / known)
    }

    /// 1 when nothing is known.
    func slowdown(excluding excluded: Int32) -> Double {
        if case .known(let slowdown) = speed(excluding: excluded) { slowdown } else { 1 }
    }

    /// Mean service time in nanoseconds over the calls of everyone but `excluded`; nil without any.
    func meanService(excluding excluded: Int32) -> Double? {
        var (calls, time) = (0.0, 0.0)
        for place in accounts.indices where place >= Int(Self.firstTracked) && Int32(place) != excluded {
            guard accounts[place].trip == nil, accounts[place].last.calls > 0 else { continue }
            calls += Double(accounts[place].last.calls)
            time += Double(accounts[place].last.calls) * accounts[place].last.meanService
        }
        return calls > 0 ? time / calls : nil
    }
}

extension QueryAccounting {
    /// What to keep across a restart, for `restore`. At most `trackedQueries` records.
    func exported(now: Int64) -> [BaselineRecord] {
        accounts.indices.dropFirst(Int(Self.firstTracked)).compactMap { place in
            let account = accounts[place]
            let days = account.history.exported(day: Self.day(now))
            guard !days.isEmpty else { return nil }
            return BaselineRecord(
                query: account.query, days: days, usualService: account.usualService, usualCalls: account.usualCalls)
        }
    }

    mutating func restore(_ records: [BaselineRecord], now: Int64, settings: BudgetSettings) {
        for record in records {
            let place = Int(account(of: record.query, now: now, settings: settings, ruleMask: 0))
            guard place >= Int(Self.firstTracked) else { continue }
            accounts[place].isNew = false
            accounts[place].history.restore(record, day: Self.day(now))
            guard record.usualService > 0, record.usualService.isFinite, record.usualCalls.isFinite else { continue }
            accounts[place].usualService = record.usualService
            accounts[place].usualCalls = record.usualCalls
            accounts[place].speedSeconds = 3_600
        }
    }
}
