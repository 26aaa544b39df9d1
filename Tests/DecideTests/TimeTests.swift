import Decide
import Testing

@Suite("Time")
struct TimeTests {
    @Test(
        "RFC 3339 reads and writes",
        arguments: [
            ("1970-01-01T00:00:00.000Z", Int64(0)), ("2026-11-22T04:51:49.123Z", 1_795_323_109_123),
            ("2000-02-29T23:59:59.999Z", 951_868_799_999), ("1969-12-31T23:59:59.999Z", -1),
            ("0000-01-01T00:00:00.000Z", -62_167_219_200_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ])
    func canonical(text: String, milliseconds: Int64) {
        #expect(RFC3339.parse(text) == Instant(milliseconds: milliseconds))
        #expect(RFC3339.format(Instant(milliseconds: milliseconds)) == text)
    }

    @Test(
        "RFC 3339 reads what others write",
        arguments: [
            ("2026-11-22T05:51:49+01:00", "2026-11-22T04:51:49.000Z"),
            ("2026-11-22 04:51:49z", "2026-11-22T04:51:49.000Z"),
            ("2026-11-22t04:51:49.1Z", "2026-11-22T04:51:49.100Z"),
            ("2026-11-22T04:51:49.123456789Z", "2026-11-22T04:51:49.123Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
        ])
    func others(text: String, same: String) {
        #expect(RFC3339.parse(text).map(RFC3339.format) == same)
    }

    @Test(
        "RFC 3339 refuses what is no time",
        arguments: [
            "", "2026", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00Zx", "２026-01-01T00:00:00Z",
        ])
    func refused(text: String) {
        #expect(RFC3339.parse(text) == nil)
    }

    @Test(
        "spans read as people write them",
        arguments: [
            ("5s", Int64(5_000)), ("500ms", 500), ("1m30s", 90_000), ("2h", 7_200_000), ("14d", 1_209_600_000),
            ("0s", 0),
        ])
    func spans(text: String, milliseconds: Int64) {
        #expect(Span(parsing: text) == .milliseconds(milliseconds))
        #expect(Span(parsing: Span.milliseconds(milliseconds).description) == .milliseconds(milliseconds))
    }

    @Test(
        "spans refuse what is none", arguments: ["", "5", "s", "5x", "-5s", "30s1m", "1s1s", "99999999999999999999d"])
    func noSpans(text: String) {
        #expect(Span(parsing: text) == nil)
    }

    @Test(
        "spans are spoken with at most two units",
        arguments: [
            (Int64(4_230), "4.2 s"), (950, "950 ms"), (111_000, "1 min 51 s"), (6_660_000, "1 h 51 min"),
            (60_000, "1 min"),
            (90_000_000, "1 d 1 h"),
        ])
    func spoken(milliseconds: Int64, text: String) {
        #expect(Span.milliseconds(milliseconds).spoken == text)
    }
}
