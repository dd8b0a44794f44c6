"""Runs the load generator."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from bench.cases import OPEN_RAMP_MS, OPEN_SLACK_MS, Case

PATIENCE_S = 60


class Answers(msgspec.Struct, frozen=True):
    """What load.c prints. `calls` are all whose end was seen; rate and times leave the warm-up out."""

    calls: int
    calls_per_second: float
    events: int
    bytes: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    first_byte_p50_ms: float
    late: int
    refused: int
    last_status: int
    broken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A load generator for one server; requests, keys and ids are files in `folder`."""

    program: Path
    folder: Path
    keys: Path
    plain: bool = False
    """Whether the server passes on what it gets: it is then asked in the upstream's own dialect."""

    @property
    def ids(self) -> Path:
        """The request ids of the last run."""
        return self.folder / "ids"

    def command(self, case: Case, *, port: int) -> list[str]:
        body = self.folder / "body.json"
        spoken = replace(case, dialect="openai") if self.plain else case
        body.write_bytes(spoken.body)
        self.ids.unlink(missing_ok=True)
        files = ["-b", str(body), "-k", str(self.keys), "-i", str(self.ids)]
        command = [str(self.program), "-p", str(port), "-c", str(case.connections), *files]
        command += ["-P", spoken.path, "-e", spoken.end]
        return [*command, "-s"] if case.stream else command

    def run(self, case: Case, *, port: int, seconds: float, warm_up: float) -> Answers:
        return finished(start([*self.command(case, port=port), "-d", str(seconds), "-w", str(warm_up)]))

    def open_streams(self, case: Case, *, port: int) -> "subprocess.Popen[bytes]":
        """One stream a connection. `finished` awaits their end."""
        deadline = case.duration_ms + OPEN_SLACK_MS
        seconds = (deadline + OPEN_RAMP_MS) / 1000
        return start([*self.command(case, port=port), "-d", str(seconds), "-o", str(deadline), "-r", str(OPEN_RAMP_MS)])


def start(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def finished(process: "subprocess.Popen[bytes]") -> Answers:
    output, _ = process.communicate(timeout=PATIENCE_S)
    if process.returncode:
        raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
    return msgspec.json.decode(output, type=Answers)
