"""A small client of PostgreSQL's protocol, version 3, over asyncio: every byte it sends is the caller's, every message
that comes back is his to see. For tests that drivers are too polite for, and for load that they are too slow for.

A message is a pair (kind, payload): kind is one byte's value, payload what follows the length.
"""

import asyncio
import hashlib
import struct

LENGTH = struct.Struct("!I").unpack_from
READY, ERROR, NOTICE, STATUS, NOTIFICATION = (ord(letter) for letter in "ZENSA")


class Lost(Exception):
    """The connection ended while an answer was awaited."""


class Refused(Exception):
    """The server answered the start-up with an error."""

    def __init__(self, fields):
        super().__init__(f"{fields.get('C')} {fields.get('M')}")
        self.fields = fields


def message(kind, payload=b""):
    return kind + struct.pack("!I", len(payload) + 4) + payload


def text(value):
    return value.encode() + b"\0"


def query(sql):
    return message(b"Q", text(sql))


def parse(name, sql, types=()):
    return message(b"P", text(name) + text(sql) + struct.pack(f"!H{len(types)}I", len(types), *types))


def bind(portal="", name="", values=(), binary=False, results=0):
    parts = [text(portal), text(name), struct.pack("!HH", 1, 1) if binary else b"\0\0", struct.pack("!H", len(values))]
    for value in values:
        parts.append(b"\xff\xff\xff\xff" if value is None else struct.pack("!I", len(value)) + value)
    parts.append(struct.pack("!HH", 1, results))
    return message(b"B", b"".join(parts))


def describe(kind, name=""):
    return message(b"D", kind + text(name))


def execute(portal="", most=0):
    return message(b"E", text(portal) + struct.pack("!I", most))


def close(kind, name=""):
    return message(b"C", kind + text(name))


SYNC, FLUSH, TERMINATE, COPY_DONE = message(b"S"), message(b"H"), message(b"X"), message(b"c")


def copy_data(data):
    return message(b"d", data)


def copy_fail(reason):
    return message(b"f", text(reason))


def startup(settings, version=(3, 0)):
    body = struct.pack("!HH", *version) + b"".join(text(key) + text(value) for key, value in settings.items()) + b"\0"
    return struct.pack("!I", len(body) + 4) + body


def cancel_request(pid, secret):
    return struct.pack("!IHHI", 12 + len(secret), 1234, 5678, pid) + secret


def fields(payload):
    """The fields of an ErrorResponse or NoticeResponse, by their letter."""
    return {chr(part[0]): part[1:].decode(errors="replace") for part in payload.split(b"\0") if part}


def row(payload):
    """The columns of a DataRow."""
    columns, position = [], 2
    for _ in range(struct.unpack_from("!H", payload)[0]):
        length = struct.unpack_from("!i", payload, position)[0]
        position += 4
        if length < 0:
            columns.append(None)
        else:
            columns.append(payload[position : position + length])
            position += length
    return columns


class Wire(asyncio.Protocol):
    """One connection. `raw` keeps notices, notifications and parameter changes in the row of messages; otherwise they
    are put aside in `notices`, `notifications` and `parameters`."""

    def __init__(self, raw=False):
        self.raw = raw
        self.buffer = b""
        self.messages = []
        self.ready_count = 0
        self.notices, self.notifications, self.parameters = [], [], {}
        self.pid, self.secret = None, b""
        self.transport = None
        self.lost = False
        self.waiter = None
        self.address = None

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, _):
        self.lost = True
        self.wake()

    def wake(self):
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def data_received(self, data):
        buffer = self.buffer + data if self.buffer else data
        position, end = 0, len(buffer)
        append = self.messages.append
        while end - position >= 5:
            stop = position + 1 + LENGTH(buffer, position + 1)[0]
            if stop > end:
                break
            kind = buffer[position]
            payload = buffer[position + 5 : stop]
            if kind == READY:
                self.ready_count += 1
                append((kind, payload))
            elif kind in (NOTICE, STATUS, NOTIFICATION):
                self.aside(kind, payload)
            else:
                append((kind, payload))
            position = stop
        self.buffer = buffer[position:]
        self.wake()

    def aside(self, kind, payload):
        if kind == STATUS:
            key, value = payload.split(b"\0")[:2]
            self.parameters[key.decode()] = value.decode(errors="replace")
        elif kind == NOTICE:
            self.notices.append(fields(payload))
        else:
            channel, content = payload[4:].split(b"\0")[:2]
            self.notifications.append((channel.decode(), content.decode()))
        if self.raw:
            self.messages.append((kind, payload))

    def send(self, data):
        self.transport.write(data)

    async def more(self):
        if self.lost:
            raise Lost()
        self.waiter = asyncio.get_running_loop().create_future()
        await self.waiter
        self.waiter = None

    async def ready(self, count=1):
        """All messages up to the count-th ReadyForQuery."""
        while self.ready_count < count:
            await self.more()
        if self.ready_count == count and self.messages[-1][0] == READY:
            taken, self.messages = self.messages, []
        else:
            ends = [place for place, (kind, _) in enumerate(self.messages) if kind == READY]
            place = ends[count - 1]
            taken, self.messages = self.messages[: place + 1], self.messages[place + 1 :]
        self.ready_count -= count
        return taken

    async def until(self, kinds):
        """All messages up to the first of one of these kinds."""
        wanted = set(kinds.encode())
        seen = 0
        while True:
            for place in range(seen, len(self.messages)):
                if self.messages[place][0] in wanted:
                    taken, self.messages = self.messages[: place + 1], self.messages[place + 1 :]
                    self.ready_count -= sum(kind == READY for kind, _ in taken)
                    return taken
            seen = len(self.messages)
            await self.more()

    async def gone(self):
        """Waits for the end of the connection; gives the messages before it."""
        while not self.lost:
            self.waiter = asyncio.get_running_loop().create_future()
            await self.waiter
        taken, self.messages, self.ready_count = self.messages, [], 0
        return taken

    async def answer(self, data, count=1):
        self.send(data)
        return await self.ready(count)

    async def start(self, settings, password="", version=(3, 0)):
        """Start-up and sign-in: trust, cleartext, MD5."""
        self.send(startup(settings, version))
        seen = []
        while True:
            seen += await self.until("REZK")
            kind, payload = seen[-1]
            if kind == ERROR:
                raise Refused(fields(payload))
            if kind == READY:
                return seen
            if kind == ord("K"):
                self.pid, self.secret = LENGTH(payload)[0], payload[4:]
            elif kind == ord("R") and payload[:4] != b"\0\0\0\0":
                self.send(message(b"p", text(self.proof(payload, settings["user"], password))))

    @staticmethod
    def proof(payload, user, password):
        method = LENGTH(payload)[0]
        if method == 3:
            return password
        if method == 5:
            inner = hashlib.md5((password + user).encode()).hexdigest()
            return "md5" + hashlib.md5(inner.encode() + payload[4:8]).hexdigest()
        raise RuntimeError(f"this client cannot sign in by method {method}; use trust, a password in clear, or MD5")

    async def cancel(self, wait=True):
        """Asks for a cancel as a client does: on a connection of its own, which the server closes when it has acted."""
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            writer.write(cancel_request(self.pid, self.secret))
            await writer.drain()
            if wait:
                await reader.read()
        finally:
            writer.transport.abort()

    def terminate(self):
        if not self.lost:
            self.send(TERMINATE)
            self.transport.close()

    def abort(self):
        self.transport.abort()


async def dial(host, port, raw=False):
    """A connection with nothing sent yet."""
    _, wire = await asyncio.get_running_loop().create_connection(lambda: Wire(raw), host, port)
    wire.address = (host, port)
    return wire


async def connect(host, port, user, database, password="", raw=False, **settings):
    wire = await dial(host, port, raw)
    try:
        await wire.start({"user": user, "database": database, **settings}, password)
    except BaseException:
        wire.abort()
        raise
    return wire
