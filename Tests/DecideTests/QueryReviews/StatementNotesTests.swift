import Testing

@testable import Decide

@Suite("What comments and exports say about a statement")
struct StatementNotesTests {
    private func notes(_ text: String) throws -> [StatementNotes] {
        try StatementSplitter.split(SourceText(file: "a.sql", text: text)).map(\.notes)
    }

    @Test("comments before, inside and behind a statement belong to it")
    func belongs() throws {
        let read = try notes(
            """
            -- name: list_posts :many
            /* calls_per_second=50, feature='posts' mean_ms=2.5 rows=20 */
            SELECT 1 -- mainstay:allow list-without-limit a short list
            ; -- mainstay:allow disk-sort at night only
            SELECT 2; /* rows=7 */ SELECT 3
            """)
        var third = StatementNotes()
        third.rowsPerCall = 7
        var first = StatementNotes()
        first.name = "list_posts"
        first.feature = "posts"
        first.callsPerSecond = 50
        first.meanMilliseconds = 2.5
        first.rowsPerCall = 20
        first.allowances = [
            Allowance(rule: "list-without-limit", reason: "a short list"),
            Allowance(rule: "disk-sort", reason: "at night only"),
        ]
        #expect(read == [first, StatementNotes(), third])
    }

    @Test(
        "what cannot be used is said",
        arguments: [
            ("-- mainstay:allow disk-sort", "'mainstay:allow disk-sort' gives no reason, so it allows nothing"),
            ("-- mainstay:allow disk-sorts because", "'mainstay:allow disk-sorts' names no rule"),
            ("-- mainstay:allow", "'mainstay:allow' names no rule"),
            ("/* calls_per_second=often */", "calls_per_second=often is not a number that can be used"),
            ("/* mean_ms=-1 */", "mean_ms=-1 is not a number that can be used"),
            ("/* rows=nan */", "rows=nan is not a number that can be used"),
        ])
    func problems(comment: String, problem: String) throws {
        let read = try notes("\(comment)\nSELECT 1")
        #expect(read.map(\.problems) == [[problem]])
        #expect(read.map(\.allowances) == [[]])
    }

    @Test("other comments are left alone")
    func others() throws {
        #expect(try notes("-- a = b, c=d; name of it\n/* * mainstay:allowed */ SELECT 1") == [StatementNotes()])
    }

    private func export(_ text: String) throws -> [ReviewStatement] {
        try ExportedQueries.read(SourceText(file: "e.jsonl", text: text))
    }

    @Test("an export is one statement a line")
    func exports() throws {
        let statements = try export(
            """
            {"query": "SELECT 1 -- x", "calls_per_second": 2, "mean_ms": 0.5, "rows": 3, "fingerprint": "ab", "new": 1}

            {"query": "/* feature=posts */ SELECT $1;", "name": "one", "calls_per_second": null}
            """)
        #expect(statements.map(\.id) == ["ab", "one"])
        #expect(statements.map(\.sql) == ["SELECT 1", "SELECT $1"])
        #expect(statements.map(\.notes.callsPerSecond) == [2, nil])
        #expect(statements.map(\.notes.meanMilliseconds) == [0.5, nil])
        #expect(statements.map(\.notes.rowsPerCall) == [3, nil])
        #expect(statements.map(\.notes.feature) == [nil, "posts"])
        #expect(statements.map(\.place.description) == ["e.jsonl:1:1", "e.jsonl:3:1"])
        #expect(statements[1].place(atCharacter: 5).description == "e.jsonl:3:1")
        #expect(statements.map(\.isExported) == [true, true])
    }

    @Test(
        "a line that cannot be used is named",
        arguments: [
            ("\n[", "e.jsonl:2:1: not one JSON object a line: the text ends where a value is expected at byte 1"),
            ("{}", "e.jsonl:1:1: \"query\" is missing: it is the statement's text"),
            (#"{"query": " "}"#, "e.jsonl:1:1: \"query\" is missing: it is the statement's text"),
            (#"{"query": "SELECT 1; DROP TABLE t"}"#, "e.jsonl:1:1: \"query\" has 2 statements; one is expected"),
            (
                #"{"query": "SELECT 1", "calls_per_second": "5"}"#,
                "e.jsonl:1:1: \"calls_per_second\" is not a number of 0 or more"
            ),
        ])
    func badLines(text: String, message: String) {
        let error = #expect(throws: ReviewInputError.self) { try export(text) }
        #expect(error?.description == message)
    }

    @Test("ids are names, then fingerprints, then hashes, and differ")
    func ids() throws {
        let statements = try StatementSplitter.split(
            SourceText(file: "a.sql", text: "-- name: x\nSELECT 1; SELECT 2; SELECT 3; SELECT  \n3; SELECT 2"))
        let ids = StatementIds.assign(statements) { $0 == "SELECT 2" ? "f2" : nil }.map(\.id)
        #expect(ids == ["x", "f2", StatementIds.hash("SELECT 3"), StatementIds.hash("SELECT 3") + "#2", "f2#2"])
        #expect(StatementIds.hash("SELECT 3").count == 16)
    }
}
