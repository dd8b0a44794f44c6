"""A world whose prices are easy to add up, and what its books say after a call; for tests of who pays."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from tests.e2e import wire
from tests.e2e.books import eventually
from tests.e2e.wire import Reply
from tests.e2e.world import START, World, open_world
from tests.harness import scripted, servers
from tests.harness.scripted import DONE, Turn, chunk, event, usage_chunk

MODEL = "gpt-3.5-turbo"  # one unit for a token of input, two for one of output
PROMPT = 8  # tokens of the request for "hello"
TEXT = "hello world"  # two tokens
COUNTED = PROMPT + 2 * 2
TOLERANCE = 1000
SHOWN = (
    *("request_id", "quota", "prompt_tokens", "completion_tokens", "user_id", "username", "token_name", "model_name"),
    *("channel_id", "content", "created_at", "is_stream", "elapsed_time", "system_prompt_reset"),
    "first_token_time",
)

ERROR = event({"error": {"message": "overloaded", "type": "server_error", "param": "", "code": "busy"}})


@dataclass(frozen=True, slots=True)
class Site:
    """A world, and a key that can pay."""

    world: World
    key: str


@asynccontextmanager
async def open_site(directory: Path) -> AsyncIterator[Site]:
    async with open_world(directory, servers.sqlite(directory)) as world:
        root = world.root
        root.option(
            "ModelRatio",
            json.dumps(dict.fromkeys((MODEL, "dead", "text-embedding-3-small", "whisper-1", "tts-1", "dall-e-2"), 1)),
        )
        root.option("CompletionRatio", json.dumps({MODEL: 2}))
        root.option("PreConsumedQuota", "0")
        root.option("ChargeToleranceTokens", str(TOLERANCE))
        world.channel("up", f"{MODEL},text-embedding-3-small,whisper-1,tts-1,dall-e-2")
        root.channel(f"http://127.0.0.1:{servers.free_port()}", "dead")
        yield Site(world, root.user("alice", START).token())


# --- the books --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the books were before a call."""

    site: Site
    finals: int
    quota: int

    async def free(self) -> None:
        """Nothing was charged since, and no row says otherwise."""
        assert not await self._finals()
        assert await self._spent() == 0

    async def paid(self, cost: int, source: str) -> Row[Any]:
        """One call was charged this since."""
        (final,) = await self._finals()
        assert (final.quota, final.source, final.username) == (cost, source, "alice"), final
        assert await self._spent() == cost
        return final

    async def _finals(self) -> list[Row[Any]]:
        await self.site.world.books.settled()
        return list(await self.site.world.books.finals())[self.finals :]

    async def _spent(self) -> int:
        row = await self.site.world.books.user("alice")
        assert row.quota + row.used_quota == START, row
        return self.quota - int(row.quota)


async def mark(site: Site) -> Mark:
    books = site.world.books
    return Mark(site, len(await books.finals()), (await books.user("alice")).quota)


async def ask(site: Site, *, stream: bool = False, **fields: Any) -> Reply:
    return await site.world.ask(wire.chat(site.key, stream=stream, **fields))


def answers(*deltas: Mapping[str, object], stream: bool, usage: object = None) -> scripted.Script:
    """A complete answer that says all of `deltas`, whole or in pieces."""
    if stream:
        said = [event({"choices": [{"index": 0, "delta": each}]}) for each in deltas]
        return scripted.streams(*said, chunk(finish="stop"), *([] if usage is None else [usage_chunk(usage)]), DONE)
    message = {name: value for each in deltas for name, value in each.items()}
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    value = {"id": "c", "object": "chat.completion", "choices": [choice]}
    return scripted.replies(200, json.dumps(value if usage is None else {**value, "usage": usage}).encode())


# --- in the middle of a call ---


async def part_of_a_whole(turn: Turn) -> None:
    await turn.send(scripted.head(200, [("content-type", "application/json"), ("content-length", "500")]) + b'{"id":')


async def read_by_gateway(site: Site) -> None:
    """Returns when all that was sent to the gateway has been read by it: a call after it was answered."""
    site.world.upstream.scripts["up"] = scripted.replies(500, b"{}")
    assert (await ask(site)).status == 500
    del site.world.upstream.scripts["up"]


async def all_in_the_log(site: Site) -> None:
    """Returns when every charge has its row in the log, and fails unless the two say the same."""
    books = site.world.books
    finals = [row for row in await books.finals() if row.logged]

    async def moved() -> bool:
        return len(await books.logs()) == len(finals)

    await eventually(moved)
    shown = {row.request_id: row for row in await books.logs()}
    assert len(shown) == len(finals) == len({row.request_id for row in finals})
    for row in finals:
        log = shown[row.request_id]
        assert [getattr(log, name) for name in SHOWN] == [getattr(row, name) for name in SHOWN]
