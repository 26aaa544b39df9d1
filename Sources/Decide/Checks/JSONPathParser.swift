/// Recursive descent over the grammar of RFC 9535, with bounds on length and nesting.
struct JSONPathParser {
    private let source: String
    private let text: [Unicode.Scalar]
    private var index = 0
    private var depth = 0

    static let lengthLimit = 1_000
    static let depthLimit = 16

    init(_ source: String) {
        self.source = source
        text = Array(source.unicodeScalars)
    }

    mutating func path() throws(DefinitionError) -> [JSONPath.Segment] {
        guard text.count <= Self.lengthLimit else { throw error("it is longer than \(Self.lengthLimit) characters") }
        guard skip("$") else { throw error("it must begin with $") }
        let segments = try segments()
        guard index == text.count else { throw error("'\(text[index])' was not expected") }
        return segments
    }

    private mutating func segments() throws(DefinitionError) -> [JSONPath.Segment] {
        var segments: [JSONPath.Segment] = []
        while true {
            let mark = index
            skipSpace()
            let start = index
            let isDescendant = peek(".") && index + 1 < text.count && text[index + 1] == "."
            if isDescendant { index += 2 }
            let selectors: [JSONPath.Selector]
            if peek("[") {
                selectors = try bracketed()
            } else if isDescendant || skip(".") {
                selectors = [skip("*") ? .wildcard : .name(try memberName())]
            } else {
                index = mark
                return segments
            }
            let written = String(String.UnicodeScalarView(text[start..<index]))
            segments.append(JSONPath.Segment(isDescendant: isDescendant, selectors: selectors, text: written))
        }
    }

    private mutating func memberName() throws(DefinitionError) -> String {
        var name = String.UnicodeScalarView()
        while index < text.count {
            let scalar = text[index]
            let isDigit = ("0"..."9").contains(scalar)
            guard
                ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_" || scalar.value >= 0x80
                    || isDigit && !name.isEmpty
            else { break }
            name.append(scalar)
            index += 1
        }
        guard !name.isEmpty else { throw error("a name is expected (other names are written ['like-this'])") }
        return String(name)
    }

    private mutating func bracketed() throws(DefinitionError) -> [JSONPath.Selector] {
        index += 1
        var selectors: [JSONPath.Selector] = []
        repeat {
            skipSpace()
            selectors.append(try selector())
            skipSpace()
        } while skip(",")
        guard skip("]") else { throw error("']' is missing") }
        return selectors
    }

    private mutating func selector() throws(DefinitionError) -> JSONPath.Selector {
        if skip("*") { return .wildcard }
        if peek("'") || peek("\"") { return .name(try quoted()) }
        if skip("?") {
            skipSpace()
            return .filter(try anyFilter())
        }
        let first = try integer()
        skipSpace()
        guard skip(":") else {
            guard let first else { throw error("a name in quotes, an index, a slice, * or ? is expected") }
            return .index(first)
        }
        skipSpace()
        let end = try integer()
        skipSpace()
        var step = 1
        if skip(":") {
            skipSpace()
            step = try integer() ?? 1
        }
        return .slice(start: first, end: end, step: step)
    }

    private mutating func integer() throws(DefinitionError) -> Int? {
        var digits = ""
        if peek("-") {
            digits = "-"
            index += 1
        }
        while index < text.count, ("0"..."9").contains(text[index]) {
            digits.unicodeScalars.append(text[index])
            index += 1
        }
        if digits.isEmpty { return nil }
        // 2^53 - 1 is the RFC's own bound.
        guard let value = Int(digits), value.magnitude < 1 << 53 else { throw error("'\(digits)' is not an index") }
        return value
    }

    // MARK: Filters

    private mutating func anyFilter() throws(DefinitionError) -> JSONPath.Filter {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw error("it is nested deeper than \(Self.depthLimit) levels") }
        var filters = [try allFilter()]
        while skipBoth("|") { filters.append(try allFilter()) }
        return filters.count == 1 ? filters[0] : .any(filters)
    }

    private mutating func allFilter() throws(DefinitionError) -> JSONPath.Filter {
        var filters = [try basicFilter()]
        while skipBoth("&") { filters.append(try basicFilter()) }
        return filters.count == 1 ? filters[0] : .all(filters)
    }

    private mutating func basicFilter() throws(DefinitionError) -> JSONPath.Filter {
        skipSpace()
        if peek("!"), index + 1 < text.count, text[index + 1] != "=" {
            index += 1
            skipSpace()
            return .not(peek("(") ? try parenthesised() : .exists(try query()))
        }
        if peek("(") { return try parenthesised() }
        let left = try operand()
        skipSpace()
        guard let comparison = comparison() else {
            guard case .query(let query) = left else { throw error("a comparison is expected") }
            return .exists(query)
        }
        skipSpace()
        let right = try operand()
        for case .query(let query) in [left, right] where !query.isSingular {
            throw error("only a query for one value can be compared")
        }
        return .compare(left, comparison, right)
    }

    private mutating func parenthesised() throws(DefinitionError) -> JSONPath.Filter {
        index += 1
        let filter = try anyFilter()
        skipSpace()
        guard skip(")") else { throw error("')' is missing") }
        return filter
    }

    private mutating func comparison() -> JSONPath.Comparison? {
        for candidate in JSONPath.Comparison.allCases where starts(with: candidate.rawValue) {
            index += candidate.rawValue.count
            return candidate
        }
        return nil
    }

    private mutating func operand() throws(DefinitionError) -> JSONPath.Operand {
        skipSpace()
        if peek("@") || peek("$") { return .query(try query()) }
        if peek("'") || peek("\"") { return .literal(.string(try quoted())) }
        if starts(with: "{{") { return .variable(try variable()) }
        if let word = word() { return try operand(named: word) }
        return .literal(try number())
    }

    private mutating func operand(named word: String) throws(DefinitionError) -> JSONPath.Operand {
        switch word {
        case "true": return .literal(true)
        case "false": return .literal(false)
        case "null": return .literal(nil)
        case "length", "count":
            guard skip("(") else { throw error("'(' is expected after \(word)") }
            let operand: JSONPath.Operand
            if word == "count" {
                skipSpace()
                operand = .count(try query())
            } else {
                operand = .length(try self.operand())
            }
            skipSpace()
            guard skip(")") else { throw error("')' is missing") }
            return operand
        default: throw error("'\(word)' is not known here (length, count, true, false and null are)")
        }
    }

    private mutating func query() throws(DefinitionError) -> JSONPath.Query {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw error("it is nested deeper than \(Self.depthLimit) levels") }
        let isRelative = peek("@")
        guard skip("@") || skip("$") else { throw error("@ or $ is expected") }
        return JSONPath.Query(isRelative: isRelative, segments: try segments())
    }

    private mutating func variable() throws(DefinitionError) -> String {
        index += 2
        skipSpace()
        var name = ""
        while index < text.count, text[index] != "}", text[index] != " " {
            name.unicodeScalars.append(text[index])
            index += 1
        }
        skipSpace()
        guard starts(with: "}}"), Template.isName(name) else { throw error("{{\(name)}} is not a variable") }
        index += 2
        return name
    }

    private mutating func word() -> String? {
        var word = ""
        while index < text.count, ("a"..."z").contains(text[index]) {
            word.unicodeScalars.append(text[index])
            index += 1
        }
        return word.isEmpty ? nil : word
    }

    private mutating func number() throws(DefinitionError) -> JSONValue {
        let start = index
        while index < text.count, ("0"..."9").contains(text[index]) || "+-.eE".unicodeScalars.contains(text[index]) {
            index += 1
        }
        let written = String(String.UnicodeScalarView(text[start..<index]))
        do throws(JSONSyntaxError) {
            return try JSONValue(parsing: written)
        } catch {
            throw self.error("a value to compare with is expected")
        }
    }

    private mutating func quoted() throws(DefinitionError) -> String {
        let quote = text[index]
        index += 1
        var content = String.UnicodeScalarView()
        while index < text.count, text[index] != quote {
            if text[index] == "\\" {
                content.append(contentsOf: try escaped(quote))
            } else {
                content.append(text[index])
                index += 1
            }
        }
        guard skip(quote) else { throw error("a closing quote is missing") }
        return String(content)
    }

    private mutating func escaped(_ quote: Unicode.Scalar) throws(DefinitionError) -> String.UnicodeScalarView {
        guard index + 1 < text.count else { throw error("a closing quote is missing") }
        let length = text[index + 1] == "u" ? 6 : 2
        let end = min(index + length, text.count)
        let written = String(String.UnicodeScalarView(text[index..<end]))
        index = end
        if written == "\\'" { return "'".unicodeScalars }
        do throws(JSONSyntaxError) {
            return (try JSONValue(parsing: "\"\(written)\"").string ?? "").unicodeScalars
        } catch {
            throw self.error("\(written) is not an escape")
        }
    }

    // MARK: Scanning

    private func peek(_ scalar: Unicode.Scalar) -> Bool { index < text.count && text[index] == scalar }

    private func starts(with expected: String) -> Bool { text[index...].starts(with: expected.unicodeScalars) }

    private mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
        guard peek(scalar) else { return false }
        index += 1
        return true
    }

    private mutating func skipBoth(_ scalar: Unicode.Scalar) -> Bool {
        skipSpace()
        guard peek(scalar), index + 1 < text.count, text[index + 1] == scalar else { return false }
        index += 2
        return true
    }

    private mutating func skipSpace() {
        while index < text.count, " \t\n\r".unicodeScalars.contains(text[index]) { index += 1 }
    }

    private func error(_ message: String) -> DefinitionError {
        DefinitionError("'\(source)' is not a JSONPath: \(message)")
    }
}
