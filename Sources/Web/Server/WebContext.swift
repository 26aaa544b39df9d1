import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Record

/// What Mainstay knows about a request beside the request itself.
package struct WebContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Who asks; nil: nobody signed in and no token. Set by `Authenticate`.
    package var identity: Identity?
    /// Where the request came from: the peer, or what a trusted proxy says. Rate limits count by it.
    package var address: String
    package let startedAt = ContinuousClock.now

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        address = source.channel.remoteAddress?.ipAddress ?? "unknown"
    }

    /// To be put into every form as the hidden field `csrf`; nil when nobody is signed in by cookie.
    package var csrf: String? { identity?.csrf }

    /// The one who asks, if they may do what this role may.
    /// - Throws: `Problem` 401 or 403.
    @discardableResult
    package func require(_ role: Role) throws -> Identity {
        try require(.role(role))
    }

    /// - Throws: `Problem` 401 or 403.
    @discardableResult
    package func require(_ rule: AccessRule) throws -> Identity {
        guard let identity else { throw Problem.unauthenticated }
        guard rule.allows(identity) else { throw Problem.forbidden(rule.demand) }
        return identity
    }
}
