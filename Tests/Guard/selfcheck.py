"""Checks the checkers: a relay with a fault of a known kind stands where the proxy will be, and has to be found out.

usage: python3 Tests/Guard/selfcheck.py [--seconds 6]

Starts a PostgreSQL of its own. Without a fault, the soak must find nothing; with each fault, it must fail for the
reason that fits. So must the conformance programs. Exits with 1 when a checker was blind.
"""

import argparse
import asyncio
import os
import random
import re
import subprocess
import sys
import threading

import servers

HERE = os.path.dirname(os.path.abspath(__file__))
# Fault: what the soak must complain of.
FAULTS = {
    "none": None,
    "swap": r"rows of others|sessions of others|stuck clients|unexpected",
    "drop a row": r"wrong rows|stuck clients|wrong answers",
    "repeat a row": r"wrong rows",
    "stall": r"stuck clients",
    "cut": r"unexpected ends",
    "cancel anybody": r"stray cancels",
    "keep": r"sessions left",
    "change a byte": r"wrong rows|wrong answers|unexpected",
}
ONE_IN = {
    "swap": 1500,
    "drop a row": 3000,
    "repeat a row": 3000,
    "stall": 3000,
    "cut": 1000,
    "cancel anybody": 1000,
    "keep": 1,
    "change a byte": 3000,
}


class Relay:
    """Passes the bytes between clients and PostgreSQL on, message by message towards the client, but for its fault."""

    def __init__(self, postgres, fault, seed=1):
        self.postgres, self.fault, self.port = postgres, fault, None
        self.random = random.Random(seed)
        # Those of clients that are there; and all there ever were.
        self.links, self.every = [], []
        self.keys = {}
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        self.ready.wait(10)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.end)
        self.thread.join(10)

    def end(self):
        for link in self.every:
            link["client"].transport.abort()
            link["server"].transport.abort()
        self.loop.call_later(0.2, self.loop.stop)

    def run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.client, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()
        self.loop.set_exception_handler(lambda *_: None)
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

    def url(self):
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def happens(self):
        return self.random.randrange(ONE_IN[self.fault]) == 0 if self.fault != "none" else False

    async def client(self, reader, writer):
        try:
            server_reader, server_writer = await asyncio.open_connection(self.postgres.host, self.postgres.port)
        except OSError:
            writer.transport.abort()
            return
        link = {"client": writer, "server": server_writer, "stalled": False}
        self.links.append(link)
        self.every.append(link)
        tasks = [asyncio.ensure_future(self.up(reader, link)), asyncio.ensure_future(self.down(server_reader, link))]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        self.links.remove(link)
        if self.fault == "keep" and not tasks[1].done():
            # The server is not told that its client has left.
            writer.transport.abort()
            await asyncio.sleep(3600)
        for task in tasks:
            task.cancel()
        for one in (writer, link["server"]):
            one.transport.abort()

    async def up(self, reader, link):
        """From the client to the server; the first packet may be a cancel request."""
        first = True
        try:
            while data := await reader.read(65536):
                if first and len(data) == 8:
                    # A request for encryption: its answer is one byte, which is no message.
                    link["client"].write(b"N")
                    continue
                if first and self.fault == "cancel anybody" and data[4:8] == b"\x04\xd2\x16\x2e" and self.keys:
                    data = data[:8] + self.random.choice(list(self.keys.values()))
                first = False
                link["server"].write(data)
                await link["server"].drain()
        except (OSError, ConnectionError):
            pass

    async def down(self, reader, link):
        """From the server to the client, message by message."""
        try:
            while True:
                head = await reader.readexactly(5)
                message = head + await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
                if head[:1] == b"K":
                    self.keys[id(link)] = message[5:]
                to = self.twisted(message, link)
                await to.drain()
        except (OSError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.keys.pop(id(link), None)

    def twisted(self, message, link):
        """Writes the message where the fault wants it, as the fault wants it; gives the writer."""
        to, row = link["client"], message[:1] == b"D"
        if link["stalled"]:
            return to
        if self.fault == "stall" and row and self.happens():
            link["stalled"] = True
            return to
        if self.fault == "cut" and row and self.happens():
            to.transport.abort()
            return to
        if self.fault == "swap" and row and self.happens():
            to = self.random.choice(self.links)["client"]
        if self.fault == "drop a row" and row and self.happens():
            return to
        if self.fault == "change a byte" and row and len(message) > 14 and self.happens():
            message = message[:12] + bytes([message[12] ^ 1]) + message[13:]
        to.write(message)
        if self.fault == "repeat a row" and row and self.happens():
            to.write(message)
        return to


def program(*arguments):
    return subprocess.run([sys.executable, "-B", *arguments], capture_output=True, text=True)


def judge_soak(postgres, fault, pattern, seconds):
    with Relay(postgres, fault) as relay:
        done = program(
            os.path.join(HERE, "soak.py"),
            relay.url(),
            "--direct",
            postgres.url(),
            "--seconds",
            str(seconds * (3 if fault == "cancel anybody" else 1)),
            "--clients",
            "16",
            "--seed",
            "selfcheck",
            "--deadline",
            "3",
            "--processes",
            "1",
        )
    faults = re.search(r"^faults: (.*)$", done.stdout, re.MULTILINE)
    said = faults.group(1) if faults else done.stdout[-300:] + done.stderr[-300:]
    well = done.returncode == 0 if pattern is None else done.returncode == 1 and re.search(pattern, said) is not None
    print(f"{'ok ' if well else 'BLIND'} soak, fault {fault!r}: {said}", flush=True)
    if not well and pattern is None:
        print(done.stdout[-3000:])
    return well


def judge_conformance(postgres, fault):
    with Relay(postgres, fault) as relay:
        done = program(
            os.path.join(HERE, "conformance.py"),
            postgres.url(),
            relay.url(),
            "--only",
            "psycopg_(copy|basics)|asyncpg",
            "--case",
            "many|COPY|in and out|large|types",
        )
    expected = 0 if fault == "none" else 1
    word = "ok " if done.returncode == expected else "BLIND"
    print(f"{word} conformance, fault {fault!r}: {done.stdout.splitlines()[-1:]}", flush=True)
    if done.returncode != expected:
        print(done.stdout[-2000:] + done.stderr[-2000:])
    return done.returncode == expected


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=6)
    options = parser.parse_args()
    servers.raise_file_limit()
    servers.clean_up_when_ended()
    # PostgreSQL itself notices a client that has left only when it is told to look.
    with servers.PostgreSQL(
        settings={"client_connection_check_interval": "'500ms'", "max_connections": 300}
    ) as postgres:
        results = [judge_soak(postgres, fault, pattern, options.seconds) for fault, pattern in FAULTS.items()]
        results += [judge_conformance(postgres, fault) for fault in ("none", "drop a row", "change a byte")]
    print(f"{results.count(False)} of {len(results)} checks were blind")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
