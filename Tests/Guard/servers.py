"""Starts what the guard is tested and measured with: PostgreSQL, PgBouncer and `mainstay guard` itself.

Each is a context manager with `host`, `port`, `pid` and `url(database)`. Everything lies in a temporary folder of its
own and is gone afterwards. PostgreSQL and PgBouncer refuse to run as root; then they run as the user postgres.
`cpus` is a list for taskset ("0", "0,1"), or None to leave the process where the system puts it.
"""

import glob
import os
import pwd
import resource
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GUARD_COMMAND = f"{shlex.quote(os.path.join(REPOSITORY, '.build/release/mainstay'))} guard --config {{config}}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def raise_file_limit():
    """Thousands of clients need as many sockets; children inherit the limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def clean_up_when_ended():
    """SIGTERM ends the program as an exception does, so that what it started goes with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def postgres_program(name):
    """A program of PostgreSQL 15, or else of the newest there is."""
    found = glob.glob("/usr/lib/postgresql/15/bin/" + name) or sorted(glob.glob("/usr/lib/postgresql/*/bin/" + name))
    if not found:
        raise SystemExit(f"{name} of PostgreSQL was not found under /usr/lib/postgresql; see scripts/setup --test")
    return found[-1]


def unprivileged():
    """Arguments of Popen that leave root behind, when it is root that runs this."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def processor_seconds(pid):
    """User and system time of a process with all its threads; the kernel counts in hundredths of a second."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_megabytes(pid):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no resident memory")


class Server:
    """One process in a folder of its own."""

    name = "server"
    stop_signal = signal.SIGTERM

    def __init__(self, cpus=None):
        self.cpus = cpus
        self.host = "127.0.0.1"
        self.port = free_port()
        self.folder = None
        self.process = None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix=f"mainstay-{self.name}-")
        os.chmod(self.folder, 0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        try:
            self.start()
            self.wait_until_open()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def spawn(self, command, **options):
        if self.cpus is not None:
            command = ["taskset", "-c", self.cpus, *command]
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options
            )

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def log(self, lines=40):
        with open(os.path.join(self.folder, "log"), errors="replace") as log:
            return "".join(log.readlines()[-lines:])

    def wait_until_open(self, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"{self.name} did not start:\n{self.log()}")

    @property
    def pid(self):
        return self.process.pid

    def url(self, database="postgres"):
        return f"postgres://postgres@{self.host}:{self.port}/{database}"


class PostgreSQL(Server):
    """A PostgreSQL whose data need not survive. `settings` overrides lines of postgresql.conf."""

    name = "postgres"
    stop_signal = signal.SIGINT

    def __init__(self, cpus=None, settings=None):
        super().__init__(cpus)
        self.settings = {
            "listen_addresses": "'127.0.0.1'",
            "port": self.port,
            "unix_socket_directories": "''",
            "max_connections": 120,
            "shared_buffers": "'512MB'",
            "work_mem": "'8MB'",
            "max_wal_size": "'4GB'",
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            "autovacuum_naptime": "'1min'",
            "log_min_messages": "fatal",
            "timezone": "'UTC'",
            **(settings or {}),
        }

    def start(self):
        data = os.path.join(self.folder, "data")
        subprocess.run(
            [
                postgres_program("initdb"),
                "--pgdata",
                data,
                "--username",
                "postgres",
                "--auth",
                "trust",
                "--encoding",
                "UTF8",
                "--locale",
                "C",
                "--no-sync",
            ],
            check=True,
            cwd=self.folder,
            capture_output=True,
            **unprivileged(),
        )
        with open(os.path.join(data, "postgresql.conf"), "a") as file:
            file.writelines(f"{key} = {value}\n" for key, value in self.settings.items())
        self.spawn([postgres_program("postgres"), "-D", data], **unprivileged())

    def wait_until_open(self, seconds=60):
        super().wait_until_open(seconds)
        for _ in range(seconds * 10):
            if self.psql("SELECT 1", check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError(f"PostgreSQL does not answer:\n{self.log()}")

    def psql(self, sql, database="postgres", check=True):
        return subprocess.run(
            [postgres_program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", sql],
            check=check,
            capture_output=True,
            text=True,
        )


class PgBouncer(Server):
    """Debian's PgBouncer: trust, an auth file with the user postgres, every database of one PostgreSQL."""

    name = "pgbouncer"
    stop_signal = signal.SIGINT

    def __init__(self, postgres, mode="transaction", pool=8, clients=6000, cpus=None, program="/usr/sbin/pgbouncer"):
        super().__init__(cpus)
        self.postgres, self.mode, self.pool, self.clients, self.program = postgres, mode, pool, clients, program

    def start(self):
        users = self.write("users.txt", '"postgres" ""\n')
        configuration = self.write(
            "pgbouncer.ini",
            f"""
[databases]
* = host={self.postgres.host} port={self.postgres.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
admin_users = postgres
pool_mode = {self.mode}
default_pool_size = {self.pool}
max_client_conn = {self.clients}
ignore_startup_parameters = extra_float_digits,options
log_connections = 0
log_disconnections = 0
log_pooler_errors = 0
""",
        )
        self.spawn([self.program, configuration], **unprivileged())


class Guard(Server):
    """`mainstay guard`. `command` is a shell line with {config} in it, for other builds and for stand-ins."""

    name = "guard"

    def __init__(
        self,
        postgres,
        mode="transaction",
        pool=8,
        databases=("bench",),
        budgets="enforce",
        cpus=None,
        command=GUARD_COMMAND,
    ):
        super().__init__(cpus)
        self.postgres, self.mode, self.pool, self.databases = postgres, mode, pool, databases
        self.budgets, self.command = budgets, command
        self.metrics_port = free_port()

    @staticmethod
    def available(command=GUARD_COMMAND):
        program = shlex.split(command)[0]
        if shutil.which(program) is None:
            return False
        tried = subprocess.run([program, "guard", "--help"], capture_output=True)
        return tried.returncode == 0

    def start(self):
        self.write("users.txt", '"postgres" ""\n')
        targets = "".join(f'\n    {name}: {{ targets: [ "{self.postgres.url(name)}" ] }}' for name in self.databases)
        configuration = self.write(
            "guard.yaml",
            f"""guard:
  listen: "127.0.0.1:{self.port}"
  mode: {self.mode}
  pool-size: {self.pool}
  admin: {{ users: [ postgres ] }}
  metrics: "127.0.0.1:{self.metrics_port}"
  auth: trust
  databases:{targets}
  budgets: {{ mode: {self.budgets} }}
""",
        )
        self.spawn([part.format(config=configuration) for part in shlex.split(self.command)])
