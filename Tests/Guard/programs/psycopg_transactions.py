"""psycopg 3: transactions, savepoints, isolation, clients that take turns."""

import psycopg
from transcript import attempt, case, main, say


def connect(url, **options):
    return psycopg.connect(url, autocommit=True, **options)


def table(connection, name):
    connection.execute(f"CREATE TABLE conformance.{name} (id int PRIMARY KEY, n int)")


def rows(connection, name):
    return connection.execute(f"SELECT id, n FROM conformance.{name} ORDER BY id").fetchall()


@case("commit and rollback")
def plain(url):
    with connect(url) as connection:
        table(connection, "plain")
        connection.autocommit = False
        connection.execute("INSERT INTO conformance.plain VALUES (1, 1)")
        say(connection.info.transaction_status)
        connection.commit()
        say(connection.info.transaction_status)
        connection.execute("INSERT INTO conformance.plain VALUES (2, 2)")
        connection.rollback()
        say(rows(connection, "plain"))
        connection.rollback()


@case("savepoints within savepoints")
def savepoints(url):
    with connect(url) as connection:
        table(connection, "nested")
        with connection.transaction():
            connection.execute("INSERT INTO conformance.nested VALUES (1, 1)")
            for number in (2, 3):
                try:
                    with connection.transaction():
                        connection.execute("INSERT INTO conformance.nested VALUES (%s, 0)", (number,))
                        with connection.transaction():
                            connection.execute("INSERT INTO conformance.nested VALUES (%s, 0)", (number * 10,))
                        if number == 3:
                            connection.execute("INSERT INTO conformance.nested VALUES (1, 1)")
                except psycopg.errors.UniqueViolation as error:
                    say(error.sqlstate, connection.info.transaction_status)
        say(rows(connection, "nested"))
        attempt(connection.execute, "SAVEPOINT outside")
        attempt(connection.execute, "BEGIN; ROLLBACK TO nowhere")
        connection.execute("ROLLBACK")


@case("a failed transaction refuses work until it is rolled back")
def failed(url):
    with connect(url) as connection:
        for end in ("ROLLBACK", "COMMIT", "END", "ABORT"):
            connection.execute("BEGIN")
            attempt(connection.execute, "SELECT 1/0")
            attempt(connection.execute, "SELECT 2")
            attempt(connection.execute, "SELECT %s::int", (3,))
            say(end, connection.execute(end).statusmessage, connection.info.transaction_status)


@case("command tags and warnings around transactions")
def tags(url):
    with connect(url) as connection:
        connection.add_notice_handler(lambda notice: say("notice", notice.sqlstate, notice.message_primary))
        for sql in (
            "BEGIN",
            "BEGIN",
            "START TRANSACTION",
            "COMMIT",
            "COMMIT",
            "ROLLBACK",
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
            "COMMIT AND CHAIN",
            "SELECT current_setting('transaction_isolation')",
            "ROLLBACK AND NO CHAIN",
            "COMMIT AND CHAIN",
            "SELECT 1 -- afterwards",
        ):
            cursor = attempt(connection.execute, sql)
            if cursor:
                say(
                    sql,
                    cursor.statusmessage,
                    connection.info.transaction_status,
                    cursor.description and cursor.fetchall(),
                )
        say(connection.info.transaction_status)


@case("isolation, read only, deferred constraints")
def isolation(url):
    with connect(url) as connection:
        connection.execute("CREATE TABLE conformance.parent (id int PRIMARY KEY)")
        connection.execute(
            "CREATE TABLE conformance.child (id int REFERENCES conformance.parent DEFERRABLE INITIALLY DEFERRED)"
        )
        connection.execute("BEGIN READ ONLY")
        attempt(connection.execute, "INSERT INTO conformance.parent VALUES (1)")
        connection.execute("ROLLBACK")
        connection.execute("BEGIN")
        connection.execute("INSERT INTO conformance.child VALUES (7)")
        attempt(connection.execute, "COMMIT")
        say(connection.info.transaction_status, connection.execute("SELECT count(*) FROM conformance.child").fetchall())
        for level in ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"):
            connection.execute(f"BEGIN ISOLATION LEVEL {level}")
            say(connection.execute("SHOW transaction_isolation").fetchall())
            connection.execute("COMMIT")
        connection.read_only = True
        connection.autocommit = False
        attempt(connection.execute, "INSERT INTO conformance.parent VALUES (2)")
        connection.rollback()


@case("write skew fails one of two serialisable clients")
def serialisation(url):
    with connect(url) as one, connect(url) as two:
        table(one, "skew")
        one.execute("INSERT INTO conformance.skew VALUES (1, 10), (2, 10)")
        for connection in (one, two):
            connection.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
            say(connection.execute("SELECT sum(n) FROM conformance.skew").fetchall())
        one.execute("UPDATE conformance.skew SET n = 0 WHERE id = 1")
        two.execute("UPDATE conformance.skew SET n = 0 WHERE id = 2")
        attempt(one.execute, "COMMIT")
        attempt(two.execute, "COMMIT")
        say(rows(one, "skew"), one.info.transaction_status, two.info.transaction_status)


@case("ten clients take turns, one transaction each at a time")
def turns(url):
    connections = [connect(url) for _ in range(10)]
    table(connections[0], "turns")
    for turn in range(5):
        for number, connection in enumerate(connections):
            with connection.transaction():
                connection.execute("INSERT INTO conformance.turns VALUES (%s, %s)", (turn * 10 + number, number))
                own = connection.execute("SELECT count(*) FROM conformance.turns WHERE n = %s", (number,)).fetchone()[0]
                if own != turn + 1:
                    say("client", number, "sees", own)
    say(len(rows(connections[3], "turns")))
    for connection in connections:
        connection.close()


@case("three clients in interleaved transactions do not see one another's work")
def interleaved(url):
    connections = [connect(url) for _ in range(3)]
    table(connections[0], "interleaved")
    for number, connection in enumerate(connections):
        connection.execute("BEGIN")
        connection.execute("INSERT INTO conformance.interleaved VALUES (%s, %s)", (number, number))
    say([rows(connection, "interleaved") for connection in connections])
    connections[1].execute("ROLLBACK")
    say([rows(connection, "interleaved") for connection in connections])
    connections[2].execute("COMMIT")
    connections[0].execute("COMMIT")
    say([rows(connection, "interleaved") for connection in connections])
    for connection in connections:
        connection.close()


@case("two-phase commit")
def two_phase(url):
    with connect(url) as connection:
        # Most servers allow none; then that is what the client is told.
        for sql in (
            "BEGIN",
            "CREATE TABLE conformance.two_phase (n int)",
            "PREPARE TRANSACTION 'conformance'",
            "ROLLBACK PREPARED 'conformance'",
        ):
            attempt(connection.execute, sql)
            say(connection.info.transaction_status)


@case("procedures that commit by themselves")
def procedures(url):
    with connect(url) as connection:
        table(connection, "steps")
        connection.execute(
            "CREATE PROCEDURE conformance.step() LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..5 LOOP "
            "INSERT INTO conformance.steps VALUES "
            "(i, i); IF i % 2 = 0 THEN COMMIT; ELSE ROLLBACK; END IF; END LOOP; END $$"
        )
        connection.execute("CALL conformance.step()")
        say(rows(connection, "steps"))


main()
