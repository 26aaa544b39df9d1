"""Many clients at once who check that every row, error and notice they read is their own.

usage: python3 Tests/Guard/soak.py PROXY_URL --direct DIRECT_URL [--clients 40] [--seconds 60 | --queries N] [--pool N]
                                   [--seed TEXT] [--kill-servers] [--without prepared,session] [--processes 2]

Clients mix simple and extended queries, named statements, pipelines, transactions, COPY both ways, errors, cancels,
session state and disconnects in any state (soak_operations.py, soak_disruptions.py). With --kill-servers,
server processes are ended at random by way of DIRECT_URL as well, and a lost connection is then no fault. What each
client does follows from --seed; how they meet does not. The schema `soak` is made and dropped.

It fails (exit 1) on: a row, notice or notification of another client; a wrong, missing or additional row or message; an
answer that does not come within --deadline; an error nobody asked for; a cancel that hits somebody else; a row that was
committed and is not there, or was rolled back and is; and, at the end, on a server session that is still active or in a
transaction, holds a lock, or is one more than --pool.
"""

import argparse
import asyncio
import collections
import json
import multiprocessing
import random
import sys
import time
import traceback
import urllib.parse

import servers
import wire
from soak_client import COPY_TABLE, ROW_TABLE, Client, Findings
from soak_menu import OPERATIONS

FAULTS = (
    "rows of others",
    "wrong rows",
    "wrong answers",
    "notices of others",
    "notifications of others",
    "sessions of others",
    "stuck clients",
    "stray cancels",
    "unexpected errors",
    "unexpected ends",
    "refused connections",
    "broken clients",
    "sessions left",
    "servers too many",
)
SETTLE_SECONDS = 20


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("proxy")
    parser.add_argument("--direct", required=True, help="the same database without the proxy, as a superuser")
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--queries", type=int, help="go on until so many are done, however long it takes")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--pool", type=int, help="the most server connections there may be")
    parser.add_argument(
        "--pinned", type=int, default=2, help="clients that may hold session state at once, in each process"
    )
    parser.add_argument("--deadline", type=float, default=30, help="seconds an operation may take")
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(2**32)))
    parser.add_argument("--kill-servers", action="store_true")
    parser.add_argument("--kill-every", type=float, default=0.5, help="seconds")
    parser.add_argument("--allow", default="", help="SQLSTATEs that are no fault, such as 53000")
    parser.add_argument("--without", default="", help="groups of operations: prepared, session, copy, cancel, vanish")
    options = parser.parse_args()
    options.allow = set(filter(None, options.allow.split(",")))
    options.without = set(filter(None, options.without.split(",")))
    address(options.proxy, options)
    return options


def address(url, into):
    parts = urllib.parse.urlparse(url)
    into.host, into.port, into.user = parts.hostname, parts.port, parts.username or "postgres"
    into.password, into.database = parts.password or "", parts.path.lstrip("/")
    return into


async def control(options):
    direct = address(options.direct, argparse.Namespace())
    # What others hold must not hold this up for ever.
    return await wire.connect(
        direct.host,
        direct.port,
        direct.user,
        direct.database,
        direct.password,
        application_name="soak-control",
        lock_timeout="15s",
        statement_timeout="60s",
    )


async def ask(connection, sql):
    messages = await connection.answer(wire.query(sql))
    for kind, payload in messages:
        if kind == wire.ERROR:
            raise RuntimeError(f"{sql}: {wire.fields(payload)}")
    return [[column and column.decode() for column in wire.row(payload)] for kind, payload in messages if kind == 68]


async def prepare(options):
    connection = await control(options)
    await ask(
        connection,
        f"""DROP SCHEMA IF EXISTS soak CASCADE; CREATE SCHEMA soak;
        CREATE TABLE {ROW_TABLE} (client int, seq int, tag text, PRIMARY KEY (client, seq));
        CREATE TABLE {COPY_TABLE} (tag text, n int)""",
    )
    connection.terminate()


def clients_of_process(options, place, done, goal, results):
    """One process: its share of the clients on one event loop."""
    findings = Findings()
    try:
        asyncio.run(run_clients(options, place, done, goal, findings))
    except Exception:
        findings.counts["broken clients"] += 1
        findings.samples.append("broken clients: " + traceback.format_exc()[-1500:])
    results.put(json.dumps(findings.portable()))


async def run_clients(options, place, done, goal, findings):
    operations = {name: entry for name, entry in OPERATIONS.items() if entry[2] not in options.without}
    pins = asyncio.Semaphore(options.pinned)
    end = time.monotonic() + options.seconds

    def stop():
        # The sum over the processes is read without a lock: a few queries more do not matter.
        done[place] = findings.counts["queries"]
        return sum(done) >= goal if goal else time.monotonic() > end

    clients = [
        Client(number, options, findings, pins)
        for number in range(options.clients)
        if number % options.processes == place
    ]
    await asyncio.gather(*(client.run(operations, stop) for client in clients))


async def kill_servers(options, busy, counts):
    """Ends random server processes of the database, as an administrator or a failing server would."""
    chance = random.Random(options.seed)
    connection = await control(options)
    sql = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' "
        "AND application_name <> 'soak-control' ORDER BY pid"
    )
    while busy():
        await asyncio.sleep(options.kill_every * chance.random() * 2)
        pids = await ask(connection, sql)
        if pids:
            await ask(connection, f"SELECT pg_terminate_backend({chance.choice(pids)[0]})")
            counts["servers killed"] += 1
    connection.terminate()


async def watch(options, processes, done, counts):
    """Waits for the processes, tells of progress, kills servers when asked to."""

    def busy():
        return any(process.is_alive() for process in processes)

    killer = asyncio.create_task(kill_servers(options, busy, counts)) if options.kill_servers else None
    started = told = time.monotonic()
    while busy():
        await asyncio.sleep(0.2)
        if time.monotonic() - told >= 10:
            told = time.monotonic()
            print(f"{told - started:.0f} s: {sum(done)} queries", file=sys.stderr, flush=True)
    if killer is not None:
        await killer


async def leftovers(options, findings):
    """No session in anything, no lock, no more servers than the pool, once all clients are gone."""
    connection = await control(options)
    sessions = """SELECT a.pid, application_name, state, left(query, 80) FROM pg_stat_activity a
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' """
    held = "AND (state <> 'idle' OR EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid = a.pid AND locktype <> 'virtualxid'))"
    end = time.monotonic() + SETTLE_SECONDS
    while (left := await ask(connection, sessions + held)) and time.monotonic() < end:
        await asyncio.sleep(0.2)
    findings["counts"]["sessions left"] = len(left)
    findings["samples"] += [f"sessions left: {session}" for session in left[:5]]
    every = await ask(connection, sessions)
    findings["counts"]["servers at the end"] = len(every)
    if options.pool is not None:
        findings["counts"]["servers too many"] = max(0, len(every) - options.pool)
    prepared = await ask(connection, "SELECT count(*) FROM pg_prepared_xacts")
    print(f"servers at the end {len(every)}; prepared transactions {prepared[0][0]}")
    if not left:
        await ask(connection, "DROP SCHEMA soak CASCADE")
    connection.terminate()


def collect(results, processes):
    total = {
        "counts": collections.Counter(),
        "errors": collections.Counter(),
        "operations": collections.Counter(),
        "samples": [],
    }
    for _ in processes:
        part = json.loads(results.get(timeout=30))
        for name in ("counts", "errors", "operations"):
            total[name].update(part[name])
        total["samples"] += part["samples"]
    return total


def main():
    options = arguments()
    servers.raise_file_limit()
    print(f"seed {options.seed}: {options.clients} clients in {options.processes} processes", flush=True)
    asyncio.run(prepare(options))
    # Not forked from a process with an event loop; and a plain array, for each process writes its own place only.
    context = multiprocessing.get_context("spawn")
    done = context.Array("q", options.processes, lock=False)
    results = context.Queue()
    processes = [
        context.Process(target=clients_of_process, args=(options, place, done, options.queries, results))
        for place in range(options.processes)
    ]
    started = time.monotonic()
    for process in processes:
        process.start()
    counts = collections.Counter()
    asyncio.run(watch(options, processes, done, counts))
    seconds = time.monotonic() - started
    findings = collect(results, processes)
    findings["counts"].update(counts)
    asyncio.run(leftovers(options, findings))
    return report(options, findings, seconds)


def report(options, findings, seconds):
    counts = findings["counts"]
    print(
        f"{counts['queries']} queries in {seconds:.0f} s, {counts['queries'] / seconds:.0f} a second; "
        f"{counts['connections']} connections, {counts['vanished']} vanished, {counts['cancelled']} cancelled, "
        f"{counts['lost connections']} lost, {counts['servers killed']} servers killed, "
        f"{counts['late cancels']} hit by a late cancel of their own"
    )
    print("operations:", ", ".join(f"{name} {count}" for name, count in sorted(findings["operations"].items())))
    print(
        "errors by SQLSTATE:",
        ", ".join(f"{name} {count}" for name, count in sorted(findings["errors"].items())) or "none",
    )
    faults = {name: counts[name] for name in FAULTS if counts[name]}
    print("faults:", ", ".join(f"{name} {count}" for name, count in faults.items()) or "none")
    for sample in findings["samples"]:
        print("  " + sample)
    enough = counts["queries"] >= (options.queries or 1)
    if not enough:
        print("fewer queries were done than asked for")
    if faults or not enough:
        print(f"FAILED; the same clients again: --seed {options.seed}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
