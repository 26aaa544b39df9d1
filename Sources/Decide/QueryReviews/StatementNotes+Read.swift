extension StatementNotes {
    /// `-- name: list_posts`, `-- mainstay:allow RULE REASON`, `/* calls_per_second=50 feature=posts */` and what
    /// sqlcommenter writes (`/*feature='posts',release='v2'*/`). Any other words are left alone.
    mutating func read(comment: String) {
        for line in Self.inner(comment).split(whereSeparator: \.isNewline) {
            let line = Self.trimmed(line)
            if let rest = Self.rest(of: line, after: "mainstay:allow") {
                allow(rest)
            } else if let rest = Self.rest(of: line, after: "name:") {
                // Generators add what the statement gives back (`-- name: GetPost :one`).
                name = rest.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? name
            } else {
                pairs(line)
            }
        }
    }

    private mutating func allow(_ text: Substring) {
        let words = text.split(maxSplits: 1, whereSeparator: \.isWhitespace)
        let reason = words.count > 1 ? Self.trimmed(words[1]) : ""
        guard let rule = words.first.map(String.init), ReviewRule(rawValue: rule) != nil else {
            problems.append("'mainstay:allow\(words.isEmpty ? "" : " " + words[0])' names no rule")
            return
        }
        guard !reason.isEmpty else {
            problems.append("'mainstay:allow \(rule)' gives no reason, so it allows nothing")
            return
        }
        allowances.append(Allowance(rule: rule, reason: String(reason)))
    }

    private mutating func pairs(_ line: Substring) {
        for word in line.split(whereSeparator: { $0.isWhitespace || $0 == "," }) {
            let parts = word.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = String(Self.unquoted(parts[1]))
            switch parts[0] {
            case "feature": feature = value
            case "calls_per_second": callsPerSecond = number(parts[0], value) ?? callsPerSecond
            case "mean_ms": meanMilliseconds = number(parts[0], value) ?? meanMilliseconds
            case "rows": rowsPerCall = number(parts[0], value) ?? rowsPerCall
            default: break
            }
        }
    }

    private mutating func number(_ key: Substring, _ value: String) -> Double? {
        if let number = Double(value), number.isFinite, number >= 0 { return number }
        problems.append("\(key)=\(value) is not a number that can be used")
        return nil
    }

    private static func inner(_ comment: String) -> Substring {
        if comment.hasPrefix("--") { return comment.dropFirst(2) }
        return comment.dropFirst(2).dropLast(comment.hasSuffix("*/") ? 2 : 0)
    }

    private static func rest(of line: Substring, after prefix: String) -> Substring? {
        guard line.hasPrefix(prefix) else { return nil }
        let rest = line.dropFirst(prefix.count)
        guard rest.first?.isWhitespace ?? true else { return nil }
        return trimmed(rest)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop { $0.isWhitespace || $0 == "*" }
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return start.prefix(0) }
        return start[...last]
    }

    private static func unquoted(_ text: Substring) -> Substring {
        guard text.count > 1, let first = text.first, first == "'" || first == "\"", text.last == first else {
            return text
        }
        return text.dropFirst().dropLast()
    }
}
