"""`python -m bench.api`: how fast the console's lists are with a million rows in the log. Two minutes on two cores.

One caller asks, one question at a time on one connection: what is measured is how long a person waits, and what it
costs the gateway and the database's server. Each target has a list's 99th percentile to meet.
"""

import argparse
import http.client
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from bench import database, gateway
from bench.database import Database
from bench.process import cpu_seconds
from bench.seed import MONTH_S, Size
from bench.tools import BUILD

P99_MS = 20.0
SEED = Size(users=1000, tokens=10_000, logs=1_000_000)
KINDS: dict[str, Callable[[Path], AbstractContextManager[Database]]] = {
    "SQLite": database.sqlite,
    "PostgreSQL": database.postgresql,
}
HEAD = f"{'':11}{'':44}{'calls/s':>9}{'CPU µs':>9}{'db µs':>9}{'p50 ms':>9}{'p99 ms':>9}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, as a user or as root. `bound`: whether its 99th percentile has to be under P99_MS."""

    name: str
    path: str
    root: bool = False
    bound: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    calls_per_second: float
    cpu_us: float
    database_us: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A gateway with a full database, and the access tokens of a user and of root."""

    pid: int
    port: int
    database: Database
    user: str
    root: str


def questions(now: int) -> Sequence[Question]:
    day, month = now - 86400, now - MONTH_S
    return (
        Question(name="status", path="/api/status"),
        Question(name="tokens, own", path="/api/token/"),
        Question(name="tokens, own, by quota left", path="/api/token/?order=remain_quota"),
        Question(name="tokens, own, searched", path="/api/token/search?keyword=bench1"),
        Question(name="users", path="/api/user/", root=True),
        Question(name="users, by quota used", path="/api/user/?order=used_quota", root=True),
        Question(name="users, searched", path="/api/user/search?keyword=bench99", root=True),
        Question(name="channels", path="/api/channel/", root=True),
        Question(name="log, all", path="/api/log/", root=True),
        Question(name="log, all, page 100", path="/api/log/?p=100", root=True),
        Question(name="log, all, of the calls", path="/api/log/?type=2", root=True),
        Question(name="log, all, of the top-ups (none)", path="/api/log/?type=1", root=True),
        Question(name="log, all, a day", path=f"/api/log/?start_timestamp={day}&end_timestamp={now}", root=True),
        Question(name="log, all, a day a month ago", path=f"/api/log/?end_timestamp={month + 86400}", root=True),
        Question(name="log, all, of a user", path="/api/log/?username=bench7", root=True),
        Question(name="log, all, of nobody", path="/api/log/?username=nobody", root=True),
        Question(name="log, all, of a token", path="/api/log/?token_name=bench77", root=True),
        Question(name="log, all, of a model nobody used", path="/api/log/?model_name=none", root=True),
        Question(name="log, all, of a channel without calls", path="/api/log/?channel=77", root=True),
        Question(name="log, own", path="/api/log/self"),
        Question(name="log, own, of the top-ups (none)", path="/api/log/self?type=1"),
        Question(name="log, own, a day", path=f"/api/log/self?start_timestamp={day}&end_timestamp={now}"),
        Question(name="log, own, of a token", path="/api/log/self?token_name=bench7"),
        Question(name="statistics, own", path="/api/log/self/stat", bound=False),
        Question(name="statistics, of a user", path="/api/log/stat?username=bench7", root=True, bound=False),
        Question(name="statistics, a day", path=f"/api/log/stat?start_timestamp={day}", root=True, bound=False),
        Question(name="statistics, all", path="/api/log/stat", root=True, bound=False),
    )


@contextmanager
def served(kind: str, folder: Path, size: Size) -> Iterator[Served]:
    """The seed's own users have access tokens; root's is set beside them."""
    os.environ["INITIAL_ROOT_ACCESS_TOKEN"] = root = "f" * 32
    os.environ["GLOBAL_API_RATE_LIMIT"] = "0"
    core = max(os.sched_getaffinity(0))
    with gateway.running(kind, folder, size, core=core, upstream=1, kind=KINDS[kind]) as made:
        user = str(made.database.rows("SELECT access_token FROM users WHERE username = 'bench7'")[0][0])
        yield Served(pid=made.server.pid, port=made.server.port, database=made.database, user=user, root=root)


def measured(on: Served, question: Question, *, seconds: float) -> Figures:
    """Raises RuntimeError if the gateway refuses."""
    connection = http.client.HTTPConnection("127.0.0.1", on.port, timeout=60)
    headers = {"Authorization": on.root if question.root else on.user}

    def ask() -> float:
        began = time.perf_counter()
        connection.request("GET", question.path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        elapsed = time.perf_counter() - began
        if answer.status != 200 or not json.loads(body)["success"]:
            raise RuntimeError(f"{question.path}: {answer.status} {body[:200]!r}")
        return elapsed

    for _ in range(3):
        ask()
    cpu, server_cpu, began = cpu_seconds(on.pid), on.database.cpu_seconds(), time.perf_counter()
    times = [ask()]
    while len(times) < 10 or (time.perf_counter() - began < seconds and len(times) < 2000):
        times.append(ask())
    passed = time.perf_counter() - began
    cpu, server_cpu = cpu_seconds(on.pid) - cpu, on.database.cpu_seconds() - server_cpu
    connection.close()
    parts = quantiles(times, n=100, method="inclusive")
    return Figures(
        calls_per_second=len(times) / passed,
        cpu_us=cpu / len(times) * 1e6,
        database_us=server_cpu / len(times) * 1e6,
        p50_ms=parts[49] * 1000,
        p99_ms=parts[98] * 1000,
    )


def line(kind: str, question: Question, found: Figures) -> str:
    late = question.bound and found.p99_ms > P99_MS
    return (
        f"{kind:11}{question.name:44}{found.calls_per_second:>9,.0f}{found.cpu_us:>9,.0f}{found.database_us:>9,.0f}"
        f"{found.p50_ms:>9.1f}{found.p99_ms:>9.1f}{'  over ' + str(P99_MS) if late else ''}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.api", description=__doc__)
    parser.add_argument("--only", choices=KINDS, action="append", help="one database")
    parser.add_argument("--seconds", type=float, default=0.7, help="for each question")
    parser.add_argument("--logs", type=int, default=SEED.logs, help="rows of the log")
    options = parser.parse_args()
    size = Size(users=SEED.users, tokens=SEED.tokens, logs=options.logs)
    BUILD.mkdir(exist_ok=True)
    root, late = Path(tempfile.mkdtemp(prefix="api-", dir=BUILD)), 0
    print(HEAD)
    try:
        for kind in options.only or KINDS:
            with ExitStack() as stack:
                on = stack.enter_context(served(kind, root / kind, size))
                for question in questions(int(time.time())):
                    found = measured(on, question, seconds=options.seconds)
                    print(line(kind, question, found), flush=True)
                    late += question.bound and found.p99_ms > P99_MS
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
