"""What the programs in programs/ share: cases, and a transcript of what a client sees.

    PYTHONPATH=Tests/Guard python3 Tests/Guard/programs/psycopg_basics.py URL [REGEX of cases]

A case prints what its client got: rows, command tags, notices, every field of an error. Nothing it prints may differ
between two direct connections, so no process ids, times or addresses. A case that ends in an exception prints that; one
that does not end within its deadline prints STUCK, and the next case starts. What a case makes, it makes in the schema
`conformance`, which is empty at the program's start.
"""

import asyncio
import datetime
import hashlib
import inspect
import re
import signal
import sys

CASES = []


class Stuck(BaseException):
    """A case took longer than its deadline."""


def case(title, deadline=30, differs=None, where=None):
    """`differs`: why the case may give something else in transaction mode; it is then reported, and is no failure as
    long as every line that differs, on either side, has what `where` (a regular expression) looks for."""

    def register(function):
        CASES.append((title, function, deadline, differs and f"{differs} ~ {where}"))
        return function

    return register


def say(*parts):
    print(*[shown(part) if not isinstance(part, str) else part for part in parts], flush=True)


def shown(value):
    """A value in words that are the same in every run; long ones by length and digest."""
    if isinstance(value, memoryview):
        value = bytes(value)
    if isinstance(value, (bytes, str)) and len(value) > 200:
        data = value.encode() if isinstance(value, str) else value
        return f"<{type(value).__name__} of {len(value)}, sha256 {hashlib.sha256(data).hexdigest()[:16]}>"
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(shown(item) for item in value) + ")"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (datetime.datetime, datetime.time, datetime.date)):
        return value.isoformat()
    return repr(value)


DIAGNOSTICS = [
    "severity_nonlocalized",
    "sqlstate",
    "message_primary",
    "message_detail",
    "message_hint",
    "statement_position",
    "internal_position",
    "internal_query",
    "context",
    "schema_name",
    "table_name",
    "column_name",
    "datatype_name",
    "constraint_name",
    "source_file",
    "source_function",
]
ASYNCPG_FIELDS = [
    "severity",
    "sqlstate",
    "message",
    "detail",
    "hint",
    "position",
    "context",
    "schema_name",
    "table_name",
    "column_name",
    "data_type_name",
    "constraint_name",
    "server_source_function",
]


def say_error(error):
    """Every field that the server sent; without one, the exception's kind only: its words depend on the moment."""
    fields = []
    if getattr(error, "diag", None) is not None and error.diag.sqlstate is not None:
        fields = [(name, getattr(error.diag, name)) for name in DIAGNOSTICS]
    elif getattr(error, "sqlstate", None) is not None:
        fields = [(name, getattr(error, name, None)) for name in ASYNCPG_FIELDS]
    elif "FATAL:" in str(error):
        # A refused connection: libpq gives its text only, which begins with the address.
        fields = [("refused", re.sub(r"\s+", " ", str(error)[str(error).index("FATAL:") :]))]
    print(
        f"error {type(error).__name__}",
        "; ".join(f"{name}={value}" for name, value in fields if value is not None),
        flush=True,
    )


def attempt(function, *arguments, **options):
    """Runs it and prints its error; gives what it gives, or None."""
    try:
        return function(*arguments, **options)
    except Exception as error:
        say_error(error)
        return None


async def attempt_async(awaitable):
    try:
        return await awaitable
    except Exception as error:
        say_error(error)
        return None


def ring(*_):
    raise Stuck()


async def within(function, url, deadline):
    task = asyncio.ensure_future(function(url))
    done, _ = await asyncio.wait([task], timeout=deadline)
    if not done:
        task.cancel()
        await asyncio.wait([task], timeout=5)
        raise Stuck()
    task.result()


def main():
    url = sys.argv[1]
    only = re.compile(sys.argv[2] if len(sys.argv) > 2 else "")
    signal.signal(signal.SIGALRM, ring)
    for title, function, deadline, differs in CASES:
        if not only.search(title):
            continue
        print(f"== {title}" + (f" ~ {differs}" if differs else ""), flush=True)
        try:
            # The alarm again and again: a library may swallow one in its clean-up.
            signal.setitimer(signal.ITIMER_REAL, deadline + (10 if inspect.iscoroutinefunction(function) else 0), 5)
            if inspect.iscoroutinefunction(function):
                asyncio.run(within(function, url, deadline))
            else:
                function(url)
        except Stuck:
            print(f"STUCK for {deadline} s", flush=True)
        except Exception as error:
            print("the case ended in", end=" ")
            say_error(error)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
