"""The files that people deploy with name what exists: settings, paths, ports, commands, and services of their own."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from one_api.config import Config
from one_api.edge.readiness import PROBES
from tests.conftest import StartGateway
from tests.harness import proxy, servers

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
SETTINGS = {name for name, _, _ in Config.variables()}
COMPOSE = sorted([ROOT / "compose.yaml", *DEPLOY.glob("compose*.yaml")])
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ALL = [path for path in (ROOT / "Dockerfile", *COMPOSE, *DEPLOY.rglob("*")) if path.is_file()]


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def services(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())["services"]
    return found


def ours(path: Path) -> list[dict[str, Any]]:
    return [service for service in services(path).values() if service["image"] == "one-api"]


def test_only_settings_that_exist_are_named() -> None:
    """But for what other programs' images are told."""
    for path in ALL:
        words = set(re.findall(r"\b(?!MYSQL_|POSTGRES_)[A-Z]+(?:_[A-Z]+)+\b", path.read_text()))
        assert words <= SETTINGS, path.name


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_a_compose_file_holds_together(path: Path) -> None:
    known = services(path)
    assert ours(path)
    for service in known.values():
        assert set(service.get("depends_on", ())) <= set(known)
        assert ("build" in service) == (service["image"] == "one-api")
        assert service["restart"] == "unless-stopped"
        for volume in service.get("volumes", ()):
            place = volume.split(":")[0]
            assert place.startswith("./data") or (ROOT / place).exists()
    for service in ours(path):
        settings = service["environment"]
        assert set(settings) <= SETTINGS
        assert {type(value) for value in settings.values()} == {str}
        config = Config.load({**settings, "MYSQL_PASSWORD": "", "POSTGRES_PASSWORD": ""}, ROOT / "tests")
        assert seconds(service["stop_grace_period"]) > config.shutdown_grace + config.shutdown_timeout + 10
        for address in re.findall(r"(?:@tcp\(|@|redis://)([a-z]\w*)", " ".join(settings.values())):
            assert address in known
        if config.redis_conn_string:
            assert config.redis_enabled


def test_an_image_is_built_of_what_is_there() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE):
        for name in sources.split():
            assert (ROOT / name).exists()
            assert any(Path(name).match(pattern) for pattern in kept), name
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(set(bases)) == 1  # the environment's interpreter is a link to the image's
    assert re.search(r"^USER 1000:1000$", DOCKERFILE, re.MULTILINE)
    assert re.search(r"--uid 1000 ", DOCKERFILE)
    assert re.search(r"^EXPOSE 3000$", DOCKERFILE, re.MULTILINE)
    assert Config().listen_port() == 3000


def test_the_images_health_check_tells_who_lives(gateway: StartGateway) -> None:
    found = re.search(r"^HEALTHCHECK .*\\\n  CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found
    _, *rest = json.loads(found[1])

    def status(port: int) -> int:
        env = {**os.environ, "PORT": str(port)}
        return subprocess.run([sys.executable, *rest], env=env, check=False, capture_output=True).returncode

    assert status(gateway().port) == 0
    assert status(servers.free_port()) == 1


def test_a_chart_asks_for_what_is_answered() -> None:
    chart = DEPLOY / "helm/one-api"
    values = yaml.safe_load((chart / "values.yaml").read_text())
    assert set(values["settings"]) <= SETTINGS
    grace = [int(values["settings"][f"SHUTDOWN_{name}"]) for name in ("GRACE", "TIMEOUT")]
    deployment = (chart / "templates/deployment.yaml").read_text()
    found = re.search(r"terminationGracePeriodSeconds: (\d+)", deployment)
    assert found
    assert int(found[1]) > sum(grace) + 10
    assert set(re.findall(r"path: (/\w+), port: http", deployment)) == PROBES
    used = {name for path in chart.rglob("templates/*") for name in re.findall(r"\.Values\.(\w+)", path.read_text())}
    assert used == set(values)
    assert "readyz" in (DEPLOY / "caddy/Caddyfile").read_text()


def test_a_unit_gives_a_process_the_time_it_needs(tmp_path: Path) -> None:
    unit = (DEPLOY / "systemd/one-api@.service").read_text()
    found = re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert found
    assert int(found[1]) > Config().shutdown_grace + Config().shutdown_timeout + 10
    if (verify := shutil.which("systemd-analyze")) is None:
        pytest.skip("no systemd here")
    copy = tmp_path / "one-api@3000.service"
    copy.write_text(unit.replace("/opt/one-api/bin/one-api", "/bin/true"))
    done = subprocess.run([verify, "verify", copy], capture_output=True, text=True, check=False)
    assert not [line for line in done.stderr.splitlines() if "one-api@" in line], done.stderr


def test_nginx_takes_the_file_as_it_is(tmp_path: Path) -> None:
    """But for the nodes' names, which nobody here knows, and the port."""
    assert proxy.Nginx(tmp_path, [1, 2]).faults() == ""
