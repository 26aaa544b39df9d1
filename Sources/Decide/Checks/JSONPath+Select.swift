/// What a query found, and whether finding nothing means anything.
package struct Selection: Hashable, Sendable {
    package var values: [JSONValue]
    /// Several values are possible: assertions speak about the list.
    package var isList: Bool
    /// Why the absence of a value proves nothing: a part of the way to it is missing. Then "is absent", "does not
    /// contain" and "has none" fail, so that a renamed field cannot read as success.
    package var gap: String?

    package init(values: [JSONValue], isList: Bool, gap: String? = nil) {
        self.values = values
        self.isList = isList
        self.gap = gap
    }
}

extension JSONPath {
    /// A query that visits more values than this has none: it would hold up every other check.
    static let visitLimit = 100_000

    package func select(
        from root: JSONValue, variables: [String: JSONValue] = [:]
    ) throws(DefinitionError) -> Selection {
        var search = JSONPathSearch(root: root, variables: variables, budget: Self.visitLimit)
        let prefix = segments.prefix { $0.singular != nil }
        var value = root
        var walked = "$"
        for (offset, segment) in prefix.enumerated() {
            guard let selector = segment.singular, let next = JSONPathSearch.child(of: value, selector) else {
                let isLast = offset == segments.count - 1
                let parentFits = JSONPathSearch.canHold(value, segment.selectors[0])
                let gap: String? = isLast && parentFits ? nil : describeGap(value, walked, segment, parentFits)
                return Selection(values: [], isList: !isSingular, gap: gap)
            }
            value = next
            walked += segment.text
        }
        guard prefix.count < segments.count else { return Selection(values: [value], isList: false) }
        return try selectList(from: value, segments[prefix.count...], walked, &search)
    }

    private func selectList(
        from start: JSONValue, _ rest: ArraySlice<Segment>, _ walked: String, _ search: inout JSONPathSearch
    ) throws(DefinitionError) -> Selection {
        switch start {
        case .array, .object: break
        default:
            let gap = "\(walked) is \(start.briefText), not a list or object"
            return Selection(values: [], isList: true, gap: gap)
        }
        let tailStart = (rest.lastIndex { $0.singular == nil } ?? rest.startIndex) + 1
        var nodes = [start]
        var gap: String?
        for segment in rest[rest.startIndex..<tailStart] {
            gap = gap ?? search.blindFilter(segment, nodes).map { "none of the values in \(walked) has \($0)" }
            nodes = try search.apply(segment, to: nodes)
        }
        let matched = nodes.count
        for segment in rest[tailStart...] { nodes = try search.apply(segment, to: nodes) }
        if nodes.count < matched, gap == nil {
            let tail = rest[tailStart...].map(\.text).joined()
            gap = "\(matched - nodes.count) of \(matched) values have no \(tail)"
        }
        return Selection(values: nodes, isList: true, gap: gap)
    }

    private func describeGap(
        _ value: JSONValue, _ walked: String, _ segment: Segment, _ parentFits: Bool
    ) -> String {
        if parentFits { return "\(walked)\(segment.text) is missing" }
        return "\(walked) is \(value.briefText), so it has no \(segment.text)"
    }
}

struct JSONPathSearch {
    let root: JSONValue
    let variables: [String: JSONValue]
    var budget: Int

    static func child(of value: JSONValue, _ selector: JSONPath.Selector) -> JSONValue? {
        switch (selector, value) {
        case (.name(let name), .object(let members)): return members[name]
        case (.index(let index), .array(let elements)):
            let position = index < 0 ? elements.count + index : index
            // Not `? :`, whose nil would be JSON's null.
            guard elements.indices.contains(position) else { return nil }
            return elements[position]
        default: return nil
        }
    }

    static func canHold(_ value: JSONValue, _ selector: JSONPath.Selector) -> Bool {
        switch (selector, value) {
        case (.name, .object), (.index, .array): true
        default: false
        }
    }

    mutating func apply(
        _ segment: JSONPath.Segment, to nodes: [JSONValue]
    ) throws(DefinitionError) -> [JSONValue] {
        var found: [JSONValue] = []
        for node in nodes {
            for start in segment.isDescendant ? try descendants(of: node) : [node] {
                for selector in segment.selectors { found += try select(selector, in: start) }
            }
        }
        return found
    }

    private mutating func select(
        _ selector: JSONPath.Selector, in node: JSONValue
    ) throws(DefinitionError) -> [JSONValue] {
        let found: [JSONValue]
        switch selector {
        case .name, .index: found = Self.child(of: node, selector).map { [$0] } ?? []
        case .wildcard: found = Self.children(of: node)
        case .slice(let start, let end, let step): found = Self.slice(node.array ?? [], start, end, step)
        case .filter(let filter):
            var kept: [JSONValue] = []
            for child in Self.children(of: node) where try holds(filter, for: child) { kept.append(child) }
            found = kept
        }
        try visit(found.count + 1)
        return found
    }

    private mutating func visit(_ count: Int) throws(DefinitionError) {
        budget -= count
        guard budget >= 0 else { throw DefinitionError("the JSONPath visits more than \(JSONPath.visitLimit) values") }
    }

    /// Members in the order of their names, so that results do not change from run to run.
    private static func children(of node: JSONValue) -> [JSONValue] {
        switch node {
        case .array(let elements): elements
        case .object(let members): members.sorted { $0.key < $1.key }.map(\.value)
        default: []
        }
    }

    private mutating func descendants(of node: JSONValue) throws(DefinitionError) -> [JSONValue] {
        var found = [node]
        try visit(1)
        for child in Self.children(of: node) { found += try descendants(of: child) }
        return found
    }

    /// RFC 9535, 2.3.4.2.
    private static func slice(_ elements: [JSONValue], _ start: Int?, _ end: Int?, _ step: Int) -> [JSONValue] {
        guard step != 0 else { return [] }
        let count = elements.count
        func normal(_ index: Int) -> Int { index >= 0 ? index : count + index }
        var found: [JSONValue] = []
        if step > 0 {
            let upper = min(max(normal(end ?? count), 0), count)
            var index = min(max(normal(start ?? 0), 0), count)
            while index < upper {
                found.append(elements[index])
                index += step
            }
        } else {
            let lower = end.map { min(max(normal($0), -1), count - 1) } ?? -1
            var index = start.map { min(max(normal($0), -1), count - 1) } ?? count - 1
            while index > lower {
                found.append(elements[index])
                index += step
            }
        }
        return found
    }

    // MARK: Filters

    /// What a filter compares with and no candidate has, or none with a comparable type: then no candidate can
    /// match, whatever it is, and matching nothing proves nothing.
    func blindFilter(_ segment: JSONPath.Segment, _ nodes: [JSONValue]) -> String? {
        guard !segment.isDescendant, segment.selectors.count == 1, case .filter(let filter) = segment.selectors[0]
        else {
            return nil
        }
        let candidates = nodes.flatMap(Self.children)
        guard !candidates.isEmpty else { return nil }
        for (query, other) in Self.compared(filter) {
            let path = query.segments.map(\.text).joined()
            let values = candidates.compactMap { Self.singular(query, from: $0) }
            if values.isEmpty { return path }
            guard let wanted = constant(other), wanted != .null else { continue }
            if !values.contains(where: { $0.kindName == wanted.kindName }) { return "a \(wanted.kindName) as \(path)" }
        }
        return nil
    }

    private func constant(_ operand: JSONPath.Operand) -> JSONValue? {
        switch operand {
        case .literal(let value): return value
        case .variable(let name): return variables[name]
        case .query, .length, .count: return nil
        }
    }

    private static func compared(_ filter: JSONPath.Filter) -> [(JSONPath.Query, JSONPath.Operand)] {
        switch filter {
        case .any(let filters), .all(let filters): filters.flatMap(compared)
        case .not(let filter): compared(filter)
        case .exists: []
        case .compare(let left, _, let right):
            [(left, right), (right, left)].compactMap { operand, other in
                guard case .query(let query) = operand, query.isRelative else { return nil }
                return (query, other)
            }
        }
    }

    private static func singular(_ query: JSONPath.Query, from start: JSONValue) -> JSONValue? {
        var value = start
        for segment in query.segments {
            guard let selector = segment.singular, let next = child(of: value, selector) else { return nil }
            value = next
        }
        return value
    }

    private mutating func nodes(_ query: JSONPath.Query, for node: JSONValue) throws(DefinitionError) -> [JSONValue] {
        var nodes = [query.isRelative ? node : root]
        for segment in query.segments { nodes = try apply(segment, to: nodes) }
        return nodes
    }

    private mutating func holds(_ filter: JSONPath.Filter, for node: JSONValue) throws(DefinitionError) -> Bool {
        switch filter {
        case .any(let filters):
            for filter in filters where try holds(filter, for: node) { return true }
            return false
        case .all(let filters):
            for filter in filters where try !holds(filter, for: node) { return false }
            return true
        case .not(let filter): return try !holds(filter, for: node)
        case .exists(let query): return try !nodes(query, for: node).isEmpty
        case .compare(let left, let comparison, let right):
            return Self.compare(try value(left, for: node), comparison, try value(right, for: node))
        }
    }

    /// Nil: nothing, which equals only nothing.
    private mutating func value(
        _ operand: JSONPath.Operand, for node: JSONValue
    ) throws(DefinitionError) -> JSONValue? {
        switch operand {
        case .literal(let value): return value
        case .variable(let name):
            guard let value = variables[name] else { throw DefinitionError("nothing has set the variable {{\(name)}}") }
            return value
        case .query(let query): return try nodes(query, for: node).first
        case .count(let query): return .integer(Int64(try nodes(query, for: node).count))
        case .length(let operand):
            switch try value(operand, for: node) {
            case .string(let text): return .integer(Int64(text.unicodeScalars.count))
            case .array(let elements): return .integer(Int64(elements.count))
            case .object(let members): return .integer(Int64(members.count))
            default: return nil
            }
        }
    }

    private static func compare(_ left: JSONValue?, _ comparison: JSONPath.Comparison, _ right: JSONValue?) -> Bool {
        func equal() -> Bool {
            guard let left, let right else { return left == nil && right == nil }
            return left.equals(right)
        }
        func less(_ left: JSONValue?, _ right: JSONValue?) -> Bool {
            if case .string(let left) = left, case .string(let right) = right {
                return left.unicodeScalars.lexicographicallyPrecedes(right.unicodeScalars)
            }
            guard let left, let right else { return false }
            return left.precedes(right) ?? false
        }
        switch comparison {
        case .equal: return equal()
        case .notEqual: return !equal()
        case .less: return less(left, right)
        case .greater: return less(right, left)
        case .atMost: return less(left, right) || equal()
        case .atLeast: return less(right, left) || equal()
        }
    }
}
