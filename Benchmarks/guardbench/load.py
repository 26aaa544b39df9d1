"""Clients of the protection benches, on Tests/Guard/wire.py.

An open loop asks at its own pace whatever becomes of the answers, as users do: request k is due at k / rate, and its
latency counts from then, waiting for a free connection included. A closed loop asks again as soon as it is answered.
"""

import asyncio
import collections
import time

import wire


class Outcome:
    """What became of one request: when it was due (seconds since the start), how long it took (ms), and how it ended:
    "ok", an SQLSTATE, "late" (given up after its deadline), "lost"."""

    __slots__ = ("due", "took", "end")

    def __init__(self, due, took, end):
        self.due, self.took, self.end = due, took, end


class Connections:
    """Connections of one sort, made again when they are lost."""

    def __init__(self, server, count, application):
        self.server, self.application = server, application
        self.free = asyncio.Queue()
        for _ in range(count):
            self.free.put_nowait(None)

    async def open(self):
        return await wire.connect(
            self.server.host, self.server.port, "postgres", "bench", application_name=self.application
        )

    async def warm(self):
        """Opens all of them."""
        count = self.free.qsize()
        for _ in range(count):
            self.free.put_nowait(await self.open())
            self.free.get_nowait()

    async def ask(self, sql):
        """One simple query on a free connection; gives "ok", an SQLSTATE or "lost". A cancelled call (its deadline)
        closes the connection, as drivers do."""
        connection = await self.free.get()
        well = False
        try:
            if connection is None or connection.lost:
                connection = await self.open()
            messages = await connection.answer(wire.query(sql))
            well = True
            for kind, payload in messages:
                if kind == wire.ERROR:
                    return wire.fields(payload).get("C", "error")
            return "ok"
        except wire.Refused as refusal:
            return refusal.fields.get("C", "refused")
        except (wire.Lost, OSError):
            return "lost"
        finally:
            if not well and connection is not None:
                connection.abort()
            self.free.put_nowait(connection if well else None)

    def close(self):
        while not self.free.empty():
            connection = self.free.get_nowait()
            if connection is not None:
                connection.terminate()


async def within(connections, sql, deadline):
    try:
        async with asyncio.timeout(deadline):
            return await connections.ask(sql)
    except TimeoutError:
        return "late"


async def open_loop(connections, texts, rate, seconds, start, deadline, outcomes, retries=0):
    """Requests due at k / rate for `seconds` from `start` (monotonic). `texts` gives the next statement."""
    running = set()

    async def request(due):
        for attempt in range(retries + 1):
            # The first try has been waiting since it was due.
            begun = due if attempt == 0 else time.monotonic()
            end = await within(connections, texts(), max(0.001, begun + deadline - time.monotonic()))
            outcomes.append(Outcome(due - start, (time.monotonic() - due) * 1000, end))
            if end == "ok":
                return

    for number in range(int(rate * seconds)):
        due = start + number / rate
        # Not later than due; earlier by less than a millisecond would be a gift.
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.ensure_future(request(due))
        running.add(task)
        task.add_done_callback(running.discard)
    if running:
        await asyncio.wait(running)


async def closed_loop(connections, texts, until, pause_on_error, outcomes, start):
    """One client that asks again at once, after an error a little later, until `until` (monotonic)."""
    while (now := time.monotonic()) < until:
        end = await within(connections, texts(), max(0.001, until - now))
        outcomes.append(
            Outcome(now - start, (time.monotonic() - now) * 1000, end if time.monotonic() < until else "cut off")
        )
        if end != "ok":
            await asyncio.sleep(pause_on_error)


def ends(outcomes):
    """How they ended, in words."""
    counts = collections.Counter(outcome.end for outcome in outcomes)
    return ", ".join(f"{end} {count}" for end, count in sorted(counts.items())) or "none"
