import Testing

@testable import Decide

@Suite("Taking SQL apart")
struct StatementSplitterTests {
    private func split(_ text: String, questionMarks: Bool = false) throws -> [ReviewStatement] {
        try StatementSplitter.split(SourceText(file: "a.sql", text: text), questionMarks: questionMarks)
    }

    @Test(
        "statements end at semicolons that stand for themselves",
        arguments: [
            ("", []),
            (" ;; \n;", []),
            ("SELECT 1", ["SELECT 1"]),
            ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
            ("SELECT ';'; SELECT 'it''s;'", ["SELECT ';'", "SELECT 'it''s;'"]),
            (#"SELECT E'\';'; SELECT 2"#, [#"SELECT E'\';'"#, "SELECT 2"]),
            (#"SELECT '\'; SELECT 2"#, [#"SELECT '\'"#, "SELECT 2"]),
            (#"SELECT ";" FROM "a"";b""#, [#"SELECT ";" FROM "a"";b""#]),
            ("SELECT $$;$$; SELECT $a$;$$;$a$", ["SELECT $$;$$", "SELECT $a$;$$;$a$"]),
            ("SELECT a$b$c; SELECT 2", ["SELECT a$b$c", "SELECT 2"]),
            ("SELECT 1 -- ; no\n; SELECT 2", ["SELECT 1", "SELECT 2"]),
            ("SELECT /* ; /* ; */ ; */ 1; SELECT 2", ["SELECT /* ; /* ; */ ; */ 1", "SELECT 2"]),
            (
                "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3",
                ["CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "SELECT 3"]
            ),
            (
                "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END; SELECT 3",
                [
                    "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END",
                    "SELECT 3",
                ]
            ),
            ("BEGIN; SELECT 1; END;", ["BEGIN", "SELECT 1", "END"]),
            ("\u{FEFF}SELECT 1", ["SELECT 1"]),
            ("SELECT 'never closed; SELECT 2", ["SELECT 'never closed; SELECT 2"]),
        ] as [(String, [String])])
    func splits(text: String, statements: [String]) throws {
        #expect(try split(text).map(\.sql) == statements)
    }

    @Test(
        "names become numbers, the same for the same name",
        arguments: [
            ("SELECT :a, :b, :a", "SELECT $1, $2, $1"),
            ("SELECT $2, :a", "SELECT $2, $3"),
            (
                "SELECT a::int, b[1:n], f(x := :y), ':no', /* :no */ \":no\"",
                "SELECT a::int, b[1:n], f(x := $1), ':no', /* :no */ \":no\""
            ),
            ("SELECT data ? 'key'", "SELECT data ? 'key'"),
        ])
    func numbers(text: String, sql: String) throws {
        #expect(try split(text).map(\.sql) == [sql])
    }

    @Test("question marks are parameters where that is asked for")
    func questionMarks() throws {
        #expect(
            try split("SELECT ?, '?' WHERE a = ?", questionMarks: true).map(\.sql) == ["SELECT $1, '?' WHERE a = $2"])
    }

    @Test("a place in the statement is found again in the file")
    func places() throws {
        let statements = try split("SELECT 1;\n\n-- ä comment\n  SELECT :long_name,\n  'ö', nowhere FROM t")
        #expect(statements.map(\.place.description) == ["a.sql:1:1", "a.sql:4:3"])
        let sql = statements[1].sql
        #expect(sql == "SELECT $1,\n  'ö', nowhere FROM t")
        let before = try #require(sql.components(before: "nowhere"))
        #expect(statements[1].place(atCharacter: before.unicodeScalars.count + 1).description == "a.sql:5:8")
        #expect(statements[1].place(atByte: before.utf8.count).description == "a.sql:5:8")
        #expect(statements[1].place(atCharacter: 8).description == "a.sql:4:10")
        #expect(statements[1].place(atCharacter: 10_000).description == "a.sql:5:22")
    }

    @Test("parameters are seen, and quoted ones are none")
    func parameters() throws {
        #expect(try split("SELECT $1")[0].hasParameters)
        #expect(try !split("SELECT '$1', $$ $1 $$")[0].hasParameters)
        #expect(try split("/* x */ with a as (select 1) table a")[0].looksPlannable)
        #expect(try !split("vacuum")[0].looksPlannable)
    }

    @Test("comments are blanked out in place")
    func blanked() throws {
        let text = "SELECT '/*x*/' /* é /* y */ */, \"--a\" -- z\n, 1"
        let blank = try split(text)[0].sqlWithoutComments
        #expect(blank == "SELECT '/*x*/' " + String(repeating: " ", count: 16) + ", \"--a\"     \n, 1")
        #expect(blank.utf8.count == text.utf8.count)
    }

    @Test("any sequence of pieces is put together as it was taken apart")
    func random() throws {
        let pieces = [
            "'a;b'", "E'\\';'", "\";\"", "$$;$$", "$t$ ; $t$", "/* ; */", "-- ;\n", "(1)", "a$1", "$1", " ", "\n",
            "1.5", "::int", "é", "CASE", "END", "BEGIN", "\\",
        ]
        for seed in UInt64(1)...200 {
            var chance = Dice(state: seed)
            let written = (0..<5).map { _ in
                "SELECT 1 " + (0..<8).map { _ in pieces[Int(chance.next() % UInt64(pieces.count))] + " " }.joined()
                    + "x"
            }
            let read = try split(written.joined(separator: ";"))
            #expect(read.map(\.sql) == written, "seed \(seed)")
        }
    }

    private struct Dice {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
    }
}

extension String {
    fileprivate func components(before needle: String) -> String? {
        firstRange(of: needle).map { String(self[..<$0.lowerBound]) }
    }
}
