"""What the soak's clients do to make trouble: cancels, disconnects in any state, session state."""

import asyncio

import wire
from soak_client import COPY_TABLE, LATE_CANCEL_OPERATIONS, ROW_TABLE
from soak_operations import encoded, pieces, simple, unnamed_batch


async def cancel(client):
    """A cancel at a random moment: the query ends well, or as cancelled, and the next one is unharmed."""
    tag = client.tag()
    seconds = client.random.choice((0, 0.01, 0.05, 0.2, 2))
    client.wire.send(wire.query(f"SELECT '{tag}', 1 FROM pg_sleep({seconds})"))
    await asyncio.sleep(client.random.random() * 0.05)
    await client.wire.cancel()
    messages = await client.wire.ready()
    client.findings.counts["queries"] += 1
    if any(kind == 69 for kind, _ in messages):
        client.findings.counts["cancelled"] += 1
        # The description of the columns and the row, its own, may have come before the error, or not.
        has_row = any(kind == 68 for kind, _ in messages)
        rows = [[encoded(tag), b"1"]] if has_row else []
        left = [item for item in messages if item[0] != 84]
        client.judge(left, "DEZ" if has_row else "EZ", rows, "I", [("57014", "user request")])
    else:
        client.judge(messages, "TDCZ", [[encoded(tag), b"1"]], "I")


async def cancel_nothing(client):
    """A cancel while nothing runs, and one that nobody waits for."""
    if client.random.random() < 0.5:
        await client.wire.cancel()
    else:
        client.cancel_slack = LATE_CANCEL_OPERATIONS
        await client.wire.cancel(wait=False)
    await simple(client)


async def vanish(client):
    """The client is gone, in one of all the states that it can be in."""
    tag, connection = client.tag(), client.wire
    batch = unnamed_batch(tag, 100)
    state = client.random.randint(0, 9)
    if state == 0:
        data = wire.query(f"SELECT '{tag}'")
        connection.send(data[: client.random.randint(1, len(data) - 1)])
    elif state == 1:
        connection.send(
            wire.query(f"BEGIN; INSERT INTO {ROW_TABLE} VALUES ({client.number}, {client.sequence}, '{tag}')")
        )
        if client.random.random() < 0.5:
            await connection.ready()
    elif state == 2:
        connection.send(wire.query(f"COPY {COPY_TABLE} FROM STDIN"))
        await connection.until("GE")
        connection.send(pieces(client, b"%s\t1\n" % encoded(tag) * 500))
    elif state == 3:
        connection.send(wire.query(f"SELECT '{tag}', repeat('x', 1000) FROM generate_series(1, 20000)"))
        await connection.until("DE")
    elif state == 4:
        connection.send(batch)
    elif state == 5:
        connection.send(wire.query(f"SELECT '{tag}' FROM pg_sleep(60)"))
        await asyncio.sleep(client.random.random() * 0.05)
    elif state == 6:
        connection.send(batch + wire.SYNC + batch)
    elif state == 7:
        connection.send(wire.query(f"SELECT '{tag}' FROM pg_sleep(60)"))
        await connection.cancel(wait=False)
    elif state == 8:
        other = await wire.dial(client.options.host, client.options.port)
        other.send(
            wire.startup({"user": client.options.user, "database": client.options.database})[
                : client.random.randint(1, 20)
            ]
        )
        await asyncio.sleep(client.random.random() * 0.02)
        other.abort()
    else:
        connection.send(wire.query(f"SELECT '{tag}'") + wire.TERMINATE)
    client.findings.counts["vanished"] += 1
    client.drop()


async def session(client):
    """Settings, a temporary table, a lock and a channel of one's own, over several transactions; then it leaves."""
    async with client.pins:
        tag = client.tag()
        channel = f"soak_{client.number}"
        await client.exchange(wire.query(f"SET soak.tag = '{tag}'"), "CZ", [])
        await client.exchange(wire.query("CREATE TEMP TABLE mine (tag text)"), "CZ", [])
        await client.exchange(wire.query(f"LISTEN {channel}"), "CZ", [])
        lock = client.number * 1000 + client.sequence % 1000
        await client.exchange(wire.query(f"SELECT pg_try_advisory_lock({lock})"), "TDCZ", [[b"t"]])
        for _ in range(client.random.randint(1, 3)):
            await client.exchange(
                wire.parse("", "INSERT INTO mine VALUES ($1)")
                + wire.bind(values=(encoded(tag),))
                + wire.execute()
                + wire.SYNC,
                "12CZ",
                [],
            )
            await asyncio.sleep(client.random.random() * 0.01)
            await client.exchange(
                wire.query("SELECT current_setting('soak.tag'), (SELECT max(tag) FROM mine)"),
                "TDCZ",
                [[encoded(tag), encoded(tag)]],
            )
        await client.exchange(wire.query(f"NOTIFY {channel}, '{tag}'"), "CZ", [])
        while (channel, tag) not in client.wire.notifications:
            await client.wire.more()
        client.wire.notifications.clear()
        client.findings.counts["queries"] += 5
        if client.random.random() < 0.5:
            client.statements = {}
            await client.exchange(wire.query("DISCARD ALL"), "CZ", [])
            await client.exchange(
                wire.query("SELECT coalesce(current_setting('soak.tag', true), ''), to_regclass('pg_temp.mine')"),
                "TDCZ",
                [[b"", None]],
            )
        if client.random.random() < 0.5:
            client.wire.terminate()
            client.wire = None
        client.drop()
