"""The protocol message by message: the start-up and what is no message.

What no driver sends, and a proxy has to answer as PostgreSQL does. What is printed is the kinds of the answers in their
order, with the content that does not depend on the moment.
"""

import asyncio
import struct

import wire
from raw import connect, exchange, place, show
from transcript import case, main, say

SETTINGS = (
    "application_name",
    "client_encoding",
    "DateStyle",
    "default_transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "IntervalStyle",
    "is_superuser",
    "server_encoding",
    "server_version",
    "session_authorization",
    "standard_conforming_strings",
    "TimeZone",
)


@case("the start-up tells everything before the first ReadyForQuery")
async def start(url):
    host, port, user, database, password = place(url)
    connection = await wire.dial(host, port, raw=True)
    seen = await connection.start({"user": user, "database": database}, password)
    kinds = "".join(chr(kind) for kind, _ in seen)
    say(
        kinds.replace("S", ""),
        sorted(key for key in connection.parameters if key in SETTINGS),
        len(connection.secret) >= 4,
    )
    connection.terminate()
    say([chr(kind) for kind, _ in await connection.gone()])


@case("requests for encryption in either order, then plain text")
async def encryption(url):
    host, port, user, database, password = place(url)
    ssl, gss = struct.pack("!IHH", 8, 1234, 5679), struct.pack("!IHH", 8, 1234, 5680)
    for requests in ((ssl,), (gss,), (ssl, gss), (gss, ssl)):
        reader, writer = await asyncio.open_connection(host, port)
        for request in requests:
            writer.write(request)
            answer = await reader.readexactly(1)
            if request == gss and answer == b"G":
                # A server built with GSSAPI offers it, a proxy need not. There is no way back from an offer but another
                # connection.
                writer.transport.abort()
                reader, writer = await asyncio.open_connection(host, port)
            say("answered", answer in (b"N", b"G") if request == gss else answer)
        writer.write(wire.startup({"user": user, "database": database}))
        say(await reader.readexactly(1))
        writer.transport.abort()


@case("newer minor versions and unknown protocol options are negotiated")
async def versions(url):
    host, port, user, database, password = place(url)
    for version, settings in (
        ((3, 0), {"_pq_.novelty": "1"}),
        ((3, 2), {}),
        ((3, 9999), {}),
        ((3, 9999), {"_pq_.a": "1", "_pq_.b": "2"}),
    ):
        connection = await wire.dial(host, port, raw=True)
        seen = await connection.start({"user": user, "database": database, **settings}, password, version)
        say(version, settings, [(chr(kind), payload) for kind, payload in seen if chr(kind) == "v"], chr(seen[-1][0]))
        connection.terminate()
    for version in ((2, 0), (4, 0)):
        connection = await wire.dial(host, port, raw=True)
        connection.send(wire.startup({"user": user}, version))
        seen = await connection.gone()
        say(version, [chr(kind) for kind, _ in seen], [wire.fields(payload).get("C") for _, payload in seen])


@case("a start-up without a user, without its end, with a silly length")
async def bad_start(url):
    host, port, user, database, _ = place(url)
    body = struct.pack("!HH", 3, 0)
    for data in (
        wire.startup({"database": database}),
        struct.pack("!I", len(body) + 9) + body + b"user\0",
        struct.pack("!I", 4),
        struct.pack("!I", 100_000_000) + body,
        b"GET / HTTP/1.1\r\n\r\n",
    ):
        connection = await wire.dial(host, port, raw=True)
        connection.send(data)
        seen = await asyncio.wait_for(connection.gone(), 10)
        say([(chr(kind), wire.fields(payload).get("C")) for kind, payload in seen])


@case("one byte at a time, and everything in one packet")
async def pieces(url):
    host, port, user, database, password = place(url)
    connection = await wire.dial(host, port, raw=True)
    for byte in wire.startup({"user": user, "database": database}):
        connection.send(bytes([byte]))
        await asyncio.sleep(0.001)
    await connection.until("Z")
    batch = (
        wire.parse("", "SELECT $1::text, $2::int")
        + wire.bind(values=(b"a", None))
        + wire.describe(b"P")
        + wire.execute()
        + wire.SYNC
        + wire.query("SELECT 'simple'")
    )
    for byte in batch:
        connection.send(bytes([byte]))
        await asyncio.sleep(0.0005)
    show(await connection.ready(2))
    await exchange(connection, batch * 3, 6)
    connection.terminate()


@case("a message of no known kind, a bad length, and a Terminate in the middle")
async def nonsense(url):
    for data in (
        wire.message(b"~", b"x"),
        b"Q\0\0\0\3",
        b"Q\xff\xff\xff\xff",
        wire.message(b"Q", b"SELECT 1"),
        wire.message(b"B", b"\0\0"),
        wire.message(b"Q", b"SELECT 1\0trailing\0"),
        wire.message(b"p", b"password\0"),
        wire.message(b"E", b""),
    ):
        connection = await connect(url)
        connection.send(data)
        await asyncio.sleep(0.1)
        for kind, payload in connection.messages:
            if chr(kind) == "E" and wire.fields(payload)["S"] == "FATAL":
                # Who ends a connection may say so in words of his own.
                say("E FATAL", wire.fields(payload)["C"])
            else:
                show([(kind, payload)])
        ended = connection.lost
        connection.messages.clear()
        connection.ready_count = 0
        connection.send(wire.SYNC)
        try:
            answer = await asyncio.wait_for(connection.ready(), 5)
            say("then", [chr(kind) for kind, _ in answer])
        except wire.Lost:
            say("then the connection has ended", [wire.fields(payload).get("C") for _, payload in connection.messages])
        except TimeoutError:
            say("then nothing", ended)
        connection.abort()
    connection = await connect(url)
    connection.send(wire.query("SELECT 'last words'") + wire.TERMINATE)
    show(await connection.gone())


main()
