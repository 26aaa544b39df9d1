import Decide
import Explain

extension Words {
    /// A time as `<time>`: UTC in the text and on hover; the script puts the reader's zone into the text.
    static func time(_ at: Instant) -> Fields {
        let iso = RFC3339.format(at)
        let date = iso.prefix(10)
        return [
            "iso": iso, "utc": "\(date) \(iso.dropFirst(11).prefix(12)) UTC", "form": "moment",
            "text": "\(date) \(iso.dropFirst(11).prefix(8)) UTC",
        ]
    }

    /// A time that stays UTC, to the millisecond: in documents, which are read in more than one zone.
    static func exactTime(_ at: Instant) -> Fields {
        let utc = "\(RFC3339.format(at).prefix(10)) \(RFC3339.format(at).dropFirst(11).prefix(12)) UTC"
        return ["iso": RFC3339.format(at), "utc": utc, "form": "exact", "text": utc]
    }

    /// `10:21` in UTC.
    static func clock(_ at: Instant) -> String { String(RFC3339.format(at).dropFirst(11).prefix(5)) }

    /// `2026-11-22 10:21` in UTC.
    static func minute(_ at: Instant) -> String {
        let iso = RFC3339.format(at)
        return "\(iso.prefix(10)) \(iso.dropFirst(11).prefix(5))"
    }

    static func optionalTime(_ at: Instant?) -> Fields? { at.map { time($0) } }
}
