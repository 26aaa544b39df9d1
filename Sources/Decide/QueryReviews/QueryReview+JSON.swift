extension QueryReview {
    /// What `--against` reads again. A change that older readers cannot read gets another number.
    package static let format = "mainstay-review/1"

    package var json: JSONValue {
        .object([
            "format": .string(Self.format), "verdict": .string(verdict.rawValue),
            "database": .object([
                "summary": .string(database.summary), "version": .string(database.version),
                "role": .string(database.role), "searchPath": .string(database.searchPath),
                "ranRolledBack": .bool(database.isRehearsed),
            ]),
            "assumptions": .object([
                "slots": .integer(Int64(assumptions.slots)),
                "millisecondsPerCost": .double(assumptions.millisecondsPerCost),
                "calibration": .string(assumptions.calibration), "workMemory": .double(assumptions.workMemory),
            ]),
            "summary": .object([
                "statements": .integer(Int64(statements.count)), "block": .integer(Int64(count(.block))),
                "warn": .integer(Int64(count(.warn))), "note": .integer(Int64(count(.note))),
                "allowed": .integer(Int64(findings.count { !$0.counts })),
            ]),
            "statements": .array(statements.map(\.json)),
        ])
    }

    /// Costs by the statements' ids, from an earlier review's JSON.
    ///
    /// - Throws: `ReviewInputError` when it is no such JSON.
    package static func costs(in source: SourceText) throws(ReviewInputError) -> [String: Double] {
        let start = SourcePlace(file: source.file, line: 1, column: 1)
        let value: JSONValue
        do {
            value = try JSONValue(parsing: source.bytes)
        } catch {
            throw ReviewInputError(source.place(atByte: error.offset), "not the JSON of a review: \(error.message)")
        }
        guard value["format"]?.string == format, let statements = value["statements"]?.array else {
            throw ReviewInputError(start, "not the JSON of a review (\"format\" is not \"\(format)\")")
        }
        return statements.reduce(into: [:]) { costs, statement in
            if let id = statement["id"]?.string, let cost = statement["cost"]?.number { costs[id] = cost }
        }
    }
}

extension ReviewedStatement {
    package var json: JSONValue {
        var members: [String: JSONValue] = [
            "id": .string(id), "kind": .string(kind), "file": .string(place.file),
            "line": .integer(Int64(place.line)), "column": .integer(Int64(place.column)), "query": .string(sql),
            "findings": .array(findings.map(\.json)),
        ]
        members["feature"] = feature.map { .string($0) }
        members["callsPerSecond"] = callsPerSecond.map { .double($0) }
        members["cost"] = cost.map { .double($0) }
        members["rows"] = rows.map { .double($0) }
        members["milliseconds"] = milliseconds.map { .double($0) }
        members["timeSource"] = timeSource.map { .string($0) }
        return .object(members)
    }
}

extension Finding {
    package var json: JSONValue {
        var members: [String: JSONValue] = [
            "id": .string(id), "rule": .string(rule.rawValue), "severity": .string(severity.rawValue),
            "file": .string(place.file), "line": .integer(Int64(place.line)),
            "column": .integer(Int64(place.column)), "what": .string(what), "why": .string(why),
            "remedy": .string(remedy),
        ]
        members["allowed"] = allowed.map { .string($0) }
        return .object(members)
    }
}
