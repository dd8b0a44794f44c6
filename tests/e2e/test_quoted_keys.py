"""An upstream that quotes the key it was given: nobody else gets to see it."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

import pytest

from tests.e2e import wire
from tests.e2e.world import START, World, open_world
from tests.harness import scripted, servers
from tests.harness.scripted import chunk, completion, event, tokens

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

SECRET = "sk-canary-3f9b|part-of-a-key-77"

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@dataclass(frozen=True, slots=True)
class Site:
    """A world whose channel has a key in two parts, and a key of ours."""

    world: World
    key: str


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("quoted-keys")
    async with open_world(directory, servers.sqlite(directory)) as world:
        world.channel("up", "gpt-3.5-turbo", key=SECRET)
        yield Site(world, world.root.user("alice", START).token())


def quoting(value: str) -> scripted.Script:
    error = {"message": f"bad {value}", "type": value, "param": f"p {value}", "code": {"nested": [value, 1]}}
    return scripted.replies(401, json.dumps({"error": error}).encode(), [("x-ratelimit-key", value)])


def in_text(value: str, before: int = 0) -> scripted.Script:
    return scripted.replies(500, b"." * before + value.encode(), [("content-type", f"text/{value[:9]}")])


def in_json(value: str) -> scripted.Script:
    escaped = "".join(f"\\u{ord(each):04x}" for each in value)
    return scripted.replies(403, b'{"error":{"message":"' + escaped.encode() + b'","type":"t"}}')


def in_good_headers(value: str) -> scripted.Script:
    headers = [("content-type", "application/json"), ("x-ratelimit-owner", f"k={value}"), ("x-ratelimit-left", "9")]
    return scripted.replies(200, completion("good", usage=tokens(20, 10)), headers)


def in_event(value: str) -> scripted.Script:
    error = {"message": f"late {value}", "type": value, "param": value, "code": value}
    return scripted.streams(chunk("hello"), event({"error": error}))


QUOTES: Mapping[str, Callable[[str], scripted.Script]] = {
    "error object": quoting,
    "plain text": in_text,
    "where an excerpt ends": lambda value: in_text(value, 190),
    "escaped": in_json,
    "error in a 200": lambda value: scripted.replies(200, json.dumps({"error": f"no {value}"}).encode()),
    "good headers": in_good_headers,
    "first event": lambda value: scripted.streams(event({"error": {"message": value, "type": value}})),
    "later event": in_event,
}


@both
@pytest.mark.parametrize("part", [SECRET, *SECRET.split("|")])
@pytest.mark.parametrize("case", QUOTES)
async def test_nobody_sees_the_key_that_an_upstream_quotes(site: Site, case: str, part: str, *, stream: bool) -> None:
    site.world.upstream.scripts["up"] = QUOTES[case](part)
    async with wire.connect(site.world.port) as connection:
        connection.send(wire.chat(site.key, stream=stream))
        reply = await connection.reply()
    shown = repr(reply.headers) + reply.body.decode()
    for secret in (SECRET, *SECRET.split("|")):
        for text in (secret, secret[:10]):
            assert text not in shown, shown
            assert json.dumps(text)[1:-1] not in shown, shown
    if case == "good headers" and not stream:
        assert reply.headers["x-ratelimit-left"] == "9"
    assert SECRET not in site.world.gateway.output()
