/// The one RFC 3339 codec: `2026-11-22T04:51:49.123Z`. Pure, so that times read the same on every platform.
package enum RFC3339 {
    /// UTC with milliseconds, always 24 characters for years 0000–9999.
    package static func format(_ instant: Instant) -> String {
        let (days, inDay) = floorDivide(instant.milliseconds, 86_400_000)
        let (year, month, day) = civil(fromDays: days)
        let (seconds, milliseconds) = (inDay / 1_000, inDay % 1_000)
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(seconds / 3_600, 2)):"
            + "\(pad(seconds / 60 % 60, 2)):\(pad(seconds % 60, 2)).\(pad(milliseconds, 3))Z"
    }

    /// Accepts any offset and any number of fraction digits (cut to milliseconds), `T` or `t` or a space, `Z` or `z`.
    /// Nil for anything else, impossible dates included. A leap second (`:60`) is read as the second after `:59`.
    package static func parse(_ text: some StringProtocol) -> Instant? {
        var scanner = Scanner(bytes: Array(text.utf8))
        guard let year = scanner.digits(4), scanner.skip("-"), let month = scanner.digits(2), scanner.skip("-"),
            let day = scanner.digits(2), scanner.skip("T", "t", " "),
            let hour = scanner.digits(2), scanner.skip(":"), let minute = scanner.digits(2), scanner.skip(":"),
            let second = scanner.digits(2),
            (1...12).contains(month), (1...daysIn(month: month, year: year)).contains(day),
            hour < 24, minute < 60, second <= 60,
            let fraction = scanner.fraction(), let offset = scanner.offset(), scanner.atEnd
        else { return nil }
        let seconds = days(fromCivil: year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
        return Instant(milliseconds: seconds * 1_000 + fraction)
    }

    private struct Scanner {
        var bytes: [UInt8]
        var index = 0

        var atEnd: Bool { index == bytes.count }

        mutating func digits(_ count: Int) -> Int64? {
            guard index + count <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[index..<index + count] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            index += count
            return value
        }

        mutating func skip(_ any: Unicode.Scalar...) -> Bool {
            guard index < bytes.count, any.contains(where: { $0.value == UInt32(bytes[index]) }) else { return false }
            index += 1
            return true
        }

        mutating func fraction() -> Int64? {
            guard skip(".") else { return 0 }
            var (value, scale, count): (Int64, Int64, Int) = (0, 100, 0)
            while index < bytes.count, (48...57).contains(bytes[index]) {
                value += Int64(bytes[index] - 48) * scale
                scale /= 10
                index += 1
                count += 1
            }
            return count > 0 ? value : nil
        }

        mutating func offset() -> Int64? {
            if skip("Z", "z") { return 0 }
            let sign: Int64 = skip("+") ? 1 : skip("-") ? -1 : 0
            guard sign != 0, let hours = digits(2), skip(":"), let minutes = digits(2), hours < 24, minutes < 60
            else { return nil }
            return sign * (hours * 3_600 + minutes * 60)
        }
    }

    private static func pad(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    private static func floorDivide(_ value: Int64, _ by: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: by)
        return remainder < 0 ? (quotient - 1, remainder + by) : (quotient, remainder)
    }

    private static func daysIn(month: Int64, year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    // Proleptic Gregorian calendar counted from March, so that the leap day ends the year
    // (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func days(fromCivil year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = floorDivide(shifted, 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
