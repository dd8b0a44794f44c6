"""Servers as processes pinned to a core, and what the operating system knows of them: CPU time and memory."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
POLL_S = 0.05


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Stat:
    parent: int
    ticks: int
    pages: int


def stat(pid: int) -> Stat | None:
    """None if the process is gone. The name may hold blanks and brackets; what follows its last bracket may not."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # Numbers of proc(5) less 3: utime, stime and those of children that were waited for.
    return Stat(parent=int(fields[1]), ticks=sum(map(int, fields[11:15])), pages=int(fields[21]))


def tree(root: int) -> list[Stat]:
    """A process and all its descendants."""
    known = {int(p.name): found for p in Path("/proc").iterdir() if p.name.isdigit() and (found := stat(int(p.name)))}
    members = {root}
    grown = True
    while grown:
        more = {pid for pid, found in known.items() if found.parent in members} - members
        members |= more
        grown = bool(more)
    return [known[pid] for pid in members if pid in known]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process tree."""
    return sum(member.ticks for member in tree(pid)) / TICKS


def resident_bytes(pid: int) -> int:
    """Resident memory of a process tree; what its processes share counts in each."""
    return sum(member.pages for member in tree(pid)) * PAGE


class Server:
    """A process that was started here, on one core, and listens on a port of 127.0.0.1."""

    def __init__(
        self, command: Sequence[str | Path], *, core: int, port: int, log: Path, env: Mapping[str, str]
    ) -> None:
        self.port = port
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                ["taskset", "-c", str(core), *command],
                env=os.environ | env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_until_ready(self, *, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(POLL_S)
        tail = self.log.read_text(errors="replace")[-2000:]
        self.stop()
        raise RuntimeError(f"{self.process.args!r} does not listen on port {self.port}:\n{tail}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@contextlib.contextmanager
def serving(
    command: Sequence[str | Path], *, core: int, port: int, log: Path, env: Mapping[str, str] | None = None
) -> Iterator[Server]:
    server = Server(command, core=core, port=port, log=log, env=env or {})
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()
