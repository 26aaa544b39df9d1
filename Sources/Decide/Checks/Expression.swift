/// What an assertion or a capture looks at.
package enum Expression: Hashable, Sendable, Codable {
    case status
    /// Milliseconds from the request to the end of the answer.
    case took
    case header(String)
    case cookie(String)
    /// The whole body as text.
    case body
    case json(JSONPath)
    /// A column of the rows of a SQL step.
    case column(String)
    /// The number of rows of a SQL step.
    case rows

    /// As configuration writes it: `status`, `took`, `body`, `header.content-type`, `cookie.session`, `$.items[0].id`;
    /// for SQL steps `rows` or a column's name.
    package init(parsing text: String, isSQL: Bool) throws(DefinitionError) {
        if isSQL {
            guard !text.isEmpty, !text.hasPrefix("$") else {
                throw DefinitionError("'\(text)' is neither 'rows' nor a column of the result")
            }
            self = text == "rows" ? .rows : .column(text)
            return
        }
        switch text {
        case "status": self = .status
        case "took": self = .took
        case "body": self = .body
        case _ where text.hasPrefix("$"): self = .json(try JSONPath(parsing: text))
        case _ where text.hasPrefix("header.") && text.count > 7: self = .header(String(text.dropFirst(7)))
        case _ where text.hasPrefix("cookie.") && text.count > 7: self = .cookie(String(text.dropFirst(7)))
        default:
            throw DefinitionError(
                "'\(text)' is not known: status, took, body, header.NAME, cookie.NAME and JSONPaths ($.a.b) are")
        }
    }

    /// For sentences.
    package var name: String {
        switch self {
        case .status: "status"
        case .took: "time taken (ms)"
        case .header(let name): "header \(name)"
        case .cookie(let name): "cookie \(name)"
        case .body: "body"
        case .json(let path): path.source
        case .column(let name): name
        case .rows: "number of rows"
        }
    }

    var variables: [String] { if case .json(let path) = self { path.variables } else { [] } }

    func problem(isSQL: Bool) -> String? {
        switch self {
        case .column, .rows: isSQL ? nil : "\(name) is for SQL steps"
        default: isSQL ? "\(name) is for HTTP steps" : nil
        }
    }

    /// Finds the value or values; never fails for what the service answered, only for what the check asks.
    package func select(
        from observation: StepObservation, _ variables: [String: JSONValue]
    ) throws(DefinitionError) -> Selection {
        switch observation {
        case .http(let answer): return try select(from: answer, variables)
        case .sql(let result): return try select(from: result)
        }
    }

    private func select(
        from answer: HTTPObservation, _ variables: [String: JSONValue]
    ) throws(DefinitionError) -> Selection {
        switch self {
        case .status: return .one(.integer(Int64(answer.status)))
        case .took: return .one(.integer(answer.took.milliseconds))
        case .header(let name):
            let wanted = name.lowercased()
            let values = answer.headers.filter { $0.name.lowercased() == wanted }.map { JSONValue.string($0.value) }
            return Selection(values: values, isList: values.count > 1)
        case .cookie(let name):
            return Selection(values: answer.cookies[name].map { [.string($0)] } ?? [], isList: false)
        case .body:
            if answer.body.isEmpty { return Selection(values: [], isList: false) }
            guard let text = String(validating: answer.body, as: UTF8.self) else {
                return Selection(values: [], isList: false, gap: "the body is not UTF-8 text")
            }
            return .one(.string(text))
        case .json(let path):
            let nothing = Selection(values: [], isList: !path.isSingular)
            if answer.body.isEmpty { return nothing.because("the body is empty") }
            switch answer.json {
            case .success(let root): return try path.select(from: root, variables: variables)
            case .failure(let error): return nothing.because("the body is not JSON (\(error))")
            case nil: return nothing.because("the body was not read as JSON")
            }
        case .column, .rows: throw DefinitionError("\(name) is for SQL steps")
        }
    }

    private func select(from result: SQLObservation) throws(DefinitionError) -> Selection {
        switch self {
        case .rows: return .one(.integer(Int64(result.rows.count)))
        case .column(let name):
            if result.rows.isEmpty { return Selection(values: [], isList: true, gap: "there are no rows") }
            guard let index = result.columns.firstIndex(of: name) else {
                let known = result.columns.joined(separator: ", ")
                throw DefinitionError("the result has no column '\(name)' (it has \(known))")
            }
            let values = result.rows.map { $0.indices.contains(index) ? $0[index] : .null }
            return Selection(values: values, isList: values.count > 1)
        default: throw DefinitionError("\(name) is for HTTP steps")
        }
    }

    /// The one value that a later step may use.
    package func capture(
        from observation: StepObservation, _ variables: [String: JSONValue]
    ) throws(DefinitionError) -> Result<JSONValue, CaptureFailure> {
        let found = try select(from: observation, variables)
        if found.values.count > 1 { return .failure(CaptureFailure("has \(found.values.count) values, expected one")) }
        guard let value = found.values.first else { return .failure(CaptureFailure(found.gap ?? "is missing")) }
        return value == .null ? .failure(CaptureFailure("is null")) : .success(value)
    }

    package struct CaptureFailure: Error, Hashable, Sendable {
        package var reason: String

        init(_ reason: String) {
            self.reason = reason
        }
    }
}

extension Selection {
    static func one(_ value: JSONValue) -> Selection { Selection(values: [value], isList: false) }

    func because(_ gap: String) -> Selection { Selection(values: values, isList: isList, gap: gap) }
}
