"""Runs each case on each server in turn, forth and back, and takes the figures of each run."""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.audit import Books, Verdict, audit, wait_for_logs
from bench.cases import CASES, OPEN, OPEN_RAMP_MS, Case
from bench.database import Database
from bench.load import Answers, Load, finished
from bench.process import cpu_seconds, resident_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server under test; `database` is None for nginx."""

    name: str
    pid: int
    port: int
    stream_port: int
    load: Load
    database: Database | None = None

    def port_for(self, case: Case) -> int:
        return self.stream_port if case.stream else self.port


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`cpu_us` and `database_us` are of one call or event; the moving of the last log row is in them."""

    case: Case
    target: str
    round: int
    answers: Answers
    cpu_us: float
    database_us: float
    verdict: Verdict | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Idle, and with 2,000 streams open."""

    target: str
    idle: int
    per_stream: int
    answers: Answers
    verdict: Verdict | None


def say(text: str) -> None:
    print(f"# {text}", file=sys.stderr, flush=True)


class Watch:
    """The CPU time and the books of a server while it is under load."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.database = target.database
        self.before = Books.read(self.database) if self.database else None
        self.cpu, self.database_cpu = self.seconds()

    def seconds(self) -> tuple[float, float]:
        return cpu_seconds(self.target.pid), self.database.cpu_seconds() if self.database else 0.0

    def drain(self) -> tuple[float, float]:
        """Wait until every log row is there. The CPU seconds of server and database since the start."""
        if self.database and self.before:
            wait_for_logs(self.database, self.before)
        cpu, database_cpu = self.seconds()
        return cpu - self.cpu, database_cpu - self.database_cpu

    def verdict(self, case: Case) -> Verdict | None:
        if self.database is None or self.before is None:
            return None
        return audit(self.database, self.before, self.target.load.ids, quota=case.quota)


def measure(target: Target, case: Case, *, number: int, seconds: float, warm_up: float) -> Run:
    os.sync()  # what another server's run left to be written would be written in this one
    watch = Watch(target)
    answers = target.load.run(case, port=target.port_for(case), seconds=seconds * case.longer, warm_up=warm_up)
    cpu, database_cpu = watch.drain()
    units = max(1, answers.events if case.stream else answers.calls)
    return Run(
        case=case,
        target=target.name,
        round=number,
        answers=answers,
        cpu_us=cpu / units * 1e6,
        database_us=database_cpu / units * 1e6,
        verdict=watch.verdict(case),
    )


def measure_memory(target: Target) -> Memory:
    """First of all: memory that other cases left behind would hide what streams need."""
    watch = Watch(target)
    target.load.run(CASES[0], port=target.port, seconds=0.5, warm_up=0)
    watch.drain()
    watch = Watch(target)
    idle = resident_bytes(target.pid)
    process = target.load.open_streams(OPEN, port=target.stream_port)
    time.sleep((OPEN_RAMP_MS + OPEN.duration_ms) / 2000)  # all are open by then, and none has ended
    busy = resident_bytes(target.pid)
    answers = finished(process)
    watch.drain()
    return Memory(
        target=target.name,
        idle=idle,
        per_stream=(busy - idle) // OPEN.connections,
        answers=answers,
        verdict=watch.verdict(OPEN),
    )


def interleaved(
    targets: Sequence[Target], cases: Sequence[Case], *, rounds: int, seconds: float, warm_up: float
) -> list[Run]:
    runs = []
    for number in range(rounds):
        order = targets if number % 2 == 0 else tuple(reversed(targets))
        for case in cases:
            for target in order:
                run = measure(target, case, number=number, seconds=seconds, warm_up=warm_up)
                say(f"round {number + 1}, {case.name}, {target.name}: {run.cpu_us:.1f} us")
                runs.append(run)
    return runs
