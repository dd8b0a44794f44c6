"""The project as a whole: it passes its own checks, its locks name no place, its wheel runs alone."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from one_api import __version__
from tests.conftest import LONGEST

ROOT = Path(__file__).parents[1]
UV = str(ROOT / ".tools/bin/uv")


@pytest.mark.timeout(600)
def test_check_passes() -> None:
    env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    done = subprocess.run(["make", "check"], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_begins_first_is_there() -> None:
    assert [name for name in LONGEST if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("lock", sorted(path.name for path in ROOT.glob("requirements*.txt")))
def test_a_lock_names_no_place_and_every_hash(lock: str) -> None:
    """A mirror must do as well as the place where the lock was made."""
    text = (ROOT / lock).read_text()
    assert "://" not in text
    pinned = re.findall(r"^\S+==\S+.*?(?=^\S|\Z)", text, re.DOTALL | re.MULTILINE)
    assert pinned
    assert all("--hash=sha256:" in entry for entry in pinned)


@pytest.mark.parametrize("lock", ["web/package-lock.json", "tests/upstreams/package-lock.json"])
def test_a_console_lock_names_no_place(lock: str) -> None:
    assert '"resolved"' not in (ROOT / lock).read_text()


def test_the_unmaintained_httpx_is_not_installed_by_the_program() -> None:
    assert not re.search(r"^httpx==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)


@pytest.mark.skipif(not Path(UV).exists(), reason="make installs uv")
def test_the_wheel_runs_alone_and_carries_the_console(tmp_path: Path) -> None:
    """In an environment without the source tree; the dependencies are those of the tests."""
    build = [UV, "build", "-q", "--wheel", "--no-build-isolation", "--offline", "--python", sys.executable]
    subprocess.run([*build, "--out-dir", str(tmp_path), str(ROOT)], check=True)
    wheel = next(tmp_path.glob("one_api-*.whl"))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    site = next(tmp_path.glob("venv/lib/python*/site-packages"))
    # A bare path adds the packages without their .pth files, and so without the editable install.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    python = tmp_path / "venv/bin/python"
    install = [UV, "pip", "install", "-q", "--offline", "--no-deps", "--python", str(python), str(wheel)]
    subprocess.run(install, check=True)
    version = subprocess.run(
        [tmp_path / "venv/bin/one-api", "--version"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert version.stdout.strip() == __version__
    assert (site / "one_api/console/index.html").is_file()
    assert (site / "one_api/store/migrations").is_dir()
