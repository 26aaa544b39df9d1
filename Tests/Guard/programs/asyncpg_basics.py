"""asyncpg: binary types, prepared statements, cursors by portals, COPY, listeners, timeouts, a pool."""

import asyncio
import datetime
import decimal
import hashlib
import io
import ipaddress
import uuid

import asyncpg
from transcript import attempt_async, case, main, say


async def connect(url, **options):
    return await asyncpg.connect(url, **options)


@case("values of many types, both ways in binary")
async def types(url):
    connection = await connect(url)
    values = [
        ("int2", -5),
        ("int4", 2**31 - 1),
        ("int8", -(2**63)),
        ("float4", 0.5),
        ("float8", 1e300),
        ("numeric", decimal.Decimal("-123.4500")),
        ("bool", True),
        ("text", "größe ☃"),
        ("bytea", b"\x00\xff"),
        ("uuid", uuid.UUID(int=7)),
        ("date", datetime.date(2024, 2, 29)),
        ("time", datetime.time(1, 2, 3, 4)),
        ("timestamp", datetime.datetime(2024, 2, 29, 1, 2, 3)),
        ("timestamptz", datetime.datetime(2024, 2, 29, 1, 2, 3, tzinfo=datetime.timezone.utc)),
        ("interval", datetime.timedelta(days=1, seconds=5)),
        ("int[]", [1, None, 3]),
        ("text[]", [["a", "b"], ["c", "d"]]),
        ("json", '{"a": 1}'),
        ("jsonb", '{"a": [1, 2]}'),
        ("inet", ipaddress.ip_interface("10.1.2.3/8")),
        ("cidr", ipaddress.ip_network("10.0.0.0/8")),
        ("point", asyncpg.Point(1, 2)),
        ("int4range", asyncpg.Range(1, 5)),
        ("bit(3)", asyncpg.BitString("101")),
        ("text", None),
        ("name", "n"),
        ("char", b"c"),
        ("oid", 42),
        ("xml", "<a/>"),
        ("macaddr", "08:00:2b:01:02:03"),
        ("tsvector", "'a' 'b'"),
        ("money", "$1.00"),
    ]
    for kind, value in values:
        name = '"char"' if kind == "char" else kind
        await attempt_async(show(connection, kind, f"SELECT $1::{name}, pg_typeof($1::{name})::text", value))
    await connection.close()


async def show(connection, label, sql, *arguments):
    say(label, [tuple(row) for row in await connection.fetch(sql, *arguments)])


@case("composite types, enums and domains are looked up once and used")
async def own_types(url):
    connection = await connect(url)
    await connection.execute(
        "CREATE TYPE conformance.mood AS ENUM ('sad', 'ok'); "
        "CREATE TYPE conformance.pair AS (a int, m conformance.mood); "
        "CREATE DOMAIN conformance.small AS int CHECK (VALUE < 10)"
    )
    say(
        [
            tuple(row)
            for row in await connection.fetch(
                "SELECT $1::conformance.mood, $2::conformance.pair, $3::conformance.small, ARRAY[$2::conformance.pair]",
                "ok",
                (1, "sad"),
                5,
            )
        ]
    )
    await attempt_async(connection.fetch("SELECT $1::conformance.small", 50))
    await attempt_async(connection.fetch("SELECT $1::conformance.mood", "angry"))
    await connection.set_type_codec("mood", schema="conformance", encoder=str, decoder=str.upper)
    say(await connection.fetchval("SELECT 'ok'::conformance.mood"))
    await connection.close()


@case("prepared statements, their parameters and attributes")
async def prepared(url):
    connections = [await connect(url) for _ in range(8)]
    statements = [
        await connection.prepare("SELECT $1::int + 1 AS next, $2::text AS same") for connection in connections
    ]
    for turn in range(5):
        say([tuple(await statement.fetchrow(turn, f"{place}")) for place, statement in enumerate(statements)])
    say(
        [(attribute.name, attribute.type.name) for attribute in statements[0].get_attributes()],
        [parameter.name for parameter in statements[0].get_parameters()],
        statements[0].get_statusmsg(),
    )
    await attempt_async(statements[0].fetch(1))
    await attempt_async(statements[0].fetch("x", "y"))
    await attempt_async(connections[0].prepare("SELECT nothing"))
    await attempt_async(connections[0].fetch("SELECT 1 / $1::int", 0))
    say(await statements[0].fetchval(1, "still well"))
    for connection in connections:
        await connection.close()


@case("a table changes under a cached statement")
async def changed(url):
    one, two = await connect(url), await connect(url)
    await one.execute("CREATE TABLE conformance.changed (a int); INSERT INTO conformance.changed VALUES (1)")
    for connection in (one, two):
        say([dict(row) for row in await connection.fetch("SELECT * FROM conformance.changed")])
    await one.execute("ALTER TABLE conformance.changed ADD b text DEFAULT 'new'")
    for connection in (one, two):
        for _ in range(2):
            rows = await attempt_async(connection.fetch("SELECT * FROM conformance.changed"))
            say([dict(row) for row in rows or []])
    await one.execute("ALTER TABLE conformance.changed ALTER a TYPE text")
    for connection in (one, two):
        transaction = connection.transaction()
        await transaction.start()
        await attempt_async(connection.fetch("SELECT * FROM conformance.changed"))
        await transaction.rollback()
        say([dict(row) for row in await attempt_async(connection.fetch("SELECT * FROM conformance.changed")) or []])
        await connection.close()


@case("cursors fetch in portions")
async def cursors(url):
    connection = await connect(url)
    async with connection.transaction():
        total = 0
        async for row in connection.cursor("SELECT n FROM generate_series(1, $1::int) n", 1000, prefetch=37):
            total += row[0]
        say(total)
        one = await connection.cursor("SELECT 'one', n FROM generate_series(1, 9) n")
        two = await connection.cursor("SELECT 'two', n FROM generate_series(1, 9) n")
        for _ in range(3):
            say([tuple(row) for row in await one.fetch(2)], tuple(await two.fetchrow()))
        say(await one.forward(2), await one.fetchrow() and "row", await one.fetch(50) and "rest", await one.fetchrow())
    await attempt_async(two.fetchrow())
    say(await connection.fetchval("SELECT 'well'"))
    await connection.close()


@case("COPY of records, files and queries")
async def copying(url):
    connection = await connect(url)
    await connection.execute("CREATE TABLE conformance.copied (n int, t text, d timestamptz)")
    records = [
        (n, f"t{n}" if n % 3 else None, datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc))
        for n in range(5000)
    ]
    say(await connection.copy_records_to_table("copied", records=records, schema_name="conformance"))
    out = io.BytesIO()
    say(
        await connection.copy_from_query(
            "SELECT * FROM conformance.copied WHERE n < $1 ORDER BY n", 2000, output=out, format="csv"
        )
    )
    say(len(out.getvalue()), hashlib.sha256(out.getvalue()).hexdigest())
    say(
        await connection.copy_to_table(
            "copied", schema_name="conformance", source=io.BytesIO(b"1,x,2024-01-01 00:00:00+00\n"), format="csv"
        )
    )
    await attempt_async(
        connection.copy_to_table(
            "copied", schema_name="conformance", source=io.BytesIO(b"x,x,x\n" * 10000), format="csv"
        )
    )

    async def breaking():
        yield b"1,x,2024-01-01 00:00:00+00\n"
        raise RuntimeError("the source broke")

    await attempt_async(connection.copy_to_table("copied", schema_name="conformance", source=breaking(), format="csv"))
    await attempt_async(connection.copy_records_to_table("copied", schema_name="conformance", records=[(1, 2, 3)]))
    say(await connection.fetchval("SELECT count(*) FROM conformance.copied"))
    await connection.close()


@case("executemany in one batch")
async def many(url):
    connection = await connect(url)
    await connection.execute("CREATE TABLE conformance.batch (n int PRIMARY KEY)")
    await connection.executemany("INSERT INTO conformance.batch VALUES ($1)", [(n,) for n in range(2000)])
    await attempt_async(
        connection.executemany("INSERT INTO conformance.batch VALUES ($1)", [(n,) for n in (3000, 3001, 5, 3002)])
    )
    say(
        [
            tuple(row)
            for row in await connection.fetchmany(
                "INSERT INTO conformance.batch VALUES ($1) RETURNING n", [(4000,), (4001,)]
            )
        ]
    )
    say(await connection.fetchrow("SELECT count(*), max(n) FROM conformance.batch"))
    await connection.close()


@case("transactions, savepoints, failures")
async def transactions(url):
    connection = await connect(url)
    await connection.execute("CREATE TABLE conformance.tx (n int PRIMARY KEY)")
    async with connection.transaction(isolation="serializable"):
        await connection.execute("INSERT INTO conformance.tx VALUES (1)")
        try:
            async with connection.transaction():
                await connection.execute("INSERT INTO conformance.tx VALUES (2)")
                await connection.execute("INSERT INTO conformance.tx VALUES (1)")
        except asyncpg.UniqueViolationError as error:
            say(error.sqlstate, error.constraint_name)
        await connection.execute("INSERT INTO conformance.tx VALUES (3)")
    say([row[0] for row in await connection.fetch("SELECT n FROM conformance.tx ORDER BY n")])
    transaction = connection.transaction(readonly=True)
    await transaction.start()
    await attempt_async(connection.execute("DELETE FROM conformance.tx"))
    await attempt_async(connection.fetch("SELECT 1"))
    await transaction.rollback()
    say(await connection.fetchval("SELECT count(*) FROM conformance.tx"), connection.is_in_transaction())
    await connection.close()


@case("a timeout cancels the query, and the connection lives on")
async def timeouts(url):
    connection = await connect(url)
    for _ in range(5):
        await attempt_async(connection.fetch("SELECT pg_sleep(20)", timeout=0.1))
        say(await connection.fetchval("SELECT 'well'"))
    task = asyncio.create_task(connection.fetch("SELECT pg_sleep(20)"))
    await asyncio.sleep(0.2)
    task.cancel()
    say((await asyncio.gather(task, return_exceptions=True))[0].__class__.__name__)
    say(await connection.fetchval("SELECT 'well'"))
    await connection.close()


@case("listeners and log messages")
async def listeners(url):
    listener, speaker = await connect(url), await connect(url)
    queue = asyncio.Queue()
    await listener.add_listener(
        "conformance_async", lambda _c, _p, channel, payload: queue.put_nowait((channel, payload))
    )
    for number in range(5):
        await speaker.execute("SELECT pg_notify('conformance_async', $1)", f"n{number}")
    say([await asyncio.wait_for(queue.get(), 5) for _ in range(5)])
    speaker.add_log_listener(lambda _c, message: say("log", message.severity, message.message))
    await speaker.execute("DO $$ BEGIN RAISE WARNING 'careful'; RAISE NOTICE 'by the way'; END $$")
    await asyncio.sleep(0.1)
    await listener.close()
    await speaker.close()


@case("server settings at the start and by SET")
async def settings(url):
    connection = await connect(
        url,
        server_settings={
            "search_path": "conformance",
            "application_name": "asyncpg ☃",
            "statement_timeout": "4321",
            "geqo": "off",
            "TimeZone": "Asia/Tokyo",
        },
    )
    say(
        [
            await connection.fetchval("SELECT current_setting($1)", name)
            for name in ("search_path", "application_name", "statement_timeout", "geqo", "TimeZone")
        ]
    )
    await connection.execute("SET TIME ZONE 'Europe/Berlin'")
    say(connection.get_settings().TimeZone, connection.get_settings().application_name)
    await connection.reset()
    say(
        [
            await connection.fetchval("SELECT current_setting($1)", name)
            for name in ("search_path", "statement_timeout", "TimeZone")
        ]
    )
    await connection.close()
    await attempt_async(connect(url, server_settings={"no_such_setting": "1"}))
    await attempt_async(connect(url, database="no_such_database"))


@case("a pool with more tasks than connections", deadline=60)
async def pool(url):
    async with asyncpg.create_pool(url, min_size=4, max_size=10) as shared:

        async def work(number):
            async with shared.acquire() as connection:
                async with connection.transaction():
                    await connection.execute("SELECT set_config('mine.number', $1, true)", str(number))
                    rows = await connection.fetch(
                        "SELECT $1::int, n, current_setting('mine.number') FROM generate_series(1, 20) n", number
                    )
                    return (
                        all(tuple(row) == (number, place + 1, str(number)) for place, row in enumerate(rows))
                        and len(rows) == 20
                    )

        results = await asyncio.gather(*(work(number) for number in range(400)))
        say(len(results), all(results))
        async with shared.acquire() as connection:
            await connection.execute("SET work_mem = '7MB'")
            await connection.execute("CREATE TEMP TABLE pooled (n int)")
        values = await asyncio.gather(*(shared.fetchval("SELECT current_setting('work_mem')") for _ in range(50)))
        say(sorted(set(values)))


@case("large values", deadline=60)
async def large(url):
    connection = await connect(url)
    data = bytes(range(256)) * 40960
    say(await connection.fetchval("SELECT $1::bytea", data) == data)
    rows = await connection.fetch("SELECT n, repeat(chr(65 + n % 26), 10000) AS t FROM generate_series(1, 1000) n")
    say(len(rows), all(row["t"] == chr(65 + row["n"] % 26) * 10000 for row in rows))
    say(await connection.fetchval("SELECT count(*) FROM unnest($1::int[]) n", list(range(200000))))
    await connection.close()


main()
