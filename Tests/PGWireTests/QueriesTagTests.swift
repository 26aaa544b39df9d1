import NIOCore
import PGWire
import Testing

@Suite("Query tags")
struct QueriesTagTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var text: String
        var tags: QueryTags?

        var testDescription: String { text }
    }

    static let samples: [Sample] = [
        Sample(text: "SELECT 1", tags: nil),
        Sample(text: "", tags: nil),
        Sample(text: "*/", tags: nil),
        Sample(text: "/*/", tags: nil),
        Sample(text: "/**/", tags: nil),
        Sample(
            text: "SELECT 1 /* release=abc feature=favorites */", tags: QueryTags(release: "abc", feature: "favorites")),
        Sample(text: "/* release=abc */ SELECT 1", tags: QueryTags(release: "abc")),
        Sample(
            text: "SELECT 1 /*release='2024%2E1',feature='a%20b'*/;\n",
            tags: QueryTags(release: "2024.1", feature: "a b")),
        Sample(
            text: "SELECT 1 /*application='it\\'s',db_driver='x',route='%2Fa'*/", tags: QueryTags(application: "it's")),
        Sample(
            text: "SELECT 1 /*traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'*/",
            tags: QueryTags(traceparent: "00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01")),
        Sample(text: "/* release=a */ SELECT 1 /* release=b */", tags: QueryTags(release: "b")),
        Sample(text: "/* feature=a */ SELECT 1 /* release=b */", tags: QueryTags(release: "b", feature: "a")),
        Sample(text: "/* release=a, release=b */ SELECT 1", tags: QueryTags(release: "a")),
        Sample(text: "SELECT '/* release=abc */' FROM t", tags: nil),
        Sample(text: "SELECT 1 /* just words = here */", tags: nil),
        Sample(text: "SELECT 1 /* release= feature=x */", tags: QueryTags(feature: "x")),
        Sample(text: "SELECT 1 /*release='a%0Ab'*/", tags: nil),
        Sample(text: "SELECT 1 /*release='%FF'*/", tags: nil),
        Sample(text: "SELECT 1 /*release='%'*/", tags: QueryTags(release: "%")),
        Sample(text: "SELECT 1 /*release='%4'*/", tags: QueryTags(release: "%4")),
        Sample(text: "SELECT 1 /*release='abc*/", tags: QueryTags(release: "abc")),
        Sample(text: "SELECT 1 /*release=ü*/", tags: QueryTags(release: "ü")),
        Sample(text: "SELECT 1 /*===,,,;;='''*/", tags: nil),
        Sample(
            text: "SELECT 1 /*release='\(String(repeating: "x", count: 128))'*/",
            tags: QueryTags(release: String(repeating: "x", count: 128))),
        Sample(text: "SELECT 1 /*release='\(String(repeating: "x", count: 129))'*/", tags: nil),
        Sample(text: "SELECT 1 /*release=a \(String(repeating: "x", count: 3000))*/", tags: nil),
    ]

    @Test("come from a comment at either end", arguments: samples)
    func parse(sample: Sample) {
        #expect(Queries.withBytes(sample.text) { QueryTags.parse($0) } == sample.tags)
        #expect(QueryTags.parse(ByteBuffer(string: sample.text)) == sample.tags)
    }

    @Test("any bytes can be parsed", arguments: 0..<4)
    func survives(seed: UInt64) {
        var chance = QueriesChance(seed: seed)
        let pieces = ["/*", "*/", "release", "=", "'", "\\", "%", "%41", ",", " ", "feature", ";", "\u{1}", "é"]
        for round in 0..<3_000 {
            let text = "/*" + (0..<chance.below(12)).map { _ in chance.pick(pieces) }.joined() + "*/"
            let tags = Queries.withBytes(text) { QueryTags.parse($0) }
            for value in [tags?.release, tags?.feature] {
                let length = value?.utf8.count ?? 1
                #expect(length > 0 && length <= QueryTags.valueLimit, "seed \(seed), round \(round): \(text)")
            }
        }
    }
}
