"""One client of the soak: random operations, each of which knows every byte of content that may come back.

Everything a client asks for carries its tag (`c17-q93`: client 17, query 93), so a row, an error or a notice that
belongs to another client, or to an earlier query, is seen at once. What goes wrong is counted in `Findings`.
"""

import asyncio
import collections
import random

import wire

COPY_TABLE, ROW_TABLE = "soak.copies", "soak.rows"
# What an operation may run into without anybody being at fault.
CANCELLED = "57014"
# After a cancel that nobody waited for, so many of the client's own next operations may still be hit by it.
LATE_CANCEL_OPERATIONS = 3
# Of each kind of fault, so many are told in words.
SAMPLES = 4


class Findings:
    """Sums of one process; added up by the parent."""

    def __init__(self):
        self.counts = collections.Counter()
        self.errors = collections.Counter()
        self.operations = collections.Counter()
        self.samples = []

    def wrong(self, kind, client, detail):
        """Something that must not be."""
        self.counts[kind] += 1
        if self.counts[kind] <= SAMPLES:
            self.samples.append(
                f"{kind}: client {client.number}, query {client.sequence}, {client.operation}: {detail}"[:600]
            )

    def portable(self):
        return {
            "counts": dict(self.counts),
            "errors": dict(self.errors),
            "operations": dict(self.operations),
            "samples": self.samples,
        }


class Interrupted(Exception):
    """An operation met an error that may happen: it is over, and what it left open is to be closed."""

    def __init__(self, state):
        super().__init__(state)
        self.state = state


class Client:
    """One client with its connection; `run` goes on until `stop` says so."""

    def __init__(self, number, options, findings, pins):
        self.number = number
        self.options = options
        self.findings = findings
        # Held by whoever does what pins a server, so that they never take the whole pool.
        self.pins = pins
        self.random = random.Random(f"{options.seed}-{number}")
        self.wire = None
        self.sequence = 0
        self.operation = "connect"
        self.statements = {}
        self.committed = {}
        self.doubtful = set()
        self.cancel_slack = 0

    # What the operations use.

    def tag(self):
        self.sequence += 1
        return f"c{self.number}-q{self.sequence}"

    def wrong(self, kind, detail):
        self.findings.wrong(kind, self, detail)

    def tolerates(self, sqlstate):
        if sqlstate in self.options.allow:
            return True
        if self.options.kill_servers and sqlstate in ("57P01", "08006"):
            return True
        if sqlstate == CANCELLED and self.cancel_slack > 0:
            self.findings.counts["late cancels"] += 1
            return True
        return False

    async def exchange(self, data, kinds, rows, queries=1, states="I", errors=()):
        """Sends, and holds what comes back against what must: the kinds of the messages in their order, the rows, the
        SQLSTATEs of errors, and the transaction's state at each ReadyForQuery. Gives the messages."""
        connection = self.wire
        messages = await connection.answer(data, len(states))
        self.judge(messages, kinds, rows, states, errors)
        self.findings.counts["queries"] += queries
        return messages

    def judge(self, messages, kinds, rows, states, errors=()):
        self.listen()
        expected_errors = list(errors)
        seen_rows, seen_kinds, seen_states = [], [], ""
        surprise = None
        for kind, payload in messages:
            if kind == 68:
                seen_rows.append(wire.row(payload))
                if seen_kinds and seen_kinds[-1] == "D":
                    continue
            elif kind == 69:
                fields = wire.fields(payload)
                sqlstate = fields.get("C", "none")
                self.findings.errors[sqlstate] += 1
                if (
                    expected_errors
                    and expected_errors[0][0] == sqlstate
                    and expected_errors[0][1] in fields.get("M", "")
                ):
                    expected_errors.pop(0)
                else:
                    surprise = surprise or fields
            elif kind == 90:
                seen_states += chr(payload[0])
            seen_kinds.append(chr(kind))
        self.foreign(seen_rows)
        if surprise is not None:
            if not self.tolerates(surprise.get("C")):
                kind = "stray cancels" if surprise.get("C") == CANCELLED else "unexpected errors"
                self.wrong(kind, surprise)
            raise Interrupted(seen_states[-1:])
        if seen_rows != rows:
            self.wrong("wrong rows", f"{len(seen_rows)} rows {seen_rows[:3]}, not {len(rows)} rows {rows[:3]}")
        if "".join(seen_kinds) != kinds or seen_states != states or expected_errors:
            self.wrong("wrong answers", f"{''.join(seen_kinds)} {seen_states}, not {kinds} {states} {expected_errors}")
            raise Interrupted(seen_states[-1:])

    def foreign(self, rows):
        """A row with a tag of somebody else's is what the soak is for."""
        prefix = b"c%d-" % self.number
        for columns in rows:
            if (
                columns
                and columns[0]
                and columns[0][:1] == b"c"
                and b"-q" in columns[0]
                and not columns[0].startswith(prefix)
            ):
                self.wrong("rows of others", columns[:3])

    def listen(self):
        """Notices and notifications must be one's own."""
        for notice in self.wire.notices:
            if notice.get("M", "").startswith("c") and not notice["M"].startswith(f"c{self.number}-"):
                self.wrong("notices of others", notice)
        for channel, payload in self.wire.notifications:
            if not payload.startswith(f"c{self.number}-"):
                self.wrong("notifications of others", (channel, payload))
        self.wire.notices.clear()

    # Its life.

    async def run(self, operations, stop):
        names = list(operations)
        weights = [operations[name][1] for name in names]
        while not stop():
            name = self.random.choices(names, weights)[0]
            await self.step(name, operations[name][0])
        await self.step("verify", operations["verify"][0])
        if self.wire is not None:
            self.wire.terminate()

    async def step(self, name, operation):
        """One operation within its deadline; whatever happens, the client goes on."""
        self.findings.operations[name] += 1
        try:
            async with asyncio.timeout(self.options.deadline):
                if self.wire is None:
                    self.operation = "connect"
                    await self.connect()
                self.operation = name
                await operation(self)
        except Interrupted as interruption:
            await self.mend(interruption.state)
        except TimeoutError:
            seen = "".join(chr(kind) for kind, _ in self.wire.messages[-20:]) if self.wire else "no connection"
            self.wrong("stuck clients", f"no answer within {self.options.deadline} s; so far {seen}")
            self.drop()
        except (wire.Lost, OSError) as error:
            self.lost(error)
        except wire.Refused as refusal:
            self.findings.errors[refusal.fields.get("C", "none")] += 1
            if not self.tolerates(refusal.fields.get("C")):
                self.wrong("refused connections", refusal)
            self.drop()
            await asyncio.sleep(0.05)
        self.cancel_slack = max(0, self.cancel_slack - 1)

    def lost(self, error):
        self.findings.counts["lost connections"] += 1
        if not self.options.kill_servers:
            last = [wire.fields(payload) for kind, payload in self.wire.messages if kind == 69] if self.wire else error
            self.wrong("unexpected ends", last)
        self.drop()

    async def mend(self, state):
        """Closes the transaction that an interrupted operation left open."""
        try:
            async with asyncio.timeout(self.options.deadline):
                if state in ("T", "E"):
                    await self.wire.answer(wire.query("ROLLBACK"))
                elif state != "I":
                    self.drop()
        except TimeoutError:
            self.wrong("stuck clients", "the rollback got no answer")
            self.drop()
        except (wire.Lost, OSError) as error:
            self.lost(error)

    async def connect(self):
        options = self.options
        self.wire = await wire.connect(
            options.host,
            options.port,
            options.user,
            options.database,
            options.password,
            application_name=f"soak-{self.number}",
        )
        self.statements = {}
        self.findings.counts["connections"] += 1
        self.findings.counts["queries"] += 1
        messages = await self.wire.answer(wire.query("SELECT coalesce(current_setting('soak.tag', true), '')"))
        left = [wire.row(payload) for kind, payload in messages if kind == 68]
        if left != [[b""]] and not any(kind == 69 for kind, _ in messages):
            self.wrong("sessions of others", left)

    def drop(self):
        """Leaves at once, without a word."""
        if self.wire is not None:
            self.wire.abort()
        self.wire = None
        self.statements = {}
