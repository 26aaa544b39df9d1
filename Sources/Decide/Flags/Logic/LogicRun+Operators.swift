extension LogicRun {
    mutating func arithmetic(_ kind: LogicArithmetic, _ nodes: [LogicNode]) throws(LogicFailure) -> JSONValue {
        let values = try values(of: nodes)
        guard let first = values.first else {
            switch kind {
            case .add: return 0
            case .multiply: return 1
            default: return .null
            }
        }
        switch kind {
        case .add: return LogicCoercion.value(values.reduce(0) { $0 + LogicCoercion.leadingNumber($1) })
        case .multiply: return LogicCoercion.value(values.reduce(1) { $0 * LogicCoercion.leadingNumber($1) })
        case .maximum, .minimum:
            var best = LogicCoercion.number(first)
            for value in values.dropFirst() {
                let number = LogicCoercion.number(value)
                if best.isNaN || number.isNaN { return LogicCoercion.value(.nan) }
                best = kind == .maximum ? max(best, number) : min(best, number)
            }
            return LogicCoercion.value(best)
        case .subtract, .divide, .remainder:
            let left = LogicCoercion.number(first)
            guard values.count > 1 else { return kind == .subtract ? LogicCoercion.value(-left) : .null }
            let right = LogicCoercion.number(values[1])
            switch kind {
            case .subtract: return LogicCoercion.value(left - right)
            case .divide: return LogicCoercion.value(left / right)
            default: return LogicCoercion.value(left.truncatingRemainder(dividingBy: right))
            }
        }
    }

    mutating func iterate(
        _ kind: LogicIteration, _ list: JSONValue, _ body: LogicNode
    ) throws(LogicFailure) -> JSONValue {
        let items = list.array ?? []
        // "All of nothing" is false in JsonLogic, "none of nothing" is true.
        if kind == .all, items.isEmpty { return false }
        var results: [JSONValue] = []
        let outside = element
        defer { element = outside }
        for item in items {
            try spend(1)
            element = item
            let result = try value(of: body)
            switch kind {
            case .map:
                try pay(for: result)
                results.append(result)
            case .filter: if LogicCoercion.isTruthy(result) { results.append(item) }
            case .all: if !LogicCoercion.isTruthy(result) { return false }
            case .some: if LogicCoercion.isTruthy(result) { return true }
            case .none: if LogicCoercion.isTruthy(result) { return false }
            }
        }
        switch kind {
        case .map, .filter: return .array(results)
        case .all, .none: return true
        case .some: return false
        }
    }

    mutating func reduce(
        _ list: JSONValue, _ body: LogicNode, _ initial: JSONValue
    ) throws(LogicFailure) -> JSONValue {
        var accumulator = initial
        let outside = element
        defer { element = outside }
        for item in list.array ?? [] {
            try spend(1)
            element = .object(["current": item, "accumulator": accumulator])
            accumulator = try value(of: body)
            try pay(for: accumulator)
        }
        return accumulator
    }

    mutating func merge(_ values: [JSONValue]) throws(LogicFailure) -> JSONValue {
        var merged: [JSONValue] = []
        for value in values {
            if case .array(let items) = value {
                try spend(items.count)
                merged += items
            } else {
                merged.append(value)
            }
        }
        return .array(merged)
    }

    mutating func contains(_ item: JSONValue, _ list: JSONValue) throws(LogicFailure) -> JSONValue {
        switch list {
        case .string(let text):
            let part = LogicCoercion.text(item)
            try spend(text.utf8.count / 16)
            return .bool(Self.contains(Array(text.utf8), Array(part.utf8)))
        case .array(let items):
            try spend(items.count / 8)
            return .bool(items.contains { LogicCoercion.isSame($0, item) })
        default: return false
        }
    }

    private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard let first = part.first else { return true }
        guard part.count <= text.count else { return false }
        for start in 0...(text.count - part.count) where text[start] == first {
            if text[start..<start + part.count].elementsEqual(part) { return true }
        }
        return false
    }

    mutating func concatenate(_ values: [JSONValue]) throws(LogicFailure) -> JSONValue {
        var joined = ""
        for value in values {
            // null joins as nothing, as in JavaScript's Array.join.
            if value == .null { continue }
            let text = LogicCoercion.text(value)
            try spend(1 + text.utf8.count / 16)
            joined += text
        }
        return .string(joined)
    }

    /// Counts in Unicode scalars; a negative start counts from the end, a negative length leaves that many off.
    mutating func substring(
        _ text: JSONValue, _ start: JSONValue, _ length: LogicNode?
    ) throws(LogicFailure) -> JSONValue {
        let scalars = Array(LogicCoercion.text(text).unicodeScalars)
        try spend(scalars.count / 16)
        func clamped(_ value: JSONValue) -> Int {
            let number = LogicCoercion.number(value)
            return number.isNaN ? 0 : Int(max(-1e9, min(1e9, number)))
        }
        let from = clamped(start)
        let lower = from < 0 ? max(0, scalars.count + from) : min(from, scalars.count)
        var upper = scalars.count
        if let length {
            let count = clamped(try value(of: length))
            upper = count < 0 ? scalars.count + count : min(scalars.count, lower + count)
        }
        var result = String.UnicodeScalarView()
        if lower < upper { result.append(contentsOf: scalars[lower..<upper]) }
        return .string(String(result))
    }

    /// flagd answers null, not false, to anything but two texts.
    func affixed(
        _ text: JSONValue, _ affix: JSONValue, _ test: (String.UTF8View, String.UTF8View) -> Bool
    ) -> JSONValue {
        guard case .string(let text) = text, case .string(let affix) = affix else { return .null }
        return .bool(test(text.utf8, affix.utf8))
    }

    /// Pays for a value's whole size: values that `map` and `reduce` build may share storage and still be
    /// exponentially long to walk.
    private mutating func pay(for value: JSONValue) throws(LogicFailure) {
        switch value {
        case .string(let text): try spend(1 + text.utf8.count / 16)
        case .array(let items):
            try spend(1)
            for item in items { try pay(for: item) }
        case .object(let members):
            try spend(1)
            for member in members.values { try pay(for: member) }
        default: try spend(1)
        }
    }
}

// MARK: fractional

extension LogicRun {
    mutating func fractional(_ rule: FractionalRule) throws(LogicFailure) -> JSONValue {
        var extra: JSONValue?
        var hash: UInt32?
        if let key = rule.key {
            let placed = try value(of: key)
            switch placed {
            case .null: break
            // A rule in first place may give a bucket instead of a key.
            case .array: extra = placed
            case .string(let text): hash = rule.version == .v2 ? Murmur3.hash32(text) : Self.hash(placed)
            default:
                guard rule.version == .v3 else { return .null }
                hash = Self.hash(placed)
            }
        }
        // Who gets the only bucket needs no placing.
        let isPlain = extra == nil && hash == nil && rule.buckets.count == 1
        guard let hash = hash ?? implicitHash(rule.version) ?? (isPlain ? 0 : nil) else { return .null }
        if extra == nil, case .fixed(let variants, let bounds, let total) = rule.buckets {
            guard total > 0 else { return .null }
            let bucket = (UInt64(hash) * total) >> 32
            return bounds.firstIndex { $0 > bucket }.map { variants[$0] } ?? .null
        }
        return try computedBucket(rule.buckets, extra, hash)
    }

    private func implicitHash(_ version: FractionalRule.Version) -> UInt32? {
        guard let key = context.targetingKey ?? context.attributes["targetingKey"]?.string, !key.isEmpty else {
            return nil
        }
        return version == .v2 ? Murmur3.hash32(flagKey + key) : Self.hash([.string(flagKey), .string(key)])
    }

    private static func hash(_ value: JSONValue) -> UInt32 {
        Murmur3.hash32(DeterministicCBOR.encode(value))
    }

    private mutating func computedBucket(
        _ buckets: FractionalRule.Buckets, _ extra: JSONValue?, _ hash: UInt32
    ) throws(LogicFailure) -> JSONValue {
        var choices: [(variant: LogicNode, bound: UInt64)] = []
        var total: UInt64 = 0
        func add(_ variant: LogicNode, _ weight: UInt64?) -> Bool {
            guard let weight else { return false }
            total += weight
            choices.append((variant, total))
            return total <= FractionalRule.maximumTotal
        }
        func add(_ bucket: JSONValue) -> Bool {
            guard case .array(let parts) = bucket, let variant = parts.first else { return false }
            return add(.constant(variant), parts.count > 1 ? Self.weight(parts[1]) : 1)
        }
        if let extra, !add(extra) { return .null }
        switch buckets {
        case .fixed(let variants, let bounds, _):
            for (index, variant) in variants.enumerated() {
                let weight = bounds[index] - (index > 0 ? bounds[index - 1] : 0)
                guard add(.constant(variant), weight) else { return .null }
            }
        case .computed(let buckets):
            for bucket in buckets {
                switch bucket {
                case .computed(let node): guard add(try value(of: node)) else { return .null }
                case .written(let variant, let weight):
                    let weight = try weight.map { node throws(LogicFailure) in Self.weight(try value(of: node)) } ?? 1
                    guard add(variant, weight) else { return .null }
                }
            }
        }
        let bucket = (UInt64(hash) * total) >> 32
        guard total > 0, let choice = choices.first(where: { $0.bound > bucket }) else { return .null }
        let variant = try value(of: choice.variant)
        return variant.array == nil && variant.object == nil ? variant : .null
    }

    /// Nil for anything but a whole number; a negative weight counts as none.
    static func weight(_ value: JSONValue) -> UInt64? {
        switch value {
        case .integer(let weight): return weight > 0 ? min(UInt64(weight), FractionalRule.maximumTotal + 1) : 0
        case .double(let weight):
            guard let whole = Int64(exactly: weight) else { return nil }
            return Self.weight(.integer(whole))
        default: return nil
        }
    }
}
