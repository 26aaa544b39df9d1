import CPGQuery
import PGWire
import Testing

@Suite("Query lexer")
struct QueriesLexerTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var text: String
        var lexemes: [String]
        var isBroken = false

        var testDescription: String { text }
    }

    static let samples: [Sample] = [
        Sample(text: "", lexemes: []),
        Sample(text: " \t\r\n\u{0C}", lexemes: []),
        Sample(text: "SELECT 1", lexemes: ["word SELECT", "number 1"]),
        Sample(text: "'it''s'", lexemes: ["string 'it''s'"]),
        Sample(text: "'a\\'b", lexemes: ["string 'a\\'", "word b"]),
        Sample(text: "E'a\\'b'c", lexemes: ["escapeString E'a\\'b'", "word c"]),
        Sample(text: "e'\\\\'x", lexemes: ["escapeString e'\\\\'", "word x"]),
        Sample(text: "'a'\n 'b'", lexemes: ["string 'a'\n 'b'"]),
        Sample(text: "'a' -- c\n 'b'", lexemes: ["string 'a' -- c\n 'b'"]),
        Sample(text: "'a' 'b'", lexemes: ["string 'a'", "string 'b'"]),
        Sample(text: "'a' /*\n*/ 'b'", lexemes: ["string 'a'", "string 'b'"]),
        Sample(text: "E'a'\n'\\'b'", lexemes: ["escapeString E'a'\n'\\'b'"]),
        Sample(text: "U&'\\0041'", lexemes: ["unicodeString U&'\\0041'"]),
        Sample(text: "u&\"a\"\"b\"", lexemes: ["unicodeName u&\"a\"\"b\""]),
        Sample(text: "U & 'x'", lexemes: ["word U", "symbol &", "string 'x'"]),
        Sample(text: "B'01' x'1F' N'a'", lexemes: ["bitString B'01'", "bitString x'1F'", "nationalString N'a'"]),
        Sample(text: "B'1''0'", lexemes: ["bitString B'1'", "string '0'"]),
        Sample(text: "ab'c'", lexemes: ["word ab", "string 'c'"]),
        Sample(text: "\"A\"\"b\".c", lexemes: ["quotedName \"A\"\"b\"", "dot .", "word c"]),
        Sample(text: "$$it's$$", lexemes: ["dollarString $$it's$$"]),
        Sample(text: "$a$ $b$ $a$ x", lexemes: ["dollarString $a$ $b$ $a$", "word x"]),
        Sample(text: "$a$$a$$b", lexemes: ["dollarString $a$$a$", "other $", "word b"]),
        Sample(text: "$a$ $$a$", lexemes: ["dollarString $a$ $$a$"]),
        Sample(text: "a$b$c", lexemes: ["word a$b$c"]),
        Sample(text: "$1 $23a", lexemes: ["parameter $1", "parameter $23", "word a"]),
        Sample(text: "$", lexemes: ["other $"]),
        Sample(text: "$a b", lexemes: ["other $", "word a", "word b"]),
        Sample(
            text: "1 1.5 .5 1. 1e5 1E-5 1e+5",
            lexemes: ["1", "1.5", ".5", "1.", "1e5", "1E-5", "1e+5"].map { "number \($0)" }),
        Sample(text: "1..10", lexemes: ["number 1", "symbol ..", "number 10"]),
        Sample(text: "1e 1e+", lexemes: ["number 1", "word e", "number 1", "word e", "symbol +"]),
        Sample(text: "0x1F 1_000 1_", lexemes: ["number 0x1F", "number 1_000", "number 1", "word _"]),
        Sample(text: "1INTO", lexemes: ["number 1", "word INTO"]),
        Sample(
            text: "a::int[1]",
            lexemes: ["word a", "cast ::", "word int", "openBracket [", "number 1", "closeBracket ]"]),
        Sample(text: "a:=b:c", lexemes: ["word a", "symbol :=", "word b", "other :", "word c"]),
        Sample(text: "a=-1", lexemes: ["word a", "symbol =", "symbol -", "number 1"]),
        Sample(text: "a@-1", lexemes: ["word a", "symbol @-", "number 1"]),
        Sample(text: "a=+-+b", lexemes: ["word a", "symbol =", "symbol +", "symbol -", "symbol +", "word b"]),
        Sample(text: "a+-*b*-+", lexemes: ["word a", "symbol +-*", "word b", "symbol *", "symbol -", "symbol +"]),
        Sample(text: "a++@b", lexemes: ["word a", "symbol ++@", "word b"]),
        Sample(
            text: "a<=b<>c!=d=>e",
            lexemes: [
                "word a", "symbol <=", "word b", "symbol <>", "word c", "symbol !=", "word d", "symbol =>", "word e",
            ]),
        Sample(text: "a*--c\n1", lexemes: ["word a", "symbol *", "number 1"]),
        Sample(text: "a+/*c*/1", lexemes: ["word a", "symbol +", "number 1"]),
        Sample(text: "a->>'b'#>>c", lexemes: ["word a", "symbol ->>", "string 'b'", "symbol #>>", "word c"]),
        Sample(text: "/* a /* b */ c */ d", lexemes: ["word d"]),
        Sample(text: "-- x\rb", lexemes: ["word b"]),
        Sample(text: "ÄÖ ü$1", lexemes: ["word ÄÖ", "word ü$1"]),
        Sample(text: "'abc", lexemes: ["string 'abc"], isBroken: true),
        Sample(text: "E'abc\\", lexemes: ["escapeString E'abc\\"], isBroken: true),
        Sample(text: "\"abc", lexemes: ["quotedName \"abc"], isBroken: true),
        Sample(text: "$$abc$", lexemes: ["dollarString $$abc$"], isBroken: true),
        Sample(text: "a /* b /* c */", lexemes: ["word a"], isBroken: true),
        Sample(text: "/*", lexemes: [], isBroken: true),
        Sample(text: "/*/", lexemes: [], isBroken: true),
    ]

    @Test("splits texts as PostgreSQL does", arguments: samples)
    func splits(sample: Sample) {
        let bytes = Array(sample.text.utf8)
        let (tokens, isBroken) = Queries.tokens(bytes)
        let lexemes = tokens.map { "\($0.kind) " + String(decoding: bytes[$0.start..<$0.end], as: UTF8.self) }
        #expect(lexemes == sample.lexemes)
        #expect(isBroken == sample.isBroken)
    }

    /// Pieces from which hard texts are made.
    static let pieces: [String] = [
        "'", "''", "\"", "$$", "$a$", "$1", "$", "\\", "E'", "e'", "U&'", "U&\"", "B'", "X'", "N'", "--", "/*", "*/",
        "\n",
        " ", "\t", "\r", "a", "select", "1", "1.", ".", "..", "e", "5e3", "0x", "_", "::", ":=", ":", "=", "-", "+",
        "+-+", "@",
        "<", ">", "*", "/", "(", ")", "[", "]", ",", ";", "ü", "'a'\n'b'", "' -- x\n'", "?", "|", "%", "\u{0}",
    ]

    @Test("tokens of any bytes are in order, within the text, and the same every time", arguments: 0..<8)
    func survives(seed: UInt64) {
        var chance = QueriesChance(seed: seed)
        for round in 0..<2_000 {
            var bytes: [UInt8] = []
            for _ in 0..<chance.below(24) {
                if chance.below(8) == 0 {
                    bytes.append(UInt8(truncatingIfNeeded: chance.next()))
                } else {
                    bytes += Array(chance.pick(Self.pieces).utf8)
                }
            }
            let (tokens, isBroken) = Queries.tokens(bytes)
            var end = 0
            for token in tokens {
                #expect(token.start >= end && token.end > token.start, "seed \(seed), round \(round)")
                end = token.end
            }
            #expect(end <= bytes.count, "seed \(seed), round \(round)")
            let again = Queries.tokens(bytes)
            #expect(again.tokens == tokens && again.isBroken == isBroken, "seed \(seed), round \(round)")
        }
    }

    /// libpg_query's scanner is PostgreSQL's, but for comments, which are tokens there: a constant does not go on
    /// behind one. (To the server `'a' -- x`, a new line and `'b'` are one constant.)
    @Test("finds the same tokens as PostgreSQL 15's own scanner", arguments: 0..<8)
    func agrees(seed: UInt64) {
        var chance = QueriesChance(seed: 1000 + seed)
        var compared = 0
        for round in 0..<4_000 {
            let text = (0..<1 + chance.below(10)).map { _ in chance.pick(Self.pieces) }.joined()
            guard !text.contains("\u{0}"), let scanned = ScannedTokens(text) else { continue }
            let (tokens, isBroken) = Queries.tokens(Array(text.utf8))
            guard !tokens.contains(where: { $0.isText && Self.mayHaveComment(text, $0) }) else { continue }
            compared += 1
            #expect(!isBroken, "seed \(seed), round \(round): \(text)")
            // N'…' is two tokens to the scanner, and one here.
            let starts = tokens.flatMap { $0.kind == .nationalString ? [$0.start, $0.start + 1] : [$0.start] }
            #expect(starts == scanned.starts, "seed \(seed), round \(round): \(text)")
        }
        #expect(compared > 500)
    }
}

extension QueriesLexerTests {
    static func mayHaveComment(_ text: String, _ token: QueryToken) -> Bool {
        let lexeme = String(decoding: Array(text.utf8)[token.start..<token.end], as: UTF8.self)
        return lexeme.contains("--") && lexeme.contains { $0.isNewline }
    }
}

/// Where libpg_query's scanner sees tokens other than comments; nil if it objects to the text.
///
/// Its answer is a protocol buffer: field 2 repeats, and has the start in field 1 and the token's number in field 4.
struct ScannedTokens {
    private static let comments: Set<Int> = [275, 276]
    private(set) var starts: [Int] = []

    init?(_ text: String) {
        let result = pg_query_scan(text)
        defer { pg_query_free_scan_result(result) }
        guard result.error == nil else { return nil }
        let bytes = UnsafeRawBufferPointer(start: result.pbuf.data, count: result.pbuf.len)
        for (field, value) in Self.fields(bytes[...]) where field == 2 {
            let numbers = Self.numbers(value)
            if !Self.comments.contains(numbers[4] ?? 0) { starts.append(numbers[1] ?? 0) }
        }
    }

    /// Length-delimited fields.
    private static func fields(_ bytes: Slice<UnsafeRawBufferPointer>) -> [(Int, Slice<UnsafeRawBufferPointer>)] {
        var rest = bytes
        var fields: [(Int, Slice<UnsafeRawBufferPointer>)] = []
        while !rest.isEmpty {
            let key = varint(&rest)
            let value = varint(&rest)
            guard key & 7 == 2 else { continue }
            fields.append((key >> 3, rest.prefix(value)))
            rest = rest.dropFirst(value)
        }
        return fields
    }

    private static func numbers(_ bytes: Slice<UnsafeRawBufferPointer>) -> [Int: Int] {
        var rest = bytes
        var numbers: [Int: Int] = [:]
        while !rest.isEmpty {
            let key = varint(&rest)
            numbers[key >> 3] = varint(&rest)
        }
        return numbers
    }

    private static func varint(_ bytes: inout Slice<UnsafeRawBufferPointer>) -> Int {
        var value = 0
        var shift = 0
        while let byte = bytes.popFirst() {
            value |= Int(byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 { break }
        }
        return value
    }
}
