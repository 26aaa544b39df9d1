/// How a journey's variable gets its value, anew in every run.
package enum VariableDefinition: Sendable, Hashable, Codable {
    case constant(JSONValue)
    /// Both ends included.
    case randomInteger(Int64, Int64)
    case randomChoice([JSONValue])
    /// May use `{{unique}}`, twelve random letters and digits that are the same throughout one run, and variables
    /// that are not texts.
    case text(Template)

    func problems(variables: [String: VariableDefinition]) -> [String] {
        switch self {
        case .constant(.null): return ["has no value"]
        case .constant: return []
        case .randomInteger(let low, let high): return low <= high ? [] : ["\(low) is larger than \(high)"]
        case .randomChoice(let values):
            if values.isEmpty { return ["there is nothing to choose from"] }
            return values.contains(.null) ? ["null cannot be chosen"] : []
        case .text(let template):
            return template.variables.compactMap { name in
                if name == "unique" { return nil }
                if case .text = variables[name] { return "uses {{\(name)}}, which is a text itself" }
                return variables[name] == nil ? "uses {{\(name)}}, which nothing sets" : nil
            }
        }
    }
}

extension Journey {
    /// The variables of one run.
    package func draw(
        user: String, using generator: inout some RandomNumberGenerator
    ) throws(DefinitionError) -> [String: JSONValue] {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        var unique = ""
        for _ in 0..<12 { unique.append(alphabet[Int.random(in: alphabet.indices, using: &generator)]) }
        var values: [String: JSONValue] = ["unique": .string(unique), "user": .string(user)]
        if let account {
            values["account.email"] = .string(account.email)
            values["account.password"] = .string(account.password)
        }
        // In the order of names, so that one seed always gives one set of values.
        let sorted = variables.sorted { $0.key < $1.key }
        for (name, variable) in sorted {
            switch variable {
            case .constant(let value): values[name] = value
            case .randomInteger(let low, let high):
                guard low <= high else { throw DefinitionError("variable \(name): \(low) is larger than \(high)") }
                values[name] = .integer(Int64.random(in: low...high, using: &generator))
            case .randomChoice(let choices):
                guard !choices.isEmpty else {
                    throw DefinitionError("variable \(name): there is nothing to choose from")
                }
                values[name] = choices[Int.random(in: choices.indices, using: &generator)]
            case .text: break
            }
        }
        let drawn = values
        for case (let name, .text(let template)) in sorted { values[name] = .string(try template.text(drawn)) }
        return values
    }

    /// Values that may not appear anywhere outside the run.
    package func secretValues(_ variables: [String: JSONValue]) -> [String] {
        (secrets + ["account.email", "account.password"]).compactMap { name in
            switch variables[name] {
            case .string(let text): text
            case .integer(let number): String(number)
            case .double(let number): String(number)
            case .bool, .null, .array, .object, nil: nil
            }
        }
    }
}
