/// Numbers in the words of a finding.
package enum Figures {
    /// `12`, `3,400`, `2.5 million`, `13.3 billion`.
    package static func count(_ value: Double) -> String {
        guard value.isFinite else { return "countless" }
        let value = max(0, value)
        if value >= 999_500_000_000 { return "\(oneDecimal(value / 1e12)) trillion" }
        if value >= 999_500_000 { return "\(oneDecimal(value / 1e9)) billion" }
        if value >= 999_500 { return "\(oneDecimal(value / 1e6)) million" }
        if value < 10, value != value.rounded() { return oneDecimal(value) }
        return grouped(Int64(value.rounded()))
    }

    /// `0.4 ms`, `35 ms`, `2.1 s`, `9 min`, `4 h`.
    package static func time(milliseconds value: Double) -> String {
        guard value.isFinite else { return "for ever" }
        if value < 10 { return "\(oneDecimal(value)) ms" }
        if value < 1_000 { return "\(Int64(value.rounded())) ms" }
        if value < 60_000 { return "\(oneDecimal(value / 1_000)) s" }
        if value < 7_200_000 { return "\(Int64((value / 60_000).rounded())) min" }
        return "\(grouped(Int64(min(value / 3_600_000, 1e15).rounded()))) h"
    }

    /// `12 %`, `0.4 %`.
    package static func share(_ value: Double) -> String {
        let percent = value * 100
        if percent > 0, percent < 0.1 { return "less than 0.1 %" }
        return percent < 10 ? "\(oneDecimal(percent)) %" : "\(grouped(Int64(min(percent, 1e15).rounded()))) %"
    }

    /// `4 MB`, in units of 1,024.
    package static func bytes(_ value: Double) -> String {
        let units = ["bytes", "kB", "MB", "GB", "TB"]
        var value = value
        var unit = 0
        while value >= 1_024, unit < units.count - 1 {
            value /= 1_024
            unit += 1
        }
        return "\(value < 10 ? oneDecimal(value) : grouped(Int64(min(value, 1e15).rounded()))) \(units[unit])"
    }

    package static func rows(_ value: Double) -> String { value.rounded() == 1 ? "1 row" : "\(count(value)) rows" }

    /// `1`, `1.5`; a whole number has no decimal.
    static func oneDecimal(_ value: Double) -> String {
        let tenths = Int64((min(value, 1e15) * 10).rounded())
        return tenths % 10 == 0 ? grouped(tenths / 10) : "\(grouped(tenths / 10)).\(tenths % 10)"
    }

    private static func grouped(_ value: Int64) -> String {
        let digits = Array(String(value))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
            text.append(digit)
        }
        return text
    }
}
