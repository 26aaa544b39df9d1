"""The protocol message by message: extended queries.

What no driver sends, and a proxy has to answer as PostgreSQL does. What is printed is the kinds of the answers in their
order, with the content that does not depend on the moment.
"""

import asyncio

import wire
from raw import connect, exchange, show
from transcript import case, main, say


@case("every message of the extended protocol in its order")
async def extended(url):
    connection = await connect(url)
    await exchange(connection, wire.SYNC)
    await exchange(connection, wire.parse("s", "SELECT $1::int AS a") + wire.describe(b"S", "s") + wire.SYNC)
    await exchange(
        connection,
        wire.bind("p", "s", (b"1",)) + wire.describe(b"P", "p") + wire.execute("p") + wire.close(b"P", "p") + wire.SYNC,
    )
    await exchange(connection, wire.bind("", "s", (b"\0\0\0\2",), binary=True, results=1) + wire.execute() + wire.SYNC)
    await exchange(connection, wire.close(b"S", "s") + wire.close(b"S", "s") + wire.close(b"P", "none") + wire.SYNC)
    await exchange(connection, wire.parse("", "") + wire.bind() + wire.describe(b"P") + wire.execute() + wire.SYNC)
    await exchange(
        connection,
        wire.parse("", "CREATE TABLE conformance.raw (n int)")
        + wire.describe(b"S")
        + wire.bind()
        + wire.describe(b"P")
        + wire.execute()
        + wire.SYNC,
    )
    await exchange(connection, wire.SYNC * 3, 3)
    connection.terminate()


@case("errors of every step, and what follows is skipped up to the Sync")
async def skipped(url):
    connection = await connect(url)
    good = wire.parse("", "SELECT 'good'") + wire.bind() + wire.execute()
    for bad in (
        wire.parse("", "SELEC"),
        wire.parse("", "SELECT nothing"),
        wire.bind("", "missing"),
        wire.describe(b"S", "missing"),
        wire.describe(b"P", "missing"),
        wire.execute("missing"),
        wire.parse("", "SELECT $1::int") + wire.bind(values=(b"x",)),
        wire.parse("", "SELECT $1::int") + wire.bind(values=(b"1", b"2")),
        wire.parse("", "SELECT 1; SELECT 2"),
        wire.parse("", "SELECT 1/0") + wire.bind() + wire.execute(),
        wire.describe(b"X", ""),
        wire.close(b"Y", ""),
    ):
        await exchange(
            connection, good + bad + good + wire.close(b"S", "x") + wire.describe(b"S", "y") + wire.FLUSH + wire.SYNC
        )
        await exchange(connection, good + wire.SYNC)
    # After an error, a Flush is no Sync: nothing more comes before the Sync.
    connection.send(wire.parse("", "SELEC") + wire.FLUSH)
    show(await connection.until("E"))
    connection.send(good + wire.FLUSH)
    await asyncio.sleep(0.1)
    say("unasked", connection.messages)
    await exchange(connection, wire.SYNC)
    connection.terminate()


@case("a simple query within a batch without Sync")
async def mixed(url):
    connection = await connect(url)
    await exchange(
        connection,
        wire.parse("m", "SELECT 'named'") + wire.bind("", "m") + wire.execute() + wire.query("SELECT 'simple'"),
    )
    await exchange(connection, wire.parse("", "SELEC") + wire.query("SELECT 'skipped until Sync'") + wire.SYNC)
    await exchange(
        connection, wire.query("SELECT 1; SELEC; SELECT 2") + wire.bind("", "m") + wire.execute() + wire.SYNC, 2
    )
    await exchange(connection, wire.query("") + wire.query(";") + wire.query("SELECT 1; ; SELECT 2"), 3)
    connection.terminate()


@case("portals that stop after some rows and go on")
async def portals(url):
    connection = await connect(url)
    start = wire.parse("", "SELECT n FROM generate_series(1, 5) n") + wire.bind("p")
    await exchange(
        connection,
        start + wire.execute("p", 2) + wire.execute("p", 2) + wire.execute("p", 2) + wire.execute("p", 2) + wire.SYNC,
    )
    # Outside a transaction the Sync ends it.
    await exchange(connection, start + wire.execute("p", 2) + wire.SYNC)
    await exchange(connection, wire.execute("p", 2) + wire.SYNC)
    await exchange(connection, wire.query("BEGIN"))
    await exchange(connection, start + wire.execute("p", 2) + wire.SYNC)
    await exchange(connection, wire.execute("p", 2) + wire.SYNC)
    await exchange(connection, wire.query("FETCH 1 FROM p"))
    await exchange(connection, start + wire.SYNC)
    await exchange(connection, wire.query("ROLLBACK"))
    connection.terminate()


@case("a Flush brings the answers so far")
async def flush(url):
    connection = await connect(url)
    connection.send(wire.parse("", "SELECT $1::text") + wire.describe(b"S") + wire.FLUSH)
    show(await connection.until("T"))
    connection.send(wire.bind(values=(b"x",)) + wire.execute() + wire.FLUSH)
    show(await connection.until("C"))
    connection.send(wire.bind(values=(b"y",)) + wire.FLUSH)
    show(await connection.until("2"))
    await exchange(connection, wire.execute() + wire.SYNC)
    connection.terminate()


@case("the unnamed statement lives until the next one, over transactions and other clients")
async def unnamed(url):
    connection, other = await connect(url), await connect(url)
    await exchange(connection, wire.parse("", "SELECT 'mine', $1::int") + wire.SYNC)
    for number in range(3):
        await exchange(other, wire.parse("", f"SELECT 'other {number}'") + wire.bind() + wire.execute() + wire.SYNC)
        await exchange(connection, wire.bind(values=(b"%d" % number,)) + wire.execute() + wire.SYNC)
    await exchange(connection, wire.parse("", "SELEC") + wire.SYNC)
    await exchange(connection, wire.bind(values=(b"9",)) + wire.execute() + wire.SYNC)
    await exchange(connection, wire.parse("", "SELECT 'again'") + wire.close(b"S") + wire.SYNC)
    await exchange(connection, wire.bind() + wire.execute() + wire.SYNC)
    for one in (connection, other):
        one.terminate()


@case("named statements: taken, failed, closed, forgotten, in one batch")
async def named(url):
    connection, other = await connect(url), await connect(url)
    use = wire.bind("", "s") + wire.execute() + wire.SYNC
    await exchange(connection, wire.parse("s", "SELECT 'mine'") + use)
    await exchange(other, wire.parse("s", "SELECT 'other'") + use)
    await exchange(connection, use)
    await exchange(connection, wire.parse("s", "SELECT 'mine'") + wire.SYNC)
    await exchange(connection, use)
    await exchange(connection, wire.close(b"S", "s") + wire.parse("s", "SELECT 'second'") + use)
    await exchange(connection, wire.parse("t", "SELECT nothing") + wire.close(b"S", "t") + wire.SYNC)
    await exchange(
        connection,
        wire.close(b"S", "t") + wire.parse("t", "SELECT 't'") + wire.bind("", "t") + wire.execute() + wire.SYNC,
    )
    # One that fails before its Parse is reached was never made.
    await exchange(connection, wire.execute("missing") + wire.parse("u", "SELECT 'u'") + wire.SYNC)
    await exchange(connection, wire.bind("", "u") + wire.execute() + wire.SYNC)
    await exchange(connection, wire.parse("v", "SELECT 'v'") + wire.SYNC + wire.query("DEALLOCATE ALL") + use, 3)
    await exchange(connection, wire.parse("s", "SELECT 'third'") + use)
    await exchange(connection, wire.parse("", "DEALLOCATE s") + wire.bind() + wire.execute() + wire.SYNC + use, 2)
    await exchange(other, use)
    for one in (connection, other):
        one.terminate()


main()
