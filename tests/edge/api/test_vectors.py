"""Answers of the original program, as a table; what it has to be given first is set up by the case's number."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from one_api.store.schema import abilities, channels, logs, tokens, users
from tests.edge.api.world import Person, World

pytestmark = pytest.mark.anyio

VECTORS = json.loads((Path(__file__).parents[2] / "data/vectors/management.json").read_text())["cases"]
# Redemptions, deleting logs, the dashboards of keys, rate limits, channel tests and Redis have tables of their own.
ELSEWHERE = {15, 16, 20, 21, 22, 23, 24, 25, 26, 28}
ROLES = {"common": 1, "admin": 10, "root": 100}


async def asker(here: World, request: dict[str, Any]) -> Person:
    if "as_role" not in request:
        return here.somebody()
    return await here.with_session(await here.user("asker", role=ROLES[request["as_role"]]))


async def given(here: World, case: dict[str, Any]) -> dict[str, Any]:
    """Set up what the case presupposes; what stands in the request for a value nobody knows beforehand."""
    match case["n"]:
        case 11 | 12:
            owner = select(users.c.id).where(users.c.username == "asker").scalar_subquery()
            values = {"id": 3, "user_id": owner, "key": "k3", "status": 1, "name": "t", "remain_quota": 5}
            await here.execute(tokens.insert().values(values))
        case 14:
            body = {"key": "secret", "name": "main", "models": "m1", "base_url": "http://old"}
            await (await here.with_session(1)).post("/api/channel/", body)
        case 17:
            if not await here.rows(select(users).where(users.c.id == 2)):
                await here.user("two")
        case 18:
            root = await here.with_session(1)
            for key, value in case["given"]["options"].items():
                await root.put("/api/option/", {"key": key, "value": value})
            inviter = await here.user("inviter")
            change = update(users).where(users.c.id == inviter).values(aff_code="abcd")
            await here.execute(change)
            return {"aff_code": "abcd"}
        case 19:
            rows = [{"type": kind, "username": who} for kind in (1, 4) for who in ("alice", "bob") for _ in range(3)]
            for row in rows:
                await here.execute(logs.insert().values(user_id=1, created_at=1, content="x", **row))
    return {}


@pytest.mark.parametrize(
    "case",
    [case for case in VECTORS if case["n"] not in ELSEWHERE],
    ids=lambda case: f"{case['n']} {case['request']['method']} {case['request']['path']}",
)
async def test_the_answer_is_one_apis(here: World, case: dict[str, Any]) -> None:
    request, wanted = case["request"], case["response"]
    person = await asker(here, request)
    replaced = await given(here, case)
    body = {**request["json"], **replaced} if "json" in request else request.get("body")
    answer = await person.ask(request["method"], request["path"], body, **request.get("headers", {}))
    assert answer.status_code == wanted["status"]
    found = answer.json() if answer.content else {}
    assert wanted.get("json", {}).items() <= found.items()
    if "data" in wanted:
        assert wanted["data"].items() <= found["data"].items()
    assert {name: answer.headers.get(name) for name in wanted.get("headers", {})} == wanted.get("headers", {})
    if case["n"] in THEN:
        await THEN[case["n"]](here, case["then"], found)


async def channels_added(here: World, then: Any, _found: Any) -> None:
    assert (await here.rows(select(func.count().label("n")).select_from(channels)))[0]["n"] == then["channels_added"]
    counts = await here.rows(select(func.count().label("n")).select_from(abilities).group_by(abilities.c.channel_id))
    assert {row["n"] for row in counts} == {then["abilities_per_channel"]}


async def unchanged(here: World, then: Any, _found: Any) -> None:
    row = (await here.rows(select(channels)))[0]
    before = {"models": "m1", "name": "main", "key": "secret"}
    assert {name: row[name] for name in then["unchanged"]} == before


async def log_written(here: World, then: Any, _found: Any) -> None:
    row = (await here.rows(select(logs)))[-1]
    assert then["log"].items() <= row.items()


async def gifts_given(here: World, then: Any, _found: Any) -> None:
    rows = await here.rows(select(logs).order_by(logs.c.id))
    assert [{"type": row["type"], "content": row["content"]} for row in rows] == then["logs_same_request_id"]
    assert len({row["request_id"] for row in rows}) == 1
    quota = {row["username"]: row["quota"] for row in await here.rows(select(users))}
    assert (quota["newuser"], quota["inviter"]) == (then["new_user_quota"], then["inviter_quota_added"])
    token = (await here.rows(select(tokens).order_by(tokens.c.id.desc())))[0]
    assert then["token"].items() <= token.items()


async def only_those(_here: World, _then: Any, found: Any) -> None:
    ids = [row["id"] for row in found["data"]]
    assert len(ids) == 3
    assert ids == sorted(ids, reverse=True)
    assert {(row["type"], row["username"]) for row in found["data"]} == {(4, "alice")}


THEN: dict[int, Callable[[World, Any, Any], Awaitable[None]]] = {
    13: channels_added,
    14: unchanged,
    17: log_written,
    18: gifts_given,
    19: only_those,
}
