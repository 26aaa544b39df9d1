"""The protocol message by message: COPY, cancels, and what comes unasked.

What no driver sends, and a proxy has to answer as PostgreSQL does. What is printed is the kinds of the answers in their
order, with the content that does not depend on the moment.
"""

import asyncio
import struct

import wire
from raw import connect, exchange, last, place, show
from transcript import case, main, say


@case("COPY messages where they belong, and where they do not")
async def copy(url):
    connection = await connect(url)
    await exchange(connection, wire.query("CREATE TABLE conformance.raw_copy (n int, t text)"))
    into = wire.query("COPY conformance.raw_copy FROM STDIN")
    await exchange(connection, into + wire.copy_data(b"1\ta\n2") + wire.copy_data(b"\tb\n") + wire.COPY_DONE)
    await exchange(connection, into + wire.copy_data(b"3\tc\n") + wire.copy_fail("changed my mind"))
    await exchange(
        connection,
        into + wire.copy_data(b"x\n") + wire.copy_data(b"5\te\n") * 1000 + wire.COPY_DONE + wire.query("SELECT 'next'"),
        2,
    )
    await exchange(
        connection,
        wire.query("COPY conformance.missing FROM STDIN")
        + wire.copy_data(b"1\ta\n")
        + wire.COPY_DONE
        + wire.query("SELECT 'next'"),
        2,
    )
    await exchange(
        connection,
        wire.copy_data(b"stray") + wire.COPY_DONE + wire.copy_fail("stray") + wire.query("SELECT 'after strays'"),
    )
    await exchange(connection, into + wire.copy_data(b"6\tf\n") + wire.FLUSH + wire.SYNC + wire.COPY_DONE)
    await exchange(
        connection,
        wire.parse("", "COPY conformance.raw_copy FROM STDIN")
        + wire.bind()
        + wire.execute()
        + wire.copy_data(b"7\tg\n")
        + wire.COPY_DONE
        + wire.SYNC,
    )
    await exchange(
        connection,
        wire.parse("", "COPY conformance.raw_copy FROM STDIN")
        + wire.bind()
        + wire.execute()
        + wire.copy_data(b"bad\n") * 3
        + wire.COPY_DONE
        + wire.SYNC
        + wire.query("SELECT 'next'"),
        2,
    )
    await exchange(connection, wire.query("COPY (SELECT * FROM conformance.raw_copy ORDER BY n) TO STDOUT"))
    connection.send(into + wire.query("SELECT 'in the middle of a COPY'"))
    show(await connection.gone())


@case("function calls")
async def functions(url):
    connection = await connect(url)

    def call(oid, *values):
        body = struct.pack("!IHHH", oid, 1, 0, len(values))
        body += b"".join(struct.pack("!I", len(value)) + value for value in values) + struct.pack("!H", 0)
        return wire.message(b"F", body)

    await exchange(connection, call(1317, b"four"))
    await exchange(connection, call(1, b"x"))
    await exchange(connection, wire.query("BEGIN"))
    await exchange(connection, call(1317, b"seven!!"))
    await exchange(connection, call(1))
    await exchange(connection, call(1317, b"x"))
    await exchange(connection, wire.query("ROLLBACK"))
    connection.terminate()


@case("cancel requests with the right key, the wrong one, and none")
async def cancels(url):
    connection, other = await connect(url), await connect(url)
    host, port, *_ = place(url)
    connection.send(wire.query("SELECT pg_sleep(20)"))
    other.send(wire.query("SELECT pg_sleep(1)"))
    await asyncio.sleep(0.3)
    for pid, secret in (
        (connection.pid, b"\0\0\0\0"),
        (connection.pid + 100000, connection.secret),
        (0, b"\0" * 4),
        (connection.pid, b""),
    ):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(wire.cancel_request(pid, secret))
        say("answer", await asyncio.wait_for(reader.read(), 10))
        writer.close()
    await asyncio.sleep(0.2)
    say("not yet cancelled", not connection.ready_count)
    await connection.cancel()
    show(await connection.ready())
    show(await other.ready())
    await last(connection)
    await last(other)
    for one in (connection, other):
        one.terminate()


@case("cancelling large results, read and unread")
async def large_cancels(url):
    for sql in (
        "COPY (SELECT repeat('x', 1000), generate_series(1, 100000000)) TO STDOUT",
        "SELECT repeat('x', 1000), generate_series(1, 100000000)",
    ):
        for unread in (False, True):
            connection = await connect(url)
            connection.send(wire.query(sql))
            await connection.until("dD")
            if unread:
                connection.transport.pause_reading()
                await asyncio.sleep(0.5)
            await connection.cancel()
            connection.transport.resume_reading()
            answer = await connection.ready()
            show(item for item in answer if chr(item[0]) not in "dD")
            await last(connection)
            connection.terminate()


@case("a cancel while others take turns hits its own client only")
async def cancels_in_turn(url):
    connections = [await connect(url, raw=False) for _ in range(6)]
    hit = [0] * 6
    for turn in range(20):
        victim = connections[turn % 6]
        for one in connections:
            one.send(wire.query("SELECT pg_sleep(0.02)"))
        await victim.cancel()
        for place_, one in enumerate(connections):
            answer = await one.ready()
            if any(chr(kind) == "E" for kind, _ in answer) and one is not victim:
                hit[place_] += 1
    say("hit by others' cancels", hit)
    for one in connections:
        one.terminate()


@case("settings reported when they change, and only then")
async def reported(url):
    connection = await connect(url)
    for sql in (
        "SET TIME ZONE 'Asia/Tokyo'",
        "SET TIME ZONE 'Asia/Tokyo'",
        "SET work_mem = '5MB'",
        "BEGIN; SET LOCAL DateStyle = 'German'",
        "ROLLBACK",
        "SELECT set_config('application_name', 'x', false)",
        "RESET ALL",
        "SET client_encoding = 'nonsense'",
    ):
        say(sql)
        answer = await connection.answer(wire.query(sql))
        # Their order among themselves is the server's business.
        show(sorted((item for item in answer if chr(item[0]) == "S"), key=lambda item: item[1]))
        show(item for item in answer if chr(item[0]) != "S")
    connection.terminate()


@case("notifications, and notices, come when nothing else is asked", deadline=30)
async def unasked(url):
    listener, speaker = await connect(url), await connect(url)
    await exchange(listener, wire.query("LISTEN raw_news"))
    await exchange(speaker, wire.query("NOTIFY raw_news, 'one'"))
    show(await asyncio.wait_for(listener.until("A"), 10))
    await exchange(speaker, wire.query("NOTIFY raw_news, 'two'"))
    show(await asyncio.wait_for(listener.until("A"), 10))
    await exchange(listener, wire.query("UNLISTEN *"))
    for one in (listener, speaker):
        one.terminate()


@case("a client that does not read does not hold up the others", deadline=60)
async def slow_reader(url):
    slow, other = await connect(url, raw=False), await connect(url, raw=False)
    slow.transport.pause_reading()
    slow.send(wire.query("SELECT n, repeat('x', 1000) FROM generate_series(1, 60000) n"))
    for number in range(50):
        answer = await other.answer(wire.query(f"SELECT {number}"))
        if wire.row(answer[1][1]) != [str(number).encode()]:
            say("wrong", number, answer)
    slow.transport.resume_reading()
    answer = await slow.ready()
    say(
        len(answer),
        all(wire.row(payload)[0] == b"%d" % (number + 1) for number, (kind, payload) in enumerate(answer[1:-2])),
    )
    for one in (slow, other):
        one.terminate()


main()
