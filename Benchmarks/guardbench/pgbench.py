"""Throughput, processor time and latency of `pgbench -S`, reconnecting, and memory of idle clients.

Rounds alternate between the contestants, so that what else the machine does hits all of them. Processor time is the
proxy's own (utime + stime of all its threads). PgBouncer 1.18 knows no named statements in transaction mode, so
`-M prepared` runs on the guard and directly only. Ratios are medians of the ratios of each round: guard to PgBouncer.
"""

import contextlib
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import servers
from guardbench.contestants import (
    DIRECT,
    GUARD,
    PGBOUNCER,
    database,
    names,
    on_load_cpus,
    percentile,
    proxy,
    spread,
    table,
)

PROTOCOLS = ("simple", "extended", "prepared")


def add_options(parser):
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8, help="of each measurement")
    parser.add_argument("--clients", default="8,64")
    parser.add_argument("--protocols", default=",".join(PROTOCOLS))
    parser.add_argument("--pool", type=int, default=8)
    parser.add_argument("--parts", default="throughput,reconnect,memory,crowd")


def measure(url, options, clients, seconds, extra, pid=None):
    """One run of pgbench: TPS, latency average and p99 in ms, processor microseconds a transaction of process `pid`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            servers.postgres_program("pgbench"),
            "-n",
            "-S",
            "-c",
            str(clients),
            "-T",
            str(seconds),
            "-l",
            "--sampling-rate=0.2",
            "--log-prefix",
            os.path.join(folder, "log"),
            *extra,
            url,
        ]
        before = servers.processor_seconds(pid) if pid else 0
        done = subprocess.run(on_load_cpus(command, options), capture_output=True, text=True, cwd=folder)
        used = servers.processor_seconds(pid) - before if pid else 0
        if done.returncode != 0 or "number of transactions actually processed" not in done.stdout:
            raise RuntimeError(f"pgbench {' '.join(extra)} on {url}: {done.stderr[-1500:]}")
        latencies = []
        for name in os.listdir(folder):
            with open(os.path.join(folder, name)) as log:
                latencies += [int(line.split()[2]) / 1000 for line in log]
    count = int(re.search(r"transactions actually processed: (\d+)", done.stdout).group(1))
    return {
        "tps": float(re.search(r"tps = ([\d.]+)", done.stdout).group(1)),
        "average": float(re.search(r"latency average = ([\d.]+)", done.stdout).group(1)),
        "p99": percentile(latencies, 0.99),
        "cpu": used / count * 1e6 if pid else None,
    }


def plays(name, protocol, options):
    """Whether this contestant can do it at all."""
    pgbouncer = name == PGBOUNCER or (name == GUARD and options.stand_in)
    return not (protocol == "prepared" and pgbouncer)


def throughput(servers_by_name, options):
    figures = {}
    for number in range(options.rounds):
        for clients in map(int, options.clients.split(",")):
            for protocol in options.protocols.split(","):
                order = [name for name in servers_by_name if plays(name, protocol, options)]
                # A/B, then B/A: who comes first has no advantage.
                for name in order if number % 2 == 0 else order[::-1]:
                    one = servers_by_name[name]
                    result = measure(
                        one.url("bench"),
                        options,
                        clients,
                        options.seconds,
                        ["-M", protocol],
                        None if name == DIRECT else one.pid,
                    )
                    figures.setdefault((clients, protocol), {}).setdefault(name, []).append(result)
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    rows = []
    for (clients, protocol), by_name in figures.items():
        for name, results in by_name.items():
            rows.append(
                [
                    clients,
                    protocol,
                    name,
                    spread([result["tps"] for result in results]),
                    spread([result["cpu"] for result in results], 1) if name != DIRECT else "–",
                    spread([result["average"] for result in results], 3),
                    spread([result["p99"] for result in results], 3),
                    ratio(by_name, name, "tps"),
                    ratio(by_name, name, "cpu"),
                ]
            )
    print(
        table(
            [
                "clients",
                "protocol",
                "through",
                "TPS",
                "µs CPU a query",
                "average ms",
                "p99 ms",
                "TPS ratio",
                "CPU ratio",
            ],
            rows,
        ),
        flush=True,
    )


def ratio(by_name, name, figure):
    if name != GUARD or PGBOUNCER not in by_name:
        return ""
    pairs = zip(by_name[GUARD], by_name[PGBOUNCER], strict=True)
    return f"{statistics.median(guard[figure] / peer[figure] for guard, peer in pairs):.2f}"


def reconnect(servers_by_name, options):
    """A new connection for every transaction."""
    figures = {}
    for number in range(options.rounds):
        for name in list(servers_by_name) if number % 2 == 0 else list(servers_by_name)[::-1]:
            one = servers_by_name[name]
            result = measure(one.url("bench"), options, 8, options.seconds, ["-C"], None if name == DIRECT else one.pid)
            figures.setdefault(name, []).append(result)
    rows = [
        [
            name,
            spread([result["tps"] for result in results]),
            spread([result["cpu"] for result in results], 1) if name != DIRECT else "–",
            ratio(figures, name, "tps"),
        ]
        for name, results in figures.items()
    ]
    print("A new connection for each transaction (`pgbench -C -S -c 8`):\n")
    print(table(["through", "TPS", "µs CPU a connection and query", "TPS ratio"], rows), flush=True)


class IdleClients:
    """Clients that connect, sign in and say no more, in a process of their own."""

    def __init__(self, server, count):
        command = [
            sys.executable,
            "-B",
            os.path.join(os.path.dirname(os.path.abspath(__file__)), "idle_clients.py"),
            server.host,
            str(server.port),
            "bench",
            str(count),
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        answer = self.process.stdout.readline()
        if answer.strip() != f"connected {count}":
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"idle clients: {answer or 'no answer'}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.process.stdout.close()


def memory(make, options):
    """What 1,000 idle clients add to the resident memory of a proxy that is warm."""
    rows = []
    for name in names(options):
        if name == DIRECT:
            continue
        empty, added = [], []
        for _ in range(min(3, options.rounds)):
            with make(name) as one:
                measure(one.url("bench"), options, 8, 2, [])
                empty.append(servers.resident_megabytes(one.pid))
                with IdleClients(one, 1000):
                    time.sleep(1)
                    added.append(servers.resident_megabytes(one.pid) - empty[-1])
        rows.append([name, spread(empty, 1), spread(added, 1)])
    print(table(["through", "resident MB, warm", "MB more with 1,000 idle clients"], rows), flush=True)


def crowd(make, options):
    """5,000 clients connected, 50 of them at work."""
    rows = []
    for name in names(options):
        if name == DIRECT:
            continue
        with make(name) as one, IdleClients(one, 4950):
            results = [
                measure(one.url("bench"), options, 50, options.seconds, [], one.pid)
                for _ in range(min(3, options.rounds))
            ]
            rows.append(
                [
                    name,
                    spread([result["tps"] for result in results]),
                    spread([result["cpu"] for result in results], 1),
                    spread([result["p99"] for result in results], 2),
                    f"{servers.resident_megabytes(one.pid):.1f}",
                ]
            )
    print("4,950 clients connected and idle, 50 at work (`pgbench -S -c 50`):\n")
    print(table(["through", "TPS", "µs CPU a query", "p99 ms", "resident MB"], rows), flush=True)


def run(options):
    parts = options.parts.split(",")
    with database(options) as postgres:

        def make(name):
            return proxy(name, postgres, options, options.pool)

        if {"throughput", "reconnect"} & set(parts):
            with contextlib.ExitStack() as stack:
                by_name = {name: stack.enter_context(make(name)) for name in names(options)}
                if "throughput" in parts:
                    throughput(by_name, options)
                if "reconnect" in parts:
                    reconnect(by_name, options)
        if "memory" in parts:
            memory(make, options)
        if "crowd" in parts:
            crowd(make, options)
    return 0
