"""The gateway on a fresh database, filled before it serves."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from bench.database import Database
from bench.process import Server, free_port, serving
from bench.seed import Size, fill, keys
from bench.tools import BUILD, HERE

PYTHON = BUILD / "run" / "bin" / "python"
SOURCE = HERE.parent / "src"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    name: str
    server: Server
    database: Database
    keys: Path


@contextlib.contextmanager
def started(database: Database, folder: Path, *, core: int) -> Iterator[Server]:
    port = free_port()
    ours = {"HOST": "127.0.0.1", "PORT": str(port), "PYTHONPATH": str(SOURCE), "LOG_CALLS": "false"}
    environment = database.environment | ours
    command = [str(PYTHON), "-m", "one_api", "--port", str(port)]
    with serving(command, core=core, port=port, log=folder / "output", env=environment) as server:
        yield server


@contextlib.contextmanager
def running(
    name: str,
    folder: Path,
    size: Size,
    *,
    core: int,
    upstream: int,
    kind: Callable[[Path], AbstractContextManager[Database]],
) -> Iterator[Gateway]:
    """The gateway makes its schema and its first user, is stopped, and serves what was put into its database."""
    folder.mkdir()
    with kind(folder) as database:
        with started(database, folder, core=core):
            pass
        begun = time.monotonic()
        fill(database, size, upstream=upstream)
        print(f"# {name}: {size} in {time.monotonic() - begun:.1f} s", file=sys.stderr, flush=True)
        path = folder / "keys"
        path.write_text(keys(database))
        with started(database, folder, core=core) as server:
            yield Gateway(name=name, server=server, database=database, keys=path)
