"""A runaway query beside good ones: what becomes of the good ones, by second.

Good: a primary-key select on 8 connections, 300 a second in an open loop, each given up after a second. Bad: a full
scan with `ORDER BY md5(…) LIMIT 5` by 40 clients that ask again at once (after an error, after --bad-pause seconds),
from --onset to --end. The first three seconds after the onset are reported apart: until then nobody can know. Good
and bad load run in a process each.
"""

import asyncio
import multiprocessing
import os
import random
import statistics
import time

from guardbench import load
from guardbench.contestants import GUARD, cpus, database, names, percentile, proxy, spread, table

BAD = "SELECT aid, bid, abalance FROM pgbench_accounts ORDER BY md5(aid::text || {0}::text) LIMIT 5"
GRACE_SECONDS = 3
# Of the good queries once that is over: how many go well, and the 99th percentile of those.
REACHED_SHARE, REACHED_MS = 99.9, 10


def add_options(parser):
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pool", type=int, default=20)
    parser.add_argument("--rate", type=float, default=300, help="good queries a second")
    parser.add_argument("--good-clients", type=int, default=8)
    parser.add_argument("--bad-clients", type=int, default=40)
    parser.add_argument("--onset", type=float, default=5)
    parser.add_argument("--end", type=float, default=25)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--deadline", type=float, default=1, help="after which a good query is given up")
    parser.add_argument("--bad-pause", type=float, default=0.05)
    parser.add_argument("--budgets", default="enforce", help="the guard's mode: observe or enforce")
    parser.add_argument("--by-second", action="store_true", help="print every second of every round")


def good_texts(options):
    chance = random.Random(1)
    return lambda: f"SELECT abalance FROM pgbench_accounts WHERE aid = {chance.randint(1, options.scale * 100_000)}"


def bad_texts():
    chance = random.Random(2)
    return lambda: BAD.format(chance.randint(1, 10**9))


def place(options):
    """This process to the clients' processors."""
    where = cpus(options.load_cpus)
    if where is not None:
        os.sched_setaffinity(0, {int(cpu) for cpu in where.split(",")})


class Address:
    """Where a contestant listens: what goes to another process."""

    def __init__(self, server):
        self.host, self.port = server.host, server.port


def good_process(address, options, start, results):
    async def work():
        connections = load.Connections(address, options.good_clients, "good")
        await connections.warm()
        outcomes = []
        await load.open_loop(
            connections, good_texts(options), options.rate, options.seconds, start, options.deadline, outcomes
        )
        connections.close()
        return outcomes

    place(options)
    results.put(("good", [(one.due, one.took, one.end) for one in asyncio.run(work())]))


def bad_process(address, options, start, results):
    async def work():
        outcomes, texts = [], bad_texts()
        pools = [load.Connections(address, 1, "bad") for _ in range(options.bad_clients)]
        await asyncio.sleep(max(0, start + options.onset - time.monotonic()))
        await asyncio.gather(
            *(load.closed_loop(pool, texts, start + options.end, options.bad_pause, outcomes, start) for pool in pools)
        )
        for pool in pools:
            pool.close()
        return outcomes

    place(options)
    results.put(("bad", [(one.due, one.took, one.end) for one in asyncio.run(work())]))


def play(address, options, roles):
    """Runs the roles at the same time; gives their outcomes by name."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    start = time.monotonic() + 2
    processes = [context.Process(target=role, args=(address, options, start, results)) for role in roles]
    for process in processes:
        process.start()
    collected = dict(results.get(timeout=options.seconds + 120) for _ in processes)
    for process in processes:
        process.join()
    return {name: [load.Outcome(*one) for one in outcomes] for name, outcomes in collected.items()}


def phases(options):
    onset, end = options.onset, options.end
    return (
        ("before", 0, onset),
        (f"first {GRACE_SECONDS} s", onset, onset + GRACE_SECONDS),
        ("after that", onset + GRACE_SECONDS, end),
        ("once it is over", end, options.seconds),
    )


def summary(outcomes, since, until):
    """Of the requests due within: how many, the share that went well, p50 and p99 in ms of those that did."""
    due = [one for one in outcomes if since <= one.due < until]
    well = [one.took for one in due if one.end == "ok"]
    return len(due), len(well) / len(due) if due else float("nan"), percentile(well, 0.5), percentile(well, 0.99)


def run(options):
    rows = []
    with database(options) as postgres:
        for number in range(options.rounds):
            for name in names(options):
                with proxy(name, postgres, options, options.pool, options.budgets) as server:
                    outcomes = play(Address(server), options, (good_process, bad_process))
                settle(postgres)
                for phase, since, until in phases(options):
                    count, share, middle, most = summary(outcomes["good"], since, until)
                    failed = load.ends(
                        [one for one in outcomes["good"] if since <= one.due < until and one.end != "ok"]
                    )
                    rows.append(
                        [number + 1, name, phase, count, f"{share * 100:.2f} %", f"{middle:.1f}", f"{most:.1f}", failed]
                    )
                print(f"round {number + 1}, {name}: bad queries ended: {load.ends(outcomes['bad'])}", flush=True)
                if options.by_second:
                    print_seconds(outcomes["good"], options)
    order = {phase: place_ for place_, (phase, _, _) in enumerate(phases(options))}
    guarded = [row for row in rows if row[1] == GUARD and row[2] == "after that"]
    rows.sort(key=lambda row: (order[row[2]], names(options).index(row[1]), row[0]))
    print()
    print(
        table(["round", "through", "phase", "good queries due", "went well", "p50 ms", "p99 ms", "failed"], rows),
        flush=True,
    )
    return verdict(guarded) if guarded and options.budgets == "enforce" else 0


def verdict(rows):
    """Says whether the guard reached what it has to, by the medians of the rounds; the exit code."""
    share = statistics.median(float(row[4].split()[0]) for row in rows)
    most = [float(row[6]) for row in rows]
    print(
        f"Guard, after that, medians: {share:.2f} % went well (to be {REACHED_SHARE} %), p99 {spread(most, 1)} ms (to be "
        f"at most {REACHED_MS} ms).",
        flush=True,
    )
    return 0 if share >= REACHED_SHARE and statistics.median(most) <= REACHED_MS else 1


def print_seconds(outcomes, options):
    rows = []
    for second in range(int(options.seconds)):
        count, share, middle, most = summary(outcomes, second, second + 1)
        rows.append([second, count, f"{share * 100:.1f} %", f"{middle:.1f}", f"{most:.1f}"])
    print(table(["second", "due", "went well", "p50 ms", "p99 ms"], rows), flush=True)


def settle(postgres, seconds=60):
    """Ends what the clients left running, so that the next contestant finds a quiet server."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        left = postgres.psql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'client backend' "
            "AND pid <> pg_backend_pid() AND datname = 'bench'"
        ).stdout.strip()
        if left == "0":
            return
        time.sleep(0.2)
    raise RuntimeError("the server does not become quiet")
