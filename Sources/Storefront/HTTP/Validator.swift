/// Checks inputs one after the other and refuses them all at once, so that a person sees every mistake together.
///
/// The OpenAPI document states the same rules; lengths are counted in Unicode code points, as JSON Schema does.
struct Validator {
    private(set) var fields: [Problem.Field] = []

    mutating func refuse(_ field: String, _ message: String) {
        fields.append(.init(field: field, message: message))
    }

    func finish() throws {
        if !fields.isEmpty { throw Problem.invalid(fields) }
    }

    /// Text of one line (or of several) that says something: not only spaces, no control characters.
    mutating func text(
        _ field: String, _ value: String, length: ClosedRange<Int>, lines: Bool = false
    ) -> String {
        let count = value.unicodeScalars.count
        if count < length.lowerBound {
            refuse(
                field, length.lowerBound == 1 ? "must not be empty." : "needs at least \(length.lowerBound) characters."
            )
        } else if count > length.upperBound {
            refuse(field, "must have at most \(length.upperBound) characters (it has \(count)).")
        } else if value.unicodeScalars.contains(where: { Self.isControl($0, lines: lines) }) {
            refuse(field, "must not contain control characters.")
        } else if length.lowerBound > 0, value.unicodeScalars.allSatisfy(\.properties.isWhitespace) {
            refuse(field, "must not be blank.")
        }
        return value
    }

    /// An address in lower case; the part of RFC 5321 that people use.
    mutating func email(_ field: String, _ value: String) -> String {
        if !Self.isEmail(value) { refuse(field, "is not an e-mail address like name@example.com.") }
        return value.lowercased()
    }

    /// A whole number in decimal digits; `fallback` when there is none.
    mutating func integer(_ field: String, _ value: String?, in range: ClosedRange<Int>, fallback: Int) -> Int {
        guard let value else { return fallback }
        let digits = !value.isEmpty && value.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard digits, let number = Int(value), range.contains(number) else {
            refuse(field, "must be a whole number from \(range.lowerBound) to \(range.upperBound).")
            return fallback
        }
        return number
    }

    private static func isControl(_ scalar: Unicode.Scalar, lines: Bool) -> Bool {
        if lines, scalar == "\n" || scalar == "\r" || scalar == "\t" { return false }
        return scalar.value < 0x20 || scalar.value == 0x7F
    }

    private static func isEmail(_ value: String) -> Bool {
        let parts = value.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard value.utf8.count <= 254, parts.count == 2, (1...64).contains(parts[0].count) else { return false }
        let labels = parts[1].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts[0].allSatisfy { isAlphanumeric($0) || "._%+-".utf8.contains($0) }
            && labels.count >= 2
            && labels.allSatisfy { label in
                (1...63).contains(label.count) && label.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
            }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}

/// Reads an id as it stands in a path or a query: digits, no sign, no leading zero, at most 18 of them.
func parseID(_ text: String?) -> Int64? {
    guard let text, (1...18).contains(text.utf8.count), text.utf8.first != UInt8(ascii: "0"),
        text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    return Int64(text)
}
