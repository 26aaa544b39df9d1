import Decide

/// A value in the file, read as what it should be. Each accessor tells the log what is wrong and returns nil.
struct Field {
    /// From the top of the file, for messages.
    var key: String
    /// The last part of `key`.
    var name: String
    var node: ConfigurationNode
    /// Of the key; of the value itself in lists.
    var keyPlace: ConfigurationNode.Place
    var log: ProblemLog

    func problem(_ message: String, suggestion: String? = nil) {
        log.add(node.place, key, message, suggestion: suggestion)
    }

    func problemAtKey(_ message: String, suggestion: String? = nil) {
        log.add(keyPlace, key, message, suggestion: suggestion)
    }

    /// As written, for messages: variables are not filled in.
    var written: String { if case .scalar(let scalar) = node.value { scalar.written } else { node.kind } }

    var isText: Bool { if case .scalar = node.value { !node.isNull } else { false } }
    var isList: Bool { if case .list = node.value { true } else { false } }
    var hasNoMembers: Bool { if case .map(let members) = node.value { members.isEmpty } else { false } }
    var isMap: Bool { if case .map = node.value { true } else { false } }

    /// Plain numbers are texts, too; nothing is not.
    func text(_ what: String = "text") -> String? {
        guard case .scalar(let scalar) = node.value else {
            problem("\(what) is expected here, not \(node.kind)")
            return nil
        }
        guard !scalar.isUnknown else { return nil }
        guard !node.isNull, !scalar.text.isEmpty else {
            problem("\(what) is expected here: give a value, or remove the key")
            return nil
        }
        guard scalar.text.utf8.count <= 20_000, !scalar.text.utf8.contains(0) else {
            problem("this text is too long, or holds a NUL character")
            return nil
        }
        return scalar.text
    }

    func integer(_ range: ClosedRange<Int>) -> Int? {
        guard let text = text("a whole number") else { return nil }
        guard let value = Int(text), range.contains(value) else {
            problem("'\(written)' is not a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    func bool() -> Bool? {
        guard let text = text("true or false") else { return nil }
        switch text {
        case "true": return true
        case "false": return false
        default:
            problem("'\(written)' is neither true nor false")
            return nil
        }
    }

    func span(_ range: ClosedRange<Span>) -> Span? {
        guard let text = text("a duration such as 5s or 1m30s") else { return nil }
        guard let span = Span(parsing: text) else {
            problem("'\(written)' is not a duration: write a number and a unit, such as 500ms, 5s, 1m30s or 2h")
            return nil
        }
        guard range.contains(span) else {
            problem("\(span) is not between \(range.lowerBound) and \(range.upperBound)")
            return nil
        }
        return span
    }

    func choice<Value: RawRepresentable & CaseIterable>(
        _ type: Value.Type = Value.self
    ) -> Value? where Value.RawValue == String {
        let names = Value.allCases.map(\.rawValue)
        guard let text = text("one of \(names.joined(separator: ", "))") else { return nil }
        if let value = Value(rawValue: text) { return value }
        problem(
            "'\(written)' is none of \(names.joined(separator: ", "))",
            suggestion: Spelling.nearest(to: text, among: names))
        return nil
    }

    /// The name of something that exists.
    func reference(_ what: String, among names: some Collection<String>) -> String? {
        guard let text = text("the name of a \(what)") else { return nil }
        if names.contains(text) { return text }
        let nearest = Spelling.nearest(to: text, among: names)
        let known = names.isEmpty ? "; none is declared" : nearest == nil ? " (there are \(Self.list(names)))" : ""
        problem("there is no \(what) '\(written)'\(known)", suggestion: nearest)
        return nil
    }

    /// The items of a list; one value that is not a list counts as a list of one.
    func items() -> [Field] {
        switch node.value {
        case .list(let items):
            return items.enumerated().map { index, item in
                Field(key: "\(key)[\(index)]", name: name, node: item, keyPlace: item.place, log: log)
            }
        case .scalar where node.isNull: return []
        case .scalar, .map: return [self]
        }
    }

    func list(_ what: String) -> [Field] {
        if isList { return items() }
        problem("a list of \(what) is expected here, not \(node.kind)")
        return []
    }

    /// The members of a mapping of names to values; nothing counts as none.
    func entries(_ what: String) -> [Field] {
        switch node.value {
        case .map(let members):
            return members.compactMap { member in
                let field = Field(
                    key: key.isEmpty ? member.key : "\(key).\(member.key)", name: member.key, node: member.value,
                    keyPlace: member.place, log: log)
                return field.hasProperName(what) ? field : nil
            }
        case .scalar where node.isNull: return []
        case .scalar, .list:
            problem("a mapping from the name of each \(what) to what it is is expected here, not \(node.kind)")
            return []
        }
    }

    /// Names stand in ids, URLs and file names.
    private func hasProperName(_ what: String) -> Bool {
        let isProper =
            !name.isEmpty && name.utf8.count <= 64 && name.first.map { $0 != "." && $0 != "-" } ?? false
            && name.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) || "_-.".utf8.contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
        if !isProper {
            problemAtKey("'\(name)' cannot be the name of a \(what): use up to 64 letters, digits, '-', '_' and '.'")
        }
        return isProper
    }

    static func list(_ names: some Collection<String>) -> String {
        let sorted = names.sorted()
        return sorted.prefix(8).joined(separator: ", ") + (sorted.count > 8 ? ", …" : "")
    }
}
