/// One evaluation of one compiled rule.
///
/// Its work is bounded: lists, text and repeated steps are paid for from `budget`, and a rule that runs out fails
/// instead of holding up whoever asked (`reduce` can double a value at each step).
struct LogicRun {
    /// About the number of values touched; far above what a rule about one user needs.
    static let budget = 200_000

    let flagKey: String
    let context: EvaluationContext
    /// The element at hand inside `map`, `filter` and their like; nil outside, where the data is the context.
    var element: JSONValue?
    var budget = LogicRun.budget

    init(flagKey: String, context: EvaluationContext) {
        self.flagKey = flagKey
        self.context = context
    }

    mutating func value(of node: LogicNode) throws(LogicFailure) -> JSONValue {
        switch node {
        case .constant(let value): return value
        case .targetingKey(let otherwise):
            if let key = context.targetingKey { return .string(key) }
            return try found(context.attributes["targetingKey"], otherwise)
        case .timestamp: return timestamp
        case .attribute(let name, let otherwise): return try found(context.attributes[name], otherwise)
        case .path(let parts, let otherwise): return try found(find(parts), otherwise)
        case .lookup(let path, let otherwise): return try found(look(up: value(of: path)), otherwise)
        case .choose(let branches): return try choose(branches)
        case .and(let nodes): return try last(of: nodes, whileTruthy: true)
        case .or(let nodes): return try last(of: nodes, whileTruthy: false)
        case .not(let node): return .bool(!LogicCoercion.isTruthy(try value(of: node)))
        case .truth(let node): return .bool(LogicCoercion.isTruthy(try value(of: node)))
        case .compare(let comparison, let left, let right):
            return .bool(LogicCoercion.compare(comparison, try value(of: left), try value(of: right)))
        case .between(let comparison, let low, let middle, let high):
            let center = try value(of: middle)
            guard LogicCoercion.compare(comparison, try value(of: low), center) else { return false }
            return .bool(LogicCoercion.compare(comparison, center, try value(of: high)))
        case .fractional(let rule): return try fractional(rule)
        default: return try uncommon(node)
        }
    }

    /// Apart, so that the frame of the recursion above stays small.
    private mutating func uncommon(_ node: LogicNode) throws(LogicFailure) -> JSONValue {
        switch node {
        case .missing(let keys): return .array(try missing(from: values(of: keys)))
        case .missingSome(let needed, let keys): return try missingSome(value(of: needed), value(of: keys))
        case .arithmetic(let kind, let nodes): return try arithmetic(kind, nodes)
        case .list(let nodes): return .array(try values(of: nodes))
        case .iterate(let kind, let list, let body): return try iterate(kind, value(of: list), body)
        case .reduce(let list, let body, let initial):
            return try reduce(value(of: list), body, value(of: initial))
        case .merge(let nodes): return try merge(values(of: nodes))
        case .contains(let item, let list): return try contains(value(of: item), value(of: list))
        case .concatenate(let nodes): return try concatenate(values(of: nodes))
        case .substring(let text, let start, let length):
            return try substring(value(of: text), value(of: start), length)
        case .semanticVersion(let left, let operation, let right):
            return SemanticVersion.compare(try value(of: left), try value(of: operation), try value(of: right))
        case .startsWith(let text, let affix):
            return affixed(try value(of: text), try value(of: affix)) { $0.starts(with: $1) }
        case .endsWith(let text, let affix):
            return affixed(try value(of: text), try value(of: affix)) { $0.reversed().starts(with: $1.reversed()) }
        default: return .null
        }
    }

    mutating func spend(_ amount: Int) throws(LogicFailure) {
        budget -= amount
        guard budget >= 0 else { throw LogicFailure(.general, "Targeting takes too many steps.") }
    }

    mutating func values(of nodes: [LogicNode]) throws(LogicFailure) -> [JSONValue] {
        var values: [JSONValue] = []
        values.reserveCapacity(nodes.count)
        for node in nodes { values.append(try value(of: node)) }
        return values
    }

    private mutating func found(
        _ found: JSONValue?, _ otherwise: LogicNode?
    ) throws(LogicFailure) -> JSONValue {
        if let found { return found }
        guard let otherwise else { return .null }
        return try value(of: otherwise)
    }

    private mutating func choose(_ branches: [LogicNode]) throws(LogicFailure) -> JSONValue {
        var index = 0
        while index + 1 < branches.count {
            if LogicCoercion.isTruthy(try value(of: branches[index])) { return try value(of: branches[index + 1]) }
            index += 2
        }
        return index < branches.count ? try value(of: branches[index]) : .null
    }

    /// `and` and `or` give the operand that decided, not just true or false.
    private mutating func last(of nodes: [LogicNode], whileTruthy: Bool) throws(LogicFailure) -> JSONValue {
        var result = JSONValue.null
        for node in nodes {
            result = try value(of: node)
            if LogicCoercion.isTruthy(result) != whileTruthy { break }
        }
        return result
    }
}

// MARK: Data

extension LogicRun {
    private var timestamp: JSONValue {
        let (quotient, remainder) = context.timestamp.milliseconds.quotientAndRemainder(dividingBy: 1_000)
        return .integer(remainder < 0 ? quotient - 1 : quotient)
    }

    /// The data as one value, which rules rarely need.
    private var data: JSONValue {
        if let element { return element }
        var members = context.attributes
        if let key = context.targetingKey { members["targetingKey"] = .string(key) }
        members["$flagd"] = ["flagKey": .string(flagKey), "timestamp": timestamp]
        return .object(members)
    }

    private func find(_ parts: [String]) -> JSONValue? {
        guard let first = parts.first else { return data }
        var value: JSONValue
        if let element {
            guard let found = Self.step(into: element, first) else { return nil }
            value = found
        } else if first == "$flagd" || first == "targetingKey" {
            guard let found = data[first] else { return nil }
            value = found
        } else {
            guard let found = context.attributes[first] else { return nil }
            value = found
        }
        for part in parts.dropFirst() {
            guard let found = Self.step(into: value, part) else { return nil }
            value = found
        }
        return value
    }

    private static func step(into value: JSONValue, _ part: String) -> JSONValue? {
        switch value {
        case .object(let members): return members[part]
        case .array(let items):
            guard let index = Int(part), items.indices.contains(index) else { return nil }
            return items[index]
        default: return nil
        }
    }

    private mutating func look(up path: JSONValue) throws(LogicFailure) -> JSONValue? {
        try spend(1)
        if path == .null || path == .string("") { return data }
        let text = LogicCoercion.text(path)
        try spend(text.utf8.count / 16)
        return find(text.split(separator: ".", omittingEmptySubsequences: false).map(String.init))
    }

    private mutating func missing(from arguments: [JSONValue]) throws(LogicFailure) -> [JSONValue] {
        // The keys may be the arguments or, computed by another rule, a list in the first.
        let keys = arguments.first?.array ?? arguments
        try spend(keys.count)
        var missing: [JSONValue] = []
        for key in keys {
            let found = try look(up: key)
            if found == nil || found == .null || found == .string("") { missing.append(key) }
        }
        return missing
    }

    private mutating func missingSome(_ needed: JSONValue, _ keys: JSONValue) throws(LogicFailure) -> JSONValue {
        let keys = keys.array ?? []
        let missing = try missing(from: [.array(keys)])
        return Double(keys.count - missing.count) >= LogicCoercion.number(needed) ? [] : .array(missing)
    }
}
