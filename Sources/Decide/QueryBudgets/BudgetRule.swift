/// Who sends a query, as the data plane knows it after start-up.
package struct ClientIdentity: Hashable, Sendable {
    package var user: String
    package var application: String
    package var database: String
    /// From `application_name`, a comment in the query, or the change ledger; nil when it is not known.
    package var release: String?

    package init(user: String, application: String = "", database: String = "", release: String? = nil) {
        self.user = user
        self.application = application
        self.database = database
        self.release = release
    }
}

/// Matches what is written in it; an empty one matches everything.
package struct ClientPattern: Hashable, Sendable, Codable {
    package var query: QueryKey?
    package var user: String?
    package var application: String?
    package var database: String?

    package init(query: QueryKey? = nil, user: String? = nil, application: String? = nil, database: String? = nil) {
        self.query = query
        self.user = user
        self.application = application
        self.database = database
    }

    /// Only by its fingerprint: true when that is all that it names, and the same.
    func matches(_ key: QueryKey) -> Bool {
        query == key && user == nil && application == nil && database == nil
    }

    package func accepts(_ client: ClientIdentity) -> Bool { query == nil && matches(client) }

    /// Everything but the fingerprint.
    func matches(_ client: ClientIdentity) -> Bool {
        (user == nil || user == client.user) && (application == nil || application == client.application)
            && (database == nil || database == client.database)
    }
}

/// A rule that a person wrote. It holds in `observe` mode too, and ends by itself.
package struct BudgetRule: Hashable, Sendable, Codable {
    package enum Action: Hashable, Sendable, Codable {
        /// Never a culprit, and no limit but another rule's.
        case allow
        /// At most this many at a time; more wait, up to four times as many, for a second.
        case limit(Int)
        case block
    }

    package var pattern: ClientPattern
    package var action: Action
    package var reason: String
    /// From the moment it is added.
    package var lasts: Span

    package init(_ action: Action, _ pattern: ClientPattern, reason: String, lasts: Span) {
        self.pattern = pattern
        self.action = action
        self.reason = reason
        self.lasts = lasts
    }
}

/// Names a rule while it holds.
package struct RuleID: Hashable, Sendable, Codable {
    package var number: UInt64
}

/// A release's name as a small integer, so that counting a query touches no string.
struct ReleaseID: Hashable, Sendable {
    var number: UInt16

    static let none = ReleaseID(number: 0)
}

/// What a client is to the budgets, worked out once per client by `QueryBudgets.classify` and kept beside it. Ask
/// again when `QueryBudgets.classVersion` is no longer this version; until then a stale class counts as ordinary.
package struct ClientClass: Hashable, Sendable {
    package var version: UInt32
    var ruleMask: UInt64
    package var isProtected: Bool
    var release: ReleaseID
}

/// The rules in force, at most 64, and the releases' names.
///
/// A rule is a bit. A query's account has the bits of the rules that do not object to its fingerprint, a client's class
/// those that do not object to the client; what both have applies. Without rules both are 0.
struct BudgetRules: Sendable {
    struct Active: Sendable {
        var id: RuleID
        var rule: BudgetRule
        var until: Int64
    }

    static let most = 64
    private static let mostReleases = 256

    private(set) var slots = [Active?](repeating: nil, count: Self.most)
    private(set) var version: UInt32 = 1
    private var nextID: UInt64 = 1
    private var releases = ["unknown"]
    private var releaseIndex: [String: UInt16] = [:]
    private var nextRelease = 1

    /// Bits of rules that name no client.
    private(set) var anyClient: UInt64 = 0
    /// Bits of rules that name no fingerprint.
    private(set) var anyQuery: UInt64 = 0

    /// Nil when there are 64 already.
    mutating func add(_ rule: BudgetRule, now: Int64) -> (id: RuleID, place: Int)? {
        guard let place = slots.firstIndex(where: { $0 == nil }) else { return nil }
        let id = RuleID(number: nextID)
        nextID += 1
        slots[place] = Active(id: id, rule: rule, until: now + max(0, rule.lasts.nanoseconds))
        changed()
        return (id, place)
    }

    mutating func remove(at place: Int) {
        slots[place] = nil
        changed()
    }

    func place(of id: RuleID) -> Int? {
        slots.firstIndex { $0?.id == id }
    }

    mutating func changed() {
        version &+= 1
        (anyClient, anyQuery) = (0, 0)
        for (place, active) in slots.enumerated() {
            guard let pattern = active?.rule.pattern else { continue }
            if pattern.user == nil, pattern.application == nil, pattern.database == nil { anyClient |= 1 << place }
            if pattern.query == nil { anyQuery |= 1 << place }
        }
    }

    func mask(of query: QueryKey) -> UInt64 {
        slots.enumerated().reduce(anyQuery) { mask, slot in
            slot.element?.rule.pattern.query == query ? mask | 1 << slot.offset : mask
        }
    }

    mutating func classify(_ client: ClientIdentity, protected: [ClientPattern]) -> ClientClass {
        let release = client.release.map { self.release(named: $0) } ?? .none
        var mask: UInt64 = 0
        for (place, active) in slots.enumerated() {
            guard let active, active.rule.pattern.matches(client) else { continue }
            mask |= 1 << place
        }
        let isProtected = protected.contains { $0.query == nil && $0.matches(client) }
        return ClientClass(version: version, ruleMask: mask, isProtected: isProtected, release: release)
    }

    /// What a set of applying rules comes to: block before allow before the strictest limit.
    func verdict(_ mask: UInt64) -> Verdict {
        var verdict = Verdict()
        var rest = mask
        while rest != 0 {
            let place = rest.trailingZeroBitCount
            rest &= rest - 1
            guard let active = slots[place] else { continue }
            switch active.rule.action {
            case .block: verdict.block = place
            case .allow: verdict.allows = true
            case .limit(let limit):
                if limit < verdict.limit { (verdict.limit, verdict.limitPlace) = (limit, Int8(place)) }
            }
        }
        return verdict
    }

    struct Verdict {
        var block: Int?
        var allows = false
        var limit = Int.max
        var limitPlace: Int8 = -1
    }

    // MARK: Releases

    func name(of release: ReleaseID) -> String? {
        release == .none ? nil : releases[Int(release.number)]
    }

    /// Past 256 names the oldest number is used again, and every client asks for its class anew.
    mutating func release(named name: String) -> ReleaseID {
        if let known = releaseIndex[name] { return ReleaseID(number: known) }
        if releases.count < Self.mostReleases {
            releases.append(name)
            releaseIndex[name] = UInt16(releases.count - 1)
            return ReleaseID(number: UInt16(releases.count - 1))
        }
        releaseIndex[releases[nextRelease]] = nil
        releases[nextRelease] = name
        releaseIndex[name] = UInt16(nextRelease)
        defer { nextRelease = nextRelease + 1 < Self.mostReleases ? nextRelease + 1 : 1 }
        version &+= 1
        return ReleaseID(number: UInt16(nextRelease))
    }
}
