/// The judgement on one value. Only `holds` is a pass; negation swaps the first two and never touches the third.
package enum Verdict: Hashable, Sendable {
    case holds
    case fails
    /// It cannot be said, with the reason when the value alone does not tell: a missing or null value, another type.
    case undecided(String?)

    var negated: Verdict {
        switch self {
        case .holds: .fails
        case .fails: .holds
        case .undecided: self
        }
    }

    init(_ holds: Bool) { self = holds ? .holds : .fails }
}

extension Predicate {
    /// Expects a predicate whose templates are filled in.
    func judge(_ found: Selection) -> Verdict {
        switch self {
        case .not(let inner): return inner.judge(found).negated
        case .exists: return judgePresence(found)
        case .absent: return judgePresence(found).negated
        case .count(let inner): return judgeCount(found, inner)
        case .contains(let wanted) where found.isList: return judgeList(found, contains: wanted)
        case .equals(.array(let wanted)) where found.isList:
            return found.gap.map { .undecided($0) } ?? judgeEqual(.array(found.values), .array(wanted))
        default: break
        }
        if let gap = found.gap { return .undecided(gap) }
        guard found.values.count <= 1 else { return .undecided("\(found.values.count) values where one is expected") }
        guard let value = found.values.first else { return .undecided("is missing") }
        return judge(value)
    }

    private func judge(_ value: JSONValue) -> Verdict {
        switch self {
        case .equals(let wanted): return judgeEqual(value, wanted)
        case .oneOf(let wanted):
            let verdicts = wanted.map { judgeEqual(value, $0) }
            if verdicts.contains(.holds) { return .holds }
            return verdicts.contains(.fails) ? .fails : .undecided("has another type")
        case .between(let low, let high):
            guard let below = value.precedes(low), let above = high.precedes(value) else { return notNumbers(value) }
            return Verdict(!below && !above)
        case .lessThan(let bound): return value.precedes(bound).map(Verdict.init) ?? notNumbers(value)
        case .atLeast(let bound): return value.precedes(bound).map { Verdict(!$0) } ?? notNumbers(value)
        case .greaterThan(let bound): return bound.precedes(value).map(Verdict.init) ?? notNumbers(value)
        case .atMost(let bound): return bound.precedes(value).map { Verdict(!$0) } ?? notNumbers(value)
        case .contains(let wanted): return judge(value, contains: wanted)
        case .matches(let glob):
            guard case .string(let text) = value else { return .undecided("is a \(value.kindName), not a text") }
            return Verdict(Glob.matches(text, glob))
        case .type(let type):
            if value == .null, type != .null { return .undecided(nil) }
            return Verdict(type.includes(value))
        case .exists, .absent, .count, .not: return .undecided(nil)
        }
    }

    private func judgePresence(_ found: Selection) -> Verdict {
        if found.values.isEmpty { return found.gap.map { .undecided($0) } ?? .fails }
        return found.values.contains(.null) ? .undecided(nil) : .holds
    }

    private func judgeCount(_ found: Selection, _ inner: Predicate) -> Verdict {
        if let gap = found.gap { return .undecided(gap) }
        if found.isList { return inner.judge(.integer(Int64(found.values.count))) }
        switch found.values.first {
        case .array(let elements): return inner.judge(.integer(Int64(elements.count)))
        case .object(let members): return inner.judge(.integer(Int64(members.count)))
        case .some: return .undecided("has nothing to count")
        case nil: return .undecided("is missing")
        }
    }

    private func judgeList(_ found: Selection, contains wanted: JSONValue) -> Verdict {
        let verdict = judgeElements(found.values, wanted)
        if verdict != .holds, let gap = found.gap { return .undecided(gap) }
        return verdict
    }

    private func judge(_ value: JSONValue, contains wanted: JSONValue) -> Verdict {
        switch (value, wanted) {
        case (.array(let elements), _): judgeElements(elements, wanted)
        case (.string(let text), .string(let part)): Verdict(text.contains(part))
        default: .undecided("is a \(value.kindName), which cannot contain that")
        }
    }

    /// `["42"]` does not prove that 42 is gone: elements of another type leave it open.
    private func judgeElements(_ elements: [JSONValue], _ wanted: JSONValue) -> Verdict {
        if elements.contains(where: { $0.equals(wanted) }) { return .holds }
        if let other = elements.first(where: { $0.kindName != wanted.kindName }) {
            return .undecided("has a \(other.kindName) in it, expected a \(wanted.kindName)")
        }
        return .fails
    }

    private func judgeEqual(_ value: JSONValue, _ wanted: JSONValue) -> Verdict {
        if value.equals(wanted) { return .holds }
        if value.kindName == wanted.kindName || wanted == .null { return .fails }
        if value == .null { return .undecided(nil) }
        return .undecided("is a \(value.kindName), expected a \(wanted.kindName)")
    }

    private func notNumbers(_ value: JSONValue) -> Verdict {
        .undecided(value.number == nil ? "is a \(value.kindName), not a number" : "is compared with no number")
    }
}

extension JSONValue {
    /// Numbers by value (`1` and `1.0` are equal), everything else by type and content.
    package func equals(_ other: JSONValue) -> Bool {
        switch (self, other) {
        case (.integer(let left), .double(let right)), (.double(let right), .integer(let left)):
            return Int64(exactly: right) == left
        case (.array(let left), .array(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.equals($1) }
        case (.object(let left), .object(let right)):
            return left.count == right.count
                && left.allSatisfy { key, value in right[key].map { value.equals($0) } ?? false }
        default: return self == other
        }
    }

    /// Nil unless both are numbers.
    func precedes(_ other: JSONValue) -> Bool? {
        if case .integer(let left) = self, case .integer(let right) = other { return left < right }
        guard let left = number, let right = other.number else { return nil }
        return left < right
    }

    /// For sentences: at most 120 characters.
    package var briefText: String { compactText.brief(120) }
}

extension String {
    /// The first `limit` characters, and `…` if there were more.
    package func brief(_ limit: Int) -> String {
        guard let end = index(startIndex, offsetBy: limit, limitedBy: endIndex), end != endIndex else { return self }
        return self[..<end] + "…"
    }
}

/// `*` any run of characters, `?` exactly one; nothing else is special. Takes time proportional to both lengths.
package enum Glob {
    package static func matches(_ text: String, _ glob: String) -> Bool {
        let text = Array(text.unicodeScalars)
        let glob = Array(glob.unicodeScalars)
        var (at, inGlob) = (0, 0)
        var star: (glob: Int, text: Int)?
        while at < text.count {
            if inGlob < glob.count, glob[inGlob] == "*" {
                star = (inGlob, at)
                inGlob += 1
            } else if inGlob < glob.count, glob[inGlob] == "?" || glob[inGlob] == text[at] {
                at += 1
                inGlob += 1
            } else if let last = star {
                star = (last.glob, last.text + 1)
                at = last.text + 1
                inGlob = last.glob + 1
            } else {
                return false
            }
        }
        return glob[inGlob...].allSatisfy { $0 == "*" }
    }
}
