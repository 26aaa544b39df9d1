import NIOCore
import PGWire
import Testing

@testable import Guard

struct PartsTests {
    @Test(
        "a release is what follows the last @ of an application's name",
        arguments: [
            ("shop@5f2c1e7", "5f2c1e7"), ("shop", nil), ("shop@", nil), ("a@b@c", "c"), ("@x", "x"),
            ("shop@" + String(repeating: "x", count: 65), nil),
        ] as [(String, String?)])
    func release(_ name: String, _ release: String?) {
        #expect(Release.name(in: name) == release)
    }

    @Test("a histogram's percentiles are within 7 % of the values", arguments: [10, 100, 1_000, 50_000, 3_000_000])
    func histogram(_ microseconds: Int64) {
        var histogram = LatencyHistogram()
        for _ in 0..<99 { histogram.add(microseconds * 1_000) }
        histogram.add(microseconds * 100_000)
        let (median, top) = (histogram.percentile(0.5), histogram.percentile(1))
        #expect(abs(Double(median) / Double(microseconds * 1_000) - 1) < 0.07)
        #expect(abs(Double(top) / Double(microseconds * 100_000) - 1) < 0.07)
        #expect(histogram.total == 100)
    }

    @Test("an empty histogram has no percentiles, and spans beyond its range are kept within")
    func edges() {
        var histogram = LatencyHistogram()
        #expect(histogram.percentile(0.99) == 0)
        histogram.add(-5)
        #expect(histogram.percentile(1) == 0)
        histogram.add(.max)
        #expect(histogram.percentile(1) > 3_600_000_000_000)
    }

    @Test("what differs between two sessions is set, quoted, and nothing that cannot be set")
    func difference() {
        let one = SessionParameters([
            "TimeZone": "UTC", "application_name": "it's \\ \"me\"", "server_version": "15", "is_superuser": "on",
        ])
        let other = SessionParameters(["TimeZone": "UTC", "application_name": "", "server_version": "16"])
        #expect(one.difference(from: other) == #"SET "application_name" TO E'it''s \\ "me"'"#)
        #expect(one.difference(from: one) == nil)
    }

    @Test("a cancel key matches itself, whole, and nothing else")
    func cancelKey() {
        var generator = SystemRandomNumberGenerator()
        let key = CancelKey(using: &generator)
        #expect(key.matches(key.secretBytes))
        #expect(!key.matches([]))
        #expect(!key.matches(key.secretBytes + [0]))
        #expect(!key.matches(key.secretBytes.map { $0 ^ 1 }))
    }

    @Test("two spellings of one letter are two users, with a pool each")
    func spellings() {
        let (one, other) = ("\u{E9}", "e\u{301}")
        #expect(one == other)
        #expect(PoolKey(database: "d", user: one) != PoolKey(database: "d", user: other))
    }

    @Test("an SQLSTATE is its five letters")
    func sqlState() {
        #expect(SQLState("57014").description == "57014")
        #expect(SQLState("57014") == .queryCanceled)
    }
}
