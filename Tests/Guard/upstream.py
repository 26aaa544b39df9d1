"""Runs the drivers' own test suites against PostgreSQL directly and through a proxy, and compares what fails.

usage: scripts/guard-upstream-suites DIRECT_URL PROXY_URL [--suites asyncpg,psycopg2,pg8000,sqlalchemy,psycopg]
                                     [--psycopg-source FOLDER] [--only EXPRESSION] [--keep FOLDER]

The suites are fetched from PyPI with pip, as source distributions, into a temporary folder with an environment of its
own; nothing of them stays. asyncpg, psycopg2, pg8000 and SQLAlchemy ship their tests; psycopg 3 does not, so its suite
runs only from a source tree that you name. Both URLs must lead to the same throw-away server, as the superuser
`postgres`, and the database should be `postgres`, which pg8000's tests take for granted.

A test counts when it passes directly and fails through the proxy twice; one that fails once only is named as unsteady.
Those that no proxy can pass (they compare process ids) are named too, and do not count.
Exits with 1 when a test counts, or when a suite has no test that passes directly. Tests that are about a
server of their own (clusters, TLS, authentication files, replication) are left out.
"""

import argparse
import glob
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse
import xml.etree.ElementTree

# For one run of a suite; then it counts as far as it came.
SUITE_SECONDS = 900
TEST_SECONDS = 120


class Suite:
    """Where a suite comes from and how it is run. `arguments` and `environment` are made from a URL's parts."""

    def __init__(
        self,
        name,
        packages,
        source,
        tests,
        arguments=lambda url: [],
        environment=lambda url: {},
        before=(),
        expected=None,
    ):
        self.name, self.packages, self.source, self.tests = name, packages, source, tests
        self.arguments, self.environment, self.before = arguments, environment, before
        # Tests that no proxy can pass, as a regular expression.
        self.expected = expected


def libpq_environment(url):
    return {
        "PGHOST": url.hostname,
        "PGPORT": str(url.port),
        "PGUSER": url.username or "postgres",
        "PGDATABASE": url.path.lstrip("/"),
        "PGPASSWORD": url.password or "none",
    }


def psycopg2_environment(url):
    return {
        **libpq_environment(url),
        "PSYCOPG2_TESTDB": url.path.lstrip("/"),
        "PSYCOPG2_TESTDB_HOST": url.hostname,
        "PSYCOPG2_TESTDB_PORT": str(url.port),
        "PSYCOPG2_TESTDB_USER": url.username or "postgres",
    }


def sqlalchemy_arguments(url):
    return ["--dburi", url._replace(scheme="postgresql+psycopg").geturl()]


SUITES = [
    Suite(
        "asyncpg",
        ["asyncpg=={version}", "distro"],
        "asyncpg",
        [
            "tests",
            "--ignore=tests/test__sourcecode.py",
            "--ignore=tests/test__environment.py",
            "--ignore=tests/test_adversity.py",
            "--ignore=tests/test_subinterpreters.py",
            "--ignore=tests/test_scram.py",
            "--ignore=tests/test_logging.py",
        ],
        environment=libpq_environment,
        # They compare process ids or end a server by one, make a database that the proxy then holds connections to, or
        # look for a statement by its name on the server.
        expected=r"test_listen_0[12]|test_listen_notletters|test_type_cache_invalidation_in_pool"
        r"|test_introspection_sticks_for_ps|test_pool_min_size_restored_after_idle|test_pool_remote_close"
        r"|test_prepare_explicitly_named",
    ),
    Suite(
        "psycopg2",
        ["psycopg2-binary=={version}"],
        "psycopg2",
        ["tests", "--ignore=tests/test_replication.py"],
        environment=psycopg2_environment,
        before=("CREATE EXTENSION IF NOT EXISTS hstore",),
        # They hold the process id of notifications, or of pg_backend_pid(), against the one told at the start-up.
        expected=r"test_notify\.py::|AsyncTests::test_notify|test_backend_pid|test_external_close_async",
    ),
    Suite(
        "pg8000",
        ["pg8000=={version}", "pytz", "pytest-benchmark", "pytest-mock"],
        "pg8000",
        [
            "test/native",
            "test/dbapi",
            "test/legacy",
            "--ignore-glob=*/auth/*",
            "--ignore-glob=*test_benchmarks*",
            "--ignore-glob=*stress*",
        ],
        environment=libpq_environment,
        before=("CREATE EXTENSION IF NOT EXISTS hstore",),
        # They end their own server by its process id, or count the statements that the server holds.
        expected=r"test_broken_pipe_(read|flush)|test_close_prepared_statement",
    ),
    Suite(
        "sqlalchemy",
        ["sqlalchemy=={version}", "psycopg[binary]>=3.2,<4", "greenlet"],
        "sqlalchemy",
        [
            "test/dialect/postgresql",
            "test/dialect/test_suite.py",
            "test/engine/test_transaction.py",
            "test/engine/test_execute.py",
            "test/orm/test_unitofwork.py",
            "test/orm/test_query.py",
        ],
        arguments=sqlalchemy_arguments,
        before=(
            "CREATE SCHEMA IF NOT EXISTS test_schema",
            "CREATE SCHEMA IF NOT EXISTS test_schema_2",
            "CREATE EXTENSION IF NOT EXISTS hstore",
            "CREATE EXTENSION IF NOT EXISTS citext",
        ),
    ),
    Suite(
        "psycopg",
        ["psycopg[binary]>=3.2,<4", "anyio", "mypy<2", "dnspython", "shapely"],
        None,
        ["tests", "-m", "not slow and not flakey and not mypy"],
        environment=lambda url: {"PSYCOPG_TEST_DSN": url.geturl(), "PSYCOPG_IMPL": "binary"},
        before=("CREATE EXTENSION IF NOT EXISTS hstore",),
    ),
]


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/guard-upstream-suites", description=__doc__.split("\n")[0])
    parser.add_argument("direct")
    parser.add_argument("proxy")
    parser.add_argument("--suites", default="asyncpg,psycopg2,pg8000,sqlalchemy")
    parser.add_argument("--psycopg-source", help="a checked-out source tree of psycopg 3")
    parser.add_argument("--only", help="tests that match, as in pytest -k")
    parser.add_argument("--keep", help="a folder for the logs and results")
    options = parser.parse_args()
    unknown = set(options.suites.split(",")) - {suite.name for suite in SUITES}
    if unknown or ("psycopg" in options.suites.split(",") and not options.psycopg_source):
        parser.error(
            f"there is no suite {unknown}" if unknown else "psycopg ships no tests: --psycopg-source is needed"
        )
    return options


def quietly(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.stdout


def fetch(suite, folder, options):
    """An environment with the driver and pytest, and the suite's source: (python, source)."""
    environment = os.path.join(folder, suite.name)
    quietly([sys.executable, "-m", "venv", environment])
    python = os.path.join(environment, "bin", "python")
    version, source = "", options.psycopg_source
    if suite.source:
        downloads = os.path.join(folder, suite.name + "-download")
        quietly(
            [
                python,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--no-binary",
                suite.source,
                "--dest",
                downloads,
                suite.source,
            ]
        )
        archive = glob.glob(os.path.join(downloads, "*.tar.gz"))[0]
        version = os.path.basename(archive)[: -len(".tar.gz")].rsplit("-", 1)[1]
        with tarfile.open(archive) as tar:
            # Python has the filter from 3.11.4 on, and Debian 12 has 3.11.2.
            tar.extractall(downloads, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        source = archive[: -len(".tar.gz")]
        # The driver is the built one; its source beside the tests would be imported in its place.
        if os.path.isdir(os.path.join(source, suite.source)):
            os.rename(os.path.join(source, suite.source), os.path.join(source, suite.source + "-source"))
    quietly(
        [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "pytest>=8,<9",
            "pytest-timeout",
            *(one.format(version=version) for one in suite.packages),
        ]
    )
    print(f"{suite.name} {version or 'from ' + source}", flush=True)
    return python, os.path.abspath(source)


def run(suite, python, source, url, options, label, only=()):
    """Runs the suite, or some of its tests; gives {test: passed?} without those that were skipped."""
    parts = urllib.parse.urlparse(url)
    with tempfile.TemporaryDirectory() as folder:
        results = os.path.join(folder, "results.xml")
        command = [
            python,
            "-B",
            "-m",
            "pytest",
            "-q",
            "-W",
            "ignore",
            "-p",
            "no:cacheprovider",
            f"--timeout={TEST_SECONDS}",
            f"--session-timeout={SUITE_SECONDS}",
            f"--junitxml={results}",
            "-o",
            "junit_family=xunit1",
            *suite.arguments(parts),
            *(only or suite.tests),
        ]
        if options.only and not only:
            command += ["-k", options.only]
        started = time.monotonic()
        try:
            done = subprocess.run(
                command,
                cwd=source,
                env={**os.environ, **suite.environment(parts)},
                capture_output=True,
                text=True,
                timeout=SUITE_SECONDS + TEST_SECONDS,
            )
            log = done.stdout + done.stderr
        except subprocess.TimeoutExpired as error:
            log = (error.stdout or b"").decode(errors="replace") + f"\nended after {SUITE_SECONDS} s"
        if options.keep:
            os.makedirs(options.keep, exist_ok=True)
            with open(os.path.join(options.keep, f"{suite.name}-{label}.log"), "w") as file:
                file.write(log)
        found = read(results) if os.path.exists(results) else {}
    if not found:
        print(log[-3000:])
    passed = sum(found.values())
    print(f"  {label}: {passed} passed, {len(found) - passed} failed, {time.monotonic() - started:.0f} s", flush=True)
    return found


def read(path):
    """What pytest wrote: the node of each test that ran, and whether it passed."""
    found = {}
    for one in xml.etree.ElementTree.parse(path).iter("testcase"):
        if one.find("skipped") is not None:
            continue
        file = one.get("file") or one.get("classname", "").replace(".", "/") + ".py"
        module = file.replace("/", ".").removesuffix(".py")
        inside = one.get("classname", "").removeprefix(module).strip(".")
        node = "::".join(filter(None, [file, *inside.split("."), one.get("name")]))
        well = one.find("failure") is None and one.find("error") is None
        found[node] = found.get(node, True) and well
    return found


def judge(suite, folder, options):
    """Gives the number of tests that count against the proxy, or that a suite could not be run."""
    python, source = fetch(suite, folder, options)
    parts = urllib.parse.urlparse(options.direct)
    for sql in suite.before:
        subprocess.run(
            ["psql", "-Xq", "-d", options.direct, "-c", sql],
            check=True,
            capture_output=True,
            env={**os.environ, "PGPASSWORD": parts.password or ""},
        )
    direct = run(suite, python, source, options.direct, options, "direct")
    proxy = run(suite, python, source, options.proxy, options, "proxy")
    if not any(direct.values()):
        # Then there is nothing to compare: the suite itself does not run here.
        print(f"  {suite.name}: no test passes directly")
        return 1
    suspects = [node for node, well in direct.items() if well and not proxy.get(node, False)]
    missing = [node for node in suspects if node not in proxy]
    again = run(suite, python, source, options.proxy, options, "proxy, again", suspects) if suspects else {}
    failing = [node for node in suspects if not again.get(node, False)]
    broken = [node for node in failing if not (suite.expected and re.search(suite.expected, node))]
    for node in suspects:
        how = "fails through the proxy" if node in broken else "expected to fail" if node in failing else "unsteady"
        print(f"  {how}{' (did not run)' if node in missing else ''}: {node}")
    for node in [node for node, well in direct.items() if not well and proxy.get(node)]:
        print(f"  fails directly only: {node}")
    print(
        f"  {suite.name}: {len(direct)} tests, {len(broken)} fail through the proxy only, "
        f"{len(failing) - len(broken)} as expected, {len(suspects) - len(failing)} unsteady",
        flush=True,
    )
    return len(broken)


def main():
    options = arguments()
    wanted = options.suites.split(",")
    with tempfile.TemporaryDirectory(prefix="mainstay-upstream-") as folder:
        counts = [judge(suite, folder, options) for suite in SUITES if suite.name in wanted]
    print(f"{len(counts)} suites: {sum(counts)} tests fail through the proxy only")
    return 1 if sum(counts) else 0


if __name__ == "__main__":
    sys.exit(main())
