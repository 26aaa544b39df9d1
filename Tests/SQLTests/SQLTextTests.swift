import Testing

@testable import SQL

@Suite("SQL text")
struct SQLTextTests {
    @Test(
        "question marks become numbers only where code is",
        arguments: [
            ("SELECT ?, ?", "SELECT $1, $2", 2),
            ("SELECT '?' || ? || 'it''s ?'", "SELECT '?' || $1 || 'it''s ?'", 1),
            ("SELECT \"a?\" FROM t WHERE b = ?", "SELECT \"a?\" FROM t WHERE b = $1", 1),
            ("-- ?\nSELECT ? -- ?", "-- ?\nSELECT $1 -- ?", 1),
            ("/* ? /* nested ? */ ? */ SELECT ?", "/* ? /* nested ? */ ? */ SELECT $1", 1),
            ("SELECT $$ ? $$, $tag$ ? $$ ? $tag$, ?", "SELECT $$ ? $$, $tag$ ? $$ ? $tag$, $1", 1),
            ("SELECT E'it\\'s ?', e'?', ?", "SELECT E'it\\'s ?', e'?', $1", 1),
            ("SELECT 'back\\', ?", "SELECT 'back\\', $1", 1),
            ("SELECT a$b$ ? FROM t", "SELECT a$b$ $1 FROM t", 1),
            ("SELECT '? unclosed", "SELECT '? unclosed", 0),
            ("SELECT 1 - ? / ?", "SELECT 1 - $1 / $2", 2),
            ("WHERE ? IS NULL OR ? is  not\nNULL", "WHERE $1::text IS NULL OR $2::text is  not\nNULL", 2),
            ("WHERE ? IS DISTINCT FROM a AND ? ISNULL", "WHERE $1 IS DISTINCT FROM a AND $2 ISNULL", 2),
            ("SELECT :name, ?::int", "SELECT :name, $1::int", 1),
        ])
    func numbered(_ sql: String, _ expected: String, _ count: Int) {
        let numbered = SQLText(sql, dialect: .postgres).numbered()
        #expect(numbered.sql == expected)
        #expect(numbered.count == count)
    }

    @Test(
        "names become numbers, the same name the same number",
        arguments: [
            ("SELECT :a, :b, :a", "SELECT $1, $2, $1", ["a", "b"]),
            ("SELECT now()::date, ':a', :a::int", "SELECT now()::date, ':a', $1::int", ["a"]),
            ("SELECT x[1:n], x[:n] FROM t", "SELECT x[1:n], x[$1] FROM t", ["n"]),
            ("SELECT a ? 'k' FROM t -- :no", "SELECT a ? 'k' FROM t -- :no", []),
            ("WHERE :user IS NULL", "WHERE $1::text IS NULL", ["user"]),
            ("SELECT :user_id2+:ünder", "SELECT $1+$2", ["user_id2", "ünder"]),
        ])
    func named(_ sql: String, _ expected: String, _ names: [String]) {
        let named = SQLText(sql, dialect: .postgres).named()
        #expect(named.sql == expected)
        #expect(named.names == names)
    }

    @Test("SQLite's own quotes are known")
    func sqliteQuotes() {
        let named = SQLText("SELECT [a:b], `c:d`, :e FROM t /* /* */", dialect: .sqlite).named()
        #expect(named.sql == "SELECT [a:b], `c:d`, ?1 FROM t /* /* */")
        #expect(named.names == ["e"])
    }

    @Test(
        "the first word is found",
        arguments: [
            ("select 1", "SELECT"), ("  -- x\n/* y */ ( (WITH a", "WITH"), ("", ""), ("'x'", ""),
            ("ROLLBACK;", "ROLLBACK"),
        ])
    func keyword(_ sql: String, _ keyword: String) {
        #expect(SQLText(sql, dialect: .postgres).leadingKeyword() == keyword)
    }

    @Test("any cut of a text full of quotes is read to its end")
    func everyCut() {
        let sql = "SELECT E'\\'?', $a$ ? $a$, \"?\" /* ? /* ? */ */ -- ?\n FROM t WHERE a = ? AND :b::int IS NOT NULL"
        for dialect in [SQLDialect.sqlite, .postgres] {
            for length in 0...sql.utf8.count {
                let cut = String(decoding: sql.utf8.prefix(length), as: UTF8.self)
                let text = SQLText(cut, dialect: dialect)
                #expect(text.numbered().sql.utf8.count >= length)
                #expect(text.named().sql.isEmpty == cut.isEmpty)
                _ = text.leadingKeyword()
            }
        }
    }
}
