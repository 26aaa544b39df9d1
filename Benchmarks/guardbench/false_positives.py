"""Ordinary work for a long time: TPC-B by pgbench with a VACUUM and a CHECKPOINT in the middle. Nothing may be tripped.

Reads the guard's /metrics before and after, and fails when a counter that matches --counters has grown, when there is
none such, or when a client of pgbench was aborted.
"""

import re
import subprocess
import sys
import threading
import time
import urllib.request

import servers
from guardbench.contestants import GUARD, database, names, on_load_cpus, proxy, table


def add_options(parser):
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--pool", type=int, default=20)
    parser.add_argument("--budgets", default="enforce")
    parser.add_argument("--protocol", default="prepared")
    parser.add_argument(
        "--counters",
        default=r"^mainstay_guard_(\w*(trip|shed|reject|breaker)\w*|budget_decisions)_total",
        help="a regular expression of the metrics that must stay as they are",
    )


def metrics(server, pattern):
    with urllib.request.urlopen(f"http://{server.host}:{server.metrics_port}/metrics", timeout=5) as response:
        lines = response.read().decode().splitlines()
    found = {}
    for line in lines:
        if re.search(pattern, line):
            key, value = line.rsplit(" ", 1)
            found[key] = float(value)
    return found


def disturb(postgres, seconds, done):
    """A VACUUM and a CHECKPOINT at a third, a half and two thirds of the time; each that went well is noted in `done`."""
    start = time.monotonic()
    for share in (1 / 3, 1 / 2, 2 / 3):
        time.sleep(max(0, start + seconds * share - time.monotonic()))
        postgres.psql("VACUUM (ANALYZE) pgbench_accounts", "bench")
        postgres.psql("CHECKPOINT", "bench")
        done.append(share)


def run(options):
    if GUARD not in names(options):
        print("There is no guard to be measured.", file=sys.stderr)
        return 2
    seconds = int(options.minutes * 60)
    # A real disk's work at a checkpoint is part of it.
    with database(options, {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}) as postgres:
        with proxy(GUARD, postgres, options, options.pool, options.budgets) as server:
            before = {} if options.stand_in else metrics(server, options.counters)
            disturbed = []
            thread = threading.Thread(target=disturb, args=(postgres, seconds, disturbed))
            thread.start()
            protocol = "simple" if options.stand_in else options.protocol
            command = [
                servers.postgres_program("pgbench"),
                "-n",
                "-M",
                protocol,
                "-c",
                str(options.clients),
                "-T",
                str(seconds),
                "-P",
                "60",
                server.url("bench"),
            ]
            done = subprocess.run(on_load_cpus(command, options), capture_output=True, text=True)
            thread.join()
            after = {} if options.stand_in else metrics(server, options.counters)
    aborted = len(re.findall(r"client \d+ .*aborted", done.stderr))
    tps = re.search(r"tps = ([\d.]+)", done.stdout)
    grown = {key: value - before.get(key, 0) for key, value in after.items() if value > before.get(key, 0)}
    print(
        table(
            ["minutes", "TPS", "VACUUMs and CHECKPOINTs", "clients aborted", "counters looked at", "counters grown"],
            [[options.minutes, tps.group(1) if tps else "–", len(disturbed), aborted, len(after), grown or "none"]],
        )
    )
    if not options.stand_in and not after:
        print(f"no metric matches {options.counters}: nothing was proven", file=sys.stderr)
        return 1
    return 1 if grown or aborted or done.returncode or len(disturbed) < 3 else 0
