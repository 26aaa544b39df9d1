"""psycopg 3 and libpq in pipeline mode: order, errors in the middle, several Syncs."""

import psycopg
from psycopg import pq
from transcript import attempt, case, main, say, say_error


def connect(url, **options):
    return psycopg.connect(url, autocommit=True, **options)


def drain(pgconn, syncs):
    """Every result of a pipeline up to its last Sync."""
    while syncs:
        outcome = pgconn.get_result()
        if outcome is None:
            say("end of one")
            continue
        say(
            pq.ExecStatus(outcome.status).name,
            outcome.command_status,
            outcome.error_field(pq.DiagnosticField.SQLSTATE),
            [[outcome.get_value(row, column) for column in range(outcome.nfields)] for row in range(outcome.ntuples)],
        )
        if outcome.status == pq.ExecStatus.PIPELINE_SYNC:
            syncs -= 1


@case("a pipeline of many queries")
def plain(url):
    with connect(url) as connection:
        connection.execute("CREATE TABLE conformance.piped (n int PRIMARY KEY)")
        with connection.pipeline() as pipeline:
            cursors = [
                connection.execute("INSERT INTO conformance.piped VALUES (%s) RETURNING n * 2", (number,))
                for number in range(300)
            ]
            pipeline.sync()
            more = [
                connection.execute("SELECT %s::text, repeat('x', %s)", (str(number), number)) for number in range(300)
            ]
        say(all(cursor.fetchall() == [(number * 2,)] for number, cursor in enumerate(cursors)))
        say(all(cursor.fetchall() == [(str(number), "x" * number)] for number, cursor in enumerate(more)))
        say(connection.execute("SELECT count(*) FROM conformance.piped").fetchall())


@case("an error in the middle of a pipeline skips the rest up to the Sync")
def failing(url):
    with connect(url) as connection:
        connection.execute("CREATE TABLE conformance.skipped (n int PRIMARY KEY)")
        cursors = []
        try:
            with connection.pipeline() as pipeline:
                for number in (1, 2, 2, 3):
                    cursors.append(connection.execute("INSERT INTO conformance.skipped VALUES (%s)", (number,)))
                try:
                    pipeline.sync()
                except psycopg.Error as error:
                    say_error(error)
                cursors.append(connection.execute("INSERT INTO conformance.skipped VALUES (%s)", (4,)))
                pipeline.sync()
        except psycopg.Error as error:
            say_error(error)
        say([attempt(lambda cursor=cursor: cursor.statusmessage) for cursor in cursors])
        say(
            connection.execute("SELECT n FROM conformance.skipped ORDER BY n").fetchall(),
            connection.info.transaction_status,
        )


@case("the results of libpq's pipeline, one by one")
def raw(url):
    with connect(url) as connection:
        pgconn = connection.pgconn
        pgconn.enter_pipeline_mode()
        pgconn.send_query_params(b"SELECT 'first'", None)
        pgconn.send_query_params(b"SELECT 1/0", None)
        pgconn.send_query_params(b"SELECT 'skipped'", None)
        pgconn.send_prepare(b"skipped", b"SELECT 1")
        pgconn.pipeline_sync()
        pgconn.send_query_params(b"SELECT 'after the Sync'", None)
        pgconn.send_prepare(b"good", b"SELECT $1::int")
        pgconn.send_query_prepared(b"good", [b"42"])
        pgconn.send_describe_prepared(b"good")
        pgconn.send_query_prepared(b"skipped", [])
        pgconn.send_query_prepared(b"good", [b"43"])
        pgconn.pipeline_sync()
        pgconn.pipeline_sync()
        pgconn.send_query_params(b"", None)
        pgconn.send_query_prepared(b"good", [b"44"])
        pgconn.pipeline_sync()
        drain(pgconn, 4)
        pgconn.exit_pipeline_mode()
        say(connection.execute("SELECT 'well'").fetchall())


@case("results come before the Sync when the client asks for a flush")
def flushed(url):
    with connect(url) as connection:
        pgconn = connection.pgconn
        pgconn.enter_pipeline_mode()
        for number in range(3):
            pgconn.send_query_params(b"SELECT $1::int", [str(number).encode()])
            pgconn.send_flush_request()
            pgconn.flush()
            outcome = pgconn.get_result()
            say(outcome.get_value(0, 0), pgconn.get_result())
        pgconn.pipeline_sync()
        drain(pgconn, 1)
        pgconn.exit_pipeline_mode()


@case("transactions in a pipeline")
def transactions(url):
    with connect(url) as connection:
        connection.execute("CREATE TABLE conformance.tx (n int PRIMARY KEY)")
        with connection.pipeline():
            with connection.transaction():
                connection.execute("INSERT INTO conformance.tx VALUES (1)")
                with connection.transaction():
                    connection.execute("INSERT INTO conformance.tx VALUES (2)")
        try:
            with connection.pipeline():
                with connection.transaction():
                    connection.execute("INSERT INTO conformance.tx VALUES (3)")
                    connection.execute("INSERT INTO conformance.tx VALUES (1)")
                    connection.execute("INSERT INTO conformance.tx VALUES (4)")
        except psycopg.Error as error:
            say_error(error)
        say(
            connection.execute("SELECT n FROM conformance.tx ORDER BY n").fetchall(), connection.info.transaction_status
        )
        pgconn = connection.pgconn
        pgconn.enter_pipeline_mode()
        # BEGIN and COMMIT with Syncs between them: the transaction stays open over the Syncs.
        for sql in (
            b"BEGIN",
            b"INSERT INTO conformance.tx VALUES (5)",
            b"SELECT 1/0",
            b"SELECT 'refused'",
            b"ROLLBACK",
            b"SELECT 'well'",
        ):
            pgconn.send_query_params(sql, None)
            pgconn.pipeline_sync()
        drain(pgconn, 6)
        pgconn.exit_pipeline_mode()


@case("executemany")
def many(url):
    with connect(url) as connection:
        connection.execute("CREATE TABLE conformance.many (n int PRIMARY KEY, t text)")
        cursor = connection.cursor()
        cursor.executemany(
            "INSERT INTO conformance.many VALUES (%s, %s) RETURNING n",
            [(n, f"t{n}") for n in range(500)],
            returning=True,
        )
        total = 0
        while True:
            total += sum(row[0] for row in cursor.fetchall())
            if not cursor.nextset():
                break
        say(total, cursor.rowcount)
        attempt(
            cursor.executemany, "INSERT INTO conformance.many VALUES (%s, %s)", [(n, "") for n in (600, 601, 3, 602)]
        )
        say(connection.execute("SELECT count(*), max(n) FROM conformance.many").fetchall())


@case("a large result and a large request at the same time", deadline=60)
def both_ways(url):
    with connect(url) as connection:
        with connection.pipeline():
            cursors = [
                connection.execute("SELECT repeat('y', 1000000), length(%s)", ("z" * 1_000_000,)) for _ in range(12)
            ]
        say([(len(a), b) for cursor in cursors for a, b in cursor.fetchall()])


main()
