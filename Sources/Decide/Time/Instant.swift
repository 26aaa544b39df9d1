/// A point in time: UTC milliseconds since 1970-01-01T00:00:00Z.
///
/// Every time inside Mainstay, in its database and between its processes is an `Instant`; RFC 3339 appears only
/// where people or foreign protocols read (see `RFC3339`). Leap seconds are not counted, as in POSIX time.
package struct Instant: Hashable, Comparable, Sendable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package static let epoch = Instant(milliseconds: 0)

    package static func < (lhs: Instant, rhs: Instant) -> Bool {
        lhs.milliseconds < rhs.milliseconds
    }

    package static func + (lhs: Instant, rhs: Span) -> Instant {
        Instant(milliseconds: lhs.milliseconds + rhs.milliseconds)
    }

    package static func - (lhs: Instant, rhs: Span) -> Instant {
        Instant(milliseconds: lhs.milliseconds - rhs.milliseconds)
    }

    package static func - (lhs: Instant, rhs: Instant) -> Span {
        Span(milliseconds: lhs.milliseconds - rhs.milliseconds)
    }
}

extension Instant: Codable {
    package init(from decoder: any Decoder) throws {
        milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }
}
