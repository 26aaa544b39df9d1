import Testing

@testable import PGWire

/// A text, and what has to be found in it.
struct QueriesSample: Sendable, CustomTestStringConvertible {
    var text: String
    var kind: QueryKind
    var taints: SessionTaint
    var clears: SessionTaint
    var isReadOnly: Bool

    init(
        _ text: String, _ kind: QueryKind, _ taints: SessionTaint = [], clears: SessionTaint = [],
        readOnly: Bool = false
    ) {
        self.text = text
        self.kind = kind
        self.taints = taints
        self.clears = clears
        isReadOnly = readOnly
    }

    var testDescription: String { text }
}

@Suite("Query kinds and taints")
struct QueriesTaintTests {
    static let anySetting: SessionTaint = [.settings, .role, .authorization]
    static let all: [QueriesSample] = rows + settings + functions + kinds

    @Test("a text's kind and what it leaves behind are found", arguments: all)
    func finds(sample: QueriesSample) {
        let info = Queries.info(sample.text)
        #expect(info.kind == sample.kind)
        #expect(info.taints == sample.taints, "found \(info.taints)")
        #expect(info.clears == sample.clears, "found \(info.clears)")
        #expect(info.isReadOnly == sample.isReadOnly)
    }

    @Test("the second look says the same as the first", arguments: all)
    func repeats(sample: QueriesSample) {
        let catalog = QueryCatalog(seed: 3)
        let first = Queries.look(catalog, sample.text)
        for _ in 0..<3 { #expect(Queries.look(catalog, sample.text) === first) }
        #expect(catalog.counters.looks == 4)
    }

    @Test("comments, space and letter case hide nothing", arguments: all)
    func seesThrough(sample: QueriesSample) {
        guard !Queries.tokens(Array(sample.text.utf8)).isBroken else { return }
        var chance = QueriesChance(seed: UInt64(sample.text.utf8.count))
        for _ in 0..<4 {
            let text = Queries.disguised(sample.text, &chance)
            let info = Queries.info(text)
            #expect(info.taints == sample.taints && info.clears == sample.clears, "\(text): \(info.taints)")
            #expect(info.kind == sample.kind && info.isReadOnly == sample.isReadOnly, "\(text)")
        }
    }

    static let rows: [QueriesSample] = [
        QueriesSample("PREPARE p AS SELECT 1", .prepare, .prepare),
        QueriesSample("prepare transaction AS SELECT 1", .prepare, .prepare),
        QueriesSample("PREPARE p (int) AS SELECT set_config('a.b', $1, false)", .prepare, [.prepare, .settings]),
        QueriesSample("PREPARE TRANSACTION 'x'", .utility),
        QueriesSample("DEALLOCATE p", .prepare),
        QueriesSample("DEALLOCATE ALL", .prepare, clears: .prepare),
        QueriesSample("DEALLOCATE PREPARE ALL;", .prepare, clears: .prepare),
        QueriesSample("DEALLOCATE \"all\"", .prepare),
        QueriesSample("EXECUTE p(1, 'a')", .execute),
        QueriesSample("LISTEN channel", .utility, .listen),
        QueriesSample("/* hi */ listen \"Channel\"", .utility, .listen),
        QueriesSample("UNLISTEN channel", .utility),
        QueriesSample("UNLISTEN *", .utility, clears: .listen),
        QueriesSample("UNLISTEN\n/* all */\n*;", .utility, clears: .listen),
        QueriesSample("NOTIFY channel, 'payload'", .utility),
        QueriesSample("LOAD 'auto_explain'", .utility, .backend),
        QueriesSample("DISCARD ALL", .utility, clears: .discardable),
        QueriesSample("discard /* everything */ all ;", .utility, clears: .discardable),
        QueriesSample("DISCARD TEMP", .utility, clears: .temporary),
        QueriesSample("DISCARD TEMPORARY", .utility, clears: .temporary),
        QueriesSample("DISCARD PLANS", .utility),
        QueriesSample("DISCARD SEQUENCES", .utility),
        QueriesSample("CREATE TEMP TABLE t (a int)", .ddl, .temporary),
        QueriesSample("create temporary table t as select 1", .ddl, .temporary),
        QueriesSample("CREATE/**/TEMP/**/TABLE t (a int)", .ddl, .temporary),
        QueriesSample("CREATE LOCAL TEMP TABLE t (a int)", .ddl, .temporary),
        QueriesSample("CREATE GLOBAL TEMPORARY TABLE t (a int)", .ddl, .temporary),
        QueriesSample("CREATE TEMP TABLE t (a int) ON COMMIT DROP", .ddl),
        QueriesSample("CREATE TEMP TABLE t ON COMMIT /* x */ DROP AS SELECT 1", .ddl),
        QueriesSample("CREATE TEMP TABLE t (a int) ON COMMIT DELETE ROWS", .ddl, .temporary),
        QueriesSample("CREATE TEMP TABLE \"on commit drop\" (a int)", .ddl, .temporary),
        QueriesSample("CREATE OR REPLACE TEMP VIEW v AS SELECT 1", .ddl, .temporary),
        QueriesSample("CREATE TEMP SEQUENCE s", .ddl, .temporary),
        QueriesSample("CREATE TABLE pg_temp.t (a int)", .ddl, .temporary),
        QueriesSample("CREATE TABLE \"pg_temp\".t (a int)", .ddl, .temporary),
        QueriesSample("CREATE TABLE \"PG_TEMP\".t (a int)", .ddl),
        QueriesSample("CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'select 1'", .ddl, .temporary),
        QueriesSample("CREATE TABLE pg_temp_3.t (a int)", .ddl, .temporary),
        QueriesSample("CREATE TABLE temp (a int)", .ddl),
        QueriesSample("CREATE UNLOGGED TABLE t (temporary int)", .ddl),
        QueriesSample("SELECT * INTO TEMP t FROM u", .select, .temporary),
        QueriesSample("SELECT * INTO TEMPORARY TABLE t FROM u", .select, .temporary),
        QueriesSample("SELECT * INTO LOCAL TEMP t FROM u", .select, .temporary),
        QueriesSample("SELECT * INTO t FROM u", .select),
        QueriesSample("INSERT INTO temp VALUES (1)", .insert),
        QueriesSample("INSERT INTO t (temp, temporary) VALUES (1, 2)", .insert),
        QueriesSample("SELECT temp, temporary FROM weather", .select, readOnly: true),
        QueriesSample("EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1", .explain, .temporary),
        QueriesSample("DECLARE c CURSOR FOR SELECT 1", .cursor),
        QueriesSample("DECLARE c CURSOR WITH HOLD FOR SELECT 1", .cursor, .heldCursor),
        QueriesSample("declare c no scroll cursor with -- x\n hold for select 1", .cursor, .heldCursor),
        QueriesSample("DECLARE c CURSOR WITHOUT HOLD FOR SELECT 1", .cursor),
        QueriesSample("FETCH 10 FROM c", .cursor),
        QueriesSample("MOVE c", .cursor),
        QueriesSample("CLOSE c", .cursor),
        QueriesSample("CLOSE ALL", .cursor, clears: .heldCursor),
        QueriesSample("DO $$ BEGIN PERFORM 1; END $$", .call),
        QueriesSample("DO $$ BEGIN PERFORM pg_advisory_lock(1); END $$", .call, .advisoryLock),
        QueriesSample("DO 'BEGIN PERFORM set_config(''a.b'', ''c'', false); END'", .call, anySetting),
        QueriesSample("DO $x$ BEGIN CREATE TEMP TABLE t (a int); END $x$", .call, .temporary),
        QueriesSample("DO $$ BEGIN SET work_mem = '1GB'; END $$", .call, anySetting),
        QueriesSample("DO $$ BEGIN SET LOCAL work_mem = '1GB'; END $$", .call),
        QueriesSample("DO $$ BEGIN UPDATE t SET a = 1; END $$", .call),
        QueriesSample("DO $$ BEGIN IF true THEN LISTEN x; END IF; END $$", .call, .listen),
        QueriesSample("DO $$ BEGIN EXECUTE 'LISTEN x'; END $$", .call, .listen),
        QueriesSample("DO $a$ BEGIN EXECUTE $b$ LOAD 'x' $b$; END $a$", .call, .backend),
        QueriesSample("DO E'BEGIN PERFORM pg_advisory\\x5flock(1); END'", .call, .unreadable),
        QueriesSample("DO LANGUAGE plpgsql $$ BEGIN NULL; END $$", .call),
        QueriesSample("CALL refresh(1)", .call),
        QueriesSample("SELECT 'abc", .select, .unreadable),
        QueriesSample("SELECT 1 /* abc", .select, .unreadable),
        QueriesSample("SELECT \"abc", .select, .unreadable),
        QueriesSample("FLY ME TO THE MOON", .unknown, .unreadable),
        QueriesSample("1", .unknown, .unreadable),
        QueriesSample("SELECT U&\"pg\\005fadvisory_lock\"(1)", .select, .unreadable),
        QueriesSample("SELECT U&\"pg!005fadvisory_lock\" UESCAPE '!' (1)", .select, .unreadable),
        QueriesSample("SELECT U&\"a\" FROM t", .select, readOnly: true),
    ]

    static let settings: [QueriesSample] = [
        QueriesSample("SET work_mem = '64MB'", .set, .settings),
        QueriesSample("set session work_mem to default", .set, .settings),
        QueriesSample("SET LOCAL work_mem = '64MB'", .set),
        QueriesSample("SET\n-- LOCAL\nwork_mem = 1", .set, .settings),
        QueriesSample("SET local = 1", .set, .settings),
        QueriesSample("SET local.x TO 1", .set, .settings),
        QueriesSample("SET session.x TO 1", .set, .settings),
        QueriesSample("SET my.user_id = '5'", .set, .settings),
        QueriesSample("SET \"Work_Mem\" = 1", .set, .settings),
        QueriesSample("SET search_path FROM CURRENT", .set, .settings),
        QueriesSample("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", .set),
        QueriesSample("SET TRANSACTION READ ONLY", .set),
        QueriesSample("SET LOCAL TRANSACTION READ ONLY", .set),
        QueriesSample("SET CONSTRAINTS ALL DEFERRED", .set),
        QueriesSample("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", .set, .settings),
        QueriesSample("SET LOCAL SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", .set),
        QueriesSample("SET TIME ZONE 'UTC'", .set, .settings),
        QueriesSample("SET TIME ZONE LOCAL", .set, .settings),
        QueriesSample("SET TIME ZONE INTERVAL '-1' HOUR TO MINUTE", .set, .settings),
        QueriesSample("SET LOCAL TIME ZONE 'UTC'", .set),
        QueriesSample("SET NAMES 'utf8'", .set, .settings),
        QueriesSample("SET NAMES", .set, .settings),
        QueriesSample("SET NAMES 'SJIS'", .set, [.settings, .unreadable]),
        QueriesSample("SET client_encoding TO 'GB18030'", .set, [.settings, .unreadable]),
        QueriesSample("SET client_encoding TO LATIN1", .set, .settings),
        QueriesSample("SET SCHEMA 'x'", .set, .settings),
        QueriesSample("SET XML OPTION DOCUMENT", .set, .settings),
        QueriesSample("SET standard_conforming_strings = off", .set, [.settings, .unreadable]),
        QueriesSample("SET standard_conforming_strings = on", .set, .settings),
        QueriesSample("SET LOCAL standard_conforming_strings = off", .set, .unreadable),
        QueriesSample("SET search_path = pg_temp, public", .set, [.settings, .temporary]),
        QueriesSample("SET search_path = 'PG_Temp'", .set, [.settings, .temporary]),
        QueriesSample("SET LOCAL search_path = pg_temp", .set, .temporary),
        QueriesSample("SET seed = 0.5", .set, .backend),
        QueriesSample("SET ROLE admin", .set, .role),
        QueriesSample("SET ROLE NONE", .set, .role),
        QueriesSample("SET SESSION ROLE admin", .set, .role),
        QueriesSample("SET LOCAL ROLE admin", .set),
        QueriesSample("SET role = 'admin'", .set, .role),
        QueriesSample("SET \"role\" TO admin", .set, .role),
        QueriesSample("SET SESSION AUTHORIZATION bob", .set, .authorization),
        QueriesSample("SET SESSION SESSION AUTHORIZATION bob", .set, .authorization),
        QueriesSample("SET LOCAL SESSION AUTHORIZATION bob", .set),
        QueriesSample("SET SESSION AUTHORIZATION DEFAULT", .set, clears: .authorization),
        QueriesSample("SET session_authorization TO bob", .set, .authorization),
        QueriesSample("RESET ALL", .set, clears: .settings),
        QueriesSample("RESET work_mem", .set, .settings),
        QueriesSample("RESET TIME ZONE", .set, .settings),
        QueriesSample("RESET ROLE", .set, clears: .role),
        QueriesSample("RESET SESSION AUTHORIZATION", .set, clears: .authorization),
        QueriesSample("RESET TRANSACTION ISOLATION LEVEL", .set),
        QueriesSample("UPDATE pg_settings SET setting = '1' WHERE name = 'work_mem'", .update, anySetting),
        QueriesSample(
            "WITH x AS (UPDATE \"pg_catalog\".\"pg_settings\" SET setting = '1' RETURNING 1) SELECT 1", .select,
            anySetting),
        QueriesSample("SELECT * FROM pg_settings", .select, readOnly: true),
        QueriesSample("SELECT 1; SET work_mem = 1", .multi, .settings),
        QueriesSample("RESET ALL; SET work_mem = 1", .multi, .settings, clears: .settings),
        QueriesSample("SELECT ';'; /* ; */ LISTEN x; CREATE TEMP TABLE t (a int)", .multi, [.listen, .temporary]),
        QueriesSample("BEGIN; SET LOCAL work_mem = 1; SELECT 1; COMMIT", .multi),
        QueriesSample("SELECT begin atomic FROM t; LISTEN x", .multi, .listen),
        QueriesSample("SELECT 1INTO TEMP t FROM u", .select, .temporary),
    ]

    static let functions: [QueriesSample] = [
        QueriesSample("SELECT set_config('work_mem', '1', false)", .select, .settings),
        QueriesSample("SELECT set_config('work_mem', '1', true)", .select),
        QueriesSample("SELECT set_config('work_mem', '1', TRUE)", .select),
        QueriesSample("SELECT set_config('work_mem', '1', 't')", .select, .settings),
        QueriesSample("SELECT set_config('work_mem', '1', not true)", .select, .settings),
        QueriesSample("SELECT set_config('work_mem', '1', true and false)", .select, .settings),
        QueriesSample("SELECT set_config('work_mem', '1', $1)", .select, .settings),
        QueriesSample("SELECT set_config('work_mem', '1', is_local => true)", .select),
        QueriesSample("SELECT set_config('work_mem', f('a', true), true)", .select),
        QueriesSample("SELECT set_config($1, $2, false)", .select, anySetting),
        QueriesSample("SELECT set_config($1, $2, true)", .select),
        QueriesSample("SELECT set_config('role', 'x', false)", .select, .role),
        QueriesSample("SELECT set_config('session_authorization', 'x', false)", .select, .authorization),
        QueriesSample("SELECT set_config('Role', 'x', false)", .select, .role),
        QueriesSample("SELECT set_config('ro' || 'le', 'x', false)", .select, anySetting),
        QueriesSample("SELECT set_config('search_path', 'pg_temp', true)", .select, .temporary),
        QueriesSample("SELECT set_config('standard_conforming_strings', 'off', true)", .select, .unreadable),
        QueriesSample("SELECT pg_catalog.set_config('work_mem', '1', false)", .select, .settings),
        QueriesSample("SELECT \"set_config\"('work_mem', '1', false)", .select, .settings),
        QueriesSample("SELECT Set_Config /* x */ ('work_mem', '1', false)", .select, .settings),
        QueriesSample("SELECT set_config -- (\n ('work_mem', '1', false)", .select, .settings),
        QueriesSample("WITH x AS (SELECT set_config('work_mem', '1', false)) SELECT 1", .select, .settings),
        QueriesSample("INSERT INTO t SELECT set_config('work_mem', '1', false)", .insert, .settings),
        QueriesSample("EXPLAIN ANALYZE SELECT set_config('work_mem', '1', false)", .explain, .settings),
        QueriesSample("SELECT set_config(name, setting, false) FROM saved", .select, anySetting),
        QueriesSample("SELECT 'set_config(1)', \"SET_CONFIG\"(1)", .select, readOnly: true),
        QueriesSample("SELECT set_config FROM t", .select, readOnly: true),
        QueriesSample("SELECT set_limit(0.3)", .select, .settings),
        QueriesSample("SELECT setseed(0.5)", .select, .backend),
        QueriesSample("SELECT pg_advisory_lock(1)", .select, .advisoryLock),
        QueriesSample("select PG_ADVISORY_LOCK (1, 2)", .select, .advisoryLock),
        QueriesSample("SELECT pg_try_advisory_lock(1)", .select, .advisoryLock),
        QueriesSample("SELECT pg_advisory_lock_shared(1)", .select, .advisoryLock),
        QueriesSample("SELECT pg_try_advisory_lock_shared(1)", .select, .advisoryLock),
        QueriesSample("SELECT pg_catalog . pg_advisory_lock(1)", .select, .advisoryLock),
        QueriesSample("SELECT \"pg_catalog\".\"pg_advisory_lock\"(1)", .select, .advisoryLock),
        QueriesSample("SELECT U&\"pg_advisory_lock\"(1)", .select, .advisoryLock),
        QueriesSample("SELECT * FROM t WHERE pg_try_advisory_lock(t.id) LIMIT 1", .select, .advisoryLock),
        QueriesSample("UPDATE t SET a = 1 WHERE pg_try_advisory_lock(id)", .update, .advisoryLock),
        QueriesSample("SELECT pg_advisory_xact_lock(1)", .select, readOnly: true),
        QueriesSample("SELECT pg_try_advisory_xact_lock(1)", .select, readOnly: true),
        QueriesSample("SELECT pg_advisory_xact_lock_shared(1)", .select, readOnly: true),
        QueriesSample("SELECT pg_advisory_unlock(1)", .select),
        QueriesSample("SELECT pg_advisory_unlock_all()", .select, clears: .advisoryLock),
        QueriesSample("select pg_catalog.pg_advisory_unlock_all ( ) ;", .select, clears: .advisoryLock),
        QueriesSample("SELECT pg_advisory_unlock_all() FROM t", .select),
        QueriesSample("SELECT currval('s')", .select, readOnly: true),
        QueriesSample("SELECT lastval()", .select, readOnly: true),
        QueriesSample("SELECT nextval('s')", .select),
        QueriesSample("SELECT pg_backend_pid()", .select, readOnly: true),
        QueriesSample("SELECT dblink_connect('c', 'host=x')", .select, .backend),
        QueriesSample("SELECT pg_create_logical_replication_slot('s', 'p', true)", .select, .backend),
        QueriesSample("SELECT query_to_xml('select 1', true, true, '')", .select, .unreadable),
    ]

    static let kinds: [QueriesSample] = [
        QueriesSample("", .empty),
        QueriesSample(" ; ;; -- nothing\n", .empty),
        QueriesSample("SELECT 1", .select, readOnly: true),
        QueriesSample(";;SELECT 1;;", .select, readOnly: true),
        QueriesSample("sElEcT 1", .select, readOnly: true),
        QueriesSample("(SELECT 1) UNION (SELECT 2)", .select, readOnly: true),
        QueriesSample("((SELECT 1))", .select, readOnly: true),
        QueriesSample("VALUES (1), (2)", .select, readOnly: true),
        QueriesSample("TABLE t", .select, readOnly: true),
        QueriesSample("WITH x AS (SELECT 1) SELECT * FROM x", .select, readOnly: true),
        QueriesSample("WITH RECURSIVE x AS (SELECT 1 UNION ALL SELECT a FROM x) TABLE x", .select, readOnly: true),
        QueriesSample("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", .insert),
        QueriesSample("WITH x AS (SELECT 1), y AS MATERIALIZED (SELECT 2) UPDATE t SET a = 1", .update),
        QueriesSample("WITH x AS (SELECT 1) DELETE FROM t", .delete),
        QueriesSample("WITH x AS (INSERT INTO t VALUES (1) RETURNING a) SELECT * FROM x", .select),
        QueriesSample("WITH x AS (WITH y AS (SELECT 1) DELETE FROM t RETURNING a) SELECT * FROM x", .select),
        QueriesSample("SELECT * FROM t FOR UPDATE", .select),
        QueriesSample("SELECT * FROM t FOR NO KEY UPDATE SKIP LOCKED", .select),
        QueriesSample("SELECT * FROM t FOR SHARE", .select),
        QueriesSample("SELECT * FROM t FOR KEY SHARE", .select),
        QueriesSample("SELECT substring(a FOR 3) FROM t", .select, readOnly: true),
        QueriesSample("SELECT a AS \"update\", 'for update' FROM t", .select, readOnly: true),
        QueriesSample("SELECT * FROM a, b WHERE a.x = b.x", .select, readOnly: true),
        QueriesSample("INSERT INTO t VALUES (1)", .insert),
        QueriesSample("INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1", .insert),
        QueriesSample("UPDATE t SET a = 1", .update),
        QueriesSample("DELETE FROM t", .delete),
        QueriesSample("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", .merge),
        QueriesSample("COPY t FROM STDIN", .copy),
        QueriesSample("COPY (SELECT 1) TO STDOUT", .copy),
        QueriesSample("BEGIN", .begin),
        QueriesSample("begin isolation level serializable", .begin),
        QueriesSample("START TRANSACTION READ ONLY", .begin),
        QueriesSample("COMMIT", .commit),
        QueriesSample("COMMIT AND CHAIN", .commit),
        QueriesSample("END", .commit),
        QueriesSample("COMMIT PREPARED 'x'", .utility),
        QueriesSample("ROLLBACK", .rollback),
        QueriesSample("ABORT", .rollback),
        QueriesSample("ROLLBACK PREPARED 'x'", .utility),
        QueriesSample("ROLLBACK TO s", .savepoint),
        QueriesSample("ROLLBACK TRANSACTION TO SAVEPOINT s", .savepoint),
        QueriesSample("SAVEPOINT s", .savepoint),
        QueriesSample("RELEASE s", .savepoint),
        QueriesSample("SHOW work_mem", .show),
        QueriesSample("EXPLAIN SELECT 1", .explain),
        QueriesSample("CREATE TABLE t (a int)", .ddl),
        QueriesSample("ALTER TABLE t ADD b int", .ddl),
        QueriesSample("ALTER ROLE x SET work_mem = 1", .ddl),
        QueriesSample("DROP TABLE t", .ddl),
        QueriesSample("TRUNCATE t", .ddl),
        QueriesSample("GRANT SELECT ON t TO x", .ddl),
        QueriesSample("CREATE INDEX CONCURRENTLY i ON t (a)", .ddl),
        QueriesSample("CREATE FUNCTION f() RETURNS int SET work_mem = 1 LANGUAGE sql AS 'select 1'", .ddl),
        QueriesSample(
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END", .ddl),
        QueriesSample("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", .ddl),
        QueriesSample("VACUUM t", .utility),
        QueriesSample("ANALYZE", .utility),
        QueriesSample("LOCK TABLE t", .utility),
        QueriesSample("SELECT 1; SELECT 2", .multi, readOnly: true),
        QueriesSample("SELECT 1; DELETE FROM t", .multi),
        QueriesSample("BEGIN; SELECT 1", .multi),
    ]

    @Test("what is only worth a note is noted")
    func findsNotes() {
        #expect(Queries.info("CALL f()").notes == .callsCode)
        #expect(Queries.info("DO 'x'").notes == .callsCode)
        #expect(Queries.info("EXECUTE p").notes == .usesPrepared)
        for text in ["CREATE TABLE t ()", "SELECT 1; alter type t rename to u", "DROP VIEW v"] {
            #expect(Queries.info(text).notes == .changesSchema, "\(text)")
        }
        #expect(Queries.info("TRUNCATE t; GRANT a TO b; SELECT 'drop table t'").notes == [])
        #expect(Queries.info("SELECT currval('s'), pg_backend_pid()").notes == [.readsSequence, .readsBackend])
        #expect(Queries.info("DO $$ BEGIN PERFORM lastval(); END $$").notes == [.callsCode, .readsSequence])
    }

    @Test("a session's taints grow by what a text leaves and shrink by what it clears")
    func state() {
        let begin: SessionTaint = [.settings, .listen, .backend]
        #expect(begin.after(Queries.info("DISCARD ALL")) == .backend)
        #expect(begin.after(Queries.info("RESET ALL; SET a.b = 1")) == begin)
        #expect(begin.after(Queries.info("UNLISTEN *")) == [.settings, .backend])
        #expect(begin.description == "settings, listen, backend")
    }

    struct Setting: Sendable, CustomTestStringConvertible {
        var text: String
        var statement: String?

        var testDescription: String { text }
    }

    static let plain: [Setting] = [
        Setting(text: "SET Work_Mem = '64MB'", statement: "SET \"work_mem\" TO '64MB'"),
        Setting(text: "set session work_mem to 1024;", statement: "SET \"work_mem\" TO '1024'"),
        Setting(text: "SET a.B TO -1.5", statement: "SET \"a\".\"b\" TO '-1.5'"),
        Setting(text: "SET x TO DEFAULT", statement: "SET \"x\" TO DEFAULT"),
        Setting(text: "RESET x", statement: "SET \"x\" TO DEFAULT"),
        Setting(text: "SET x = ON", statement: "SET \"x\" TO 'on'"),
        Setting(text: "SET search_path TO A, \"B\", 'it''s'", statement: "SET \"search_path\" TO 'a', 'B', 'it''s'"),
        Setting(text: "SET TIME ZONE 'UTC'", statement: "SET \"timezone\" TO 'UTC'"),
        Setting(text: "SET TIME ZONE LOCAL", statement: "SET \"timezone\" TO DEFAULT"),
        Setting(text: "SET TIME ZONE -7", statement: "SET \"timezone\" TO '-7'"),
        Setting(text: "SET NAMES 'utf8'", statement: "SET \"client_encoding\" TO 'utf8'"),
        Setting(text: "SET SCHEMA 'x'", statement: "SET \"search_path\" TO 'x'"),
        Setting(text: "SET LOCAL x = 1", statement: nil),
        Setting(text: "SET x = 1; SELECT 1", statement: nil),
        Setting(text: "SELECT 1; SET x = 1", statement: nil),
        Setting(text: "SET x FROM CURRENT", statement: nil),
        Setting(text: "SET x = E'a'", statement: nil),
        Setting(text: "SET x = 'a'\n'b'", statement: nil),
        Setting(text: "SET x = 1 2", statement: nil),
        Setting(text: "SET x = a,", statement: nil),
        Setting(text: "SET TIME ZONE INTERVAL '1' HOUR TO MINUTE", statement: nil),
        Setting(text: "SELECT set_config('a', 'b', false)", statement: nil),
        Setting(text: "SET ROLE x", statement: nil),
    ]

    @Test("of several statements the settings are known, if nothing else changes them or ends the transaction")
    func settings() {
        let many = "SET a = 1; RESET b; SET c TO DEFAULT; RESET ALL; SET d = 'x', y"
        #expect(
            Queries.info(many).settings.map(\.statement) == [
                "SET \"a\" TO '1'", "SET \"b\" TO DEFAULT", "SET \"c\" TO DEFAULT", "RESET ALL",
                "SET \"d\" TO 'x', 'y'",
            ])
        #expect(Queries.info("SET a = 1; SELECT 2; SHOW a").settings.count == 1)
        #expect(Queries.info("SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL").settings == [.all])
        let others = [
            "SET LOCAL b = 1", "BEGIN", "COMMIT", "SAVEPOINT s", "ROLLBACK TO s", "SELECT set_config('a', 'b', false)",
            "DO 'BEGIN END'", "CALL f()", "CREATE TABLE t ()", "SET b FROM CURRENT", "SET b = E'x'", "DISCARD ALL",
            "SET ROLE x", "RESET ROLE", "SET SESSION AUTHORIZATION DEFAULT", "VACUUM", "nonsense", "SET b = 'x",
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "COPY t FROM stdin",
            "RESET TRANSACTION ISOLATION LEVEL",
        ]
        for other in others {
            #expect(Queries.info("SET a = 1; \(other)").settings.isEmpty, "\(other)")
            #expect(!Queries.info(other).isWhole, "\(other)")
        }
        #expect(Queries.info(String(repeating: "SET a = 1;", count: 65)).settings.isEmpty)
    }

    @Test("a setting is carried if saying it elsewhere does the same there")
    func carried() {
        let carried = [
            "SET work_mem = '64MB'", "SET x = Foo", "SET x = \"Foo\"", "SET x = ''", "SET x = -1.5", "SET a.b = 1",
            "SET search_path = a, \"B\", \"$user\", ''", "RESET x", "RESET ALL", "SET x = 'it''s'", "SET SCHEMA 'x'",
            "SET statement_timeout = 0", "SET statement_timeout = '1s'", "SET statement_timeout = 100",
        ]
        for text in carried {
            let settings = Queries.info(text).settings
            #expect(settings.count == 1 && settings.allSatisfy(\.canBeCarried), "\(text)")
        }
        let others = [
            "SET x = 010", "SET x = 0x1F", "SET x = 1e3", "SET x = E'a'", "SET x = 'a\\b'", "SET x = 'é'", "SET x = é",
            "SET x = 'a\nb'", "SET \"é\" = 1", "SET \"a$b\" = 1", "SET search_path = 1",
            "SET x = \(String(repeating: "a", count: 64))", "SET x = \"\(String(repeating: "a", count: 64))\"",
            "SET seed = 0.5", "SET role = x", "SET session_authorization = x",
            "SET transaction_isolation = 'serializable'",
            "SET temp_buffers = 100", "SET plpgsql.variable_conflict = error", "SET plperl.use_strict = on",
            "SET statement_timeout = '0100'", "SET sort_mem = 100",
            "SET statement_timeout = 99", "SET statement_timeout = '99 ms'", "SET statement_timeout = '5000us'",
            "SET statement_timeout = '0.01s'", "SET x = $$a$$", "SET array_nulls = off",
        ]
        for text in others {
            #expect(Queries.info(text).settings.allSatisfy { !$0.canBeCarried }, "\(text)")
            #expect(!Queries.info(text).taints.isEmpty, "\(text)")
        }
    }

    @Test("a plain setting can be repeated", arguments: plain)
    func isRepeatable(sample: Setting) {
        #expect(Queries.info(sample.text).setting?.statement == sample.statement)
    }
}
