/// A query of RFC 9535: `$.items[*].product`, `$.items[?@.id == {{id}} && @.stock > 0].name`, `$..price`, `$.a[-1]`.
///
/// All of the RFC but the functions `match`, `search` and `value`; beyond it, a filter may compare with
/// `{{variables}}`, which keep their type and cannot change the query's meaning.
package struct JSONPath: Hashable, Sendable, CustomStringConvertible {
    package let source: String
    let segments: [Segment]

    struct Segment: Hashable, Sendable {
        /// `..`: at any depth.
        var isDescendant: Bool
        var selectors: [Selector]
        /// As written, for sentences.
        var text: String

        /// The one name or index that this selects; nil when it may select several values.
        var singular: Selector? {
            guard !isDescendant, selectors.count == 1 else { return nil }
            switch selectors[0] {
            case .name, .index: return selectors[0]
            case .wildcard, .slice, .filter: return nil
            }
        }
    }

    enum Selector: Hashable, Sendable {
        case name(String)
        case index(Int)
        case wildcard
        case slice(start: Int?, end: Int?, step: Int)
        case filter(Filter)
    }

    indirect enum Filter: Hashable, Sendable {
        case any([Filter])
        case all([Filter])
        case not(Filter)
        case exists(Query)
        case compare(Operand, Comparison, Operand)
    }

    enum Comparison: String, Hashable, Sendable, CaseIterable {
        case equal = "=="
        case notEqual = "!="
        case atMost = "<="
        case atLeast = ">="
        case less = "<"
        case greater = ">"
    }

    indirect enum Operand: Hashable, Sendable {
        case literal(JSONValue)
        case variable(String)
        case query(Query)
        case length(Operand)
        case count(Query)
    }

    struct Query: Hashable, Sendable {
        /// From `@`, the element that the filter looks at; otherwise from `$`.
        var isRelative: Bool
        var segments: [Segment]

        var isSingular: Bool { segments.allSatisfy { $0.singular != nil } }
    }

    package init(parsing source: String) throws(DefinitionError) {
        var parser = JSONPathParser(source)
        segments = try parser.path()
        self.source = source
    }

    package var description: String { source }

    /// Whether it can select one value at most.
    package var isSingular: Bool { segments.allSatisfy { $0.singular != nil } }

    var variables: [String] { Self.variables(segments) }

    private static func variables(_ segments: [Segment]) -> [String] {
        segments.flatMap(\.selectors).flatMap { selector -> [String] in
            if case .filter(let filter) = selector { variables(filter) } else { [] }
        }
    }

    private static func variables(_ filter: Filter) -> [String] {
        switch filter {
        case .any(let filters), .all(let filters): filters.flatMap(variables)
        case .not(let filter): variables(filter)
        case .exists(let query): variables(query.segments)
        case .compare(let left, _, let right): variables(left) + variables(right)
        }
    }

    private static func variables(_ operand: Operand) -> [String] {
        switch operand {
        case .literal: []
        case .variable(let name): [name]
        case .query(let query), .count(let query): variables(query.segments)
        case .length(let operand): variables(operand)
        }
    }
}

extension JSONPath: Codable {
    package init(from decoder: any Decoder) throws {
        try self.init(parsing: try decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(source)
    }
}
