"""One API's databases after this gateway used them: nothing that its program would stumble over.

Each sample is opened by a gateway, which answers its users, changes a token and is paid for a call, and is closed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from one_api.store.schema import ONE_API, metadata
from tests.e2e import wire
from tests.e2e.world import World, open_world
from tests.harness import scripted, servers
from tests.harness.scripted import completion, tokens
from tests.store import samples

pytestmark = pytest.mark.anyio

MODEL = "adopted-model"
ALL = {**dict.fromkeys(samples.FILES, "sqlite"), "postgres.sql": "postgres", "mysql.sql": "mariadb"}
LISTS = ("user", "token", "channel", "redemption", "log", "option")
TOPUP = 1_000_000

Rows = dict[str, dict[str, dict[str, Any]]]

KEYS = {"options": ("key",), "abilities": ("group", "model", "channel_id")}
# Columns that the use of the gateway changes in a row that was there.
CHANGES = {
    "users": {"quota", "used_quota", "request_count"},
    "tokens": {"name", "accessed_time", "remain_quota", "used_quota"},
}
# What the numbers of One API mean something for.
KNOWN = {
    "users": {"role": {1, 10, 100}, "status": {1, 2, 3}},
    "tokens": {"status": {1, 2, 3, 4}},
    "channels": {"status": {1, 2, 3}, "type": set(range(1, 51))},
    "redemptions": {"status": {1, 2, 3}},
    "logs": {"type": {1, 2, 3, 4, 5}},
}
# Its program reads these into pointers; NULL in any other column of a row that it makes never occurs.
NULLABLE = {
    "channels": {"weight", "base_url", "model_mapping", "priority", "system_prompt", "other"},
    "tokens": {"models", "subnet"},
    "abilities": {"priority"},
}


@dataclass(frozen=True, slots=True)
class State:
    """What is in a database, by One API's columns, and how its tables are made."""

    tables: Mapping[str, Mapping[str, str]]
    rows: Rows


def state(tx: Connection) -> State:
    found = samples.columns(tx)
    rows: Rows = {}
    for table, lines in samples.rows(tx, found).items():
        named = [dict(zip(found[table], line, strict=True)) for line in lines]
        rows[table] = {repr([row[name] for name in KEYS.get(table, ("id",))]): row for row in named}
    return State(samples.describe(tx), rows)


async def look(where: servers.Database) -> State:
    database = samples.opened(where)
    try:
        async with database.patient.connect() as tx:
            return await tx.run_sync(state)
    finally:
        await database.aclose()


@dataclass(frozen=True, slots=True)
class Done:
    """Whose token was changed and paid with, and what the call did cost."""

    user_id: int
    token_id: int
    cost: int


async def use(world: World, name: str) -> Done:
    root = world.root
    for each in LISTS:
        assert root.ask("GET", f"/api/{each}/") is not None
    world.upstream.scripts["up"] = scripted.replies(200, completion(usage=tokens(10, 10)))
    world.channel("up", MODEL)
    who = root if name.startswith(("old", "upgraded")) else root.login("alice")
    user_id = who.me()["id"]
    root.ask("POST", "/api/topup", json={"user_id": user_id, "quota": TOPUP})
    token = (who.tokens() or [who.ask("POST", "/api/token/", json={"name": "new", "unlimited_quota": True})])[-1]
    changed = who.ask("PUT", "/api/token/", json={**token, "name": "changed"})
    assert changed["name"] == "changed"
    reply = await world.ask(wire.chat(f"sk-{token['key']}", model=MODEL))
    assert reply.status == 200, reply
    await world.books.settled()
    return Done(user_id, token["id"], (await world.books.last_final()).quota)


@pytest.mark.parametrize("name", ALL)
async def test_one_api_can_go_on_with_what_was_used(request: pytest.FixtureRequest, tmp_path: Path, name: str) -> None:
    database: servers.Database = request.getfixturevalue(ALL[name])
    samples.load(database, name)
    before = await look(database)
    async with open_world(tmp_path, database) as world:
        done = await use(world, name)
    after = await look(database)
    only_added(before, after)
    for table, rows in after.rows.items():
        old = before.rows.get(table, {})
        assert set(old) <= set(rows), table
        for key, row in rows.items():
            was = old.get(key)
            changed = {column for column, value in row.items() if was is None or was.get(column, value) != value}
            assert was is None or changed <= CHANGES.get(table, set()), (table, was, row)
            readable(table, row, changed)
    paid(before, after, done)


def only_added(before: State, after: State) -> None:
    """Every column, key and index is as it was; what is more is of the tables that are documented."""
    for table, facts in before.tables.items():
        assert facts.items() <= after.tables[table].items(), table
    assert set(after.tables) - set(before.tables) <= {*metadata.tables, "alembic_version"}
    for ours in ONE_API:
        known = {f"column {column.name}" for column in ours.columns} | {f"index {index.name}" for index in ours.indexes}
        more = set(after.tables[ours.name]) - set(before.tables.get(ours.name, {}))
        assert more <= known | {"key", "unique ['username']", "index uni_users_username"}, ours.name


def readable(table: str, row: Mapping[str, Any], changed: set[str]) -> None:
    """Whether One API knows what was written."""
    for column in changed:
        assert row[column] is not None or column in NULLABLE.get(table, ()), (table, column, row)
        known = KNOWN.get(table, {}).get(column)
        assert known is None or row[column] in known, (table, column, row)


def paid(before: State, after: State, done: Done) -> None:
    """The call's cost is where One API's program would have put it."""
    assert done.cost > 0

    def difference(table: str, key: int, column: str) -> int:
        was = before.rows.get(table, {}).get(f"[{key}]", {})
        return int(after.rows[table][f"[{key}]"][column] or 0) - int(was.get(column) or 0)

    user_id, token_id, cost = done.user_id, done.token_id, done.cost
    changes = [difference("users", user_id, column) for column in ("quota", "used_quota", "request_count")]
    assert changes == [TOPUP - cost, cost, 1]
    token = after.rows["tokens"][f"[{token_id}]"]
    assert token["name"] == "changed"
    assert difference("tokens", token_id, "used_quota") == cost
    new = {table: [row for key, row in rows.items() if key not in before.rows.get(table, {})]
           for table, rows in after.rows.items()}  # fmt: skip
    (channel,) = new["channels"]
    assert channel["used_quota"] == cost
    assert [(row["group"], row["model"], row["channel_id"]) for row in new["abilities"] if row["model"] == MODEL] == [
        ("default", MODEL, channel["id"])
    ]
    (call,) = [row for row in new["logs"] if row["type"] == 2]
    told = (call["quota"], call["user_id"], call["channel_id"], call["model_name"], call["token_name"])
    assert told == (cost, user_id, channel["id"], MODEL, "changed")
    assert (call["prompt_tokens"], call["completion_tokens"]) == (10, 10)
    (credit,) = [row for row in new["logs"] if row["type"] == 1]
    assert (credit["quota"], credit["user_id"]) == (TOPUP, user_id)
