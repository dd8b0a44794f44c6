"""Every route that needs a key against every kind of key, and every way to send one."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from one_api.edge import compat
from one_api.edge.access import Route, table
from one_api.relay.heading import read_head
from tests.harness import servers
from tests.harness.admin import Admin
from tests.harness.servers import Gateway

BY_KEY = [route for route in table() if route.who == "key"]
QUOTA = 1_000_000


@dataclass(frozen=True, slots=True)
class Keys:
    http: httpx2.Client
    good: str
    session: str
    refused: dict[str, str]  # by what speaks against each


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    """One gateway for all: being asked changes nothing here."""
    folder = tmp_path_factory.mktemp("keys")
    running = Gateway(folder, {**servers.sqlite(folder).env, "GLOBAL_API_RATE_LIMIT": "0"})
    running.start()
    try:
        yield from made(running.url, folder / "one-api.db")
    finally:
        running.stop()


def made(url: str, path: Path) -> Iterator[Keys]:
    with Admin(url) as root, httpx2.Client(base_url=url, trust_env=False, timeout=30) as http:
        alice = root.user("alice", QUOTA)
        refused = {name: alice.token(name=name) for name in ("disabled", "expired", "exhausted", "late", "deleted")}
        refused["elsewhere"] = alice.token(name="elsewhere", subnet="192.0.2.0/24")
        refused["spent"] = alice.token(name="spent", remain_quota=0, unlimited_quota=False)
        for name, action in (("banned", "disable"), ("removed", "delete")):
            refused[name] = root.user(name, QUOTA).token(name=name)
            root.ask("POST", "/api/user/manage", json={"username": name, "action": action})
        good = alice.token()
        by_name = {token["name"]: token["id"] for token in (*alice.tokens(), *more(alice))}
        alice.ask("DELETE", f"/api/token/{by_name['deleted']}")
        with closing(sqlite3.connect(path)) as database, database:
            for name, status in (("disabled", 2), ("expired", 3), ("exhausted", 4)):
                database.execute("UPDATE tokens SET status = ? WHERE name = ?", (status, name))
            database.execute("UPDATE tokens SET expired_time = ? WHERE name = 'late'", (int(time.time()) - 1,))
        yield Keys(http, good, alice.session(), refused)


def more(person: Admin) -> list[dict[str, object]]:
    found: list[dict[str, object]] = person.ask("GET", "/api/token/", params={"p": 1})
    return found


def ask(keys: Keys, route: Route, headers: list[tuple[str, str]], query: str = "") -> int:
    path = route.path
    for name in ("id", "model", "file", "message", "run", "step", "channel", "path", "model:path"):
        path = path.replace(f"{{{name}}}", "1")
    body = {"model": "1", "messages": [{"role": "user", "content": "hi"}], "input": "hi"}
    if route.path in ("/v1/images/edits", "/v1/images/variations"):
        form = {"image": ("a.png", b"a")}
        return keys.http.request(
            route.method, path + query, headers=headers, data={"model": "1"}, files=form
        ).status_code
    json = None if route.method in ("GET", "DELETE") else body
    return keys.http.request(route.method, path + query, headers=headers, json=json).status_code


def outcomes(keys: Keys, *headers: tuple[str, str], query: str = "") -> dict[str, bool]:
    """Whether a route lets these in: neither 401 nor 403, whatever it then says about the request."""
    return {
        f"{route.method} {route.path}": ask(keys, route, list(headers), query) not in (400, 401, 403)
        for route in BY_KEY
    }


def all_of(*, let_in: bool) -> dict[str, bool]:
    return {f"{route.method} {route.path}": let_in for route in BY_KEY}


def test_the_table_has_every_route_that_needs_a_key() -> None:
    parts: Any = None  # no route looks at its parts before it is asked
    served = {(method, route.path.rstrip("/")) for route in compat.routes(parts) for method in route.methods or ()}
    assert served <= {(route.method, route.path) for route in BY_KEY}
    for route in BY_KEY:
        bare = route.path.replace("{", "").replace("}", "")
        assert (route.method, route.path) in served or read_head(b"POST", bare.encode(), []) is not None


def test_a_good_key_is_let_in_everywhere(keys: Keys) -> None:
    found = outcomes(keys, ("Authorization", f"Bearer {keys.good}"))
    proxied = "POST /v1/oneapi/proxy/{channel}/{path}"  # it names a channel, which is for administrators
    assert found == all_of(let_in=True) | {proxied: found[proxied]}


def test_whoever_must_not_call_is_let_in_nowhere(keys: Keys) -> None:
    let_in = {
        why: [route for route, good in outcomes(keys, ("Authorization", f"Bearer {key}")).items() if good]
        for why, key in keys.refused.items()
    }
    assert let_in == {why: [] for why in keys.refused}


@pytest.mark.parametrize("value", ["", "Bearer nope", "sk-", "sk-" + "0" * 48])
def test_a_wrong_key_is_let_in_nowhere(keys: Keys, value: str) -> None:
    assert outcomes(keys, ("Authorization", value)) == all_of(let_in=False)


def test_a_session_opens_no_route_that_needs_a_key(keys: Keys) -> None:
    assert outcomes(keys, ("Cookie", f"session={keys.session}")) == all_of(let_in=False)


def test_anthropics_clients_send_their_key_by_another_name(keys: Keys) -> None:
    messages = dict.fromkeys(("POST /v1/messages", "POST /v1/messages/count_tokens"), True)
    assert outcomes(keys, ("x-api-key", keys.good)) == all_of(let_in=False) | messages
    for why, key in keys.refused.items():
        assert outcomes(keys, ("x-api-key", key)) == all_of(let_in=False), why
    good, bad = ("x-api-key", keys.good), ("Authorization", "Bearer sk-other")
    for pair in ((good, bad), (good, good), (("x-api-key", "sk-other"), ("Authorization", f"Bearer {keys.good}"))):
        found = outcomes(keys, *pair)
        assert not any(found[route] for route in messages)


BETA = [f"{route.method} {route.path}" for route in BY_KEY if route.path.startswith("/v1beta/")]
ACTED_ON = [f"{route.method} {route.path}" for route in BY_KEY if "}:" in route.path]
LISTED = [f"{route.method} {route.path}" for route in BY_KEY if route.path.startswith("/v1/models")]


def test_googles_clients_send_their_key_by_another_name_or_in_the_query(keys: Keys) -> None:
    theirs = dict.fromkeys((*BETA, *ACTED_ON), True)
    shared = dict.fromkeys(LISTED, True)
    assert outcomes(keys, ("x-goog-api-key", keys.good)) == all_of(let_in=False) | theirs | shared
    assert outcomes(keys, query=f"?key={keys.good}&api_key={keys.good}") == all_of(let_in=False) | theirs
    for why, key in keys.refused.items():
        assert outcomes(keys, ("x-goog-api-key", key)) == all_of(let_in=False), why
        assert outcomes(keys, query=f"?key={key}") == all_of(let_in=False), why
    good, bad = ("x-goog-api-key", keys.good), ("Authorization", "Bearer sk-other")
    for found in (outcomes(keys, good, bad), outcomes(keys, good, good), outcomes(keys, good, query="?key=sk-other")):
        assert not any(found[route] for route in theirs)


@pytest.mark.parametrize("name", ["api-key", "x-authorization", "proxy-authorization"])
def test_another_header_is_no_way_to_send_a_key(keys: Keys, name: str) -> None:
    assert outcomes(keys, (name, keys.good)) == all_of(let_in=False)


def test_two_keys_are_refused_whichever_comes_first(keys: Keys) -> None:
    good, bad = ("Authorization", f"Bearer {keys.good}"), ("Authorization", "Bearer sk-other")
    for pair in ((good, bad), (bad, good), (good, good)):
        assert outcomes(keys, *pair) == all_of(let_in=False)
