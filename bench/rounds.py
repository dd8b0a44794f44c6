"""Runs each case on each server in turn, forth and back, and takes the figures of each run."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.audit import Books, Verdict, audit, wait_for_logs
from bench.cases import OPEN, OPEN_RAMP_MS, Case
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


def measure(target: Target, case: Case, *, number: int, seconds: float, warm_up: float) -> Run:
    before = Books.read(target.database) if target.database else None
    cpu, database_cpu = cpu_seconds(target.pid), database_seconds(target)
    answers = target.load.run(case, port=target.port_for(case), seconds=seconds, warm_up=warm_up)
    if target.database and before:
        wait_for_logs(target.database, before, answers.calls)
    units = max(1, answers.events if case.stream else answers.calls)
    return Run(
        case=case,
        target=target.name,
        round=number,
        answers=answers,
        cpu_us=(cpu_seconds(target.pid) - cpu) / units * 1e6,
        database_us=(database_seconds(target) - database_cpu) / units * 1e6,
        verdict=checked(target, before, case),
    )


def database_seconds(target: Target) -> float:
    return target.database.cpu_seconds() if target.database else 0.0


def checked(target: Target, before: Books | None, case: Case) -> Verdict | None:
    if target.database is None or before is None:
        return None
    return audit(target.database, before, target.load.ids, quota=case.quota)


def measure_memory(target: Target, warm_up: Case) -> Memory:
    """First of all: memory that other cases left behind would hide what streams need."""
    target.load.run(warm_up, port=target.port_for(warm_up), seconds=0.5, warm_up=0)
    before = Books.read(target.database) if target.database else None
    idle = resident_bytes(target.pid)
    process = target.load.open_streams(OPEN, port=target.port_for(OPEN))
    time.sleep((OPEN_RAMP_MS + OPEN.duration_ms) / 2000)  # all are open by then, and none has ended
    busy = resident_bytes(target.pid)
    answers = finished(process)
    if target.database and before:
        wait_for_logs(target.database, before, answers.calls)
    return Memory(
        target=target.name,
        idle=idle,
        per_stream=(busy - idle) // OPEN.connections,
        answers=answers,
        verdict=checked(target, before, OPEN),
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
