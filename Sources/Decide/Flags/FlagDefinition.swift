/// One flag as flagd writes it: what variants there are, which one is served by default, and who gets another.
/// Source: flagd flag definitions (flagd.dev/reference/flag-definitions).
package struct FlagDefinition: Hashable, Sendable, Codable {
    package enum State: String, Hashable, Sendable, Codable {
        case enabled = "ENABLED"
        case disabled = "DISABLED"
    }

    package var state: State
    package var variants: [String: JSONValue]
    /// Nil: the caller's own default in code is served.
    package var defaultVariant: String?
    /// JsonLogic; nil or `{}` means that everyone gets the default.
    package var targeting: JSONValue?
    package var metadata: [String: JSONValue]?

    package init(
        state: State = .enabled, variants: [String: JSONValue], defaultVariant: String?, targeting: JSONValue? = nil,
        metadata: [String: JSONValue]? = nil
    ) {
        self.state = state
        self.variants = variants
        self.defaultVariant = defaultVariant
        self.targeting = targeting
        self.metadata = metadata
    }
}

/// All flags of one service at one moment, as clients receive them.
package struct FlagSet: Hashable, Sendable, Codable {
    /// Grows with every change of any flag in the set.
    package var version: Int64
    package var flags: [String: FlagDefinition]
    /// Version of the set at which each flag last changed; exposures are counted by it.
    package var versions: [String: Int64]
    package var evaluators: [String: JSONValue]?
    package var metadata: [String: JSONValue]?

    package init(
        version: Int64, flags: [String: FlagDefinition], versions: [String: Int64] = [:],
        evaluators: [String: JSONValue]? = nil, metadata: [String: JSONValue]? = nil
    ) {
        self.version = version
        self.flags = flags
        self.versions = versions
        self.evaluators = evaluators
        self.metadata = metadata
    }
}
