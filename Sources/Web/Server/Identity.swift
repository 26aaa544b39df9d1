import Decide
import Record

/// Who asks, and what they may.
package struct Identity: Hashable, Sendable {
    /// Who is written into the timeline: the person, or a token that is not a person's own.
    package var actor: Actor
    package var account: String
    package var role: Role
    /// A signed-in person has `all`.
    package var scopes: Set<Scope>
    /// Of the session; nil for tokens, which browsers never send by themselves.
    package var csrf: String?

    package init(session: Session) {
        actor = Actor(.person, session.account.name)
        account = session.account.name
        role = session.account.role
        scopes = [.all]
        csrf = session.csrf
    }

    /// A token with scope `all` is its person's own; any other is a tool's.
    package init(token: AccessToken, account: Account) {
        actor = token.scopes.contains(.all) ? Actor(.person, account.name) : Actor(.service, token.name)
        self.account = account.name
        role = account.role
        scopes = token.scopes
    }

    package func may(_ role: Role) -> Bool { AccessRule.role(role).allows(self) }
}

/// Who may use an operation.
package enum AccessRule: Hashable, Sendable {
    /// Anyone, signed in or not.
    case open
    /// Anyone with an account or a token of any scope.
    case signedIn
    case role(Role)
    /// A token with this scope, or a person with the role.
    case scope(Scope, orRole: Role)
    /// A token with this scope only: for GET operations that change something, which no cookie may do.
    case tokenScope(Scope)

    package func allows(_ identity: Identity) -> Bool {
        let isWhole = identity.scopes.contains(.all)
        switch self {
        case .open, .signedIn: return true
        case .role(let role):
            return isWhole && identity.role >= role || role == .viewer && identity.scopes.contains(.read)
        case .scope(let scope, let role):
            return identity.scopes.contains(scope) || AccessRule.role(role).allows(identity)
        case .tokenScope(let scope):
            return identity.csrf == nil
                && (identity.scopes.contains(scope) || isWhole && identity.role >= .responder)
        }
    }

    /// For the one who is refused.
    var demand: String {
        switch self {
        case .open, .signedIn: "an account"
        case .role(let role): "role \(role.rawValue)"
        case .scope(let scope, let role): "a token with scope '\(scope.rawValue)' or role \(role.rawValue)"
        case .tokenScope(let scope): "a token with scope '\(scope.rawValue)'"
        }
    }
}
