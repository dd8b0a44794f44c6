"""What every test may ask for: an event loop, real databases, upstreams, a browser and gateways.

A missing server skips on a developer's machine and fails where CI is set: `make test` installs what is missing.
"""

import os
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

from tests.harness import servers
from tests.harness.servers import Database, Gateway, MariaDB, Postgres

# Properties are about values, not about time: a busy machine must not fail them.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

GATEWAYS = pytest.StashKey[list[Gateway]]()

StartGateway = Callable[..., Gateway]

# What takes longest, in that order. It begins first: else one process has it left when the others have nothing to do.
LONGEST = (
    "tests/test_project.py", "tests/store/test_migrate.py", "tests/console/test_pages.py",
    "tests/console/test_users.py", "tests/console/test_console.py", "tests/console/test_operators.py",
    "tests/chaos/test_chaos.py", "tests/recorded/test_billing.py", "tests/recorded/test_management.py",
    "tests/ledger/test_siege.py", "tests/recorded/test_environment.py", "tests/recorded/test_token_counts.py",
    "tests/e2e/test_described.py", "tests/e2e/test_canaries.py", "tests/e2e/test_revoked.py",
    "tests/e2e/test_channel_health.py", "tests/recorded/test_relay.py", "tests/e2e/test_sdk.py",
    "tests/test_settings.py", "tests/edge/api/test_ownership.py", "tests/e2e/test_at_once.py",
    "tests/ledger/test_faults.py", "tests/relay/test_direct_fuzz.py", "tests/e2e/test_adopted.py",
    "tests/ledger/test_decide.py", "tests/recorded/test_providers.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def missing(package: str) -> NoReturn:
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"apt-get install {package}")


# --- databases --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDB]:
    binary = servers.sbin("mariadbd") or missing("mariadb-server-core mariadb-client-core")
    with servers.mariadb(binary) as server:
        yield server


@pytest.fixture
def sqlite(tmp_path: Path) -> Database:
    return servers.sqlite(tmp_path)


@pytest.fixture
def postgres(postgres_server: Postgres) -> Database:
    return postgres_server.fresh()


@pytest.fixture
def mariadb(mariadb_server: MariaDB) -> Database:
    return mariadb_server.fresh()


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def database(request: pytest.FixtureRequest) -> Database:
    """An empty database, on each of the three in turn."""
    found: Database = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def sqlite_dsn(sqlite: Database) -> str:
    return sqlite.url


@pytest.fixture
def postgres_dsn(postgres: Database) -> str:
    return postgres.url


@pytest.fixture
def mariadb_dsn(mariadb: Database) -> str:
    return mariadb.url


@pytest.fixture
def dsn(database: Database) -> str:
    """SQLAlchemy's URL of an empty database, on each of the three in turn."""
    return database.url


# --- around the gateway -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium() -> str:
    return shutil.which("chromium") or missing("chromium fonts-noto-cjk")


@pytest.fixture(scope="session")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not (servers.UPSTREAMS / "node_modules").is_dir():
        pytest.skip("make tests/upstreams/node_modules/.package-lock.json")
    with servers.aimock(servers.UPSTREAMS / "aimock", tmp_path_factory.mktemp("aimock") / "log") as url:
        yield url


@pytest.fixture
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StartGateway]:
    """`gateway(database, SYNC_FREQUENCY="1")` starts one and waits until it answers; its log is shown on failure."""
    with ExitStack() as running:

        def start(database: Database | None = None, /, **env: str) -> Gateway:
            base: Mapping[str, str] = (database or servers.sqlite(tmp_path)).env
            started = Gateway(tmp_path, {**base, **env})
            request.node.stash.setdefault(GATEWAYS, []).append(started)
            started.start()
            running.callback(started.stop)
            return started

        yield start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for gateway in item.stash.get(GATEWAYS, []):
            if gateway.log.exists():
                report.sections.append((f"log of the gateway on port {gateway.port}", gateway.output()[-20_000:]))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests said of the recordings they replayed."""
    reports = (each for name in ("passed", "failed") for each in terminalreporter.getreports(name))
    for text in sorted(str(text) for each in reports for name, text in each.user_properties if name == "replayed"):
        terminalreporter.write_line(text)
