"""Processes made to be killed: forked, because a start from nothing takes longer than the life of what is started."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

Load = Callable[[str, random.Random, int], Awaitable[None]]
"""What a process does until it is killed: on the database of this URL, reporting to this file descriptor."""


class Nest:
    """Where they come from: a process that runs `module`, whose `main` is `breed`."""

    def __init__(self, module: str, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, url: str, seed: int, file: Path) -> int:
        """The pid of a new one, which writes to `file` what was confirmed to its clients."""
        file.touch()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{url} {seed} {file}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate()


def breed(load: Load) -> None:
    """Read `URL SEED FILE` lines and answer each with the pid of a new process."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the dead
    for line in sys.stdin:
        url, seed, file = line.split()
        child = os.fork()
        if not child:
            _live(load, url, int(seed), file)
        print(child, flush=True)


def _live(load: Load, url: str, seed: int, file: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    reports = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def run() -> None:
        await load(url, random.Random(seed), reports)

    try:
        asyncio.run(run())
    finally:
        os._exit(1)
