"""What the soak's clients do. Each operation knows exactly what has to come back, message by message."""

import asyncio

import wire
from soak_client import COPY_TABLE, ROW_TABLE, Interrupted


def encoded(value):
    return value.encode()


async def simple(client):
    tag = client.tag()
    await client.exchange(wire.query(f"SELECT '{tag}'"), "TDCZ", [[encoded(tag)]])


async def several(client):
    tags = [client.tag() for _ in range(client.random.randint(2, 6))]
    await client.exchange(
        wire.query("; ".join(f"SELECT '{tag}'" for tag in tags)),
        "TDC" * len(tags) + "Z",
        [[encoded(tag)] for tag in tags],
        len(tags),
    )


async def many_rows(client):
    tag, count = client.tag(), client.random.choice((1, 10, 100, 1000))
    await client.exchange(
        wire.query(f"SELECT '{tag}', n FROM generate_series(1, {count}) n"),
        "TDCZ",
        [[encoded(tag), b"%d" % number] for number in range(1, count + 1)],
    )


async def large_row(client):
    tag = client.tag()
    times = client.random.randint(1000, 40000)
    if client.random.random() < 0.3:
        # A slow reader.
        client.wire.transport.pause_reading()
        asyncio.get_running_loop().call_later(client.random.random() * 0.1, resume, client.wire)
    await client.exchange(
        wire.query(f"SELECT '{tag}', repeat('{tag}', {times})"), "TDCZ", [[encoded(tag), encoded(tag) * times]]
    )


def resume(connection):
    if not connection.lost:
        connection.transport.resume_reading()


def unnamed_batch(tag, count):
    return (
        wire.parse("", "SELECT $1::text, n, $2::int FROM generate_series(1, $3::int) n")
        + wire.bind(values=(encoded(tag), b"%d" % count, b"%d" % count))
        + wire.describe(b"P")
        + wire.execute()
    )


async def extended(client):
    tag, count = client.tag(), client.random.randint(0, 5)
    await client.exchange(
        unnamed_batch(tag, count) + wire.SYNC,
        "12TDCZ" if count else "12TCZ",
        [[encoded(tag), b"%d" % number, b"%d" % count] for number in range(1, count + 1)],
    )


async def flushed(client):
    """The answers come at a Flush, the ReadyForQuery at the Sync only."""
    tag = client.tag()
    client.wire.send(
        wire.parse("", "SELECT $1::text") + wire.bind(values=(encoded(tag),)) + wire.execute() + wire.FLUSH
    )
    messages = await client.wire.until("CE")
    messages += await client.wire.answer(wire.SYNC)
    client.judge(messages, "12DCZ", [[encoded(tag)]], "I")
    client.findings.counts["queries"] += 1


async def portions(client):
    tag, most = client.tag(), client.random.randint(1, 4)
    count = client.random.randint(5, 9)
    times, rest = divmod(count, most)
    kinds = "12" + "Ds" * times + ("DC" if rest else "C") + "Z"
    data = (
        wire.parse("", f"SELECT '{tag}', n FROM generate_series(1, {count}) n")
        + wire.bind("p")
        + wire.execute("p", most) * (times + 1)
    )
    await client.exchange(data + wire.SYNC, kinds, [[encoded(tag), b"%d" % number] for number in range(1, count + 1)])


def prepared_text(client, name, generation):
    """Another text for every client under the same names."""
    return f"SELECT 'c{client.number}-q0-{name}-{generation}', $1::text, {client.number}"


def use_prepared(client):
    """A statement of the client's, made when it is not there: (data, kinds, row)."""
    name = f"s{client.random.randint(0, 9)}"
    tag = encoded(client.tag())
    data, kinds = b"", ""
    if name in client.statements and client.random.random() < 0.02:
        data, kinds = wire.close(b"S", name), "3"
        del client.statements[name]
    if name not in client.statements:
        client.statements[name] = client.random.randint(0, 999)
        data += wire.parse(name, prepared_text(client, name, client.statements[name]))
        kinds += "1"
    row = [encoded(f"c{client.number}-q0-{name}-{client.statements[name]}"), tag, b"%d" % client.number]
    return data + wire.bind("", name, (tag,)) + wire.execute(), kinds + "2DC", row


async def guarded_by_statements(client, work):
    """When an operation on statements is interrupted, which of them there are is unknown: all are forgotten."""
    try:
        await work
    except Interrupted as interruption:
        client.statements = {}
        if interruption.state in ("T", "E"):
            await client.wire.answer(wire.query("ROLLBACK"))
        await client.wire.answer(wire.query("DEALLOCATE ALL"))
        raise Interrupted("I") from None


async def prepared(client):
    data, kinds, row = use_prepared(client)
    await guarded_by_statements(client, client.exchange(data + wire.SYNC, kinds + "Z", [row]))


async def prepared_burst(client):
    """Many in one go, each with its Sync: what most of the ten million are."""
    data, kinds, rows = b"", "", []
    count = client.random.randint(5, 40)
    for _ in range(count):
        one, its_kinds, row = use_prepared(client)
        data += one + wire.SYNC
        kinds += its_kinds + "Z"
        rows.append(row)
    await guarded_by_statements(client, client.exchange(data, kinds, rows, count, "I" * count))


async def forget(client):
    """DEALLOCATE ALL or DISCARD ALL, and the names are free and unknown."""
    client.statements = {}
    sql = client.random.choice(("DEALLOCATE ALL", "DISCARD ALL"))
    await client.exchange(wire.query(sql), "CZ", [])
    await client.exchange(wire.bind("", "s0", (b"x",)) + wire.execute() + wire.SYNC, "EZ", [], errors=[("26000", "s0")])


async def taken_name(client):
    tag = client.tag()
    name = f"d{client.sequence}"
    data = (
        wire.parse(name, f"SELECT '{tag}'")
        + wire.parse(name, "SELECT 'never'")
        + wire.SYNC
        + wire.bind("", name)
        + wire.execute()
        + wire.close(b"S", name)
        + wire.SYNC
    )
    await client.exchange(data, "1EZ2DC3Z", [[encoded(tag)]], 2, "II", [("42P05", name)])


async def burst(client):
    """Simple queries, one behind the other without waiting."""
    tags = [client.tag() for _ in range(client.random.randint(5, 40))]
    await client.exchange(
        b"".join(wire.query(f"SELECT '{tag}'") for tag in tags),
        "TDCZ" * len(tags),
        [[encoded(tag)] for tag in tags],
        len(tags),
        "I" * len(tags),
    )


async def pipeline(client):
    """Several statements before one Sync, perhaps with an error among them: what follows it is skipped."""
    count = client.random.randint(2, 12)
    bad = client.random.randint(0, count * 2)
    data, kinds, rows, errors = b"", "", [], []
    for place in range(count):
        tag = client.tag()
        if place == bad:
            data += wire.parse("", f'SELECT * FROM "{tag}"') + wire.bind() + wire.execute()
            errors = [("42P01", tag)]
            kinds += "E"
        else:
            data += wire.parse("", "SELECT $1::text") + wire.bind(values=(encoded(tag),)) + wire.execute()
            if not errors:
                rows.append([encoded(tag)])
                kinds += "12DC"
    await client.exchange(data + wire.SYNC, kinds + "Z", rows, count, errors=errors)


async def failing(client):
    """Errors of several kinds; those that can carry the tag must carry the client's own."""
    tag = client.tag()
    sql, kinds, rows, error = client.random.choice(
        (
            (f'SELECT * FROM "{tag}"', "EZ", [], ("42P01", tag)),
            (f"SELEC '{tag}'", "EZ", [], ("42601", "SELEC")),
            (f"DO $$ BEGIN RAISE NOTICE '{tag}'; RAISE EXCEPTION '{tag}'; END $$", "EZ", [], ("P0001", tag)),
            (
                f"SELECT '{tag}', 1/(3-n) FROM generate_series(1, 5) n",
                "TDEZ",
                [[encoded(tag), b"0"], [encoded(tag), b"1"]],
                ("22012", "division"),
            ),
            (f"SELECT '{tag}'; SELECT 1/0; SELECT 'never'", "TDCEZ", [[encoded(tag)]], ("22012", "division")),
        )
    )
    await client.exchange(wire.query(sql), kinds, rows, errors=[error])


async def insert(client, tag):
    """One row into the ledger, inside a transaction."""
    sql = f"INSERT INTO {ROW_TABLE} VALUES ($1, $2, $3)"
    data = (
        wire.parse("", sql)
        + wire.bind(values=(b"%d" % client.number, b"%d" % client.sequence, encoded(tag)))
        + wire.execute()
        + wire.SYNC
    )
    await client.exchange(data, "12CZ", [], states="T")


async def transaction(client):
    """Rows that are there after COMMIT, and not after ROLLBACK or a failure."""
    await client.exchange(wire.query("BEGIN"), "CZ", [], states="T")
    made = {}
    for _ in range(client.random.randint(1, 4)):
        tag = client.tag()
        await insert(client, tag)
        made[client.sequence] = tag
        if client.random.random() < 0.2:
            await client.exchange(
                wire.query(f"SAVEPOINT s; SELECT '{tag}'; SELECT 1/0"),
                "CTDCEZ",
                [[encoded(tag)]],
                3,
                "E",
                [("22012", "division")],
            )
            await client.exchange(wire.query("ROLLBACK TO s"), "CZ", [], states="T")
        if client.random.random() < 0.2:
            await asyncio.sleep(client.random.random() * 0.01)
    await client.exchange(
        wire.query(f"SELECT tag FROM {ROW_TABLE} WHERE client = {client.number} AND seq >= {min(made)} ORDER BY seq"),
        "TDCZ",
        [[encoded(tag)] for tag in made.values()],
        states="T",
    )
    await finish(client, made)


async def finish(client, made):
    choice = client.random.random()
    if choice < 0.6:
        client.doubtful |= set(made)
        await client.exchange(wire.query("COMMIT"), "CZ", [])
        client.doubtful -= set(made)
        client.committed.update(made)
    elif choice < 0.8:
        await client.exchange(wire.query("ROLLBACK"), "CZ", [])
    elif choice < 0.9:
        tag = client.tag()
        await client.exchange(wire.query(f'SELECT * FROM "{tag}"'), "EZ", [], states="E", errors=[("42P01", tag)])
        await client.exchange(unnamed_batch(tag, 1) + wire.SYNC, "EZ", [], states="E", errors=[("25P02", "")])
        await client.exchange(wire.query("COMMIT"), "CZ", [])
    else:
        # In the middle of it: the server has to roll it back.
        client.drop()


async def verify(client):
    """The ledger is what was committed, no more and no less; then it is emptied."""
    expected, client.committed = client.committed, {}
    unknown = ",".join(map(str, sorted(client.doubtful)))
    # Whether they are gone is in doubt as well until the answer is here.
    client.doubtful |= set(expected)
    await client.exchange(
        wire.query(
            f"DELETE FROM {ROW_TABLE} WHERE client = {client.number} AND seq <> ALL ('{{{unknown}}}') "
            "RETURNING seq, tag"
        ),
        "TDCZ" if expected else "TCZ",
        AnyOrder([b"%d" % sequence, encoded(tag)] for sequence, tag in expected.items()),
    )
    client.doubtful -= set(expected)


class AnyOrder(list):
    """Rows whose order is the server's business."""

    def __eq__(self, other):
        return sorted(self) == sorted(other)

    def __ne__(self, other):
        return not self == other

    __hash__ = None


async def copy_out(client):
    tag, count = client.tag(), client.random.choice((0, 1, 50, 2000))
    client.wire.send(wire.query(f"COPY (SELECT '{tag}', n FROM generate_series(1, {count}) n) TO STDOUT"))
    messages = await client.wire.ready()
    lines = b"".join(payload for kind, payload in messages if kind == 100)
    client.judge([item for item in messages if item[0] != 100], "HcCZ", [], "I")
    client.findings.counts["queries"] += 1
    if lines != b"".join(b"%s\t%d\n" % (encoded(tag), number) for number in range(1, count + 1)):
        client.wrong("wrong rows", f"COPY gave {len(lines)} bytes, {lines[:80]}")


async def copy_in(client):
    """COPY in, whole or broken, in a transaction that reads back what is there and takes it away."""
    tag, count = client.tag(), client.random.choice((0, 1, 50, 2000))
    rows = b"".join(b"%s\t%d\n" % (encoded(tag), number) for number in range(1, count + 1))
    how = client.random.choice(("whole", "whole", "whole", "given up", "bad", "bad in pieces"))
    start = wire.query(f"COPY {COPY_TABLE} FROM STDIN")
    await client.exchange(wire.query("BEGIN"), "CZ", [], states="T")
    if how == "whole":
        await client.exchange(start + pieces(client, rows) + wire.COPY_DONE, "GCZ", [], states="T")
        await client.exchange(
            wire.query(f"SELECT '{tag}', count(*), coalesce(sum(n), 0) FROM {COPY_TABLE} WHERE tag = '{tag}'"),
            "TDCZ",
            [[encoded(tag), b"%d" % count, b"%d" % (count * (count + 1) // 2)]],
            states="T",
        )
    elif how == "given up":
        await client.exchange(
            start + pieces(client, rows) + wire.copy_fail(tag), "GEZ", [], states="E", errors=[("57014", tag)]
        )
    else:
        await client.exchange(
            start
            + pieces(client, rows)
            + wire.copy_data(b"bad line\n")
            + pieces(client, rows) * (how == "bad in pieces")
            + wire.COPY_DONE,
            "GEZ",
            [],
            states="E",
            errors=[("22P04", "")],
        )
    await client.exchange(wire.query("ROLLBACK"), "CZ", [])


def pieces(client, data):
    """CopyData messages, cut anywhere: they need not end at a line."""
    parts, position = [], 0
    while position < len(data):
        size = client.random.choice((1, 100, 8192)) if len(data) - position < 1000 else 8192
        parts.append(wire.copy_data(data[position : position + size]))
        position += size
    return b"".join(parts)


async def idle(client):
    await asyncio.sleep(client.random.random() * 0.2)


async def leave(client):
    client.wire.terminate()
    client.wire = None
