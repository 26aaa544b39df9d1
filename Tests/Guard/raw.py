"""What the raw_* programs share: a connection with every message in view, and a printout of them."""

import asyncio
import struct
import urllib.parse

import wire
from transcript import say


def place(url):
    parts = urllib.parse.urlparse(url)
    return parts.hostname, parts.port, parts.username or "postgres", parts.path.lstrip("/"), parts.password or ""


async def connect(url, raw=True, **settings):
    connection = await wire.connect(*place(url), raw=raw, **settings)
    connection.messages.clear()
    return connection


def show(messages):
    """One line a message."""
    for kind, payload in messages:
        letter = chr(kind)
        if letter in "EN":
            fields = wire.fields(payload)
            say(letter, {key: fields[key] for key in "SVCMDHPWR" if key in fields})
        elif letter == "D":
            say(letter, wire.row(payload))
        elif letter == "T":
            names, position = [], 2
            for _ in range(struct.unpack_from("!H", payload)[0]):
                end = payload.index(b"\0", position)
                names.append((payload[position:end].decode(), *struct.unpack_from("!IhIhih", payload, end + 1)[2:]))
                position = end + 19
            say(letter, names)
        elif letter == "A":
            say(letter, payload[4:])
        else:
            say(letter, payload)


async def exchange(connection, data, count=1):
    show(await connection.answer(data, count))


async def last(connection):
    """Whether the connection still works, or how it ended."""
    try:
        show(await asyncio.wait_for(connection.answer(wire.query("SELECT 'well'")), 10))
    except wire.Lost:
        say("the connection has ended")
