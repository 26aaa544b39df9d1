/// Nested loops that meet every row of one side with every row of the other.
struct JoinReview {
    let node: PlanNode
    let executions: Double

    func objection() -> Objection? {
        guard node.type == "Nested Loop", let outer = node.outer, let inner = node.inner,
            outer.rows > 1, inner.rows > 1,
            // What looks up by what the outer row holds reads only what matches.
            ConditionText.foreignAliases(in: inner).isEmpty
        else { return nil }
        let pairs = outer.rows * inner.rows * executions
        let sides = "\(Self.side(outer)) with \(Self.side(inner))"
        guard let filter = node.joinFilter else { return unconditional(outer, inner, pairs, sides) }
        // With at most one match the search stops half-way on average.
        return compared(node.isInnerUnique ? pairs / 2 : pairs, sides, filter, subject(outer, inner))
    }

    private func compared(_ pairs: Double, _ sides: String, _ filter: String, _ subject: String) -> Objection? {
        // An index or a hash could serve an equality: that the planner takes neither is worth less.
        let isEquality = ConditionText.isEquality(filter)
        let isMany = pairs >= ReviewLimits.comparedPairsToBlock
        guard isMany || !isEquality && pairs >= ReviewLimits.comparedPairsToWarn else { return nil }
        return Objection(
            rule: .rowByRowJoin, severity: isMany && !isEquality ? .block : .warn, subject: subject,
            what: "Compares \(sides) row by row: \(Figures.count(pairs)) comparisons a call, by "
                + "\(PlanReview.shortened(filter)).",
            why: isEquality
                ? "An index or a hash could serve this condition; the planner takes neither here."
                : "No index and no hash can serve this condition, so the work grows with the product of the two "
                    + "tables; about \(Figures.rows(node.rows)) come out of it.",
            remedy: isEquality
                ? "Make an index on the joined column, compare columns of the same type, and ANALYZE the tables."
                : "Join by equality of plain columns. An OR or <> across tables is often a condition that got lost; if "
                    + "it is meant, split it with UNION or count in a subquery.")
    }

    private func unconditional(_ outer: PlanNode, _ inner: PlanNode, _ pairs: Double, _ sides: String) -> Objection? {
        // Both sides held to the same value are joined by it, though the plan does not say so.
        guard ConditionText.equated(in: outer).isDisjoint(with: ConditionText.equated(in: inner)) else { return nil }
        return Objection(
            rule: .missingJoinCondition, severity: pairs > ReviewLimits.unconditionalPairs ? .block : .warn,
            subject: subject(outer, inner),
            what: "Joins \(sides) without a condition between them: \(Figures.rows(pairs)).",
            why: "Every row of the one meets every row of the other; the result grows with the product of the two "
                + "tables.",
            remedy: "Say how the two belong together (JOIN … ON a.id = b.a_id). If every combination is meant, allow "
                + "it with a reason.")
    }

    private func subject(_ outer: PlanNode, _ inner: PlanNode) -> String {
        "\(Self.names(outer).joined(separator: "+"))×\(Self.names(inner).joined(separator: "+"))"
    }

    private static func side(_ node: PlanNode) -> String {
        "\(names(node).joined(separator: " and ")) (\(Figures.rows(node.rows)))"
    }

    private static func names(_ node: PlanNode) -> [String] {
        var seen: Set<String> = []
        let names = node.withDescendants.compactMap { $0.alias ?? $0.relation?.name }
        let unique = names.filter { seen.insert($0).inserted }
        return unique.isEmpty ? [node.type] : unique
    }
}

/// Reads the conditions of a plan, as far as is needed: which tables they name, and which values they equate.
enum ConditionText {
    /// Tables that conditions in it name and that it does not read itself: what it gets from outside.
    static func foreignAliases(in node: PlanNode) -> Set<String> {
        let nodes = node.withDescendants
        // A condition above the partitions `posts_1`, `posts_2` names `posts`.
        let own = nodes.compactMap(\.alias).flatMap { [$0, withoutNumber($0)] }
        let named = nodes.flatMap(\.conditions).reduce(into: Set<String>()) { $0.formUnion(aliases(in: $1)) }
        return named.subtracting(own)
    }

    /// `(u.id = p.user_id)` → `u`, `p`. VERBOSE plans name the table of every column; `schema.function(…)`,
    /// `::schema.type` and `OPERATOR(schema.=)` are no tables.
    static func aliases(in condition: String) -> Set<String> {
        let scanner = SQLScanner(bytes: Array(condition.utf8))
        var aliases: Set<String> = []
        var position = 0
        while position < scanner.bytes.count {
            let piece = scanner.piece(at: position)
            let text = scanner.text(position..<piece.end)
            let isName = piece.kind == .word || piece.kind == .quoted && text.hasPrefix("\"")
            if isName, scanner.byte(piece.end) == UInt8(ascii: "."), isColumn(scanner, position, piece.end + 1) {
                aliases.insert(unquoted(text))
            }
            position = piece.end
        }
        return aliases
    }

    private static func isColumn(_ scanner: SQLScanner, _ start: Int, _ next: Int) -> Bool {
        guard scanner.byte(start - 1) != UInt8(ascii: ":"), next < scanner.bytes.count else { return false }
        let column = scanner.piece(at: next)
        guard column.kind == .word || column.kind == .quoted else { return false }
        return scanner.byte(column.end) != UInt8(ascii: "(")
    }

    private static func withoutNumber(_ alias: String) -> String {
        let digits = alias.reversed().prefix { $0.isNumber }.count
        let rest = alias.dropLast(digits)
        return digits > 0 && rest.last == "_" ? String(rest.dropLast()) : alias
    }

    /// `(a.x = b.y)`, or several of that kind joined by AND.
    static func isEquality(_ condition: String) -> Bool {
        let scanner = SQLScanner(bytes: Array(condition.utf8))
        var hasEquality = false
        var position = 0
        while position < scanner.bytes.count {
            let piece = scanner.piece(at: position)
            let text = scanner.text(position..<piece.end)
            switch piece.kind {
            case .word where text == "OR" || text == "NOT": return false
            case .other where text == "<" || text == ">" || text == "~" || text == "!": return false
            case .other where text == "=": hasEquality = true
            default: break
            }
            position = piece.end
        }
        return hasEquality
    }

    /// What columns are held equal to in a step and those below it: `$1`, `'x'::text`, `5`.
    static func equated(in node: PlanNode) -> Set<String> {
        node.withDescendants.flatMap(\.conditions).reduce(into: []) { values, condition in
            var rest = Substring(condition)
            while let sign = rest.firstRange(of: " = ") {
                rest = rest[sign.upperBound...]
                let value = rest.prefix { $0 != ")" && $0 != " " }
                if let first = value.first, first == "$" || first == "'" || first.isNumber {
                    values.insert(String(value))
                }
            }
        }
    }

    private static func unquoted(_ text: String) -> String {
        guard text.hasPrefix("\"") else { return text }
        return text.dropFirst().dropLast().split(separator: "\"\"", omittingEmptySubsequences: false).joined(
            separator: "\"")
    }
}

extension Substring {
    /// Foundation's `range(of:)` for a module without Foundation.
    fileprivate func firstRange(of needle: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}
