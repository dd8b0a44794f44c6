"""Schemathesis asks a gateway whatever its own description allows and forbids: no answer may be a failure of ours.

What it asks follows from the seed. It finds most by trying each limit of each member in turn ("coverage"); nobody in
particular gets no further than the door at nearly all operations, so a few questions at random ("fuzzing") do there.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.conftest import StartGateway
from tests.harness.admin import Admin
from tests.harness.servers import Gateway

LIMIT_S = 250  # six times what it takes on two cores
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
UNLIMITED = {"GLOBAL_API_RATE_LIMIT": "0", "GLOBAL_WEB_RATE_LIMIT": "0", "CRITICAL_RATE_LIMIT": "0"}
# Ends the right to ask all the rest.
ROTATES = "me.rotate_access_token"


def ask_everything(running: Gateway, folder: Path, *more: str, without: int = 0) -> None:
    """From a file, because what a description is loaded from is left out of what is asked."""
    file = folder / "openapi.json"
    file.write_bytes(httpx2.get(f"{running.url}/api/openapi.json", timeout=30).content)
    operations = sum(map(len, json.loads(file.read_bytes())["paths"].values())) - without
    command: list[str | Path] = [
        Path(sys.executable).with_name("schemathesis"), "run", file, "--url", running.url,
        "--checks", CHECKS, "--max-examples", "3", "--continue-on-failure",
        "--generation-database", "none", "--seed", "1", "--no-color", *more,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert f"  Tested: {operations}\n" in done.stdout
    log = running.output()
    assert log.count(" event=request ") > operations
    for sign in ("Traceback", "status=429", "status=5"):
        assert sign not in log


@pytest.mark.timeout(300)
def test_a_described_gateway_never_fails(gateway: StartGateway, tmp_path: Path) -> None:
    running = gateway(**UNLIMITED)
    with Admin(running.url) as root:
        token = root.ask("GET", "/api/user/token")
        more = ("-H", f"Authorization: {token}", "--exclude-operation-id", ROTATES)
        ask_everything(running, tmp_path, "--phases", "coverage,fuzzing", *more, without=1)
        assert root.me()["id"] == 1  # still root: what was asked was answered, not refused
    assert re.search(r"status=401 .*path=/api/", running.output()) is None


@pytest.mark.timeout(300)
def test_a_described_gateway_never_fails_for_nobody(gateway: StartGateway, tmp_path: Path) -> None:
    running = gateway(**UNLIMITED)
    ask_everything(running, tmp_path, "--phases", "fuzzing")
