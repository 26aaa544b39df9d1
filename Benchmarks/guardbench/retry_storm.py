"""A retry storm: requests that are given up and tried again at once; how long until good queries are well after it.

Good: as in `runaway`. Storm: scans (about --scan-rows rows each) in an open loop at --storm-rate a second from --onset
to --end, more than the server can do; each is given up after --storm-deadline, its connection dropped, and asked again
at once, up to --retries times. Recovered is the first of three seconds in a row, after the storm's end, in which all
good queries went well with a p99 of at most --recovered-ms; on a machine where their p99 was worse than that before the
storm, of at most twice what it was. The limit used is in the table.
"""

import asyncio
import random
import time

from guardbench import load
from guardbench.contestants import GUARD, database, names, proxy, spread, table
from guardbench.runaway import Address, good_process, place, play, print_seconds, settle, summary

CALM_SECONDS = 3
# To be reached by the guard, in every round; else the exit code is 1.
REACHED_SECONDS = 5


def add_options(parser):
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pool", type=int, default=20)
    parser.add_argument("--rate", type=float, default=300)
    parser.add_argument("--good-clients", type=int, default=8)
    parser.add_argument("--deadline", type=float, default=1)
    parser.add_argument("--storm-rate", type=float, default=100, help="new requests a second")
    parser.add_argument("--scan-rows", type=int, default=40_000)
    parser.add_argument("--storm-deadline", type=float, default=0.5)
    parser.add_argument("--storm-connections", type=int, default=200)
    parser.add_argument("--retries", type=int, default=5)
    parser.add_argument("--onset", type=float, default=5)
    parser.add_argument("--end", type=float, default=15)
    parser.add_argument("--seconds", type=float, default=45)
    parser.add_argument("--recovered-ms", type=float, default=10)
    parser.add_argument("--budgets", default="enforce")
    parser.add_argument("--by-second", action="store_true")


def storm_process(address, options, start, results):
    chance = random.Random(3)
    last = options.scale * 100_000 - options.scan_rows

    def text():
        first = chance.randint(1, last)
        between = f"BETWEEN {first} AND {first + options.scan_rows}"
        return f"SELECT max(md5(aid::text)) FROM pgbench_accounts WHERE aid {between}"

    async def work():
        outcomes = []
        connections = load.Connections(address, options.storm_connections, "storm")
        await asyncio.sleep(max(0, start + options.onset - time.monotonic()))
        await load.open_loop(
            connections,
            text,
            options.storm_rate,
            options.end - options.onset,
            start + options.onset,
            options.storm_deadline,
            outcomes,
            options.retries,
        )
        connections.close()
        return outcomes

    place(options)
    results.put(("storm", [(one.due + options.onset, one.took, one.end) for one in asyncio.run(work())]))


def recovered_after(outcomes, limit, options):
    """Seconds from the storm's end until good queries are well for some seconds; None when they never are."""
    calm = 0
    for second in range(int(options.end), int(options.seconds)):
        count, share, _, most = summary(outcomes, second, second + 1)
        calm = calm + 1 if count and share == 1 and most <= limit else 0
        if calm == CALM_SECONDS:
            return second + 1 - CALM_SECONDS - options.end
    return None


def run(options):
    figures, rows = {}, []
    # Direct clients need a connection each.
    with database(options, {"max_connections": options.storm_connections + 50}) as postgres:
        for number in range(options.rounds):
            for name in names(options):
                with proxy(name, postgres, options, options.pool, options.budgets) as server:
                    outcomes = play(Address(server), options, (good_process, storm_process))
                settle(postgres)
                before = summary(outcomes["good"], 1, options.onset)[3]
                limit = max(options.recovered_ms, 2 * before)
                after = recovered_after(outcomes["good"], limit, options)
                figures.setdefault(name, []).append(after)
                _, share, _, most = summary(outcomes["good"], options.onset, options.end)
                rows.append(
                    [
                        number + 1,
                        name,
                        f"{before:.1f}",
                        f"{share * 100:.1f} %",
                        f"{most:.1f}",
                        f"{limit:.1f}",
                        "never" if after is None else f"{after:.0f}",
                        load.ends(outcomes["storm"]),
                    ]
                )
                if options.by_second:
                    print(f"round {number + 1}, {name}")
                    print_seconds(outcomes["good"], options)
    print(
        table(
            [
                "round",
                "through",
                "p99 ms before",
                "good queries well during it",
                "their p99 ms",
                "limit ms",
                "recovered after s",
                "storm's requests ended",
            ],
            rows,
        )
    )
    for name, values in figures.items():
        known = [value for value in values if value is not None]
        print(
            f"{name}: recovered after {spread(known)} s, {len(values) - len(known)} of {len(values)} never within "
            f"{options.seconds - options.end:.0f} s"
        )
    if options.budgets != "enforce":
        return 0
    return 1 if any(after is None or after > REACHED_SECONDS for after in figures.get(GUARD, [])) else 0
