/// A version as flagd's `sem_ver` reads it: Semantic Versioning 2.0.0, where `v` may come first and minor and patch
/// may be left out. Build metadata is ignored.
struct SemanticVersion: Comparable {
    private enum Identifier: Comparable {
        // Numbers come before text (SemVer §11.4.3), as the cases do here.
        case number(digits: String)
        case text(String)

        static func < (one: Identifier, other: Identifier) -> Bool {
            switch (one, other) {
            case (.number, .text): true
            case (.text, .number): false
            case (.number(let left), .number(let right)):
                left.utf8.count == right.utf8.count ? left < right : left.utf8.count < right.utf8.count
            case (.text(let left), .text(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
            }
        }
    }

    private var parts: [UInt64]
    /// Empty for a release.
    private var prerelease: [Identifier]

    init?(_ value: JSONValue) {
        switch value {
        case .string(let text): self.init(text)
        case .integer, .double: self.init(LogicCoercion.text(value))
        default: return nil
        }
    }

    init?(_ text: String) {
        var rest = text[...]
        if let first = rest.first, first == "v" || first == "V" { rest.removeFirst() }
        let build = rest.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        if build.count > 1, Self.identifiers(build[1], numbersMayStartWithZero: true) == nil { return nil }
        let halves = build[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = halves[0].split(separator: ".", omittingEmptySubsequences: false)
        guard (1...3).contains(numbers.count) else { return nil }
        // Pre-release and build need the full form: in "1-2" the author's meaning would be a guess.
        if numbers.count < 3, halves.count > 1 || build.count > 1 { return nil }
        parts = [0, 0, 0]
        for (index, number) in numbers.enumerated() {
            guard Self.isNumber(number), number.utf8.count == 1 || number.utf8.first != UInt8(ascii: "0"),
                let part = UInt64(number)
            else { return nil }
            parts[index] = part
        }
        prerelease = []
        if halves.count > 1 {
            guard let identifiers = Self.identifiers(halves[1], numbersMayStartWithZero: false) else { return nil }
            prerelease = identifiers
        }
    }

    /// `[left, operator, right]`; null for what is not a version or an operator.
    static func compare(_ left: JSONValue, _ operation: JSONValue, _ right: JSONValue) -> JSONValue {
        guard let left = SemanticVersion(left), let right = SemanticVersion(right),
            case .string(let operation) = operation
        else { return .null }
        switch operation {
        case "=": return .bool(left == right)
        case "!=": return .bool(left != right)
        case "<": return .bool(left < right)
        case "<=": return .bool(left <= right)
        case ">": return .bool(left > right)
        case ">=": return .bool(left >= right)
        // Unlike in npm, these two ask only whether the leading parts agree.
        case "^": return .bool(left.parts[0] == right.parts[0])
        case "~": return .bool(left.parts[..<2] == right.parts[..<2])
        default: return .null
        }
    }

    static func < (one: SemanticVersion, other: SemanticVersion) -> Bool {
        if one.parts != other.parts { return one.parts.lexicographicallyPrecedes(other.parts) }
        // A pre-release comes before its release.
        if one.prerelease.isEmpty || other.prerelease.isEmpty {
            return !one.prerelease.isEmpty && other.prerelease.isEmpty
        }
        return one.prerelease.lexicographicallyPrecedes(other.prerelease)
    }

    private static func identifiers(_ text: Substring, numbersMayStartWithZero: Bool) -> [Identifier]? {
        var identifiers: [Identifier] = []
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            guard !part.isEmpty, part.utf8.allSatisfy(isAllowed) else { return nil }
            if isNumber(part) {
                if !numbersMayStartWithZero, part.utf8.count > 1, part.utf8.first == UInt8(ascii: "0") { return nil }
                identifiers.append(.number(digits: String(part)))
            } else {
                identifiers.append(.text(String(part)))
            }
        }
        return identifiers
    }

    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
