/// Compiles JsonLogic as flagd evaluates it.
///
/// Bounded: at most `maximumDepth` operators inside one another and `maximumNodes` in all, `$ref` expanded. An unknown
/// operator or reference fails the whole rule, so a typing mistake cannot quietly mean "false".
struct LogicCompiler {
    static let maximumDepth = 64
    static let maximumNodes = 10_000

    let flagKey: String
    let evaluators: [String: JSONValue]
    let fractionalVersion: JSONValue?
    private(set) var readsTimestamp = false
    private var nodes = 0
    private var depth = 0
    /// Inside `map`, `filter` and their like, where names mean the element's and not the context's.
    private var inElement = false

    init(flagKey: String, evaluators: [String: JSONValue], fractionalVersion: JSONValue?) {
        self.flagKey = flagKey
        self.evaluators = evaluators
        self.fractionalVersion = fractionalVersion
    }

    mutating func compile(_ rule: JSONValue) throws(LogicFailure) -> LogicNode {
        nodes += 1
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else {
            throw LogicFailure(.parseError, "Targeting is nested more than \(Self.maximumDepth) deep.")
        }
        guard nodes <= Self.maximumNodes else {
            throw LogicFailure(.parseError, "Targeting has more than \(Self.maximumNodes) parts.")
        }
        switch rule {
        case .null, .bool, .integer, .double, .string: return .constant(rule)
        case .array(let items): return try list(items)
        case .object(let members):
            // As in JsonLogic, only an object of one member is an operation; any other is data.
            guard members.count == 1, let (name, operand) = members.first else { return .constant(rule) }
            return try operation(name, operand)
        }
    }

    private mutating func list(_ items: [JSONValue]) throws(LogicFailure) -> LogicNode {
        let nodes = try all(items)
        var constants: [JSONValue] = []
        for node in nodes {
            guard case .constant(let value) = node else { return .list(nodes) }
            constants.append(value)
        }
        return .constant(.array(constants))
    }

    private mutating func all(_ rules: [JSONValue]) throws(LogicFailure) -> [LogicNode] {
        var nodes: [LogicNode] = []
        nodes.reserveCapacity(rules.count)
        for rule in rules { nodes.append(try compile(rule)) }
        return nodes
    }

    private mutating func operation(_ name: String, _ operand: JSONValue) throws(LogicFailure) -> LogicNode {
        if name == "$ref" { return try reference(operand) }
        // {"op": x} is short for {"op": [x]}.
        let rules = operand.array ?? [operand]
        if name == "fractional" { return try fractional(rules) }
        if let iteration = LogicIteration(rawValue: name) { return try iterate(iteration, rules) }
        if name == "reduce" { return try reduce(rules) }
        let arguments = try all(rules)
        if let comparison = LogicComparison(rawValue: name) { return compare(comparison, arguments) }
        if let arithmetic = LogicArithmetic(rawValue: name) { return .arithmetic(arithmetic, arguments) }
        if let node = plain(name, arguments) { return node }
        throw LogicFailure(.parseError, "There is no operator '\(name.prefix(80))'.")
    }

    private mutating func plain(_ name: String, _ arguments: [LogicNode]) -> LogicNode? {
        let first = arguments.at(0)
        let second = arguments.at(1)
        switch name {
        case "var": return variable(arguments)
        case "missing": return .missing(arguments)
        case "missing_some": return .missingSome(first, second)
        case "if", "?:": return .choose(arguments)
        case "and": return .and(arguments)
        case "or": return .or(arguments)
        case "!": return .not(first)
        case "!!": return .truth(first)
        case "merge": return .merge(arguments)
        case "in": return .contains(first, in: second)
        case "cat": return .concatenate(arguments)
        case "substr":
            return .substring(first, start: second, length: arguments.count > 2 ? arguments[2] : nil)
        // Logging from within a flag's evaluation would be a side effect; the value passes through.
        case "log": return first
        case "starts_with": return arguments.count == 2 ? .startsWith(first, second) : .constant(.null)
        case "ends_with": return arguments.count == 2 ? .endsWith(first, second) : .constant(.null)
        case "sem_ver":
            return arguments.count == 3 ? .semanticVersion(first, second, arguments[2]) : .constant(.null)
        default: return nil
        }
    }

    private func compare(_ comparison: LogicComparison, _ arguments: [LogicNode]) -> LogicNode {
        switch comparison {
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            guard arguments.count > 2 else { break }
            return .between(comparison, arguments[0], arguments[1], arguments[2])
        case .equal, .notEqual, .same, .notSame: break
        }
        return .compare(comparison, arguments.at(0), arguments.at(1))
    }

    private mutating func reference(_ operand: JSONValue) throws(LogicFailure) -> LogicNode {
        guard case .string(let name) = operand else {
            throw LogicFailure(.parseError, "$ref needs the name of an evaluator.")
        }
        guard let rule = evaluators[name] else {
            throw LogicFailure(.parseError, "There is no evaluator '\(name.prefix(80))' for $ref.")
        }
        // A reference to itself ends at the depth limit.
        return try compile(rule)
    }
}

extension LogicCompiler {
    private mutating func variable(_ arguments: [LogicNode]) -> LogicNode {
        let otherwise: LogicNode? = arguments.count > 1 ? arguments[1] : nil
        switch arguments.at(0) {
        case .constant(.null): return wholeData()
        case .constant(.string("")): return wholeData()
        case .constant(let value) where value.array == nil && value.object == nil:
            return path(LogicCoercion.text(value), otherwise)
        case let computed:
            readsTimestamp = true
            return .lookup(computed, otherwise: otherwise)
        }
    }

    /// Includes `$flagd`, and with it the time.
    private mutating func wholeData() -> LogicNode {
        if !inElement { readsTimestamp = true }
        return .path([], otherwise: nil)
    }

    private mutating func path(_ text: String, _ otherwise: LogicNode?) -> LogicNode {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard !inElement else { return .path(parts, otherwise: otherwise) }
        if parts == ["targetingKey"] { return .targetingKey(otherwise: otherwise) }
        if parts[0] == "$flagd" {
            switch parts.dropFirst().first {
            case "flagKey" where parts.count == 2: return .constant(.string(flagKey))
            case "timestamp" where parts.count == 2:
                readsTimestamp = true
                return .timestamp
            case nil: readsTimestamp = true
            default: break
            }
        }
        return parts.count == 1 ? .attribute(parts[0], otherwise: otherwise) : .path(parts, otherwise: otherwise)
    }

    private mutating func body(_ rule: JSONValue?) throws(LogicFailure) -> LogicNode {
        let outside = inElement
        inElement = true
        defer { inElement = outside }
        return try compile(rule ?? .null)
    }

    private mutating func iterate(_ kind: LogicIteration, _ rules: [JSONValue]) throws(LogicFailure) -> LogicNode {
        let list = try compile(rules.first ?? .null)
        return .iterate(kind, over: list, body: try body(rules.dropFirst().first))
    }

    private mutating func reduce(_ rules: [JSONValue]) throws(LogicFailure) -> LogicNode {
        let list = try compile(rules.first ?? .null)
        let body = try body(rules.dropFirst().first)
        return .reduce(over: list, body: body, initial: try compile(rules.count > 2 ? rules[2] : .null))
    }

    private mutating func fractional(_ rules: [JSONValue]) throws(LogicFailure) -> LogicNode {
        let version: FractionalRule.Version
        switch fractionalVersion {
        case nil, .integer(2): version = .v2
        case .integer(3): version = .v3
        default: throw LogicFailure(.parseError, "The set's metadata 'fractionalVersion' must be 2 or 3.")
        }
        var rest = rules[...]
        var key: LogicNode?
        if let first = rules.first, first.array == nil {
            key = try compile(first)
            rest = rules.dropFirst()
        }
        var buckets: [FractionalRule.Bucket] = []
        for rule in rest {
            guard case .array(let parts) = rule, let variant = parts.first else {
                buckets.append(.computed(try compile(rule)))
                continue
            }
            let weight: LogicNode? = parts.count > 1 ? try compile(parts[1]) : nil
            buckets.append(.written(variant: try compile(variant), weight: weight))
        }
        return .fractional(
            FractionalRule(version: version, key: key, buckets: Self.fixed(buckets) ?? .computed(buckets)))
    }

    private static func fixed(_ buckets: [FractionalRule.Bucket]) -> FractionalRule.Buckets? {
        var variants: [JSONValue] = []
        var bounds: [UInt64] = []
        var total: UInt64 = 0
        for bucket in buckets {
            guard case .written(.constant(let variant), let weight) = bucket, variant.array == nil,
                variant.object == nil
            else { return nil }
            switch weight {
            case nil: total += 1
            case .constant(let written):
                guard let weight = LogicRun.weight(written) else { return nil }
                total += weight
            default: return nil
            }
            guard total <= FractionalRule.maximumTotal else { return nil }
            variants.append(variant)
            bounds.append(total)
        }
        return .fixed(variants: variants, bounds: bounds, total: total)
    }
}

extension [LogicNode] {
    /// An argument left out is null.
    fileprivate func at(_ index: Int) -> LogicNode {
        index < count ? self[index] : .constant(.null)
    }
}
