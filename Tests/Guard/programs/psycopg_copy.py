"""psycopg 3: COPY both ways, and every way in which it fails."""

import hashlib
import os
import socket
import time

import psycopg
from psycopg import pq
from transcript import case, main, say, say_error


def connect(url, **options):
    return psycopg.connect(url, autocommit=True, **options)


def table(connection, name):
    connection.execute(f"CREATE TABLE conformance.{name} (n int PRIMARY KEY, t text)")


def count(connection, name):
    return connection.execute(f"SELECT count(*), sum(n) FROM conformance.{name}").fetchone()


@case("in and out, as text, CSV and binary")
def plain(url):
    with connect(url) as connection:
        table(connection, "plain")
        cursor = connection.cursor()
        with cursor.copy("COPY conformance.plain FROM STDIN") as copy:
            for number in range(1000):
                copy.write_row((number, f"row\t{number}\\\n" if number % 3 else None))
        say(cursor.rowcount, cursor.statusmessage, count(connection, "plain"))
        for form in ("", "(FORMAT csv, HEADER)", "(FORMAT binary)"):
            with cursor.copy(f"COPY (SELECT * FROM conformance.plain ORDER BY n) TO STDOUT {form}") as copy:
                data = b"".join(bytes(block) for block in copy)
            say(form, len(data), hashlib.sha256(data).hexdigest(), cursor.statusmessage)
        connection.execute("TRUNCATE conformance.plain")
        with cursor.copy("COPY conformance.plain FROM STDIN (FORMAT binary)") as copy:
            copy.write(data)
        say(count(connection, "plain"))
        with cursor.copy("COPY conformance.plain FROM STDIN") as copy:
            pass
        say("empty in", cursor.rowcount, cursor.statusmessage)
        with cursor.copy("COPY (SELECT 1 WHERE false) TO STDOUT") as copy:
            say("empty out", list(copy))


@case("twenty megabytes in and out", deadline=90)
def large(url):
    with connect(url) as connection:
        table(connection, "large")
        cursor = connection.cursor()
        with cursor.copy("COPY conformance.large FROM STDIN") as copy:
            for start in range(0, 20000, 100):
                copy.write("".join(f"{n}\t{'x' * 1000}\n" for n in range(start, start + 100)))
        say(count(connection, "large"))
        digest, size = hashlib.sha256(), 0
        with cursor.copy("COPY (SELECT * FROM conformance.large ORDER BY n) TO STDOUT") as copy:
            for block in copy:
                digest.update(block)
                size += len(block)
        say(size, digest.hexdigest())


@case("a bad row fails the COPY at the server while the client still sends", deadline=60)
def bad_row(url):
    with connect(url) as connection:
        table(connection, "bad")
        for rows_after in (0, 10, 50_000):
            try:
                with connection.cursor().copy("COPY conformance.bad FROM STDIN") as copy:
                    copy.write("1\tone\nnot a number\ttwo\n")
                    for number in range(rows_after):
                        copy.write(f"{number + 10}\t{'x' * 100}\n")
            except psycopg.Error as error:
                say_error(error)
            say(count(connection, "bad"), connection.info.transaction_status)
        try:
            with connection.cursor().copy("COPY conformance.bad FROM STDIN") as copy:
                copy.write("1\tone\n1\tagain\n")
        except psycopg.Error as error:
            say_error(error)
        say(count(connection, "bad"))


@case("the client gives a COPY up")
def given_up(url):
    with connect(url) as connection:
        table(connection, "given")
        try:
            with connection.cursor().copy("COPY conformance.given FROM STDIN") as copy:
                copy.write("1\tone\n")
                raise RuntimeError("enough")
        except RuntimeError as error:
            say("raised", str(error))
        say(count(connection, "given"), connection.info.transaction_status)
        say(connection.execute("SELECT 'well'").fetchall())


@case("a COPY out that fails on its way")
def failing_out(url):
    with connect(url) as connection:
        lines = 0
        try:
            with connection.cursor().copy("COPY (SELECT 1/(3000-n) FROM generate_series(1, 5000) n) TO STDOUT") as copy:
                for block in copy:
                    lines += bytes(block).count(b"\n")
        except psycopg.Error as error:
            say_error(error)
        say(lines, connection.execute("SELECT 1").fetchall())


@case("COPY in transactions")
def transactions(url):
    with connect(url) as connection:
        table(connection, "tx")
        for end in ("ROLLBACK", "COMMIT"):
            connection.execute("BEGIN")
            with connection.cursor().copy("COPY conformance.tx FROM STDIN") as copy:
                copy.write("1\tone\n2\ttwo\n")
            say(connection.info.transaction_status, count(connection, "tx"))
            connection.execute(end)
            say(count(connection, "tx"))
        connection.execute("BEGIN")
        try:
            with connection.cursor().copy("COPY conformance.tx FROM STDIN") as copy:
                copy.write("1\tone\n")
        except psycopg.Error as error:
            say_error(error)
        say(connection.info.transaction_status)
        connection.execute("ROLLBACK")


@case("COPY beside other statements of one simple query")
def beside(url):
    with connect(url) as connection:
        table(connection, "beside")
        pgconn = connection.pgconn

        def results():
            while True:
                outcome = pgconn.get_result()
                if outcome is None:
                    return
                say(
                    pq.ExecStatus(outcome.status).name,
                    outcome.command_status,
                    outcome.error_field(pq.DiagnosticField.SQLSTATE),
                )
                if outcome.status == pq.ExecStatus.COPY_OUT:
                    while True:
                        length, data = pgconn.get_copy_data(0)
                        if length <= 0:
                            break
                        say(bytes(data))
                elif outcome.status == pq.ExecStatus.COPY_IN:
                    pgconn.put_copy_data(b"7\tseven\n")
                    pgconn.put_copy_end()

        pgconn.send_query(
            b"SELECT 'before'; COPY conformance.beside FROM STDIN; COPY conformance.beside TO STDOUT; SELECT 'after'"
        )
        results()
        pgconn.send_query(b"COPY conformance.beside FROM STDIN; SELECT 'never'")
        results()
        pgconn.send_query(b"COPY conformance.missing FROM STDIN")
        results()
        # The extended protocol allows COPY as well.
        pgconn.send_query_params(b"COPY conformance.beside TO STDOUT", None)
        results()


@case("a client that vanishes in the middle leaves nothing behind")
def vanished(url):
    with connect(url) as watcher:
        table(watcher, "vanished")
        connection = connect(url)
        copy = connection.cursor().copy("COPY conformance.vanished FROM STDIN")
        copy.__enter__().write("1\tone\n")
        socket.socket(fileno=os.dup(connection.fileno())).shutdown(socket.SHUT_RDWR)
        connection.close()
        # Its locks are gone once the server has noticed.
        for _ in range(100):
            try:
                with watcher.transaction():
                    watcher.execute("LOCK TABLE conformance.vanished IN ACCESS EXCLUSIVE MODE NOWAIT")
                break
            except psycopg.errors.LockNotAvailable:
                time.sleep(0.05)
        else:
            say("still locked")
        say(count(watcher, "vanished"))


main()
