"""The two C programs, `load` and `upstream`, compiled when their source is newer."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE / "build"


@dataclass(frozen=True, slots=True)
class Tools:
    load: Path
    upstream: Path
    nginx: Path


def build() -> Tools:
    """Raises SystemExit with the packages to install if something is missing."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if compiler is None or nginx is None or shutil.which("taskset") is None:
        raise SystemExit("apt-get install -y --no-install-recommends gcc libc6-dev nginx util-linux")
    BUILD.mkdir(exist_ok=True)
    return Tools(load=compiled(compiler, "load"), upstream=compiled(compiler, "upstream"), nginx=Path(nginx))


def compiled(compiler: str, name: str) -> Path:
    source, program = HERE / f"{name}.c", BUILD / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-o", program, source], check=True)
    return program
