/// The address of one thing that Mainstay remembers: which state machine, and which instance of it.
package struct Subject: Hashable, Sendable, Codable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case flag, release, rollout, check, feature, incident, page, reports, query, guardRules
        /// Accounts, sessions and tokens: kept in tables of their own, told in the timeline.
        case access
    }

    package var kind: Kind
    package var id: String

    package init(_ kind: Kind, _ id: String) {
        self.kind = kind
        self.id = id
    }

    package var description: String { "\(kind.rawValue):\(id)" }
}

/// Who caused an event.
package struct Actor: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable {
        case person
        /// A service or tool with a token of its own.
        case service
        /// Mainstay itself.
        case mainstay
        /// Someone without an account: a customer who reports a problem.
        case customer
    }

    package var kind: Kind
    package var name: String

    package init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    package static let mainstay = Actor(.mainstay, "Mainstay")
}
