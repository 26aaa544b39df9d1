"""psql: what people type and what scripts feed it."""

import os
import re
import subprocess
import tempfile

import servers
from transcript import case, main, say


def psql(url, script, *arguments, **environment):
    """Runs psql over a script; gives what it printed, without the address."""
    done = subprocess.run(
        [servers.postgres_program("psql"), "-X", "-d", url, *arguments],
        input=script,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PGCONNECT_TIMEOUT": "10", "LC_ALL": "C.UTF-8", **environment},
    )
    for text in (done.stdout, done.stderr):
        text = re.sub(r'connection to server at "[^"]*"(?: \([^)]*\))?, port \d+ failed', "connection failed", text)
        text = re.sub(r"/tmp/\w+/", "FOLDER/", text)
        say(re.sub(r'on host "[^"]*"(?: \(address "[^"]*"\))? at port "\d+"', "on HOST", text).rstrip("\n"))
    say("exit", done.returncode)


@case("several statements, variables, conditions")
def statements(url):
    psql(
        url,
        r"""
SELECT 1 AS one; SELECT 2 AS two \; SELECT 3 AS three;
SELECT 'x' AS a, 4 AS b \gset got_
\echo :got_a :got_b
SELECT :'got_a' || 'y';
\if true
SELECT 'yes';
\else
SELECT 'no';
\endif
SELECT n, n * n FROM generate_series(1, 5) n \g (format=unaligned)
SELECT n % 3 AS a, n % 2 AS b, count(*) FROM generate_series(1, 20) n GROUP BY 1, 2 ORDER BY 1, 2 \crosstabview
SELECT 1 AS a, 'b'::text AS b, now() AS c \gdesc
SELECT format('SELECT %s AS made', n) FROM generate_series(1, 3) n \gexec
\x
SELECT 1 AS first, NULL AS second;
\x
\t
;
SELECT 'ends without a newline'""",
    )


@case("errors, and going on after them")
def errors(url):
    psql(
        url,
        r"""
\set VERBOSITY verbose
SELECT nothing;
SELECT 1/0;
\echo :SQLSTATE :LAST_ERROR_MESSAGE
BEGIN;
SELECT 1;
SELEC;
SELECT 2;
COMMIT;
SELECT 'after';
\errverbose
""",
    )
    psql(url, "SELECT 1;\nSELECT nothing;\nSELECT 2;\n", "-v", "ON_ERROR_STOP=1")
    psql(url, "", "-c", "SELECT 1; SELECT 1/0; SELECT 2", "-c", "SELECT 3")
    psql(
        url,
        "CREATE TABLE conformance.one_transaction (n int);\nSELECT 1/0;\n",
        "-1",
        "-v",
        "ON_ERROR_STOP=1",
        "-f",
        "-",
    )
    psql(url, "SELECT to_regclass('conformance.one_transaction');")
    psql(url, "\\set ON_ERROR_ROLLBACK on\nBEGIN;\nSELECT 1/0;\nSELECT 'still in it';\nCOMMIT;\n")


@case(r"\copy both ways, and COPY from the script itself")
def copy(url):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows.csv")
        psql(
            url,
            rf"""
CREATE TABLE conformance.psql_copy (n int PRIMARY KEY, t text);
COPY conformance.psql_copy FROM STDIN;
1	one
2	\N
\.
\copy conformance.psql_copy TO '{path}' CSV HEADER
TRUNCATE conformance.psql_copy;
\copy conformance.psql_copy FROM '{path}' CSV HEADER
SELECT * FROM conformance.psql_copy ORDER BY n;
COPY conformance.psql_copy TO STDOUT;
\copy (SELECT n, repeat('x', n) FROM generate_series(1, 3) n) TO STDOUT
COPY conformance.psql_copy FROM STDIN;
3	three
1	again
\.
SELECT count(*) FROM conformance.psql_copy;
\copy conformance.missing FROM '{path}'
\copy conformance.psql_copy FROM '{path}.missing'
SELECT 'well';
""",
        )


@case(r"\d and its kin")
def describe(url):
    psql(
        url,
        r"""
CREATE TABLE conformance.described (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE,
    at timestamptz DEFAULT now(), parent int REFERENCES conformance.described, CHECK (id > 0));
CREATE INDEX ON conformance.described (name, at DESC);
COMMENT ON TABLE conformance.described IS 'größe';
CREATE VIEW conformance.viewed AS SELECT name FROM conformance.described;
CREATE FUNCTION conformance.f(a int, b text DEFAULT 'x') RETURNS int LANGUAGE sql AS 'SELECT 1';
\d conformance.described
\d+ conformance.viewed
\dt conformance.*
\di conformance.*
\dv conformance.*
\df conformance.*
\dn conformance
\du postgres
\sf conformance.f
\sv conformance.viewed
\d conformance.missing
""",
    )


@case("large objects, which use function calls of the protocol")
def large_objects(url):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "object")
        with open(path, "wb") as file:
            file.write(bytes(range(256)) * 500)
        psql(
            url,
            rf"""
\lo_import '{path}'
SELECT octet_length(lo_get(:LASTOID));
\lo_export :LASTOID '{path}.out'
\lo_unlink :LASTOID
\lo_unlink 0
SELECT 'well';
""".replace(r"\lo_import", r"\set QUIET on" + "\n" + r"\lo_import"),
        )
        with open(path, "rb") as first, open(path + ".out", "rb") as second:
            say(first.read() == second.read())


@case("portions by cursor, and results to files")
def portions(url):
    with tempfile.TemporaryDirectory() as folder:
        psql(
            url,
            rf"""
\set FETCH_COUNT 3
SELECT n FROM generate_series(1, 10) n;
SELECT 5/(5-n) FROM generate_series(1, 10) n;
\set FETCH_COUNT 0
\o {folder}/out
SELECT 'in the file';
\o
SELECT 'on the screen';
""",
        )
        with open(os.path.join(folder, "out")) as file:
            say(file.read())


@case("settings, notices, listening, session")
def session(url):
    psql(
        url,
        r"""
SET TIME ZONE 'Asia/Tokyo';
SELECT '2024-01-01 00:00:00+00'::timestamptz;
SHOW TimeZone;
DO $$ BEGIN RAISE NOTICE 'hello'; RAISE WARNING 'careful'; END $$;
\encoding LATIN1
SHOW client_encoding;
\encoding UTF8
CREATE TEMP TABLE mine AS SELECT n FROM generate_series(1, 3) n;
SELECT sum(n) FROM mine;
PREPARE p (int) AS SELECT $1 + 1;
EXECUTE p(41);
DEALLOCATE p;
EXECUTE p(1);
BEGIN;
DECLARE c CURSOR FOR SELECT n FROM generate_series(1, 10) n;
FETCH 2 FROM c;
MOVE 3 FROM c;
FETCH ALL FROM c;
END;
EXPLAIN (COSTS OFF) SELECT * FROM mine WHERE n = 1;
\c -
SELECT * FROM mine;
""",
    )


@case("who may not come in")
def refused(url):
    psql(re.sub(r"/[^/]*$", "/no_such_database", url), "SELECT 1")
    psql(
        url,
        "SELECT current_setting('work_mem'), current_setting('search_path')",
        "-At",
        PGOPTIONS="-c work_mem=5MB -c search_path=conformance",
    )
    psql(url, "SELECT 1", PGOPTIONS="-c nonsense=1")


main()
