"""Bodies, queries and paths nobody means well with: no failure, no word of our insides, nothing half done."""

import json
from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from one_api.edge.api import ENDPOINTS, Endpoint
from one_api.edge.api.endpoint import SMALL
from one_api.store.schema import metadata
from tests.edge.api.world import World

pytestmark = pytest.mark.anyio

READING_BODIES = [endpoint for endpoint in ENDPOINTS if endpoint.method in ("POST", "PUT")]
INSIDES = ("Traceback", 'File "', "sqlalchemy", "sqlite", "asyncpg", "asyncmy", "IntegrityError", "one_api.", "Error(")

# Members as they stand in the text: most are wrong for any type, the last are what some form accepts.
VALUES = (
    "1e999", "-1e999", "9" * 400, "-" + "9" * 30, "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "0.5", "1e2", "-0", "NaN", "Infinity",
    '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udfff\\ud800"', '"\u202e\u200b"',
    '"' + "x" * 300 + '"', '"' + "数" * 70_000 + '"', '"%_%\'; DROP TABLE users; --"',
    '"\\n\\r\\t\\u001f"', '""', "null", "[]", "{}", "[[[[1]]]]", '{"a":{"b":[null]}}', "true",
    "false", "tru", "'a'", '"1"', "1", "2", "0", "-1",
    '"alice"', '"root"', '"password12"', '"disable"', '"10.0.0.0/8"', '"gpt-4"', '{"x":1,"x":2}', '"ModelRatio"', "999",
)  # fmt: skip
WHOLE = (
    b"", b" ", b"null", b"true", b"0", b'"text"', b"[]", b"[{}]", b"{", b"}", b'{"', b"\xff\xfe", b"\xef\xbb\xbf{}",
    b"\0", "{}".encode("utf-16"), b"{}{}", b"{} trailing", b"[" * 100_000, b'{"a":' * 50_000,
    b'{"id":' + b"[" * 3000 + b"]" * 3000 + b"}",
    json.dumps({f"field{i}": i for i in range(10_000)}).encode(), b'{"id":1,' + b'"id":2,' * 10_000 + b'"id":3}',
    b"a=1&b=2", b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--", b"9" * 5000, b'"' + b"\\ud800" * 1000 + b'"',
)  # fmt: skip
WORDS = st.one_of(
    st.sampled_from(["", "abc", "1", "-1", "0", "9" * 40, "1.5", "NaN", "%00", "%ff", "%2e%2e", "'", "root"])
)


def names(endpoint: Endpoint) -> list[str]:
    form = endpoint.declared.form
    return sorted(get_type_hints(form)) if form else ["id", "key", "value", "name", "username", "count", "quota"]


@st.composite
def forms(draw: st.DrawFn, endpoint: Endpoint) -> bytes:
    """An object of the form's members, each with whatever value, some in another case or twice."""
    members = []
    for name in draw(st.lists(st.sampled_from(names(endpoint)), max_size=8)):
        spelled = draw(st.sampled_from((name, name, name, name.upper(), f"{name}x")))
        members.append(f'"{spelled}":{draw(st.sampled_from(VALUES))}')
    return ("{" + ",".join(members) + "}").encode("utf-8", "surrogatepass")


@st.composite
def questions(draw: st.DrawFn) -> tuple[Endpoint, str, bytes]:
    endpoint = draw(st.sampled_from(READING_BODIES + list(ENDPOINTS)))
    path = endpoint.path.replace("{id}", draw(WORDS) or "0")
    parameters = [query.name for query in endpoint.declared.query] + ["p", "keyword", "status_only", "id"]
    query = "&".join(f"{name}={draw(WORDS)}" for name in draw(st.lists(st.sampled_from(parameters), max_size=3)))
    body = draw(st.one_of(forms(endpoint), forms(endpoint), st.sampled_from(WHOLE), st.binary(max_size=200)))
    return endpoint, f"{path}?{query}" if query else path, body


A_TEST = "/api/channel/test/{id}"  # one that fails was made, and is in the log


async def everything(here: World) -> dict[str, list[Any]]:
    """All rows but the sessions, of which each question has its own; what was begun before has ended."""
    await here.after.upkeep.tests.settled()
    await here.after.upkeep.balances.settled()
    await here.ledger.flush()
    tables = [table for table in metadata.sorted_tables if table.name not in ("sessions", "marks")]
    return {table.name: await here.rows(select(table)) for table in tables}


@pytest.fixture
async def settled(here: World) -> World:
    """With a user, a token, a channel and a log row, so that there is something to spoil."""
    await here.user("alice")
    root = await here.with_session(1)
    await root.post("/api/token/", {"name": "t", "remain_quota": 5})
    await root.post("/api/channel/", {"key": "k", "models": "m"})
    await root.post("/api/topup", {"user_id": 2, "quota": 10})
    return here


async def complaints(here: World, endpoint: Endpoint, path: str, body: bytes) -> list[str]:
    """What is wrong with the answer, or with what it left behind."""
    person = await here.with_session(1)
    before = await everything(here)
    answer = await person.http.request(endpoint.method, path, content=body)
    found = []
    if answer.status_code >= 500:
        found.append(f"status {answer.status_code}")
    found += [f"says {word!r}: {answer.text[:300]}" for word in INSIDES if word in answer.text and "docs" not in path]
    if answer.headers.get("content-type", "").startswith("application/json"):
        said = answer.json()
        good = said.get("success", True) and answer.status_code == 200
        if not good and endpoint.path != A_TEST and await everything(here) != before:
            found.append(f"refused with {said} and changed something")
    await person.http.aclose()
    return found


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(question=questions())
async def test_whatever_is_asked_is_answered_and_nothing_is_half_done(
    settled: World, question: tuple[Endpoint, str, bytes]
) -> None:
    assert await complaints(settled, *question) == []


@pytest.mark.parametrize("endpoint", READING_BODIES, ids=lambda endpoint: f"{endpoint.method}{endpoint.path}")
async def test_every_endpoint_bears_every_strange_body(settled: World, endpoint: Endpoint) -> None:
    path = endpoint.path.replace("{id}", "1")
    values = [f'{{"{name}":{value}}}'.encode() for name in names(endpoint) for value in VALUES]
    found = {}
    person = await settled.with_session(1)
    for body in (*WHOLE, *values):
        answer = await person.http.request(endpoint.method, path, content=body)
        if answer.status_code >= 500 or any(word in answer.text for word in INSIDES):
            found[body[:60]] = (answer.status_code, answer.text[:200])
    assert found == {}


@pytest.mark.parametrize("endpoint", READING_BODIES, ids=lambda endpoint: f"{endpoint.method}{endpoint.path}")
async def test_a_body_beyond_the_bound_is_not_taken(settled: World, endpoint: Endpoint) -> None:
    person = await settled.with_session(1)
    pieces = (b"x" * 65_536 for _ in range(endpoint.most // 65_536 + 2))

    async def endless() -> Any:
        for piece in pieces:
            yield piece

    answer = await person.http.request(endpoint.method, endpoint.path.replace("{id}", "1"), content=endless())
    assert answer.status_code == 413
    assert next(pieces, None) is not None or endpoint.most > SMALL
