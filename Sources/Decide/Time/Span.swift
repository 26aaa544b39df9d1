/// A length of time in whole milliseconds; may be negative.
package struct Span: Hashable, Comparable, Sendable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package static let zero = Span(milliseconds: 0)

    package static func milliseconds(_ count: Int64) -> Span { Span(milliseconds: count) }
    package static func seconds(_ count: Int64) -> Span { Span(milliseconds: count * 1_000) }
    package static func minutes(_ count: Int64) -> Span { Span(milliseconds: count * 60_000) }
    package static func hours(_ count: Int64) -> Span { Span(milliseconds: count * 3_600_000) }
    package static func days(_ count: Int64) -> Span { Span(milliseconds: count * 86_400_000) }

    package static func < (lhs: Span, rhs: Span) -> Bool { lhs.milliseconds < rhs.milliseconds }
    package static func + (lhs: Span, rhs: Span) -> Span { Span(milliseconds: lhs.milliseconds + rhs.milliseconds) }
    package static func - (lhs: Span, rhs: Span) -> Span { Span(milliseconds: lhs.milliseconds - rhs.milliseconds) }
    package static func * (lhs: Span, rhs: Int64) -> Span { Span(milliseconds: lhs.milliseconds * rhs) }

    /// For the standard library's clocks.
    package var duration: Duration { .milliseconds(milliseconds) }
}

extension Span {
    /// Parses what people write in configuration: a whole number and a unit, one or more times, largest first:
    /// `500ms`, `5s`, `1m30s`, `2h`, `14d`. Returns nil for anything else, a bare number included, because the
    /// reader could not know the unit.
    package init?(parsing text: some StringProtocol) {
        var total: Int64 = 0
        var number: Int64?
        var unit = ""
        var lastUnit = Int64.max
        func value(_ unit: String) -> Int64? {
            switch unit {
            case "ms": 1
            case "s": 1_000
            case "m": 60_000
            case "h": 3_600_000
            case "d": 86_400_000
            default: nil
            }
        }
        func close() -> Bool {
            guard let count = number, let factor = value(unit), factor < lastUnit else { return false }
            let (product, overflow) = count.multipliedReportingOverflow(by: factor)
            let (sum, carried) = total.addingReportingOverflow(product)
            guard !overflow, !carried else { return false }
            (total, lastUnit, number, unit) = (sum, factor, nil, "")
            return true
        }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if !unit.isEmpty, !close() { return nil }
                let (tens, overflow) = (number ?? 0).multipliedReportingOverflow(by: 10)
                let (next, carried) = tens.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
                guard !overflow, !carried else { return nil }
                number = next
            case UInt8(ascii: "a")...UInt8(ascii: "z"):
                guard number != nil else { return nil }
                unit.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                return nil
            }
        }
        guard close() else { return nil }
        milliseconds = total
    }
}

extension Span: CustomStringConvertible {
    /// The form `init(parsing:)` reads: `1m30s`, `500ms`, `0s`.
    package var description: String {
        guard milliseconds != 0 else { return "0s" }
        var rest = milliseconds.magnitude
        var text = milliseconds < 0 ? "-" : ""
        for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)]
            as [(String, UInt64)]
        {
            if rest >= size {
                text += "\(rest / size)\(unit)"
                rest %= size
            }
        }
        return text
    }

    /// For people: at most two units, seconds with one decimal below a minute: `4.2 s`, `1 min 51 s`, `1 h 51 min`.
    package var spoken: String {
        let magnitude = milliseconds.magnitude
        let sign = milliseconds < 0 ? "−" : ""
        if magnitude < 1_000 { return "\(sign)\(magnitude) ms" }
        if magnitude < 60_000 { return "\(sign)\(magnitude / 1_000).\(magnitude % 1_000 / 100) s" }
        func two(_ large: UInt64, _ largeUnit: String, _ small: UInt64, _ smallUnit: String) -> String {
            small == 0 ? "\(sign)\(large) \(largeUnit)" : "\(sign)\(large) \(largeUnit) \(small) \(smallUnit)"
        }
        if magnitude < 3_600_000 { return two(magnitude / 60_000, "min", magnitude % 60_000 / 1_000, "s") }
        if magnitude < 86_400_000 { return two(magnitude / 3_600_000, "h", magnitude % 3_600_000 / 60_000, "min") }
        return two(magnitude / 86_400_000, "d", magnitude % 86_400_000 / 3_600_000, "h")
    }
}

extension Span: Codable {
    package init(from decoder: any Decoder) throws {
        milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }
}
