/// Dates as HTTP and mail write them: `Sun, 22 Nov 2026 04:51:49 GMT` and `… +0000`. Pure, whole seconds.
package enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// - Parameter zone: `GMT` for HTTP (RFC 9110), `+0000` for mail (RFC 5322).
    package static func format(_ instant: Instant, zone: String = "GMT") -> String {
        let text = RFC3339.format(instant)
        let fields = text.split { "-T:.Z".contains($0) }
        guard fields.count >= 6, let month = Int(fields[1]), months.indices.contains(month - 1) else { return text }
        let (quotient, remainder) = instant.milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
        let day = remainder < 0 ? quotient - 1 : quotient
        let weekday = days[Int(((day % 7) + 7) % 7)]
        let date = "\(fields[2]) \(months[month - 1]) \(fields[0])"
        return "\(weekday), \(date) \(fields[3]):\(fields[4]):\(fields[5]) \(zone)"
    }

    /// RFC 9110's preferred form only; the day's name is not checked.
    package static func parse(_ text: String) -> Instant? {
        let fields = text.split(separator: " ")
        guard text.utf8.count <= 40, fields.count == 6, fields[0].hasSuffix(","), fields[5] == "GMT",
            fields[1].utf8.count == 2, let month = months.firstIndex(of: String(fields[2]))
        else { return nil }
        let number = month + 1 < 10 ? "0\(month + 1)" : "\(month + 1)"
        return RFC3339.parse("\(fields[3])-\(number)-\(fields[1])T\(fields[4])Z")
    }
}
