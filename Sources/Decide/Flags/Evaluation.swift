/// What one flag gives one user, and why.
package struct Evaluation: Hashable, Sendable {
    /// OFREP's reasons. A rule that splits users with `fractional` answers `targetingMatch`, as flagd does; `split` is
    /// there to read what other servers send.
    package enum Reason: String, Hashable, Sendable, Codable {
        case `static` = "STATIC"
        case targetingMatch = "TARGETING_MATCH"
        case split = "SPLIT"
        case `default` = "DEFAULT"
        case disabled = "DISABLED"
        case unknown = "UNKNOWN"
        case error = "ERROR"
    }

    package enum ErrorCode: String, Hashable, Sendable, Codable {
        case flagNotFound = "FLAG_NOT_FOUND"
        case parseError = "PARSE_ERROR"
        case targetingKeyMissing = "TARGETING_KEY_MISSING"
        case invalidContext = "INVALID_CONTEXT"
        case typeMismatch = "TYPE_MISMATCH"
        case general = "GENERAL"
    }

    package var key: String
    /// Nil: the caller's own default in code is served.
    package var variant: String?
    package var value: JSONValue?
    package var reason: Reason
    package var errorCode: ErrorCode?
    package var errorDetails: String?
    /// Version at which the flag last changed; 0 for a flag that is not known.
    package var version: Int64

    package init(
        key: String, variant: String? = nil, value: JSONValue? = nil, reason: Reason, errorCode: ErrorCode? = nil,
        errorDetails: String? = nil, version: Int64 = 0
    ) {
        self.key = key
        self.variant = variant
        self.value = value
        self.reason = reason
        self.errorCode = errorCode
        self.errorDetails = errorDetails
        self.version = version
    }
}

/// One flag that cannot be evaluated as written. The others of its set can.
package struct FlagProblem: Hashable, Sendable {
    package var flag: String
    package var message: String

    package init(flag: String, message: String) {
        self.flag = flag
        self.message = message
    }
}
