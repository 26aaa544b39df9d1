import Decide
import SQL

/// What an account may do; each role includes the ones before it.
package enum Role: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
    case viewer, responder, admin

    package static func < (lhs: Role, rhs: Role) -> Bool { lhs.rank < rhs.rank }

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .responder: 1
        case .admin: 2
        }
    }
}

/// What a token may do. `all` is everything its account may.
package enum Scope: String, Hashable, Sendable, Codable, CaseIterable {
    case all
    /// Stream flag definitions and report exposures: what a service needs.
    case service
    /// Create releases and attach evidence: what CI needs.
    case releases
    /// Ping heartbeats and report outcomes.
    case heartbeats
    /// Read everything.
    case read
}

package struct Account: Hashable, Sendable {
    package var name: String
    package var role: Role
    package var createdAt: Instant
    package var isDisabled: Bool
}

package struct Session: Hashable, Sendable {
    package var account: Account
    /// To be sent back with every form.
    package var csrf: String
    package var expiresAt: Instant
}

package struct AccessToken: Hashable, Sendable {
    /// SHA-256 of the token, hexadecimal: names it without revealing it.
    package var digest: String
    package var name: String
    package var account: String
    package var scopes: Set<Scope>
    package var createdAt: Instant
    package var isRevoked: Bool
}
