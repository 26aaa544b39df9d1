"""Runs every program in programs/ against PostgreSQL directly and through a proxy, and compares what the clients saw.

usage: scripts/guard-conformance DIRECT_URL PROXY_URL [--mode session|transaction] [--only REGEX] [--case REGEX]
                                 [--keep FOLDER]

Both URLs must lead to the same database; its schema `conformance` is dropped and made anew before every run, so it must
not be one that anybody needs. The pool should hold at least 12 servers, in session mode at least as many as clients
are open at once (12). Differences are printed as a diff, by case. In transaction mode some cases are allowed to differ,
and say why and in which lines; they are named, and are no failure. After each program it looks at the server: a session that is left
active, or idle in a transaction, or a lock that stays, is a failure of the program.
Exits with 1 on a difference or a leftover, 2 on wrong use.
"""

import argparse
import difflib
import glob
import os
import re
import subprocess
import sys
import time

import psycopg

HERE = os.path.dirname(os.path.abspath(__file__))
HEADING = re.compile(r"^== (.*?)(?: ~ (.*))?$")
# More than any program takes: within it, a case that is stuck ends by its own deadline.
PROGRAM_DEADLINE = 600
SETTLE_SECONDS = 10


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/guard-conformance", description=__doc__.split("\n")[0])
    parser.add_argument("direct")
    parser.add_argument("proxy")
    parser.add_argument("--mode", choices=("session", "transaction"), default="transaction")
    parser.add_argument("--only", default="", help="programs whose name matches")
    parser.add_argument("--case", default="", help="cases whose title matches")
    parser.add_argument("--keep", help="a folder for the transcripts")
    return parser.parse_args()


def prepare(direct):
    """An empty schema; waits for whoever still holds something in it."""
    with psycopg.connect(direct, autocommit=True, application_name="conformance-control") as connection:
        connection.execute("SET client_min_messages = warning; SET lock_timeout = '10s'")
        connection.execute("DROP SCHEMA IF EXISTS conformance CASCADE")
        connection.execute("CREATE SCHEMA conformance")


def leftovers(direct):
    """Sessions of this database that are still in something once the clients are gone; they are ended, so that each is
    told of once."""
    sql = """SELECT pid, coalesce(application_name, ''), state, left(query, 100),
                    (SELECT count(*) FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory')
             FROM pg_stat_activity a WHERE datname = current_database() AND pid <> pg_backend_pid()
             AND backend_type = 'client backend'
             AND (state <> 'idle'
                  OR EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory'))"""
    end = time.monotonic() + SETTLE_SECONDS
    with psycopg.connect(direct, autocommit=True, application_name="conformance-control") as connection:
        while True:
            found = connection.execute(sql).fetchall()
            if not found or time.monotonic() > end:
                for pid, *_ in found:
                    connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
                return [left for _, *left in found]
            time.sleep(0.1)


def run(program, url, case):
    """The transcript of one program, as a list of cases: (title, reason to differ or None, lines)."""
    environment = {
        **os.environ,
        "PYTHONPATH": HERE,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PGSSLMODE": os.environ.get("PGSSLMODE", "prefer"),
        "TZ": "UTC",
    }
    try:
        done = subprocess.run(
            [sys.executable, program, url, case],
            capture_output=True,
            text=True,
            timeout=PROGRAM_DEADLINE,
            env=environment,
        )
        text, tail = done.stdout, f"exit {done.returncode}"
        if done.returncode != 0:
            text += "== the program itself\n" + done.stderr
    except subprocess.TimeoutExpired as error:
        text, tail = (error.stdout or b"").decode(errors="replace"), f"stuck after {PROGRAM_DEADLINE} s"
    cases = []
    for line in text.splitlines():
        heading = HEADING.match(line)
        if heading:
            cases.append((heading.group(1), heading.group(2), []))
        elif cases:
            cases[-1][2].append(line)
    return cases + [("how the program ended", None, [tail])]


def compare(direct, proxied, mode):
    """The diffs of the cases that differ, and the reasons of those that may."""
    found, allowed = [], []
    others = {title: lines for title, _, lines in proxied}
    for title, reason, lines in direct:
        other = others.get(title, ["(missing)"])
        if any(line.startswith("STUCK") for line in lines):
            found.append((title, ["the case is stuck on a direct connection: it proves nothing"]))
        if other == lines:
            continue
        if reason and mode == "transaction":
            words, where = reason.rsplit(" ~ ", 1)
            changed = [line[2:] for line in difflib.ndiff(lines, other) if line[0] in "+-"]
            if all(re.search(where, line) for line in changed):
                allowed.append((title, words))
                continue
        shorter = [[line if len(line) < 2000 else line[:2000] + "…" for line in side] for side in (lines, other)]
        found.append((title, list(difflib.unified_diff(*shorter, "direct", "proxy", lineterm="", n=1))))
    return found, allowed


def keep(folder, program, side, cases):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, f"{program}.{side}"), "w") as file:
        for title, _, lines in cases:
            file.write(f"== {title}\n" + "".join(line + "\n" for line in lines))


def judge(program, options):
    """Runs one program both ways; gives (cases, differing, allowed to differ)."""
    name = os.path.splitext(os.path.basename(program))[0]
    sides, problems = {}, []
    for side, url in (("direct", options.direct), ("proxy", options.proxy)):
        prepare(options.direct)
        sides[side] = run(program, url, options.case)
        if options.keep:
            keep(options.keep, name, side, sides[side])
        for left in leftovers(options.direct):
            problems.append((f"left behind on the server, {side}", [str(left)]))
    found, allowed = compare(sides["direct"], sides["proxy"], options.mode)
    problems += found
    print(
        f"{name}: {len(sides['direct']) - 1} cases, {len(problems)} differ"
        + (f", {len(allowed)} differ as documented" if allowed else ""),
        flush=True,
    )
    for title, reason in allowed:
        print(f"  as documented: {title} ({reason})")
    for title, lines in problems:
        print(f"  differs: {title}")
        print("".join(f"    {line}\n" for line in lines), end="", flush=True)
    return len(sides["direct"]) - 1, len(problems), len(allowed)


def main():
    options = arguments()
    programs = [
        path
        for path in sorted(glob.glob(os.path.join(HERE, "programs", "*.py")))
        if re.search(options.only, os.path.basename(path))
    ]
    if not programs:
        print(f"no program matches {options.only!r}", file=sys.stderr)
        return 2
    totals = [sum(column) for column in zip(*(judge(program, options) for program in programs))]
    prepare(options.direct)
    print(
        f"{len(programs)} programs, {totals[0]} cases in {options.mode} mode: {totals[1]} differ, "
        f"{totals[2]} differ as documented"
    )
    if totals[0] == 0:
        print("no case was run", file=sys.stderr)
        return 2
    return 1 if totals[1] else 0


if __name__ == "__main__":
    sys.exit(main())
