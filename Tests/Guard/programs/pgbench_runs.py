"""pgbench, in each of its three protocols: TPC-B with a seed of its own leaves the same rows, however it goes there."""

import os
import subprocess

import psycopg

import servers
from transcript import case, main, say


def pgbench(url, *options):
    """Its schema is on the search path, for pgbench names no schema."""
    done = subprocess.run(
        [servers.postgres_program("pgbench"), *options, url],
        env={**os.environ, "PGOPTIONS": "-c search_path=conformance"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    for line in done.stdout.splitlines():
        if line.startswith(("number of transactions", "number of failed", "query mode")):
            say(line)
    if done.returncode != 0:
        say("pgbench failed", done.returncode, done.stderr)


def digest(url):
    with psycopg.connect(url, autocommit=True) as connection:
        for table, column in (("accounts", "aid"), ("tellers", "tid"), ("branches", "bid")):
            balance = f"{column[0]}balance"
            say(
                table,
                connection.execute(
                    f"SELECT count(*), sum({balance}), md5(string_agg({column} || ':' || {balance}, ',' ORDER BY "
                    f"{column})) FROM conformance.pgbench_{table}"
                ).fetchall(),
            )
        say(
            connection.execute(
                "SELECT count(*), sum(delta), md5(string_agg(tid || ':' || aid || ':' || delta, ',' ORDER BY tid, aid, "
                "delta)) FROM conformance.pgbench_history"
            ).fetchall()
        )


def runs(url, protocol):
    pgbench(url, "--initialize", "--quiet", "--init-steps=dtgp")
    options = ("--no-vacuum", f"--protocol={protocol}", "--random-seed=7")
    pgbench(url, *options, "--client=1", "--transactions=200")
    digest(url)
    # Whose turn it is when differs from run to run; what they leave together does not.
    pgbench(url, *options, "--client=6", "--transactions=50")
    digest(url)
    pgbench(url, *options, "--client=4", "--transactions=100", "--select-only")
    pgbench(url, *options, "--client=2", "--transactions=20", "--connect")
    digest(url)


@case("the simple protocol", deadline=90)
def simple(url):
    runs(url, "simple")


@case("the extended protocol", deadline=90)
def extended(url):
    runs(url, "extended")


@case("prepared statements", deadline=90)
def prepared(url):
    runs(url, "prepared")


main()
