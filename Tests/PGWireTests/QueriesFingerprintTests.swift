import PGWire
import Testing

@Suite("Query fingerprints")
struct QueriesFingerprintTests {
    static let same: [[String]] = [
        ["SELECT * FROM t WHERE a = 1", "select * from T where a = 'x'", "SELECT *\nFROM t -- c\nWHERE a=$1;"],
        ["SELECT * FROM t WHERE a = -1", "SELECT * FROM t WHERE a = 1", "SELECT * FROM t WHERE a =- 1"],
        [
            "SELECT a FROM t WHERE b IN (1)", "SELECT a FROM t WHERE b IN (1, 2, 3)",
            "SELECT a FROM t WHERE b IN ($1,$2)",
        ],
        [
            "INSERT INTO t (a) VALUES (1)", "INSERT INTO t (a) VALUES (1), (2), (3)",
            "INSERT INTO t (a) VALUES ($1), (NULL)",
        ],
        ["SELECT a, b FROM t", "SELECT b, a FROM t"],
        ["SELECT a FROM t LIMIT 1", "SELECT a FROM t LIMIT 500"],
        ["SAVEPOINT a", "SAVEPOINT b"],
        ["/* release=1 */ SELECT 1", "SELECT 1 /* release=2 */"],
        ["NOTIFY a, 'b'", "NOTIFY a, 'c'"],
        ["SELECT 0x1F", "SELECT 0xFF"],
    ]

    @Test("are the same whatever the constants, the case and the comments", arguments: same)
    func areSame(texts: [String]) {
        let catalog = QueryCatalog(seed: 9)
        let infos = texts.map { Queries.look(catalog, $0) }
        #expect(Set(infos.map(\.fingerprint)).count == 1)
        #expect(infos.allSatisfy { $0 === infos[0] })
    }

    static let different: [[String]] = [
        ["SELECT * FROM a", "SELECT * FROM b", "SELECT * FROM \"A\"", "SELECT * FROM x.a", "SELECT * FROM a, b"],
        ["SELECT a - 1", "SELECT a + 1", "SELECT -a", "SELECT 1", "SELECT a", "SELECT - $1"],
        ["SELECT a::float(10)", "SELECT a::float(50)"],
        ["SELECT a IS NULL", "SELECT a IS TRUE", "SELECT a = NULL"],
        ["BEGIN", "COMMIT", "ROLLBACK", "", "SELECT 1; SELECT 1"],
        ["NOTIFY a, 'b'", "NOTIFY b, 'b'"],
        ["FLY a", "FLY b", "FLY a, b"],
    ]

    @Test("differ for different queries", arguments: different)
    func areDifferent(texts: [String]) {
        let catalog = QueryCatalog(seed: 9)
        #expect(Set(texts.map { Queries.look(catalog, $0).fingerprint }).count == texts.count)
    }

    @Test("are libpg_query's where its grammar has the text, and the lexer's elsewhere")
    func areMarked() {
        let parsed = Queries.info("SELECT 1")
        #expect(!parsed.isLexical && parsed.fingerprintText == "50fde20626009aba")
        for text in ["SELECT 0x1F", "FLY", "NOTIFY a, 'b'", "SELECT 'x", "SELECT 1 \u{0} FROM t"] {
            #expect(Queries.info(text).isLexical, "\(text)")
        }
        #expect(Queries.info("FLY ME 5").fingerprint == Queries.info("fly /* or not */ me 'x'").fingerprint)
    }

    @Test("the lexer's own outlives the process")
    func isStable() {
        let text = "FLY ME TO THE MOON"
        #expect(Queries.info(text).fingerprint == Queries.look(QueryCatalog(seed: 77), text).fingerprint)
        #expect(Queries.info(text).fingerprintText == "428a62b42709687c")
    }

    @Test("texts of one canonical form are one query to libpg_query", arguments: 0..<6)
    func holdsForApplications(seed: UInt64) {
        var chance = QueriesChance(seed: seed)
        var forms: [UInt64: (text: String, fingerprint: UInt64)] = [:]
        var parsed = 0
        for template in QueriesCorpus.templates {
            for _ in 0..<20 {
                let text = QueriesCorpus.variant(template, &chance)
                guard let fingerprint = Queries.parsedFingerprint(text) else { continue }
                parsed += 1
                let form = Queries.hash(text)
                let known = forms[form] ?? (text, fingerprint)
                forms[form] = known
                #expect(known.fingerprint == fingerprint, "seed \(seed): \(known.text) and \(text)")
            }
        }
        #expect(parsed > 1000)
    }

    /// What looks like a list of IN or rows of VALUES, and is not.
    static let lists: [String] = [
        "SELECT a FROM t WHERE b IN (SELECT c FROM u ORDER BY e, ?)", "SELECT a FROM t ORDER BY values, ?",
        "SELECT a FROM t ORDER BY values + (c), ?", "SELECT a FROM t WHERE b IN (SELECT a GROUP BY (1), ?)",
        "VALUES (1), (1) ORDER BY ?", "SELECT 1 WHERE b IN (VALUES (1) ORDER BY c, ?)",
        "SELECT 1 WHERE b IN (WITH x AS (SELECT 1) SELECT a ORDER BY c, ?)",
        "SELECT 1 WHERE b IN (TABLE t ORDER BY c, ?)",
        "SELECT 1 WHERE b IN ((SELECT a) ORDER BY c, ?)", "SELECT 1 WHERE b IN ((SELECT a) UNION SELECT c, ?)",
        "SELECT 1 WHERE b IN ((TABLE t) FOR UPDATE OF c, ?)",
        "SELECT 1 WHERE b IN ((SELECT a) EXCEPT TABLE t ORDER BY c, ?)",
        "SELECT 1 WHERE b IN ((SELECT a) UNION VALUES (1), (2) ORDER BY c, ?)", "SELECT 1 WHERE x.in (c, ?)",
        "SELECT 1 WHERE b IN (f(c, ?))", "SELECT 1 WHERE b IN (CASE WHEN c IN (1) THEN 2 END, ?)",
        "SELECT 1 WHERE b IN (c, ?) GROUP BY c, ?", "INSERT INTO t VALUES (c, ?), (c, ?) RETURNING c, ?",
        "SELECT sum(c) OVER (PARTITION BY c, ?) FROM t", "SELECT ROW(c, ?), array_agg(c ORDER BY c, ?)",
    ]

    @Test("queries that repeat themselves are not lists", arguments: lists)
    func tellsListsApart(template: String) throws {
        var forms: [UInt64: (text: String, fingerprint: UInt64)] = [:]
        let parts = [
            "a", "b", "a, a", "a, b", "b, b", "a, a, a", "a, b, b", "a, a, b", "(a)", "(a), (a)", "a, (a), (a)",
        ]
        var parsed = 0
        for part in parts {
            let text = template.replacing("?", by: part)
            guard let fingerprint = Queries.parsedFingerprint(text) else { continue }
            parsed += 1
            let known = forms[Queries.hash(text)] ?? (text, fingerprint)
            forms[Queries.hash(text)] = known
            #expect(known.fingerprint == fingerprint, "\(known.text) and \(text)")
        }
        #expect(parsed > 0 || template.contains("x.in"))
    }

    @Test("constants, case, space and comments do not change an application's query", arguments: 0..<4)
    func collapses(seed: UInt64) {
        var chance = QueriesChance(seed: 50 + seed)
        let catalog = QueryCatalog(seed: seed)
        for template in QueriesCorpus.templates {
            let text = QueriesCorpus.variant(template, &chance)
            let other = Queries.disguised(text, &chance)
            let first = Queries.look(catalog, text)
            #expect(Queries.look(catalog, other) === first, "seed \(seed): \(text) and \(other)")
            // Some comments break libpg_query's parser (`NOT /* x */ IN`): the catalog takes them out before.
            if let parsed = Queries.parsedFingerprint(other), !first.isLexical {
                #expect(parsed == first.fingerprint, "seed \(seed): \(other)")
            }
        }
    }

    @Test("expressions by chance: one form is one query to libpg_query", arguments: 0..<8)
    func holdsForExpressions(seed: UInt64) {
        var chance = QueriesChance(seed: 500 + seed)
        var forms: [UInt64: (text: String, fingerprint: UInt64)] = [:]
        var shared = 0
        for _ in 0..<6_000 {
            let text = QueriesExpressions.statement(&chance)
            guard let fingerprint = Queries.parsedFingerprint(text) else { continue }
            let form = Queries.hash(text)
            if let known = forms[form] {
                shared += 1
                #expect(known.fingerprint == fingerprint, "seed \(seed): \(known.text) and \(text)")
            } else {
                forms[form] = (text, fingerprint)
            }
        }
        #expect(shared > 200)
    }

    @Test("the tokens that the parser gets are the text to it", arguments: 0..<4)
    func parsesTokens(seed: UInt64) {
        var chance = QueriesChance(seed: 900 + seed)
        for _ in 0..<1_000 {
            let text = QueriesExpressions.statement(&chance)
            let info = Queries.info(text)
            let parsed = Queries.parsedFingerprint(text)
            #expect(info.isLexical == (parsed == nil), "seed \(seed): \(text)")
            if let parsed { #expect(info.fingerprint == parsed, "seed \(seed): \(text)") }
        }
    }
}

/// Small statements of few words, so that many of them have the same form: signs, casts, lists and parentheses.
enum QueriesExpressions {
    static func statement(_ chance: inout QueriesChance) -> String {
        let value = expression(&chance, depth: 2)
        switch chance.below(10) {
        case 0: return "SELECT a FROM t WHERE \(value)"
        case 1: return "SELECT a FROM t WHERE a IN (\(list(&chance)))"
        case 2: return "INSERT INTO t VALUES (\(list(&chance))), (\(list(&chance)))"
        case 3: return "VALUES (\(list(&chance))), (\(list(&chance))), (\(list(&chance)))"
        case 4: return "SELECT \(list(&chance)) FROM t ORDER BY \(list(&chance)) LIMIT \(value)"
        case 5: return "UPDATE t SET a = \(value) WHERE a IN (\(list(&chance)))"
        case 6: return "SELECT a IN (SELECT a FROM t ORDER BY \(list(&chance)))"
        case 7: return "SELECT values(a).a, (a).a, a.values (a), (a)"
        case 8: return "SELECT a FROM t WHERE a IN (VALUES (\(list(&chance))), (\(list(&chance))))"
        default: return "SELECT \(value)"
        }
    }

    private static func list(_ chance: inout QueriesChance) -> String {
        (0...chance.below(3)).map { _ in expression(&chance, depth: 1) }.joined(separator: ", ")
    }

    private static func expression(_ chance: inout QueriesChance, depth: Int) -> String {
        let leaves = [
            "1", "2.5", "'x'", "$1", "a", "NULL", "true", "a.limit", "N'x'", "t.select", "0x1", "\"a\"", "a.a",
        ]
        guard depth > 0 else { return chance.pick(leaves) }
        let inner = expression(&chance, depth: depth - 1)
        let other = expression(&chance, depth: depth - 1)
        switch chance.below(20) {
        case 0, 1: return "-\(inner)"
        case 2: return "- \(inner)"
        case 3: return "(\(inner))"
        case 4: return "-(\(inner))"
        case 5: return "\(inner) - \(other)"
        case 6: return "\(inner) -\(other)"
        case 7: return "\(inner)::int"
        case 8: return "\(inner)::float(\(chance.pick(["10", "50", "5"])))"
        case 9: return "\(inner) IN (\(other), \(inner))"
        case 10: return "f(\(inner), \(other))"
        case 11: return "\(inner) IS \(chance.pick(["NULL", "TRUE", "NOT NULL", "FALSE"]))"
        case 12: return "CASE WHEN \(inner) THEN \(other) ELSE \(inner) END"
        case 13: return "ARRAY[\(inner), \(other)]"
        case 14: return "\(inner) ^ \(other)"
        case 15: return "+\(inner)"
        case 16: return "\(inner) BETWEEN \(other) AND -1"
        case 17: return "NOT \(inner)"
        case 18:
            return chance.pick(["interval '1' day", "date '2020-01-01'", "a 'x'", "by -1", "t.limit -1", "t.limit 'x'"])
        default: return chance.pick(leaves)
        }
    }
}
