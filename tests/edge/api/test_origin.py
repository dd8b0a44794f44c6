"""A foreign page can change nothing, and reading changes nothing."""

from typing import Any

import pytest
from sqlalchemy import select

from one_api.edge import auth
from one_api.edge.api import ENDPOINTS, Access, Endpoint
from one_api.edge.auth import ForeignPage
from one_api.store.schema import metadata
from tests.edge.api.world import World

pytestmark = pytest.mark.anyio

CHANGING = [endpoint for endpoint in ENDPOINTS if endpoint.changes]
READING = [endpoint for endpoint in ENDPOINTS if not endpoint.changes]


def name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


@pytest.mark.parametrize(
    "headers, good",
    [
        ({}, True),
        ({"origin": "http://gateway.test"}, True),
        ({"origin": "https://gateway.test"}, True),
        ({"origin": "https://console.example"}, True),
        ({"origin": "http://GATEWAY.test"}, True),
        ({"origin": "http://gateway.test:8080"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "http://gateway.test.evil.example"}, False),
        ({"origin": "http://gateway.test@evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-origin", "origin": "http://behind.a.proxy"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "http://evil.example"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "null"}, False),
        ({"referer": "http://gateway.test/token"}, True),
        ({"referer": "http://evil.example/gateway.test"}, False),
        ({"referer": "http://[broken"}, False),
    ],
)
def test_a_browser_says_where_a_request_comes_from(headers: dict[str, str], *, good: bool) -> None:
    asked = {"host": "gateway.test", **headers}
    if good:
        auth.require_same_origin(asked, "https://console.example/")
    else:
        with pytest.raises(ForeignPage):
            auth.require_same_origin(asked, "https://console.example/")


async def database(here: World) -> dict[str, list[Any]]:
    tables = [table for table in metadata.sorted_tables if table.name != "marks"]
    return {table.name: await here.rows(select(table)) for table in tables}


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_a_foreign_page_changes_nothing(here: World, headers: dict[str, str]) -> None:
    person = await here.with_session(1)
    before = await database(here)
    answers = {name(e): await person.ask(e.method, e.path.replace("{id}", "1"), "{}", **headers) for e in CHANGING}
    assert {key: answer.status_code for key, answer in answers.items()} == dict.fromkeys(answers, 403)
    assert {answer.json()["success"] for answer in answers.values()} == {False}
    assert await database(here) == before


async def test_a_script_with_an_access_token_comes_from_anywhere(here: World) -> None:
    script = await here.with_access_token(1)
    answers = [
        await script.ask(e.method, e.path.replace("{id}", "9999"), "{}", Origin="http://evil.example")
        for e in CHANGING
        if e.access > Access.ANYONE and e.path != "/api/user/token"
    ]
    assert {answer.status_code for answer in answers} == {200}


async def test_reading_changes_nothing(here: World) -> None:
    root = await here.with_session(1)
    await root.post("/api/token/", {"name": "t"})
    await root.post("/api/channel/", {"key": "k", "models": "m"})
    await here.ledger.flush()
    before = await database(here)
    for endpoint in READING:
        for _ in range(2):
            await root.ask(endpoint.method, endpoint.path.replace("{id}", "1"))
    assert await database(here) == before
