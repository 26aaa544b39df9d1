/// A JsonLogic rule, compiled: operators resolved, paths split, references replaced, constants folded.
indirect enum LogicNode: Sendable {
    case constant(JSONValue)

    // Reading data
    case targetingKey(otherwise: LogicNode?)
    case timestamp
    /// One name of the context itself.
    case attribute(String, otherwise: LogicNode?)
    /// A path known when compiled; empty for the whole data.
    case path([String], otherwise: LogicNode?)
    /// A path computed by a rule.
    case lookup(LogicNode, otherwise: LogicNode?)
    case missing([LogicNode])
    case missingSome(LogicNode, LogicNode)

    // Choosing
    case choose([LogicNode])
    case and([LogicNode])
    case or([LogicNode])
    case not(LogicNode)
    case truth(LogicNode)

    // Comparing and computing
    case compare(LogicComparison, LogicNode, LogicNode)
    case between(LogicComparison, LogicNode, LogicNode, LogicNode)
    case arithmetic(LogicArithmetic, [LogicNode])

    // Lists and text
    case list([LogicNode])
    case iterate(LogicIteration, over: LogicNode, body: LogicNode)
    case reduce(over: LogicNode, body: LogicNode, initial: LogicNode)
    case merge([LogicNode])
    case contains(LogicNode, in: LogicNode)
    case concatenate([LogicNode])
    case substring(LogicNode, start: LogicNode, length: LogicNode?)

    // flagd's own
    case semanticVersion(LogicNode, LogicNode, LogicNode)
    case startsWith(LogicNode, LogicNode)
    case endsWith(LogicNode, LogicNode)
    case fractional(FractionalRule)
}

enum LogicComparison: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case same = "==="
    case notSame = "!=="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
}

enum LogicArithmetic: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case remainder = "%"
    case maximum = "max"
    case minimum = "min"
}

enum LogicIteration: String, Sendable {
    case map, filter, all, none, some
}

/// Why a rule cannot be compiled or evaluated.
struct LogicFailure: Error {
    var code: Evaluation.ErrorCode
    var message: String

    init(_ code: Evaluation.ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// flagd's `fractional`, compiled.
struct FractionalRule: Sendable {
    enum Version: Sendable {
        /// flagd's Go server: only text places users.
        case v2
        /// Any value places users, by its deterministic CBOR.
        case v3
    }

    enum Bucket: Sendable {
        case written(variant: LogicNode, weight: LogicNode?)
        /// A rule that gives `[variant, weight]`.
        case computed(LogicNode)
    }

    enum Buckets: Sendable {
        /// Everything is written out: `bounds` are the running sums of the weights.
        case fixed(variants: [JSONValue], bounds: [UInt64], total: UInt64)
        case computed([Bucket])

        var count: Int {
            switch self {
            case .fixed(let variants, _, _): variants.count
            case .computed(let buckets): buckets.count
            }
        }
    }

    /// Weights add up to at most this.
    static let maximumTotal: UInt64 = 2_147_483_647

    var version: Version
    /// Nil: flag key and targeting key place the user.
    var key: LogicNode?
    var buckets: Buckets
}
