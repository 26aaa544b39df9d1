import Decide

/// Reviews as SARIF 2.1.0, the format in which code hosts take the findings of tools and show them at their lines.
package enum Sarif {
    package static let schema = "https://json.schemastore.org/sarif-2.1.0.json"

    /// - Parameters:
    ///   - toolVersion: of Mainstay.
    ///   - informationURI: where the tool is explained; left out when nil.
    package static func document(
        _ review: QueryReview, toolVersion: String, informationURI: String? = nil
    ) -> JSONValue {
        let used = ReviewRule.allCases
        let indices = Dictionary(uniqueKeysWithValues: used.enumerated().map { ($1, $0) })
        var driver: [String: JSONValue] = [
            "name": "mainstay review", "version": .string(toolVersion), "rules": .array(used.map(rule)),
        ]
        driver["informationUri"] = informationURI.map { .string($0) }
        let run: JSONValue = .object([
            "tool": .object(["driver": .object(driver)]),
            "columnKind": "unicodeCodePoints",
            // What could not be reviewed is a finding; a review that did not come about writes no document.
            "invocations": [["executionSuccessful": true]],
            "artifacts": .array(files(review).map { ["location": ["uri": .string(uri($0))]] }),
            "results": .array(
                review.statements.flatMap { statement in
                    statement.findings.map { result($0, of: statement, ruleIndex: indices[$0.rule]) }
                }),
            "properties": .object([
                "verdict": .string(review.verdict.rawValue), "database": .string(review.database.summary),
                "serverVersion": .string(review.database.version),
            ]),
        ])
        return .object(["$schema": .string(schema), "version": "2.1.0", "runs": .array([run])])
    }

    private static func rule(_ rule: ReviewRule) -> JSONValue {
        .object([
            "id": .string(rule.rawValue), "name": .string(name(rule)),
            "shortDescription": .object(["text": .string(rule.title)]),
            "defaultConfiguration": ["level": "warning"],
        ])
    }

    /// `sequential-scan` → `SequentialScan`.
    private static func name(_ rule: ReviewRule) -> String {
        rule.rawValue.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    private static func result(_ finding: Finding, of statement: ReviewedStatement, ruleIndex: Int?) -> JSONValue {
        var members: [String: JSONValue] = [
            "ruleId": .string(finding.rule.rawValue), "level": .string(level(finding.severity)),
            "message": .object(["text": .string("\(finding.what) \(finding.why) \(finding.remedy)")]),
            "locations": .array([
                .object([
                    "physicalLocation": .object([
                        "artifactLocation": .object(["uri": .string(uri(finding.place.file))]),
                        "region": .object([
                            "startLine": .integer(Int64(finding.place.line)),
                            "startColumn": .integer(Int64(finding.place.column)),
                        ]),
                    ]),
                    "logicalLocations": [["name": .string(statement.id), "kind": "statement"]],
                ])
            ]),
            // Stays the same when lines move.
            "partialFingerprints": .object(["mainstayFinding/v1": .string(finding.id)]),
        ]
        members["ruleIndex"] = ruleIndex.map { .integer(Int64($0)) }
        if let reason = finding.allowed {
            members["suppressions"] = [["kind": "inSource", "justification": .string(reason)]]
        }
        return .object(members)
    }

    private static func level(_ severity: Finding.Severity) -> String {
        switch severity {
        case .block: "error"
        case .warn: "warning"
        case .note: "note"
        }
    }

    private static func files(_ review: QueryReview) -> [String] {
        var seen: Set<String> = []
        return review.statements.map(\.place.file).filter { seen.insert($0).inserted }
    }

    /// A path as a URI reference (RFC 3986): relative ones stay relative, everything unusual is percent-encoded.
    static func uri(_ path: String) -> String {
        if path == "-" { return "stdin" }
        let relative = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        let encoded = relative.utf8.reduce(into: "") { text, byte in
            if isUnreserved(byte) || byte == UInt8(ascii: "/") {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return path.hasPrefix("/") ? "file://" + encoded : encoded
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~")].contains(byte)
        }
    }
}
