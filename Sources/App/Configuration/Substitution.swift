/// Fills environment variables into a value: `${NAME}`, or `${NAME:-fallback}` for one that need not be set; `$${` is a
/// plain `${`. Only values are filled, never keys or structure, so that a variable cannot add anything to the file.
struct Substitution {
    enum Fault: Error, Hashable {
        case missing(String)
        case malformed(String)
    }

    let environment: [String: String]
    /// What came from the environment, by the variable's name.
    private(set) var used: [(name: String, value: String)] = []

    init(environment: [String: String]) {
        self.environment = environment
    }

    mutating func fill(_ text: String) throws(Fault) -> String {
        guard text.contains("${") else { return text }
        var filled = ""
        var rest = text[...]
        while let open = rest.firstRange(of: "${") {
            let before = rest[..<open.lowerBound]
            filled += before
            rest = rest[open.upperBound...]
            if before.hasSuffix("$") {
                filled += "{"
                continue
            }
            guard let close = rest.firstIndex(of: "}") else {
                throw .malformed("'${' is not closed; write '$${' where no variable is meant")
            }
            filled += try value(of: rest[..<close])
            rest = rest[rest.index(after: close)...]
        }
        return filled + rest
    }

    private mutating func value(of expression: Substring) throws(Fault) -> String {
        let split = expression.firstRange(of: ":-")
        let name = String(expression[..<(split?.lowerBound ?? expression.endIndex)])
        guard Self.isName(name) else {
            throw .malformed("'${\(name)}' is not a variable; write ${NAME} or ${NAME:-fallback}")
        }
        // An empty variable is as good as none: it is what an unset secret looks like in many runners.
        if let value = environment[name], !value.isEmpty {
            used.append((name, value))
            return value
        }
        guard let split else { throw .missing(name) }
        return String(expression[split.upperBound...])
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) || $0 == UInt8(ascii: "_")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        }
    }
}
