import Decide

/// Whom a flag is evaluated for.
///
/// Make one per request and pass it to every call of that request. For requests from outside, let
/// `Mainstay.userContext(key:syntheticHeader:)` make it: it alone verifies the header of Mainstay's own journeys.
public struct UserContext: Hashable, Sendable {
    /// Stable and unique per user: an account's id, or a random id in a cookie. Empty for someone who cannot be told
    /// apart; such a user is in no partial rollout and not counted.
    public var key: String
    /// Flag to variant, whatever the rules say. Meant for Mainstay's journeys and for tests.
    public var forced: [String: String]
    /// No real person: evaluated as anyone else, but left out of exposures and of the active users.
    public var isSynthetic: Bool
    var json: [String: JSONValue]

    /// What targeting rules can read, such as `plan` or `country`.
    public var attributes: [String: FlagValue] {
        get { json.mapValues(FlagValue.init) }
        set { json = newValue.mapValues(\.json) }
    }

    /// - Parameter key: nil is the empty key.
    public init(
        key: String?, attributes: [String: FlagValue] = [:], forced: [String: String] = [:], isSynthetic: Bool = false
    ) {
        self.key = key ?? ""
        self.forced = forced
        self.isSynthetic = isSynthetic
        json = attributes.mapValues(\.json)
    }
}
