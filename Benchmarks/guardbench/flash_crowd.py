"""A flash crowd on a good query: more and more clients of the primary-key select, which the database can serve.

Nothing of it may be shed. pgbench's clients stop at their first error, so every aborted client is one that was shed;
the transactions that others finished are counted, and the good open loop of `runaway` runs beside it. Exits with 1 when
through the guard a client was aborted, or a request of the open loop did not go well.
"""

import re
import subprocess
import threading

import servers
from guardbench import load
from guardbench.contestants import DIRECT, GUARD, database, names, on_load_cpus, proxy, table
from guardbench.runaway import Address, good_process, play, settle, summary


def add_options(parser):
    parser.add_argument("--pool", type=int, default=20)
    parser.add_argument("--crowd", default="50,200,500,1000", help="clients of each step")
    parser.add_argument("--step-seconds", type=int, default=10)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--good-clients", type=int, default=8)
    parser.add_argument("--deadline", type=float, default=5)
    parser.add_argument("--budgets", default="enforce")


def step(url, clients, options, steps):
    command = [
        servers.postgres_program("pgbench"),
        "-n",
        "-S",
        "-M",
        "extended",
        "-c",
        str(clients),
        "-T",
        str(options.step_seconds),
        url,
    ]
    done = subprocess.run(on_load_cpus(command, options), capture_output=True, text=True)
    count = re.search(r"transactions actually processed: (\d+)", done.stdout)
    latency = re.search(r"latency average = ([\d.]+)", done.stdout)
    aborted = re.findall(r"client \d+ (?:script \d+ )?aborted.*?: (.*)", done.stderr)
    if count is None and not aborted:
        raise RuntimeError(f"pgbench: {done.stderr[-1500:]}")
    # What the server said comes on the lines of its own.
    reasons = sorted(set(re.findall(r"ERROR:\s+(.*)", done.stderr)))[:2]
    steps.append(
        (
            clients,
            int(count.group(1)) if count else 0,
            float(latency.group(1)) if latency else float("nan"),
            len(aborted),
            reasons,
        )
    )


def run(options):
    crowd = [int(count) for count in options.crowd.split(",")]
    options.seconds = len(crowd) * (options.step_seconds + 1)
    rows, unwell = [], {}
    with database(options, {"max_connections": 1200}) as postgres:
        for name in names(options):
            # A thousand backends are another experiment.
            sizes = [size for size in crowd if name != DIRECT or size <= 200]
            with proxy(name, postgres, options, options.pool, options.budgets) as server:
                steps = []

                def climb(server=server, steps=steps, sizes=sizes):
                    for clients in sizes:
                        step(server.url("bench"), clients, options, steps)

                thread = threading.Thread(target=climb)
                thread.start()
                outcomes = play(Address(server), options, (good_process,))["good"]
                thread.join()
            settle(postgres)
            if len(steps) != len(sizes):
                raise RuntimeError(f"{name}: a step of the crowd failed; see above")
            for clients, count, latency, aborted, reasons in steps:
                rows.append(
                    [
                        name,
                        clients,
                        f"{count / options.step_seconds:,.0f}",
                        f"{latency:.1f}",
                        aborted,
                        "; ".join(reasons),
                    ]
                )
            _, _, middle, most = summary(outcomes, 0, options.seconds)
            failed = sum(one.end != "ok" for one in outcomes)
            rows.append(
                [
                    name,
                    "open loop beside it",
                    f"{options.rate:.0f}",
                    f"p50 {middle:.1f}, p99 {most:.1f}",
                    failed,
                    load.ends(outcomes),
                ]
            )
            unwell[name] = sum(row[3] for row in steps) + failed
    print(table(["through", "clients", "TPS", "latency ms", "shed or failed", "what was said"], rows), flush=True)
    return 1 if unwell.get(GUARD) else 0
