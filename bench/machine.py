"""Where and with what the figures were taken."""

import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import one_api
from bench.tools import HERE, Tools


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def cores() -> int:
    return Path("/proc/cpuinfo").read_text().count("\nprocessor") + 1


def system() -> str:
    release = platform.freedesktop_os_release()
    return f"{release.get('PRETTY_NAME', 'Linux')}, Linux {platform.release()}"


def output(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE)
    return (done.stdout + done.stderr).strip()


def facts(tools: Tools) -> dict[str, str]:
    versions = ("uvicorn", "uvloop", "httptools", "msgspec", "sqlalchemy", "asyncpg")
    return {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "Machine": f"{cores()} cores, {processor()}; {system()}",
        "Gateway": f"one-api {one_api.__version__}, commit {output('git', 'rev-parse', '--short', 'HEAD')}",
        "Python": f"{platform.python_version()}; " + ", ".join(f"{name} {version(name)}" for name in versions),
        "nginx": output(tools.nginx, "-v").rpartition("/")[2],
    }
