import PGWire
import Testing

@Suite("Normalized query text")
struct QueriesTextTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var text: String
        var expected: String

        var testDescription: String { text }
    }

    static let samples: [Sample] = [
        Sample(text: "SELECT 1", expected: "SELECT $1"),
        Sample(text: "SELECT  a ,\n b -- x\nFROM t;", expected: "SELECT a , b FROM t;"),
        Sample(text: "/* a */ SELECT/**/a", expected: "SELECT a"),
        Sample(
            text: "SELECT * FROM t WHERE a = 'secret' AND b = $1", expected: "SELECT * FROM t WHERE a = $2 AND b = $1"),
        Sample(text: "SELECT count(*) FROM t WHERE a = -5", expected: "SELECT count(*) FROM t WHERE a = $1"),
        Sample(text: "SELECT a - 5, -a", expected: "SELECT a - $1, -a"),
        Sample(
            text: "SELECT a FROM t WHERE b IN (1, 2, 3) AND c = 4",
            expected: "SELECT a FROM t WHERE b IN ($1) AND c = $2"),
        Sample(text: "SELECT a WHERE b IN (-1, NULL, 'x')", expected: "SELECT a WHERE b IN ($1)"),
        Sample(text: "SELECT a WHERE b IN (1, c)", expected: "SELECT a WHERE b IN ($1, c)"),
        Sample(
            text: "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, DEFAULT)", expected: "INSERT INTO t VALUES ($1, $2)"),
        Sample(
            text: "INSERT INTO t VALUES (1, f(2)), (3, f(4))", expected: "INSERT INTO t VALUES ($1, f($2)), ($3, f($4))"
        ),
        Sample(text: "INSERT INTO t VALUES (1), (2) RETURNING a", expected: "INSERT INTO t VALUES ($1) RETURNING a"),
        Sample(text: "SELECT date '2020-01-01', interval '1 day'", expected: "SELECT $1::date, $2::interval"),
        Sample(text: "SELECT a::numeric(10, 2), f(3)", expected: "SELECT a::numeric(10, 2), f($1)"),
        Sample(text: "CREATE ROLE x PASSWORD 'secret'", expected: "CREATE ROLE x PASSWORD $1"),
        Sample(text: "SET my.secret = 'secret'", expected: "SET my.secret = $1"),
        Sample(text: "DO $$ secret $$", expected: "DO $1"),
        Sample(text: "SELECT E'secret\\'' 'secret', U&'secret', X'5E'", expected: "SELECT $1 $2, $3, $4"),
        Sample(text: "SELECT \"It's\" FROM \"T\"", expected: "SELECT \"It's\" FROM \"T\""),
        Sample(text: "SELECT 'unterminated secret", expected: "SELECT $1"),
        Sample(text: "SELECT 1; SELECT 2", expected: "SELECT $1; SELECT $2"),
        Sample(text: "", expected: ""),
    ]

    @Test("has no constants, comments and line breaks", arguments: samples)
    func normalizes(sample: Sample) {
        #expect(Queries.info(sample.text).normalizedText == sample.expected)
    }

    @Test("is at most 4 KB, and cut between characters")
    func isBounded() {
        for padding in 0..<4 {
            let text = "SELECT " + String(repeating: "a", count: padding) + String(repeating: "ü€", count: 5000)
            let normalized = Queries.info(text).normalizedText
            #expect(normalized.utf8.count <= 4096 && normalized.utf8.count > 4080)
            #expect(normalized.hasSuffix("…") && !normalized.contains("\u{FFFD}"))
        }
    }

    @Test("a text without constants stays what it is to libpg_query")
    func isFaithful() throws {
        for text in QueriesCorpus.texts {
            let info = Queries.info(text)
            let normalized = info.normalizedText
            guard [.select, .insert, .update, .delete, .merge].contains(info.kind) else { continue }
            let parsed = try #require(Queries.parsedFingerprint(text))
            #expect(Queries.parsedFingerprint(normalized) == parsed, "\(text) became \(normalized)")
        }
    }

    struct Tables: Sendable, CustomTestStringConvertible {
        var text: String
        var names: [String]

        var testDescription: String { text }
    }

    static let tables: [Tables] = [
        Tables(text: "SELECT * FROM Users", names: ["users"]),
        Tables(
            text: "SELECT * FROM public.users u JOIN \"Orders\" o ON u.id = o.user_id",
            names: ["public.users", "Orders"]),
        Tables(text: "SELECT * FROM a, b AS x, c y WHERE a.i = b.i", names: ["a", "b", "c"]),
        Tables(text: "INSERT INTO t (a, b) SELECT c, d FROM u", names: ["t", "u"]),
        Tables(text: "UPDATE ONLY t SET a = 1, b = 2 FROM u WHERE t.i = u.i", names: ["t", "u"]),
        Tables(text: "DELETE FROM t USING u", names: ["t"]),
        Tables(text: "SELECT extract(year FROM d), trim(both FROM e) FROM t WHERE a IS DISTINCT FROM b", names: ["t"]),
        Tables(text: "SELECT * FROM generate_series(1, 2)", names: []),
        Tables(text: "SELECT * FROM (SELECT * FROM t) x", names: ["t"]),
        Tables(text: "SELECT * FROM t FOR UPDATE OF t", names: ["t"]),
        Tables(text: "CREATE TABLE IF NOT EXISTS t (a int)", names: ["t"]),
        Tables(text: "COPY t (a, b) FROM STDIN", names: ["t"]),
        Tables(text: "INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = 1", names: ["t"]),
        Tables(text: "FETCH 10 FROM c", names: []),
        Tables(text: "SELECT * FROM a,b,c,d,e,f,g,h,i,j", names: ["a", "b", "c", "d", "e", "f", "g", "h"]),
    ]

    @Test("names of tables are found for display", arguments: tables)
    func names(sample: Tables) {
        #expect(Queries.info(sample.text).tables == sample.names)
    }
}
