"""What belongs to another is neither read nor changed, whatever path, parameter or member names it.

Generated: each endpoint is asked with everything of the other's in every place where it could be meant.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_type_hints

import pytest
from sqlalchemy import insert, select

from one_api.edge.api import ENDPOINTS, Access, Endpoint
from one_api.store import schema
from tests.edge.api.world import World

pytestmark = pytest.mark.anyio

OWN = [endpoint for endpoint in ENDPOINTS if endpoint.access <= Access.USER]
FOR_ADMINISTRATORS = [endpoint for endpoint in ENDPOINTS if endpoint.access == Access.ADMIN]
# Any administrator may credit any account.
CREDITS = "/api/topup"
PARAMETERS = ("id", "user_id", "username", "token_id", "token_name", "keyword", "channel", "channel_id", "model_name")
SECRETS = ("OWNED-content", "OWNED-model", "owned@example.com", "OWNED-network")


@dataclass(frozen=True, slots=True)
class Other:
    """Whose things are asked for. `hidden` must be in no answer."""

    id: int
    username: str
    numbers: tuple[int, ...]
    words: tuple[str, ...]
    hidden: tuple[str, ...]


async def other(here: World, username: str, role: int) -> Other:
    user_id = await here.user(username, role=role)
    person = await here.with_session(user_id)
    token = await person.post("/api/token/", {"name": "OWNED-token", "models": SECRETS[1], "unlimited_quota": True})
    await person.post("/api/token/", {"name": "OWNED-second", "remain_quota": 5})
    change = schema.users.update().where(schema.users.c.id == user_id)
    await here.execute(change.values(email=SECRETS[2], access_token="f" * 32, aff_code="OWNEDaff"))
    row = {"user_id": user_id, "username": username, "type": 2, "quota": 777_777, "created_at": 5, "channel_id": 1}
    facts = {"content": SECRETS[0], "token_name": "OWNED-token", "model_name": "gpt-4"}
    await here.execute(insert(schema.logs).values(row | facts))
    key = str(token["data"]["key"])
    hidden = (key, *SECRETS, "f" * 32, "OWNEDaff", "777777")
    numbers = (user_id, int(token["data"]["id"]))
    return Other(user_id, username, numbers, (username, "OWNED-token", "gpt-4"), hidden)


def questions(endpoint: Endpoint, whom: Other) -> Iterator[tuple[str, Any]]:
    """Paths and bodies in which everything that could mean the other does."""
    for number in whom.numbers:
        path = endpoint.path.replace("{id}", str(number))
        names = {*PARAMETERS, *(query.name for query in endpoint.declared.query)}
        one_by_one = [f"{name}={value}" for name in sorted(names) for value in (*whom.words, number)]
        together = "&".join(f"{name}={whom.username if 'name' in name else number}" for name in sorted(names))
        if endpoint.method == "GET":
            yield from ((f"{path}?{query}", None) for query in (*one_by_one, together, ""))
        for body in bodies(endpoint, whom, number):
            yield path, body
            yield f"{path}?status_only=1", body


def bodies(endpoint: Endpoint, whom: Other, number: int) -> Iterator[dict[str, Any]]:
    """Forms that name the other, and ask for whatever a word can ask for."""
    form = endpoint.declared.form
    hints = {} if form is None else get_type_hints(form)
    if endpoint.method == "GET":
        return
    for word in ("", "disable", "delete", "demote"):
        for count in (0, 2):
            yield {
                **{name: word for name, kind in hints.items() if kind in (str, str | None)},
                **{name: count for name, kind in hints.items() if kind is not str and "int" in str(kind)},
                "id": number,
                "user_id": whom.id,
                "username": whom.username,
            }


async def rows(here: World, whom: Other) -> list[list[dict[str, Any]]]:
    """All that is the other's, but what only says when something happened."""
    owned = (schema.tokens, schema.logs, schema.sessions, schema.redemptions)
    user = select(schema.users).where(schema.users.c.id == whom.id)
    return [await here.rows(user), *[await here.rows(select(t).where(t.c.user_id == whom.id)) for t in owned]]


@pytest.mark.parametrize("endpoint", OWN, ids=lambda endpoint: f"{endpoint.method}{endpoint.path}")
@pytest.mark.parametrize("role", [Access.USER, Access.ADMIN])
async def test_nobody_reads_or_changes_what_is_anothers(here: World, endpoint: Endpoint, role: Access) -> None:
    """Not even an administrator, where a user's own things are asked for."""
    whom = await other(here, "bob", Access.USER)
    asker = await here.user("mallory", role=role)
    before = await rows(here, whom)
    leaks = []
    person = await here.with_session(asker)
    for path, body in questions(endpoint, whom):
        answer = await person.ask(endpoint.method, path, body)
        leaks += [(path, body, secret) for secret in whom.hidden if secret in answer.text]
    assert leaks == []
    assert await rows(here, whom) == before


@pytest.mark.parametrize("rank", [Access.ADMIN, Access.ROOT])
@pytest.mark.parametrize("endpoint", FOR_ADMINISTRATORS, ids=lambda endpoint: f"{endpoint.method}{endpoint.path}")
async def test_an_administrator_changes_none_of_his_rank(here: World, endpoint: Endpoint, rank: Access) -> None:
    whom = await other(here, "eve", rank)
    asker = await here.user("adam", role=Access.ADMIN)
    before = await rows(here, whom)
    secrets = (whom.hidden[0], "f" * 32)
    leaks = []
    person = await here.with_session(asker)
    for path, body in questions(endpoint, whom):
        answer = await person.ask(endpoint.method, path, body)
        leaks += [(path, body, secret) for secret in secrets if secret in answer.text]
    assert leaks == []
    assert endpoint.path == CREDITS or await rows(here, whom) == before
