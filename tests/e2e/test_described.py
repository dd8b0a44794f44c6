"""Schemathesis asks a gateway whatever its own description allows and forbids: no answer may be a failure of ours."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import StartGateway
from tests.harness.admin import Admin

LIMIT_S = 60
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
# Ends the right to ask all the rest.
ROTATES = "^me.rotate_access_token$"
UNLIMITED = dict.fromkeys(("GLOBAL_API_RATE_LIMIT", "GLOBAL_WEB_RATE_LIMIT", "CRITICAL_RATE_LIMIT"), "0")


def run(url: str, folder: Path, *more: str) -> str:
    command: list[str | Path] = [
        Path(sys.executable).with_name("schemathesis"), "run", f"{url}/api/openapi.json", "--url", url,
        "--checks", CHECKS, "--phases", "coverage,fuzzing", "--max-examples", "5", "--continue-on-failure",
        "--generation-database", "none", "--seed", "1", "--no-color", *more,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    return "" if done.returncode == 0 else done.stdout[-20_000:] + done.stderr


@pytest.mark.timeout(150)
def test_a_described_gateway_never_fails(gateway: StartGateway, tmp_path: Path) -> None:
    running = gateway(**UNLIMITED)
    with Admin(running.url) as root:
        token = root.ask("GET", "/api/user/token")
        complaints = run(
            running.url, tmp_path, "-H", f"Authorization: {token}", "--exclude-operation-id-regex", ROTATES
        )
        assert complaints == ""
        assert root.me()["id"] == 1  # still root: what was asked was answered, not refused
    assert "Traceback" not in running.output()


def test_a_described_gateway_never_fails_for_nobody(gateway: StartGateway, tmp_path: Path) -> None:
    running = gateway(**UNLIMITED)
    assert run(running.url, tmp_path, "--phases", "coverage") == ""
    assert "Traceback" not in running.output()
