"""psycopg 3: what belongs to a session. Behind a proxy in transaction mode, pinning is what keeps it true."""

import os
import socket
import time

import psycopg
from transcript import attempt, case, main, say


def connect(url, **options):
    return psycopg.connect(url, autocommit=True, **options)


def busy(other, times=3):
    """Others work in between, so that a proxy has every occasion to hand the server on."""
    for connection in other:
        for _ in range(times):
            connection.execute("SELECT 1")


@case("SET and RESET")
def settings(url):
    others = [connect(url) for _ in range(3)]
    with connect(url) as connection:
        show = "SELECT current_setting('work_mem'), current_setting('search_path'), current_setting('mine.own', true)"
        for sql in (
            "SET work_mem = '7MB'",
            "SET search_path = conformance, pg_catalog",
            "SET mine.own = 'x'",
            "SELECT set_config('work_mem', '9MB', false)",
            "BEGIN; SET LOCAL work_mem = '11MB'; COMMIT",
            "BEGIN; SET work_mem = '13MB'; ROLLBACK",
            "BEGIN; SET work_mem = '15MB'; COMMIT",
            "RESET work_mem",
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        ):
            connection.execute(sql)
            busy(others)
            say(sql, connection.execute(show).fetchall(), connection.execute("SHOW transaction_isolation").fetchall())
        say(
            [
                # A name that somebody has used reads as empty on a shared server, and never as what was set.
                other.execute("SELECT current_setting('work_mem'), NULLIF(current_setting('mine.own', true), '')")
                .fetchall()
                for other in others
            ]
        )
        connection.execute("RESET ALL")
        say(connection.execute(show).fetchall())
    for other in others:
        other.close()


@case("settings made inside functions and by extended queries")
def hidden_settings(url):
    others = [connect(url) for _ in range(2)]
    with connect(url) as connection:
        connection.execute(
            "CREATE FUNCTION conformance.hide(v text) RETURNS void LANGUAGE sql "
            "AS $$ SELECT set_config('work_mem', v, false) $$"
        )
        connection.execute("SELECT set_config(%s, %s, %s)", ("statement_timeout", "12345", False))
        busy(others)
        say(connection.execute("SHOW statement_timeout").fetchall())
        connection.execute("/* a comment */ sEt\n work_mem TO '6MB'", prepare=True)
        busy(others)
        say(connection.execute("SHOW work_mem").fetchall())
    for other in others:
        say(other.execute("SELECT current_setting('statement_timeout'), current_setting('work_mem')").fetchall())
        other.close()


@case("SET ROLE and SET SESSION AUTHORIZATION")
def roles(url):
    others = [connect(url) for _ in range(2)]
    with connect(url) as connection:
        for sql in (
            "SET ROLE pg_monitor",
            "RESET ROLE",
            "SET SESSION AUTHORIZATION pg_monitor",
            "RESET SESSION AUTHORIZATION",
        ):
            attempt(connection.execute, sql)
            busy(others)
            say(
                sql,
                connection.execute("SELECT current_user, session_user").fetchall(),
                connection.pgconn.parameter_status(b"session_authorization"),
                connection.pgconn.parameter_status(b"is_superuser"),
            )
        say([other.execute("SELECT current_user, session_user").fetchall() for other in others])
    for other in others:
        other.close()


@case("temporary tables")
def temporary(url):
    others = [connect(url) for _ in range(3)]
    with connect(url) as connection:
        connection.execute("CREATE TEMP TABLE mine (n int)")
        for number in range(5):
            connection.execute("INSERT INTO mine VALUES (%s)", (number,))
            busy(others, 1)
        say(connection.execute("SELECT sum(n), count(*) FROM mine").fetchall())
        for other in others:
            attempt(other.execute, "SELECT * FROM mine")
        connection.execute("SELECT 1 AS a, 2 AS b INTO TEMP TABLE selected")
        connection.execute("CREATE TEMPORARY VIEW seen AS SELECT * FROM mine WHERE n > 2")
        busy(others)
        say(
            connection.execute("SELECT * FROM selected").fetchall(),
            connection.execute("SELECT * FROM seen ORDER BY n").fetchall(),
        )
        connection.execute("BEGIN; CREATE TEMP TABLE fleeting (n int) ON COMMIT DROP")
        connection.execute("INSERT INTO fleeting VALUES (1)")
        connection.execute("COMMIT")
        attempt(connection.execute, "SELECT * FROM fleeting")
        connection.execute("DISCARD TEMP")
        attempt(connection.execute, "SELECT * FROM mine")
    for other in others:
        other.close()


@case("a cursor WITH HOLD")
def held(url):
    others = [connect(url) for _ in range(3)]
    with connect(url) as connection:
        connection.execute("BEGIN")
        connection.execute("DECLARE held SCROLL CURSOR WITH HOLD FOR SELECT n FROM generate_series(1, 100) n")
        say(connection.execute("FETCH 3 FROM held").fetchall())
        connection.execute("COMMIT")
        busy(others)
        say(connection.execute("FETCH 3 FROM held").fetchall())
        busy(others)
        say(
            connection.execute("FETCH BACKWARD 2 FROM held").fetchall(),
            connection.execute("FETCH LAST FROM held").fetchall(),
        )
        for other in others:
            attempt(other.execute, "FETCH 1 FROM held")
        connection.execute("CLOSE held")
        attempt(connection.execute, "FETCH 1 FROM held")
        with connection.cursor("named", withhold=True, scrollable=True) as cursor:
            cursor.execute("SELECT n FROM generate_series(1, 50) n")
            say(cursor.fetchmany(2))
            busy(others)
            cursor.scroll(10)
            say(cursor.fetchone(), len(cursor.fetchall()))
    for other in others:
        other.close()


@case("cursors of one transaction")
def cursors(url):
    with connect(url) as connection:
        with connection.transaction():
            with connection.cursor("within") as cursor:
                cursor.itersize = 7
                cursor.execute("SELECT n FROM generate_series(1, 100) n")
                say(sum(row[0] for row in cursor))
            one, two = connection.cursor("one"), connection.cursor("two")
            one.execute("SELECT 'one', n FROM generate_series(1, 5) n")
            two.execute("SELECT 'two', n FROM generate_series(1, 5) n")
            say([(one.fetchone(), two.fetchone()) for _ in range(3)])
            one.close()
        attempt(two.fetchone)
        attempt(connection.execute, "FETCH 1 FROM two")
        attempt(connection.execute, "DECLARE c CURSOR FOR SELECT 1")


@case("session advisory locks")
def advisory(url):
    with connect(url) as one, connect(url) as two, connect(url) as three:
        say(one.execute("SELECT pg_advisory_lock(4711), pg_try_advisory_lock_shared(4712)").fetchall())
        busy([two, three])
        for connection in (two, three):
            say(connection.execute("SELECT pg_try_advisory_lock(4711), pg_try_advisory_lock(4712)").fetchall())
        say(one.execute("SELECT pg_advisory_unlock(4711), pg_advisory_unlock(4711)").fetchall())
        say(two.execute("SELECT pg_try_advisory_lock(%s)", (4711,)).fetchall())
        busy([one, three])
        say(
            three.execute("SELECT pg_try_advisory_lock(4711)").fetchall(),
            two.execute("SELECT pg_advisory_unlock_all()").fetchall(),
        )
        say(three.execute("SELECT pg_try_advisory_lock(4711), pg_advisory_unlock(4711)").fetchall())
    with connect(url) as connection:
        # The server may take a moment to notice that its client has left.
        for _ in range(100):
            if connection.execute("SELECT pg_try_advisory_lock(4712)").fetchone()[0]:
                break
            time.sleep(0.05)
        say(connection.execute("SELECT pg_advisory_unlock(4712)").fetchall())


@case("LISTEN and NOTIFY")
def listening(url):
    with connect(url) as listener, connect(url) as speaker, connect(url) as third:
        listener.execute("LISTEN conformance_news")
        listener.execute('LISTEN "Other ☃"')
        busy([third])
        for number in range(3):
            speaker.execute("SELECT pg_notify('conformance_news', %s)", (f"news {number}",))
        speaker.execute('NOTIFY "Other ☃"')
        speaker.execute("BEGIN; NOTIFY conformance_news, 'undone'; ROLLBACK")
        speaker.execute("BEGIN; NOTIFY conformance_news, 'twice'; NOTIFY conformance_news, 'twice'; COMMIT")
        say([(notify.channel, notify.payload) for notify in listener.notifies(timeout=5, stop_after=5)])
        say(
            listener.execute("SELECT count(*) FROM pg_listening_channels()").fetchall(),
            speaker.execute("SELECT count(*) FROM pg_listening_channels()").fetchall(),
        )
        # To itself; it comes with the answer.
        listener.execute("NOTIFY conformance_news, 'myself'")
        say([(notify.channel, notify.payload) for notify in listener.notifies(timeout=5, stop_after=1)])
        listener.execute("UNLISTEN conformance_news")
        speaker.execute("NOTIFY conformance_news, 'unheard'")
        speaker.execute("NOTIFY \"Other ☃\", 'heard'")
        say([(notify.channel, notify.payload) for notify in listener.notifies(timeout=5, stop_after=1)])
        listener.execute("UNLISTEN *")
        say(listener.execute("SELECT count(*) FROM pg_listening_channels()").fetchall())


@case("DISCARD ALL gives a fresh session")
def discard(url):
    with connect(url) as connection, connect(url) as other:
        connection.execute("SET work_mem = '7MB'")
        connection.execute("CREATE TEMP TABLE gone (n int)")
        connection.execute("PREPARE gone AS SELECT 1")
        connection.execute("LISTEN conformance_discarded")
        connection.execute("SELECT pg_advisory_lock(4713)")
        busy([other])
        say(connection.execute("DISCARD ALL").statusmessage)
        say(connection.execute("SHOW work_mem").fetchall())
        attempt(connection.execute, "SELECT * FROM gone")
        attempt(connection.execute, "EXECUTE gone")
        say(connection.execute("SELECT count(*) FROM pg_listening_channels()").fetchall())
        say(other.execute("SELECT pg_try_advisory_lock(4713), pg_advisory_unlock(4713)").fetchall())
        attempt(connection.execute, "BEGIN; DISCARD ALL")
        connection.execute("ROLLBACK")


@case("LOAD")
def load(url):
    with connect(url) as connection, connect(url) as other:
        attempt(connection.execute, "LOAD 'auto_explain'")
        busy([other])
        say(connection.execute("SHOW auto_explain.log_min_duration").fetchall())
        attempt(other.execute, "SHOW auto_explain.log_min_duration")


@case(
    "the last value of a sequence",
    differs="currval and lastval are not tracked: they would need a pin per INSERT",
    where=r"^\(\(\d+, \d+\)\)$",
)
def sequences(url):
    with connect(url) as connection, connect(url) as other:
        connection.execute("CREATE SEQUENCE conformance.counter")
        for _ in range(3):
            connection.execute("SELECT nextval('conformance.counter')")
            other.execute("SELECT nextval('conformance.counter')")
            attempt(lambda: say(connection.execute("SELECT currval('conformance.counter'), lastval()").fetchall()))


@case("the process id stays", differs="the server changes from transaction to transaction", where="^[12]$")
def process_ids(url):
    with connect(url) as connection, connect(url) as other:
        pids = set()
        for _ in range(5):
            pids.add(connection.execute("SELECT pg_backend_pid()").fetchone()[0])
            with other.transaction():
                other.execute("SELECT 1")
                pids.add(connection.execute("SELECT pg_backend_pid()").fetchone()[0])
        say(len(pids))
        with connection.transaction():
            say(len({connection.execute("SELECT pg_backend_pid()").fetchone()[0] for _ in range(5)}))


@case("nothing of a session is left for the next client")
def leftovers(url):
    for ending in ("closed", "vanished"):
        connection = connect(url, application_name="before")
        for sql in (
            "SET work_mem = '7MB'",
            "SET TIME ZONE 'Asia/Tokyo'",
            "SET mine.own = 'secret'",
            "SET search_path = conformance",
            "CREATE TEMP TABLE left_behind (n int)",
            "PREPARE left_behind AS SELECT 1",
            "LISTEN conformance_left",
            "SELECT pg_advisory_lock(4714)",
            "BEGIN",
            "DECLARE left_behind CURSOR WITH HOLD FOR SELECT 1",
            "COMMIT",
            "SET ROLE pg_monitor",
        ):
            connection.execute(sql)
        if ending == "vanished":
            socket.socket(fileno=os.dup(connection.fileno())).shutdown(socket.SHUT_RDWR)
        connection.close()
        time.sleep(0.5)
        others = [connect(url, application_name="next") for _ in range(8)]
        seen = set()
        for other in others:
            # In open transactions, so that each is on a server of its own.
            other.execute("BEGIN")
            seen.add(
                str(
                    other.execute(
                        "SELECT current_setting('work_mem'), current_setting('TimeZone'), "
                        "coalesce(current_setting('mine.own', true), ''), "
                        "current_setting('search_path'), current_setting('application_name'), "
                        "current_user, to_regclass('left_behind'), "
                        "(SELECT count(*) FROM pg_cursors), (SELECT count(*) FROM pg_listening_channels()), "
                        "(SELECT count(*) FROM pg_prepared_statements WHERE name = 'left_behind'), "
                        "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4714)"
                    ).fetchall()
                )
            )
        say(ending, sorted(seen))
        for other in others:
            other.execute("ROLLBACK")
            other.close()


main()
