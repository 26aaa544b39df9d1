import Foundation

/// Tells the time in milliseconds since 1970, UTC; tests bring their own.
struct WallClock: Sendable {
    var now: @Sendable () -> Int64

    static let system = WallClock { Int64(Date().timeIntervalSince1970 * 1000) }
}

/// Milliseconds since 1970 as RFC 3339 in UTC, for example `2023-10-07T09:48:00.000Z`.
func rfc3339(_ milliseconds: Int64) -> String {
    let (days, rest) = milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
    let inDay = rest < 0 ? rest + 86_400_000 : rest
    let day = rest < 0 ? days - 1 : days
    // Howard Hinnant's civil_from_days: eras of 400 years, years that begin in March.
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let march = (5 * dayOfYear + 2) / 153
    let date = dayOfYear - (153 * march + 2) / 5 + 1
    let month = march < 10 ? march + 3 : march - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let clock = [inDay / 3_600_000, inDay / 60_000 % 60, inDay / 1_000 % 60].map { padded($0, 2) }
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(date, 2))T\(clock.joined(separator: ":"))"
        + ".\(padded(inDay % 1_000, 3))Z"
}
