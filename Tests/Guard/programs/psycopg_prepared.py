"""psycopg 3: named statements: its own, libpq's, and SQL's PREPARE; across clients, errors and DDL."""

import psycopg
from psycopg import pq
from transcript import attempt, case, main, say


def connect(url, threshold=0, **options):
    connection = psycopg.connect(url, autocommit=True, **options)
    connection.prepare_threshold = threshold
    return connection


def result(outcome):
    say(
        outcome.status,
        outcome.command_status,
        outcome.error_field(pq.DiagnosticField.SQLSTATE),
        outcome.error_message,
        [[outcome.get_value(row, column) for column in range(outcome.nfields)] for row in range(outcome.ntuples)],
    )


@case("the same statement on ten clients in turn")
def same(url):
    connections = [connect(url) for _ in range(10)]
    for turn in range(4):
        say(
            [
                connection.execute("SELECT %s::int + 1", (number * 100 + turn,)).fetchone()
                for number, connection in enumerate(connections)
            ]
        )
    for connection in connections:
        connection.close()


@case("the same name with another text on each client")
def other_texts(url):
    connections = [connect(url) for _ in range(8)]
    for number, connection in enumerate(connections):
        connection.pgconn.prepare(b"mine", f"SELECT 'client {number}', $1::int".encode())
    for turn in range(3):
        for connection in connections:
            result(connection.pgconn.exec_prepared(b"mine", [str(turn).encode()]))
    for connection in connections:
        result(connection.pgconn.describe_prepared(b"mine"))
        connection.close()


@case("the same text with other types of parameters")
def other_types(url):
    with connect(url) as one, connect(url) as two:
        result(one.pgconn.prepare(b"typed", b"SELECT pg_typeof($1), $1", [23]))
        result(two.pgconn.prepare(b"typed", b"SELECT pg_typeof($1), $1", [25]))
        for _ in range(2):
            for connection in (one, two):
                result(connection.pgconn.exec_prepared(b"typed", [b"1"]))


@case("a name that is taken, missing, closed or was never good")
def names(url):
    with connect(url) as connection:
        pgconn = connection.pgconn
        result(pgconn.prepare(b"a", b"SELECT 1"))
        result(pgconn.prepare(b"a", b"SELECT 2"))
        result(pgconn.prepare(b"a", b"SELECT 1"))
        result(pgconn.exec_prepared(b"a", []))
        result(pgconn.exec_prepared(b"missing", []))
        result(pgconn.describe_prepared(b"missing"))
        result(pgconn.prepare(b"bad", b"SELECT nothing"))
        result(pgconn.exec_prepared(b"bad", []))
        result(pgconn.prepare(b"bad", b"SELECT 'now good'"))
        result(pgconn.exec_prepared(b"bad", []))
        result(pgconn.exec_prepared(b"a", [b"1"]))
        result(pgconn.exec_(b'DEALLOCATE "a"'))
        result(pgconn.exec_prepared(b"a", []))
        result(pgconn.prepare(b"a", b"SELECT 'again'"))
        result(pgconn.exec_prepared(b"a", []))
        result(pgconn.exec_(b"DEALLOCATE missing"))
        name = b"n" * 100
        result(pgconn.prepare(name, b"SELECT 'long name'"))
        result(pgconn.exec_prepared(name, []))
        result(pgconn.exec_prepared(name[:63], []))
        result(pgconn.prepare(b"", b"SELECT 'unnamed', $1::int"))
        result(pgconn.exec_prepared(b"", [b"1"]))
        result(pgconn.exec_(b"SELECT 'a simple query ends the unnamed one'"))
        result(pgconn.exec_prepared(b"", [b"1"]))


@case("DEALLOCATE ALL and DISCARD ALL forget the client's own, and nobody else's")
def forget(url):
    with connect(url) as one, connect(url) as two:
        for sql in (b"DEALLOCATE ALL", b"DISCARD PLANS", b"DISCARD ALL", b"DEALLOCATE PREPARE ALL"):
            for connection in (one, two):
                result(connection.pgconn.prepare(b"kept", b"SELECT 'kept'"))
            result(one.pgconn.exec_(sql))
            for connection in (one, two):
                result(connection.pgconn.exec_prepared(b"kept", []))
            result(two.pgconn.exec_(b"DEALLOCATE kept"))


@case("psycopg's own statements over DEALLOCATE ALL, errors and rollbacks")
def automatic(url):
    with connect(url) as connection:
        connection.execute("CREATE TABLE conformance.auto (n int)")
        for turn in range(3):
            connection.execute("INSERT INTO conformance.auto VALUES (%s)", (turn,))
            attempt(connection.execute, "SELECT 1 / %s::int", (turn,))
        connection.execute("BEGIN")
        connection.execute("INSERT INTO conformance.auto SELECT %s::int", (9,))
        connection.execute("ROLLBACK")
        connection.execute("INSERT INTO conformance.auto SELECT %s::int", (10,))
        connection.execute("DEALLOCATE ALL")
        connection.execute("INSERT INTO conformance.auto SELECT %s::int", (11,))
        say(connection.execute("SELECT n FROM conformance.auto ORDER BY n").fetchall())
        for number in range(150):
            connection.execute(f"SELECT {number}, %s::int", (number,))
        say(connection.execute("SELECT 0, %s::int", (1,)).fetchall())


@case(
    "a statement whose table changes",
    differs="a plan that went stale is often made anew, without the error",
    where="0A000|SELECT 1",
)
def changed(url):
    with connect(url) as one, connect(url) as two:
        one.execute("CREATE TABLE conformance.changing (a int)")
        one.execute("INSERT INTO conformance.changing VALUES (1)")
        for connection in (one, two):
            result(connection.pgconn.prepare(b"all", b"SELECT * FROM conformance.changing"))
            result(connection.pgconn.exec_prepared(b"all", []))
        one.execute("ALTER TABLE conformance.changing ADD COLUMN b text DEFAULT 'new'")
        for connection in (one, two):
            result(connection.pgconn.exec_prepared(b"all", []))
        # What a driver does then: prepare it anew under another name.
        for connection in (one, two):
            result(connection.pgconn.prepare(b"all2", b"SELECT * FROM conformance.changing"))
            result(connection.pgconn.exec_prepared(b"all2", []))
        one.execute("DROP TABLE conformance.changing")
        for connection in (one, two):
            result(connection.pgconn.exec_prepared(b"all2", []))


@case(
    "SQL's PREPARE and EXECUTE",
    differs="a server knows the protocol's statements by names of the guard",
    where='by protocol|prepared statement "shared" does not exist',
)
def sql_prepare(url):
    with connect(url, threshold=None) as one, connect(url, threshold=None) as two:
        one.execute("PREPARE plan (int) AS SELECT 'one', $1 * 2")
        two.execute("PREPARE plan (int) AS SELECT 'two', $1 * 3")
        for turn in range(3):
            say(one.execute(f"EXECUTE plan({turn})").fetchall(), two.execute(f"EXECUTE plan({turn})").fetchall())
        attempt(one.execute, "PREPARE plan AS SELECT 1")
        one.execute("DEALLOCATE plan")
        attempt(one.execute, "EXECUTE plan(1)")
        say(two.execute("EXECUTE plan(1)").fetchall())
        say(two.execute("SELECT name, statement, from_sql FROM pg_prepared_statements WHERE name = 'plan'").fetchall())
        # The two name spaces are one.
        result(one.pgconn.prepare(b"shared", b"SELECT 'by protocol'"))
        attempt(lambda: say(one.execute("EXECUTE shared").fetchall()))
        one.execute("PREPARE by_sql AS SELECT 'by SQL'")
        result(one.pgconn.exec_prepared(b"by_sql", []))


@case("statements prepared inside a transaction that is rolled back stay")
def rolled_back(url):
    with connect(url, threshold=None) as connection:
        connection.execute("BEGIN")
        result(connection.pgconn.prepare(b"inside", b"SELECT 'inside'"))
        connection.execute("ROLLBACK")
        result(connection.pgconn.exec_prepared(b"inside", []))
        connection.execute("BEGIN")
        attempt(connection.execute, "SELECT 1/0")
        result(connection.pgconn.prepare(b"failed", b"SELECT 'failed'"))
        connection.execute("ROLLBACK")
        result(connection.pgconn.exec_prepared(b"failed", []))


@case("many statements on many clients", deadline=60)
def many(url):
    connections = [connect(url, threshold=None) for _ in range(6)]
    wrong = 0
    for number in range(120):
        for place, connection in enumerate(connections):
            connection.pgconn.prepare(f"s{number}".encode(), f"SELECT '{place}-{number}', $1::text".encode())
    for number in range(119, -1, -1):
        for place, connection in enumerate(connections):
            outcome = connection.pgconn.exec_prepared(f"s{number}".encode(), [b"x"])
            wrong += outcome.get_value(0, 0) != f"{place}-{number}".encode()
    say("wrong answers", wrong)
    for connection in connections:
        connection.close()


main()
