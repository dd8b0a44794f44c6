"""Secrets are planted in every field that may hold one; no answer and no line of the log shows them, whatever fails."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, fields, replace
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import create_async_engine

from one_api import options
from one_api.edge.api import ENDPOINTS, Endpoint
from tests.e2e.world import World, open_world
from tests.harness import servers
from tests.harness.scripted import Turn, completion, replies
from tests.harness.servers import Database, Gateway, MariaDB, NotStarted

pytestmark = pytest.mark.anyio

MARK = "CANARY"
ROOT_KEY = f"{MARK}RootKey"
SECRET_OPTIONS = (
    "SMTPToken", "GitHubClientSecret", "LarkClientSecret", "OidcClientSecret", "WeChatServerToken",
    "MessagePusherToken", "TurnstileSecretKey", "SomebodysSecret", "SomebodysToken",
)  # fmt: skip
ENVIRONMENT = {
    "SESSION_SECRET": f"{MARK}-session",
    "REDIS_CONN_STRING": f"redis://:{MARK}-redis@127.0.0.1:1/0",
    "REDIS_PASSWORD": f"{MARK}-redis",
    "USER_CONTENT_REQUEST_PROXY": f"http://me:{MARK}-proxy@127.0.0.1:1",
    "INITIAL_ROOT_TOKEN": ROOT_KEY,
    "INITIAL_ROOT_ACCESS_TOKEN": f"{MARK}{'a' * 26}",
    "GLOBAL_API_RATE_LIMIT": "0",
}
LOUD = {"DEBUG": "true", "DEBUG_SQL": "true", "GIN_MODE": "debug"}
BODIES = (b"", b"{}", b'{"id":1}', b'{"id":1,"status":1,"username":"mallory"}', b"[")
TABLES = ("options", "channels", "abilities", "logs", "tokens", "redemptions", "sessions", "users")


@pytest.fixture
def guarded(mariadb_server: MariaDB, mariadb: Database) -> Database:
    """A database whose address holds a password that is really asked for."""
    name = mariadb.url.partition("?")[0].rpartition("/")[2]
    mariadb_server.sql(
        f"CREATE USER {name}@'127.0.0.1' IDENTIFIED BY '{MARK}-dsn'; GRANT ALL ON *.* TO {name}@'127.0.0.1'"
    )
    return replace(mariadb, env={"SQL_DSN": f"{name}:{MARK}-dsn@tcp(127.0.0.1:{mariadb_server.port})/{name}"})


@pytest.fixture
async def world(tmp_path: Path, guarded: Database) -> AsyncIterator[World]:
    async with open_world(tmp_path, guarded, **ENVIRONMENT, **LOUD) as made:
        yield made


@dataclass(slots=True)
class Sink:
    """What was seen, by where; each place holds its text until it is searched."""

    hits: list[str]

    def look(self, place: str, text: str) -> None:
        at = text.find(MARK)
        if at >= 0:
            self.hits.append(f"{place}: …{text[max(0, at - 200) : at + 60]}")


def plant(world: World) -> None:
    """A secret in every field: channels, options, passwords, access tokens, keys."""
    root = world.root
    for key in SECRET_OPTIONS:
        root.option(key, f"{MARK}-{key}")
    root.option("AutomaticDisableChannelEnabled", "true")
    root.option("RetryTimes", "2")
    config = {"region": "r", "ak": f"{MARK}-ak", "sk": f"{MARK}-sk", "vertex_ai_adc": f"{MARK}-adc"}
    world.channel("one", "m-config", key=f"{MARK}-key", config=json.dumps(config))
    proxied = {"proxy": f"socks5://me:{MARK}-pw@127.0.0.1:1"}
    world.channel("one", "m-proxy", key=f"{MARK}-key", config=json.dumps(proxied))
    for name in ("refuses", "garbage", "silent", "cuts", "breaks", "dead"):
        world.channel(name, f"m-{name}", key=f"{MARK}-key-{name}")
    for number, kind in enumerate((3, 15, 17, 18, 24, 33, 34, 42)):
        world.channel("odd", f"m-{number}", type=kind, key=f"{MARK}|{MARK}-{number}|{MARK}")
    root.channel("http://127.0.0.1:1", "m-refused", key=f"{MARK}-key")
    root.channel(f"https://127.0.0.1:{world.port}", "m-tls", key=f"{MARK}-key")
    root.ask("POST", "/api/user/", json={"username": "mallory", "password": f"{MARK}-password"[:20]})


def scripts(world: World) -> None:
    async def cuts(turn: Turn) -> None:
        await turn.events(b"data: {")
        turn.close()

    async def breaks(turn: Turn) -> None:
        turn.reset()

    async def dead(turn: Turn) -> None:
        await turn.send(b"not HTTP at all\r\n\r\n")
        turn.close()

    error = {"error": {"message": "no", "type": "x", "code": "invalid_api_key"}}
    world.upstream.scripts.update(
        refuses=replies(401, json.dumps(error).encode()),
        garbage=replies(200, b"<html>"),
        silent=replies(500, b""),
        cuts=cuts,
        breaks=breaks,
        dead=dead,
        one=replies(200, completion()),
        odd=replies(500, b"{}"),
    )


def relayed(prompt: str) -> Iterator[tuple[str, dict[str, Any]]]:
    models = ["m-config", "m-proxy", "m-refused", "m-tls", *(f"m-{number}" for number in range(8))]
    for model in [*models, *(f"m-{name}" for name in ("refuses", "garbage", "silent", "cuts", "breaks", "dead"))]:
        for stream in (False, True):
            yield (
                "/v1/chat/completions",
                {"model": model, "stream": stream, "messages": [{"role": "user", "content": prompt}]},
            )
    image = {"type": "image_url", "image_url": {"url": "http://127.0.0.1:1/x.png"}}
    yield "/v1/chat/completions", {"model": "m-config", "messages": [{"role": "user", "content": [image]}]}
    yield "/v1/embeddings", {"model": "m-silent", "input": prompt}
    yield "/v1/images/generations", {"model": "m-cuts", "prompt": prompt}


def written(folder: Path) -> dict[str, str]:
    """All files of the log."""
    return {path.name: path.read_text(errors="replace") for path in folder.rglob("*.log")}


async def execute(database: Database, statement: str) -> None:
    engine = create_async_engine(database.url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(statement)


async def call_models(world: World, key: str, sink: Sink, prompt: str, most: int = 1000) -> None:
    """Every call that fails, the first `most` of them; what comes back is looked at."""
    async with httpx2.AsyncClient(base_url=world.gateway.url, trust_env=False, timeout=30) as http:
        for path, body in islice(relayed(prompt), most):
            try:
                answer = await http.post(path, json=body, headers={"Authorization": f"Bearer {key}"})
            except httpx2.HTTPError as error:
                sink.look(f"{path} {body['model']}", repr(error))
            else:
                sink.look(f"{path} {body['model']}", f"{answer.headers} {answer.text}")


async def ask_everything(
    url: str, headers: dict[str, str], sink: Sink, who: str, *, numbers: tuple[str, ...] = ("1", "2", "x", "99")
) -> None:
    """Each endpoint with what is there, with what is not, and with nonsense. Root's own key is shown to root."""
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=30, headers=headers) as http:
        for endpoint in ENDPOINTS:
            if _ends_the_questions(endpoint):
                continue
            own = who.startswith("root") and endpoint.path.startswith("/api/token/")
            for number in numbers if "{id}" in endpoint.path else ("",):
                path = endpoint.path.replace("{id}", number)
                for body in BODIES if endpoint.method in ("POST", "PUT") else (b"",):
                    answer = await http.request(endpoint.method, f"{path}?keyword=", content=body)
                    text = answer.text.replace(ROOT_KEY, "") if own else answer.text
                    sink.look(f"{who}: {endpoint.method} {path} {body!r}", f"{answer.headers} {text}")


def _ends_the_questions(endpoint: Endpoint) -> bool:
    """Signs out, removes what is looked for, or shows a secret to its owner, which is what it is for."""
    return endpoint.method == "DELETE" or endpoint.path in ("/api/user/logout", "/api/user/token")


async def test_no_answer_and_no_log_shows_a_secret(world: World, tmp_path: Path) -> None:
    scripts(world)
    plant(world)
    key, sink = world.root.token(), Sink([])
    admin = world.root.user("adam", 1, role=10)
    for person, who in ((world.root, "root"), (admin, "admin"), (world.root.login("adam"), "again")):
        await ask_everything(world.gateway.url, {"Cookie": f"session={person.session()}"}, sink, who)
    await ask_everything(world.gateway.url, {}, sink, "nobody")
    await ask_everything(world.gateway.url, {"Authorization": "nope"}, sink, "a wrong token")
    await call_models(world, key, sink, "hello")
    await call_models(world, f"{MARK}-wrong-key", sink, "hello")
    await spoil(world, key, sink)
    sink.look("log", world.gateway.output())
    for name, text in written(tmp_path).items():
        sink.look(name, text)
    assert sink.hits == []
    assert "sqlalchemy.engine" in world.gateway.output()  # as loud as it can be


async def spoil(world: World, key: str, sink: Sink) -> None:
    """Everything once more while a table is missing: the paths that end in exceptions."""
    cookie = {"Cookie": f"session={world.root.session()}"}
    for table in TABLES:
        await execute(world.database, f"RENAME TABLE {table} TO gone_{table}")
        try:
            await ask_everything(world.gateway.url, cookie, sink, f"root without {table}", numbers=("1",))
            await call_models(world, key, sink, "hello", most=2)
            async with httpx2.AsyncClient(base_url=world.gateway.url, trust_env=False, timeout=30) as http:
                form = {"username": "mallory", "password": f"{MARK}-password"[:20]}
                for path in ("/api/user/login", "/api/user/register"):
                    answer = await http.post(path, json=form)
                    sink.look(f"without {table}: {path}", answer.text)
        finally:
            await execute(world.database, f"RENAME TABLE gone_{table} TO {table}")


@pytest.mark.parametrize(
    "name, address",
    [
        ("SQL_DSN", f"postgres://me:{MARK}-pw@127.0.0.1:1/db"),
        ("SQL_DSN", f"postgres://me:{MARK}-pw@127.0.0.1:1/db?sslmode=nonsense"),
        ("SQL_DSN", f"me:{MARK}-pw@tcp(127.0.0.1:1)/db"),
        ("SQL_DSN", f"me:{MARK}-pw@tcp(127.0.0.1:1/db"),
        ("SQL_DSN", f"postgres://me:{MARK}-pw@[::bad/db"),
        ("SQL_DSN", f"oracle://me:{MARK}-pw@host/db"),
        ("LOG_SQL_DSN", f"postgres://me:{MARK}-pw@127.0.0.1:1/db"),
        ("LOG_SQL_DSN", f"mysql://me:{MARK}-pw@127.0.0.1:1/db"),
    ],
)
async def test_a_database_that_is_not_there_shows_no_password(tmp_path: Path, name: str, address: str) -> None:
    env = {**servers.sqlite(tmp_path).env, **LOUD, name: address}
    gateway = Gateway(tmp_path, env)
    with pytest.raises(NotStarted):
        await asyncio.to_thread(gateway.start)
    assert gateway.output()
    assert MARK not in gateway.output()


async def test_no_log_shows_a_prompt_or_an_answer_unless_debugging(tmp_path: Path, sqlite: Database) -> None:
    """Not when calls fail, nor when the gateway itself does."""
    async with open_world(tmp_path, sqlite, GLOBAL_API_RATE_LIMIT="0") as world:
        scripts(world)
        world.upstream.scripts["one"] = replies(200, completion(f"{MARK}-answer"))
        world.upstream.scripts["garbage"] = replies(200, f"<html>{MARK}-answer".encode())
        for name in ("one", "refuses", "garbage", "silent", "cuts", "breaks", "dead"):
            world.channel(name, "m-config" if name == "one" else f"m-{name}")
        sink, key = Sink([]), world.root.token()
        await call_models(world, key, sink, f"{MARK}-prompt")
        for table in ("tokens", "holds"):
            await execute(world.database, f"ALTER TABLE {table} RENAME TO gone_{table}")
            await call_models(world, key, sink, f"{MARK}-prompt", most=1)
            await execute(world.database, f"ALTER TABLE gone_{table} RENAME TO {table}")
        assert MARK not in world.gateway.output()
        assert any("m-config" in hit for hit in sink.hits)  # the answer itself came through


def test_the_list_of_secret_options_is_whole() -> None:
    shown = {row["key"] for row in options.listing(options.DEFAULTS, {})}
    known = {
        item.metadata["option"].key for item in fields(options.Options) if item.metadata["option"].listed == "always"
    }
    assert known - shown == {key for key in SECRET_OPTIONS if not key.startswith("Somebodys")}
