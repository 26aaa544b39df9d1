import Decide

/// Parts of requests and expectations, for HTTP checks and the steps of journeys.
extension ConfigurationReader {
    /// The members of a mapping whose keys are no names of Mainstay's: headers, form fields, expressions.
    func pairs(_ field: Field, _ what: String) -> [Field] {
        guard case .map(let members) = field.node.value else {
            if !field.node.isNull { field.problem("\(what) is expected here, not \(field.node.kind)") }
            return []
        }
        return members.map { member in
            Field(
                key: "\(field.key).\(member.key)", name: member.key, node: member.value, keyPlace: member.place,
                log: log)
        }
    }

    func headers(_ field: Field?) -> [HTTPAction.Header] {
        guard let field else { return [] }
        return pairs(field, "a mapping of headers").compactMap { header in
            let isToken =
                !header.name.isEmpty
                && header.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"()<>@,;:\\\"/[]?={}".utf8.contains($0) }
            guard isToken else {
                header.problemAtKey("'\(header.name)' is not the name of a header")
                return nil
            }
            guard header.name.lowercased() != SyntheticHeader.name.lowercased() else {
                header.problemAtKey("Mainstay sets \(SyntheticHeader.name) itself")
                return nil
            }
            return template(header).map { HTTPAction.Header(header.name, $0) }
        }
    }

    func body(_ section: Section) -> HTTPAction.Body? {
        let given = ["json", "form", "body"].compactMap { section[$0] }
        guard let field = given.first else { return nil }
        if given.count > 1 { given[1].problemAtKey("only one of json, form and body can be given") }
        switch field.name {
        case "json": return .json(field.node.json)
        case "form":
            return .form(
                pairs(field, "a mapping of fields").compactMap { item in
                    template(item).map { HTTPAction.Body.Field(item.name, $0) }
                })
        default: return template(field).map { .text($0) }
        }
    }

    /// `201` alone is a status; otherwise a mapping of what is looked at to what is expected of it.
    func expectations(_ field: Field?, isSQL: Bool) -> [Assertion] {
        guard let field else { return [] }
        guard field.isMap else {
            guard !isSQL else {
                field.problem("a mapping of columns to values is expected here, such as { n: 1 }")
                return []
            }
            return assertions("status", field, isSQL: false)
        }
        return pairs(field, "a mapping").flatMap { item -> [Assertion] in
            // `header: { location: /x }` is `header.location: /x`.
            if !isSQL, ["header", "cookie"].contains(item.name) {
                return pairs(item, "a mapping of names to values").flatMap {
                    assertions("\(item.name).\($0.name)", $0, isSQL: false)
                }
            }
            return assertions(item.name, item, isSQL: isSQL)
        }
    }

    private func assertions(_ subject: String, _ field: Field, isSQL: Bool) -> [Assertion] {
        do throws(DefinitionError) {
            return try Assertion.parse(subject, field.node.json, isSQL: isSQL)
        } catch {
            let suggestion = Self.listed(in: error.message) ?? (isSQL ? nil : subjectMeant(by: subject))
            field.problemAtKey(error.message, suggestion: suggestion)
            return []
        }
    }

    func expression(_ field: Field, isSQL: Bool) -> Expression? {
        guard let text = field.text("what is captured, such as $.id") else { return nil }
        do throws(DefinitionError) {
            return try Expression(parsing: text, isSQL: isSQL)
        } catch {
            field.problem(error.message, suggestion: isSQL ? nil : subjectMeant(by: text))
            return nil
        }
    }

    /// For `'contian' is not a predicate (equals, contains are)`: which of those was meant.
    private static func listed(in message: String) -> String? {
        guard message.hasSuffix(" are)"), let open = message.lastIndex(of: "(") else { return nil }
        let quoted = message.split(separator: "'", omittingEmptySubsequences: false)
        let names = message[message.index(after: open)...].dropLast(5).split(separator: ", ").map(String.init)
        return quoted.count > 2 ? Spelling.nearest(to: String(quoted[1]), among: names) : nil
    }

    private func subjectMeant(by text: String) -> String? {
        let words = ["status", "took", "body"]
        return words.contains(text) ? nil : Spelling.nearest(to: text, among: words)
    }
}
