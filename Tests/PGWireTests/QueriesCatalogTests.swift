import NIOCore
import PGWire
import Testing

@Suite("Query catalog")
struct QueriesCatalogTests {
    @Test("finds a text by its bytes, then by its shape, and counts both")
    func levels() {
        let catalog = QueryCatalog(seed: 1)
        let first = Queries.look(catalog, "SELECT a FROM t WHERE b = 1")
        #expect(catalog.counters.misses == 1)
        for number in 2..<10 { #expect(Queries.look(catalog, "SELECT a FROM t WHERE b = \(number)") === first) }
        #expect(catalog.counters.shapeHits == 8 && catalog.counters.textHits == 0)
        #expect(Queries.look(catalog, "SELECT a FROM t WHERE b = 5") === first)
        #expect(Queries.look(catalog, "SELECT a FROM t WHERE b = 5") === first)
        #expect(catalog.counters.shapeHits == 9 && catalog.counters.textHits == 1)
        #expect(catalog.size.texts == 1 && catalog.size.shapes == 1 && catalog.size.queries == 1)
    }

    @Test("takes a buffer's readable bytes")
    func buffer() {
        let catalog = QueryCatalog(seed: 1)
        var buffer = ByteBuffer(string: "SELECT 1\u{0}")
        let text = buffer.readSlice(length: 8) ?? ByteBuffer()
        #expect(catalog.look(at: text) === catalog.look(at: ByteBuffer(string: "SELECT 2")))
        #expect(catalog.look(at: ByteBuffer()).kind == .empty)
    }

    @Test("texts whose constants matter are kept by their bytes only")
    func constantsThatMatter() {
        let catalog = QueryCatalog(seed: 1)
        let local = "SELECT set_config('a.b', 'x', true)"
        let lasting = "SELECT set_config('a.b', 'x', false)"
        for _ in 0..<3 {
            #expect(Queries.look(catalog, local).taints == [])
            #expect(Queries.look(catalog, lasting).taints == .settings)
        }
        #expect(catalog.counters.textHits == 4 && catalog.counters.shapeHits == 0)
        for value in ["1", "2"] {
            #expect(Queries.look(catalog, "SET a.b = \(value)").setting?.values == [value])
        }
    }

    @Test("different properties are never one object, even with one fingerprint")
    func properties() {
        let catalog = QueryCatalog(seed: 1)
        let one = Queries.look(catalog, "SET work_mem = 1")
        let two = Queries.look(catalog, "SET work_mem = 2")
        #expect(one.fingerprint == two.fingerprint && one !== two)
        #expect(Queries.look(catalog, "set work_mem to '1'") === one)
    }

    @Test("stays within its bounds, and keeps what is asked for again and again")
    func bounds() {
        let catalog = QueryCatalog(limits: QueryCatalog.Limits(texts: 50, bytes: 200_000), seed: 1)
        let hot = Queries.look(catalog, "SELECT hot FROM t")
        for number in 0..<2_000 {
            let text = "SELECT a\(number) FROM t\(number) WHERE b = 'x'"
            for _ in 0..<3 { _ = Queries.look(catalog, text) }
            #expect(Queries.look(catalog, "SELECT hot FROM t") === hot)
            let size = catalog.size
            #expect(size.texts <= 50 && size.shapes <= 50 && size.queries <= 50 && size.bytes <= 200_000)
        }
        #expect(catalog.size.evictions > 5_000)
        #expect(catalog.counters.misses == 2_001)
    }

    @Test("bytes are bounded where texts are long")
    func byteBounds() {
        let catalog = QueryCatalog(limits: QueryCatalog.Limits(texts: 1_000, bytes: 100_000), seed: 1)
        for number in 0..<200 {
            let text = "SELECT a\(number), \(String(repeating: "b", count: number * 20)) FROM t"
            for _ in 0..<3 { #expect(Queries.look(catalog, text).kind == .select) }
            #expect(catalog.size.bytes <= 100_000)
        }
        #expect(catalog.size.texts > 0 && catalog.size.shapes > 0)
    }

    @Test("constants that never come again take no place")
    func passingConstants() {
        let catalog = QueryCatalog(limits: QueryCatalog.Limits(texts: 10), seed: 1)
        for number in 0..<10_000 { _ = Queries.look(catalog, "SELECT a FROM t WHERE b = \(number)") }
        #expect(catalog.size.texts < 10 && catalog.counters.misses == 1)
    }

    struct Deep: Sendable, CustomTestStringConvertible {
        var start: String
        var open: String
        var middle: String
        var close: String

        var testDescription: String { "\(start) \(open) \(close)" }
    }

    static let deep: [Deep] = [
        Deep(start: "SELECT ", open: "(", middle: "1", close: ")"),
        Deep(start: "SELECT ", open: "(", middle: "", close: ""),
        Deep(start: "SELECT 1", open: "+1", middle: "", close: ""),
        Deep(start: "SELECT ", open: "NOT ", middle: "a", close: ""),
        Deep(start: "SELECT ", open: "- ", middle: "1", close: ""),
        Deep(start: "SELECT a", open: "::int", middle: "", close: ""),
        Deep(start: "SELECT 1", open: " UNION SELECT 1", middle: "", close: ""),
        Deep(start: "SELECT * FROM a", open: " JOIN a ON true", middle: "", close: ""),
        Deep(start: "SELECT ", open: "f(", middle: "1", close: ")"),
        Deep(start: "SELECT ", open: "CASE WHEN a THEN ", middle: "1", close: " END"),
        Deep(start: "", open: "(SELECT ", middle: "1", close: ")"),
        Deep(start: "SELECT ", open: "ARRAY[", middle: "1", close: "]"),
        Deep(start: "SELECT a", open: "[1]", middle: "", close: ""),
        Deep(start: "SELECT ", open: "/*", middle: "", close: "*/"),
        Deep(start: "SELECT 1", open: "/* */", middle: "", close: ""),
        Deep(start: "", open: "SELECT 1;", middle: "", close: ""),
        Deep(start: "SELECT 1", open: ",1", middle: "", close: ""),
        Deep(start: "SELECT a IN (1", open: ",1", middle: "", close: ")"),
        Deep(start: "VALUES (1)", open: ",(1)", middle: "", close: ""),
        Deep(start: "SELECT ", open: "'a'\n", middle: "", close: ""),
        Deep(start: "SELECT ", open: "$a", middle: "", close: ""),
        Deep(start: "SELECT ", open: "$a$ $b", middle: "", close: ""),
        Deep(start: "DO $$", open: "'", middle: "", close: ""),
        Deep(start: "SELECT ", open: "set_config(", middle: "", close: ""),
        Deep(start: "SELECT a IN ", open: "(1 IN (", middle: "1", close: "))"),
        Deep(start: "", open: "VALUES (", middle: "", close: ")"),
        Deep(start: "SELECT ", open: "+", middle: "1", close: ""),
        Deep(start: "SELECT ", open: "=+", middle: "1", close: ""),
        Deep(start: "SELECT ", open: "-", middle: "", close: ""),
        Deep(start: "SELECT \"", open: "\"\"", middle: "", close: "\""),
    ]

    @Test("deep and long texts are answered without harm", arguments: deep)
    func survivesDepth(sample: Deep) {
        let catalog = QueryCatalog(seed: 1)
        for size in [1_000, 16_000, 70_000] {
            let times = size / (sample.open.utf8.count + sample.close.utf8.count)
            let text =
                sample.start + String(repeating: sample.open, count: times) + sample.middle
                + String(repeating: sample.close, count: times)
            let first = Queries.look(catalog, text)
            #expect(Queries.line(Queries.look(catalog, text)) == Queries.line(first))
        }
    }

    @Test("ten megabytes of parentheses do not crash the process")
    func survivesTenMegabytes() {
        let text = [UInt8](repeating: UInt8(ascii: "("), count: 10 << 20)
        let info = Queries.withBytes(Array("SELECT ".utf8) + text) { QueryCatalog(seed: 1).look(at: $0) }
        #expect(info.isLexical && info.kind == .select)
        let union = "SELECT 1" + String(repeating: " UNION SELECT 1", count: 100_000)
        #expect(Queries.info(union).isLexical)
    }

    @Test("a large insert has the fingerprint of a small one")
    func largeInsert() {
        let rows = (0..<10_000).map { "(\($0), 'name \($0)')" }.joined(separator: ", ")
        let large = Queries.info("INSERT INTO t (a, b) VALUES \(rows)")
        #expect(!large.isLexical)
        #expect(large.fingerprint == Queries.info("INSERT INTO t (a, b) VALUES (1, 'x')").fingerprint)
    }

    @Test("at the limits of size and depth the parser hands over to the lexer")
    func limits() {
        func nested(_ depth: Int) -> String {
            "SELECT " + String(repeating: "(", count: depth) + "1" + String(repeating: ")", count: depth)
        }
        #expect(!Queries.info(nested(200)).isLexical && Queries.info(nested(201)).isLexical)
        func long(_ length: Int) -> String { "SELECT " + String(repeating: "a", count: length - 7) }
        #expect(!Queries.info(long(16_380)).isLexical && Queries.info(long(16_385)).isLexical)
    }

    @Test("what the catalog remembers is what a new one finds", arguments: 0..<6)
    func agreesWithItself(seed: UInt64) {
        var chance = QueriesChance(seed: seed)
        let catalog = QueryCatalog(limits: QueryCatalog.Limits(texts: 64, bytes: 400_000), seed: seed)
        let samples = (QueriesTaintTests.rows + QueriesTaintTests.settings + QueriesTaintTests.functions).map(\.text)
        for _ in 0..<3_000 {
            let text =
                switch chance.below(3) {
                case 0: chance.pick(samples)
                case 1: QueriesCorpus.variant(chance.pick(QueriesCorpus.templates), &chance)
                default: (0..<chance.below(8)).map { _ in chance.pick(Self.words) }.joined(separator: " ")
                }
            let found = Queries.look(catalog, text)
            let fresh = Queries.look(Queries.small(seed: seed + 1), text)
            #expect(Self.facts(found) == Self.facts(fresh), "seed \(seed): \(text)")
            if !found.isLexical, !fresh.isLexical {
                #expect(found.fingerprint == fresh.fingerprint, "seed \(seed): \(text)")
            }
        }
    }

    private static let words =
        QueriesLexerTests.pieces + [
            "SET", "LOCAL", "LISTEN", "SELECT", "set_config(", "'a'", "true)", ")", "TEMP", "CREATE", "INTO", "pg_temp",
            "VALUES",
            "IN (", "WITH", "UPDATE", "pg_settings", "DISCARD ALL", "RESET", "ROLE", "=", "pg_advisory_lock(", "DO $$",
            "$$",
        ]

    /// All but the fingerprint.
    private static func facts(_ info: QueryInfo) -> String {
        let line = Queries.line(info).split(separator: " ", maxSplits: 2)
        return String(line.last ?? "")
    }
}
