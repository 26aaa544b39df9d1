"""Who is measured: a direct connection, PgBouncer, the guard; and where each runs."""

import contextlib
import math
import os
import platform
import statistics
import subprocess

import servers

DIRECT, PGBOUNCER, GUARD = "direct", "pgbouncer", "guard"
PGBOUNCER_PROGRAM = "/usr/sbin/pgbouncer"


def add_options(parser):
    parser.add_argument(
        "--guard-command",
        default=servers.GUARD_COMMAND,
        help="how to start the guard; {config} is its configuration (default: that of .build/release)",
    )
    parser.add_argument("--stand-in", action="store_true", help="a second PgBouncer in the guard's place")
    parser.add_argument("--only", default="", help="some of direct,pgbouncer,guard")
    parser.add_argument("--scale", type=int, default=10, help="of pgbench's tables (100,000 rows each)")
    parser.add_argument(
        "--server-cpus", default="1", help="processors of PostgreSQL, for taskset; 'all' leaves it free"
    )
    parser.add_argument("--proxy-cpus", default="0", help="processors of the proxy")
    parser.add_argument("--load-cpus", default="0", help="processors of the clients")


def cpus(value):
    return None if value == "all" else value


def wanted(options):
    return options.only.split(",") if options.only else [DIRECT, PGBOUNCER, GUARD]


def is_there(name, options):
    if name == PGBOUNCER or (name == GUARD and options.stand_in):
        return os.access(PGBOUNCER_PROGRAM, os.X_OK)
    return name != GUARD or servers.Guard.available(options.guard_command)


def names(options):
    """Who takes part: whoever is asked for and is there. A stand-in is there when PgBouncer is."""
    return [name for name in wanted(options) if is_there(name, options)]


def heading(options):
    out = [
        f"`Benchmarks/guard {options.bench}`: {os.cpu_count()} processors ({processor()}), load before it "
        f"{os.getloadavg()[0]:.1f}. PostgreSQL on processors {options.server_cpus}, proxy on {options.proxy_cpus}, "
        f"clients on "
        f"{options.load_cpus}. {version([PGBOUNCER_PROGRAM, '--version'])}; "
        f"{version([servers.postgres_program('postgres'), '--version'])}."
    ]
    present = names(options)
    if options.stand_in and GUARD in present:
        out.append("**The guard is a stand-in: a second PgBouncer.** Differences between the two are noise.")
    for name, title in ((PGBOUNCER, "PgBouncer"), (GUARD, "The guard")):
        if name not in present:
            out.append(f"{title} was not {'there' if name in wanted(options) else 'asked for'}.")
    return "\n".join(out) + "\n"


def processor():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return models[0] if models else platform.machine()


def version(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "no " + os.path.basename(command[0])


@contextlib.contextmanager
def database(options, settings=None):
    """A PostgreSQL with pgbench's tables in the database `bench`, warm."""
    with servers.PostgreSQL(cpus(options.server_cpus), settings) as postgres:
        postgres.psql("CREATE DATABASE bench")
        subprocess.run(
            [servers.postgres_program("pgbench"), "-i", "-q", "-s", str(options.scale), postgres.url("bench")],
            check=True,
            capture_output=True,
        )
        # So that nothing of it happens while somebody is measured.
        postgres.psql("VACUUM (ANALYZE, FREEZE)", "bench")
        postgres.psql("CHECKPOINT")
        postgres.psql("SELECT sum(abalance) FROM pgbench_accounts", "bench")
        yield postgres


@contextlib.contextmanager
def proxy(name, postgres, options, pool, budgets="enforce"):
    """The contestant, ready; the direct connection is the PostgreSQL itself."""
    if name == DIRECT:
        yield postgres
        return
    where = cpus(options.proxy_cpus)
    if name == PGBOUNCER or options.stand_in:
        server = servers.PgBouncer(postgres, pool=pool, cpus=where, program=PGBOUNCER_PROGRAM)
    else:
        server = servers.Guard(postgres, pool=pool, cpus=where, command=options.guard_command, budgets=budgets)
    with server:
        yield server


def on_load_cpus(command, options):
    where = cpus(options.load_cpus)
    return command if where is None else ["taskset", "-c", where, *command]


def spread(values, digits=0):
    """median (least–most)."""
    if not values:
        return "–"
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def percentile(values, share):
    """The smallest value that at least `share` of them do not exceed."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"
