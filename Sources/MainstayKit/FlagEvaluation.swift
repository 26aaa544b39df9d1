import Decide

/// What one flag gives one user, and why.
public struct FlagEvaluation: Hashable, Sendable {
    public enum Reason: String, Hashable, Sendable {
        /// Everyone gets this.
        case `static` = "STATIC"
        /// A rule chose it.
        case targetingMatch = "TARGETING_MATCH"
        /// A rule chose nothing, so the flag's default; without a variant, the default in the caller's code.
        case `default` = "DEFAULT"
        /// The flag is off: the default in the caller's code.
        case disabled = "DISABLED"
        /// The user context forced it.
        case forced = "FORCED"
        /// See `errorCode`: the default in the caller's code.
        case error = "ERROR"
    }

    public var flag: String
    /// Nil: serve the default in your code.
    public var variant: String?
    public var value: FlagValue?
    public var reason: Reason
    /// OpenFeature's code, such as `FLAG_NOT_FOUND` or `PARSE_ERROR`.
    public var errorCode: String?
    public var errorDetails: String?
    /// Version at which the flag last changed; 0 for a flag that is not known.
    public var version: Int64

    init(_ evaluation: Evaluation, forced: Bool = false) {
        flag = evaluation.key
        variant = evaluation.variant
        value = evaluation.value.map(FlagValue.init)
        errorCode = evaluation.errorCode?.rawValue
        errorDetails = evaluation.errorDetails
        version = evaluation.version
        reason =
            switch evaluation.reason {
            case .static: .static
            case .targetingMatch, .split: .targetingMatch
            case .default, .unknown: .default
            case .disabled: .disabled
            case .error: .error
            }
        if forced { reason = .forced }
    }
}
