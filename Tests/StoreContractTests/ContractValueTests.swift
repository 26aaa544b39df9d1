import SQL
import TestSupport
import Testing

@Suite("Both drivers: values and statements", .timeLimit(.minutes(1)))
struct ContractValueTests {
    @Test("PostgreSQL takes part", .enabled(if: TestDriver.isPostgresAvailable, "MAINSTAY_TEST_POSTGRES is not set"))
    func postgresTakesPart() {
        #expect(TestDriver.available.contains(.postgres))
    }

    private static let values: [(column: String, value: SQLValue)] = [
        ("whole", .integer(0)), ("whole", .integer(.max)), ("whole", .integer(.min)), ("whole", .null),
        ("fraction", .real(0.1)), ("fraction", .real(-1.7976931348623157e308)),
        ("fraction", .real(.leastNonzeroMagnitude)),
        ("fraction", .real(.infinity)), ("fraction", .real(-.infinity)), ("fraction", .null),
        ("words", .text("")), ("words", .text("it's \"quoted\" \\ back")), ("words", .text("Grüße, 世界 👩‍👩‍👧 e\u{301}")),
        ("words", .text(String(repeating: "x", count: 300_000))), ("words", .text("\\x41 ? :name $1 -- /*")),
        ("words", .null),
        ("bytes", .blob([])), ("bytes", .blob([0, 1, 0, 255, 92, 39])),
        ("bytes", .blob(Array(repeating: 0, count: 70_000))),
        ("bytes", .null),
    ]

    @Test("values come back as they went in", arguments: TestDriver.available)
    func roundTrip(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            try await database.write { connection in
                try connection.execute(
                    """
                    CREATE TABLE things (id BIGINT PRIMARY KEY, whole BIGINT, fraction DOUBLE PRECISION, words TEXT,
                        bytes \(connection.dialect.blob))
                    """)
                for (id, item) in Self.values.enumerated() {
                    try connection.execute(
                        "INSERT INTO things (id, \(item.column)) VALUES (?, ?)", [SQLValue(id), item.value])
                }
            }
            for (id, item) in Self.values.enumerated() {
                let rows = try await database.read { connection in
                    try connection.query("SELECT * FROM things WHERE id = ?", [SQLValue(id)])
                }
                #expect(try rows.first?.value(item.column) == item.value)
            }
        }
    }

    @Test(
        "sums of whole numbers are whole, averages are numbers, comparisons are 1 and 0",
        arguments: TestDriver.available)
    func aggregates(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            let row = try await database.write { connection in
                try connection.execute("CREATE TABLE t (n BIGINT NOT NULL)")
                try connection.execute("INSERT INTO t (n) VALUES (?), (?), (?)", [1, 2, 4])
                return try connection.query(
                    "SELECT count(*) AS c, sum(n) AS s, avg(n) AS a, max(n) AS m, (max(n) > ?) AS big FROM t", [3]
                ).first
            }
            let values = try #require(row)
            #expect(try values.int("c") == 3)
            #expect(try values.int("s") == 7)
            #expect(try abs(values.real("a") - 7.0 / 3) < 1e-9)
            #expect(try values.int("m") == 4)
            #expect(try values.value("big") == .integer(1))
        }
    }

    @Test("parameters are only where code is", arguments: TestDriver.available)
    func placeholders(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            let row = try await database.read { connection in
                try connection.query(
                    """
                    -- is this a parameter? no
                    SELECT 'what?' AS a, ? AS b, 'it''s ?' AS "odd?" /* nor ? this */, ? AS c
                    """, ["yes", 5]
                ).first
            }
            #expect(try row?.text("a") == "what?")
            #expect(try row?.text("b") == "yes")
            #expect(try row?.text("odd?") == "it's ?")
            #expect(try row?.int("c") == 5)
        }
    }

    @Test("a parameter may be asked whether it is NULL", arguments: TestDriver.available)
    func nullTest(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            let counts = try await database.write { connection in
                try connection.execute("CREATE TABLE t (n BIGINT, s TEXT)")
                try connection.execute("INSERT INTO t (n, s) VALUES (1, 'a'), (2, 'b')")
                let sql = "SELECT count(*) AS c FROM t WHERE (? IS NULL OR n = ?) AND (? is not null OR s = 'a')"
                return try [[SQLValue.null, .null, .null], [2, 2, "x"], [2, 2, .null]].map { values in
                    try connection.query(sql, values)[0].int("c")
                }
            }
            #expect(counts == [1, 1, 0])
        }
    }

    @Test("RETURNING, ON CONFLICT and common table expressions mean the same", arguments: TestDriver.available)
    func statements(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            try await database.write { connection in
                try connection.execute("CREATE TABLE t (k TEXT PRIMARY KEY, n BIGINT NOT NULL)")
                let upsert =
                    "INSERT INTO t (k, n) VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET n = t.n + excluded.n RETURNING n"
                #expect(try connection.query(upsert, ["a", 1])[0].int("n") == 1)
                #expect(try connection.query(upsert, ["a", 5])[0].int("n") == 6)
                let ignoring = "INSERT INTO t (k, n) VALUES (?, ?) ON CONFLICT DO NOTHING"
                #expect(try connection.execute(ignoring, ["a", 9]) == 0)
                #expect(try connection.execute(ignoring, ["b", 9]) == 1)
                #expect(try connection.execute("UPDATE t SET n = n + 1") == 2)
                #expect(try connection.execute("SELECT * FROM t") == 0)
                #expect(try connection.execute("CREATE TABLE u (k TEXT)") == 0)
                let rows = try connection.query(
                    "WITH big AS (SELECT k, n FROM t WHERE n > ?) SELECT k FROM big ORDER BY k LIMIT ?", [8, 10])
                #expect(try rows.map { try $0.text("k") } == ["b"])
                #expect(try connection.query("DELETE FROM t WHERE k = ? RETURNING k", ["a"]).count == 1)
                #expect(try connection.execute("DELETE FROM t WHERE k = ?", ["nobody"]) == 0)
            }
        }
    }

    @Test("work is claimed with the dialect's SKIP LOCKED", arguments: TestDriver.available)
    func claiming(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            let claimed = try await database.write { connection in
                try connection.execute("CREATE TABLE jobs (id BIGINT PRIMARY KEY, owner TEXT)")
                try connection.execute("INSERT INTO jobs (id) VALUES (1), (2), (3)")
                let skip = connection.dialect.skipLocked
                return try connection.query(
                    """
                    UPDATE jobs SET owner = ? WHERE id IN
                        (SELECT id FROM jobs WHERE owner IS NULL ORDER BY id LIMIT ? \(skip)) RETURNING id
                    """, ["me", 2]
                ).map { try $0.int("id") }
            }
            #expect(claimed.sorted() == [1, 2])
        }
    }

    @Test("a column that is not there, or of another type, is an error", arguments: TestDriver.available)
    func missingColumns(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            let row = try await database.read { try $0.query("SELECT 'x' AS name, NULL AS void")[0] }
            for read in [{ _ = try row.int("nmae") }, { _ = try row.int("name") }, { _ = try row.text("void") }] {
                #expect(throws: SQLError.self) { try read() }
            }
            #expect(try row.optionalText("void") == nil)
        }
    }

    @Test("a kept statement sees a column added later", arguments: TestDriver.available)
    func schemaChange(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            try await database.write { connection in
                try connection.execute("CREATE TABLE t (a BIGINT)")
                try connection.execute("INSERT INTO t (a) VALUES (1)")
            }
            let select = { @Sendable (connection: any SQLConnection) in try connection.query("SELECT * FROM t") }
            for _ in 0..<10 { #expect(try await database.read(select)[0].columns.names == ["a"]) }
            #expect(try await database.write(select)[0].columns.names == ["a"])
            try await database.write { try $0.execute("ALTER TABLE t ADD COLUMN b BIGINT DEFAULT 7") }
            #expect(try await database.read(select)[0].int("b") == 7)
            #expect(try await database.write(select)[0].int("b") == 7)
        }
    }
}
