"""psycopg 3: queries, values, notices, settings of the connection, limits, cancelling."""

import decimal
import os
import socket
import threading
import time

import psycopg
from psycopg import pq
from transcript import attempt, case, main, say, say_error


def connect(url, **options):
    return psycopg.connect(url, autocommit=True, **options)


@case("rows of many types")
def types(url):
    with connect(url) as connection:
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            cursor.execute(
                "SELECT 1::int2, -2::int4, 9223372036854775807::int8, 1.5::float8, 'NaN'::float4, "
                "12345678901234567890.12::numeric, "
                "true, 'text'::text, 'c'::char(3), 'v'::varchar, '\\x00ff'::bytea, '2024-02-29'::date, "
                "'2024-02-29 12:34:56.789+00'::timestamptz, '1 day 2 hours'::interval, "
                "'{\"a\": [1, null]}'::jsonb, ARRAY[1, NULL, 3], ARRAY[['a', 'b'], ['c', NULL]], "
                "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, '10.0.0.0/8'::cidr, int4range(1, 5), NULL::int"
            )
            say([(column.name, column.type_code, column.internal_size) for column in cursor.description])
            say(cursor.fetchall(), cursor.statusmessage)
        say(connection.execute("SELECT %s, %s, %s, %s", (1, "a", None, decimal.Decimal("1.10"))).fetchall())


@case("empty queries, comments and several statements")
def statements(url):
    with connect(url) as connection:
        for sql in ("", " ", ";", ";;;", "-- nothing", "/* nothing */", "SELECT 1; SELECT 2, 'b'; ; SELECT 3"):
            cursor = psycopg.ClientCursor(connection)
            cursor.execute(sql)
            results = []
            while True:
                results.append(
                    (cursor.pgresult.status, cursor.statusmessage, cursor.fetchall() if cursor.description else None)
                )
                if not cursor.nextset():
                    break
            say(sql, results)
        result = connection.pgconn.exec_params(b"", None)
        say("extended, empty:", result.status)


@case("an error in the middle of several statements undoes those before it")
def half(url):
    with connect(url) as connection:
        connection.execute("CREATE TABLE conformance.half (n int)")
        attempt(
            connection.execute,
            "INSERT INTO conformance.half VALUES (1); SELECT 1/0; INSERT INTO conformance.half VALUES (2)",
        )
        say(connection.execute("SELECT * FROM conformance.half").fetchall(), connection.info.transaction_status)
        attempt(connection.execute, "BEGIN; INSERT INTO conformance.half VALUES (3); COMMIT; SELECT 1/0")
        say(connection.execute("SELECT * FROM conformance.half").fetchall())


@case("errors keep every field")
def errors(url):
    with connect(url) as connection:
        connection.execute("CREATE TABLE conformance.strict (id int PRIMARY KEY, n int NOT NULL CHECK (n > 0))")
        for sql in (
            "SELEC 1",
            "SELECT * FROM conformance.missing",
            "SELECT nothing",
            "SELECT 1/0",
            "SELECT 'x'::int",
            "INSERT INTO conformance.strict VALUES (1, 0)",
            "INSERT INTO conformance.strict VALUES (1, NULL)",
            "SELECT lower(1, 2)",
            "DO $$ BEGIN RAISE EXCEPTION 'mine' USING DETAIL = 'd', HINT = 'h', ERRCODE = 'MY001'; END $$",
            "SELECT 1/(5-n) FROM generate_series(1, 10) n",
            "VACUUM conformance.missing",
            "\0",
        ):
            attempt(connection.execute, sql)
            attempt(connection.execute, sql + " ", prepare=True)
        connection.execute("INSERT INTO conformance.strict VALUES (1, 1)")
        attempt(connection.execute, "INSERT INTO conformance.strict VALUES (1, 1)")
        attempt(connection.execute, "SELECT %s::int", ("not a number",))
        say(connection.execute("SELECT 'still well'").fetchall())


@case("rows before an error within one result")
def late_error(url):
    with connect(url) as connection:
        cursor = connection.cursor()
        seen = []
        try:
            for row in cursor.stream("SELECT n, 1/(1001-n) FROM generate_series(1, 2000) n"):
                seen.append(row[0])
        except psycopg.Error as error:
            say_error(error)
        say("rows", seen == list(range(1, len(seen) + 1)), len(seen) > 0)
        say(connection.execute("SELECT 1").fetchall())


@case("one row of 10 MB, both ways", deadline=60)
def large(url):
    data = bytes(range(256)) * (10 * 4096)
    with connect(url) as connection:
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            say(cursor.execute("SELECT %b, length(%b)", (data, data)).fetchall())
            say(cursor.execute("SELECT repeat('ab', 5000000), 1").fetchall())
        say(connection.execute("SELECT '" + "x" * 3_000_000 + "'").fetchall())


@case("many rows, and rows of many sizes", deadline=60)
def many_rows(url):
    with connect(url) as connection:
        rows = connection.execute("SELECT n, repeat('x', n % 3000) FROM generate_series(1, 20000) n").fetchall()
        say(len(rows), sum(row[0] for row in rows), all(len(row[1]) == row[0] % 3000 for row in rows))
        count = total = 0
        for row in connection.cursor().stream("SELECT n FROM generate_series(1, 50000) n"):
            count, total = count + 1, total + row[0]
        say(count, total)


@case("a result of 1,000 columns, and of none")
def columns(url):
    with connect(url) as connection:
        cursor = connection.execute("SELECT " + ", ".join(f"{number} AS column_{number}" for number in range(1000)))
        say(len(cursor.description), cursor.description[999].name, cursor.fetchall())
        cursor = connection.execute("SELECT FROM generate_series(1, 3)")
        say(cursor.description, cursor.fetchall(), cursor.statusmessage)


@case("65,535 parameters, and one more", deadline=60)
def parameters(url):
    with connect(url) as connection:
        pgconn = connection.pgconn
        # libpq itself refuses the one more; the server, a Bind that does not fit.
        for count in (1, 1000, 65535):
            sql = (
                "SELECT " + " + ".join(f"${number}::int" for number in range(1, count + 1))
                if count <= 1000
                else ("SELECT 1 WHERE 7 IN (" + ", ".join(f"${number}::int" for number in range(1, count + 1)) + ")")
            )
            result = pgconn.exec_params(sql.encode(), [b"7"] * count)
            say(count, result.status, result.ntuples and result.get_value(0, 0), result.error_message[:200])
        say(connection.execute("SELECT 'still well'").fetchall())


@case("unicode, in names and values")
def unicode(url):
    with connect(url) as connection:
        connection.execute('CREATE TABLE conformance."größe ☃" ("ключ" text, "値" text)')
        for value in ("é", "e\u0301", "☃", "🦉" * 50, "日本語", "\u200f", "\x01\x7f"):
            connection.execute('INSERT INTO conformance."größe ☃" VALUES (%s, %s)', (value, "'\"\\"))
        cursor = connection.execute('SELECT * FROM conformance."größe ☃" ORDER BY 1')
        say([column.name for column in cursor.description], cursor.fetchall())
        attempt(connection.execute, 'SELECT "gröse" FROM conformance."größe ☃"')


@case("bytes that are no text are refused")
def bad_text(url):
    with connect(url) as connection:
        attempt(connection.execute, "SELECT %s", ("a\0b",))
        for value in (b"a\xff", b"\xc0\x80", b"\xed\xa0\x80"):
            result = connection.pgconn.exec_params(b"SELECT $1::text", [value], None, [1])
            say(result.status, result.error_field(pq.DiagnosticField.SQLSTATE), result.error_message)
        result = connection.pgconn.exec_params(b"SELECT $1::text", [b"a\0b"], None, [1])
        say(result.status, result.error_field(pq.DiagnosticField.SQLSTATE), result.error_message)


@case("notices of every level, in order with the rows")
def notices(url):
    with connect(url) as connection:
        connection.add_notice_handler(
            lambda notice: say(
                "notice",
                notice.severity_nonlocalized,
                notice.sqlstate,
                notice.message_primary,
                notice.message_detail,
                notice.message_hint,
                notice.context,
            )
        )
        connection.execute(
            "SET client_min_messages = debug1; DO $$ BEGIN RAISE DEBUG 'd'; RAISE LOG 'l'; RAISE INFO 'i'; "
            "RAISE NOTICE 'n' USING "
            "DETAIL = 'detail', HINT = 'hint'; RAISE WARNING 'w' USING ERRCODE = '01P01'; END $$; "
            "RESET client_min_messages"
        )
        connection.execute(
            "CREATE FUNCTION conformance.speak(n int) RETURNS int LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE NOTICE 'row %', n; RETURN n; END $$"
        )
        say(connection.execute("SELECT conformance.speak(n) FROM generate_series(1, 5) n").fetchall())
        say(connection.execute("SELECT conformance.speak(%s)", (9,), prepare=True).fetchall())
        connection.execute("DROP TABLE IF EXISTS conformance.never_there")
        connection.execute("ROLLBACK")


@case(
    "the client is told of changed settings",
    differs="RESET application_name gives the empty name: servers are shared by clients of all names",
    where="application_name: '(none|conformance)'",
)
def settings(url):
    names = [
        "TimeZone",
        "DateStyle",
        "client_encoding",
        "application_name",
        "IntervalStyle",
        "standard_conforming_strings",
        "server_version",
        "server_encoding",
        "integer_datetimes",
        "is_superuser",
        "session_authorization",
        "default_transaction_read_only",
        "in_hot_standby",
    ]
    with connect(url, application_name="conformance") as connection:

        def told():
            say({name: (connection.pgconn.parameter_status(name.encode()) or b"none").decode() for name in names})

        told()
        for sql in (
            "SET TIME ZONE 'Europe/Berlin'",
            "SET DateStyle = 'German, DMY'",
            "SET application_name = 'other'",
            "SET client_encoding = 'LATIN1'",
            "SET IntervalStyle = 'iso_8601'",
            "SET standard_conforming_strings = off",
        ):
            connection.execute(sql)
            told()
        say(
            connection.execute(
                "SELECT '2024-01-02 03:04:05+00'::timestamptz::text, '1 day'::interval::text, current_setting("
                "'application_name')"
            ).fetchall()
        )
        connection.execute("BEGIN; SET LOCAL TIME ZONE 'Asia/Tokyo'")
        told()
        connection.execute("ROLLBACK")
        told()
        connection.execute("RESET ALL")
        told()


@case("settings given with the connection")
def startup_settings(url):
    with connect(url) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS conformance; CREATE TABLE conformance.only_here (n int)")
    for options in (
        {"options": "-c search_path=conformance"},
        {"options": "-csearch_path=conformance,public"},
        {"options": "--search_path=conformance --statement-timeout=1234"},
        {"options": "-c search_path=with\\ blank"},
        {"options": "-c geqo=off -c work_mem=5MB"},
        {"application_name": "named äö"},
        {"client_encoding": "LATIN9"},
        {"fallback_application_name": "fallback"},
        {"options": "-c no_such_setting=1"},
        {"options": "-c work_mem=much"},
        {"options": "-c TimeZone=Asia/Tokyo"},
    ):
        say("with", options)
        try:
            with connect(url, **options) as connection:
                say(
                    connection.execute(
                        "SELECT current_setting('search_path'), current_setting('statement_timeout'), "
                        "current_setting('geqo'), "
                        "current_setting('work_mem'), current_setting('application_name'), "
                        "current_setting('client_encoding'), "
                        "current_setting('TimeZone')"
                    ).fetchall()
                )
                attempt(lambda: say(connection.execute("SELECT count(*) FROM only_here").fetchall()))
        except psycopg.OperationalError as error:
            say_error(error)


@case("who may not come in is told why")
def refused(url):
    for change in ({"dbname": "no_such_database"}, {"dbname": "no such ☃"}):
        try:
            connect(url, **change).close()
            say("came in", change)
        except psycopg.OperationalError as error:
            say_error(error)
    try:
        connect(url, user="no_such_user").close()
        say("came in")
    except psycopg.OperationalError:
        say("refused")


@case("the statement timeout")
def statement_timeout(url):
    with connect(url) as connection:
        connection.execute("BEGIN; SET LOCAL statement_timeout = 50")
        attempt(connection.execute, "SELECT pg_sleep(20)")
        attempt(connection.execute, "SELECT 1")
        connection.execute("ROLLBACK")
        connection.execute("SET statement_timeout = 50")
        attempt(connection.execute, "SELECT pg_sleep(20)", prepare=True)
        connection.execute("RESET statement_timeout")
        say(connection.execute("SELECT 'still well'").fetchall())


@case("cancelling, by each of libpq's ways")
def cancelling(url):
    with connect(url) as connection, connect(url) as other:

        def old():
            connection.cancel()

        def raw():
            connection.pgconn.get_cancel().cancel()

        for way in (old, raw, connection.cancel_safe):
            for sql, arguments in (("SELECT pg_sleep(20)", None), ("SELECT pg_sleep(%s)", (20,))):

                def later(way=way):
                    # Until the server is at it; then it is no race.
                    for _ in range(200):
                        if other.execute(
                            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(%' "
                            "AND state = 'active'"
                        ).fetchone()[0]:
                            break
                        time.sleep(0.02)
                    way()

                thread = threading.Thread(target=later)
                thread.start()
                attempt(connection.execute, sql, arguments)
                thread.join()
                say(connection.execute("SELECT 'after'").fetchall(), other.execute("SELECT 'other'").fetchall())
        # A cancel that finds nothing to cancel harms nobody.
        connection.cancel_safe()
        time.sleep(0.1)
        say(connection.execute("SELECT 'unharmed'").fetchall(), other.execute("SELECT 'unharmed'").fetchall())


@case("cancelling inside a transaction leaves it failed, and rollback mends it")
def cancelling_transaction(url):
    with connect(url) as connection:
        connection.execute("BEGIN")
        timer = threading.Timer(0.3, connection.cancel_safe)
        timer.start()
        attempt(connection.execute, "SELECT pg_sleep(20)")
        timer.join()
        say(connection.info.transaction_status)
        attempt(connection.execute, "SELECT 1")
        connection.execute("ROLLBACK")
        say(connection.info.transaction_status, connection.execute("SELECT 1").fetchall())


@case("a client that ends its own server process is told so")
def terminated(url):
    connection = connect(url)
    attempt(connection.execute, "SELECT pg_terminate_backend(pg_backend_pid())")
    say(connection.closed)
    with connect(url) as connection:
        say(connection.execute("SELECT 'a new one'").fetchall())


@case("a client that has been idle works on; one that vanishes does no harm")
def idle(url):
    connections = [connect(url) for _ in range(5)]
    time.sleep(1.5)
    say([connection.execute("SELECT %s::int", (number,)).fetchone() for number, connection in enumerate(connections)])
    for number, connection in enumerate(connections[:3]):
        connection.execute("BEGIN")
        connection.execute(f"CREATE TABLE conformance.vanished_{number} (n int)")
        # Without a Terminate, and in a transaction.
        socket.socket(fileno=os.dup(connection.fileno())).shutdown(socket.SHUT_RDWR)
        connection.close()
    time.sleep(0.3)
    say(
        connections[4]
        .execute("SELECT to_regclass('conformance.vanished_' || n) FROM generate_series(0, 2) n")
        .fetchall()
    )
    for connection in connections[3:]:
        connection.close()


main()
