"""Which failures of calls take a channel out of service, and who hears of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from one_api import channels
from one_api.channels import queries, upkeep
from one_api.channels.rules import Wish
from one_api.errors import UpstreamError
from one_api.options import DEFAULTS, Options
from one_api.routing import Channel
from one_api.routing.health import SuccessRates
from one_api.store.engine import Database
from tests.harness.lookingafter import LookingAfter, looking_after

pytestmark = pytest.mark.anyio

AUTOMATIC = replace(DEFAULTS, automatic_disable_channel_enabled=True)


def gone(message: str = "no") -> UpstreamError:
    return UpstreamError(message, status=401)


def failed(status: int = 500, **more: Any) -> UpstreamError:
    return UpstreamError("no", status=status, **more)


async def made(store: Database, count: int = 2) -> list[Channel]:
    numbers = await queries.create(store, Wish(key="\n".join("k" * count), name="main", models="m"), now=1)
    return [await upkeep.find(store, number) for number in numbers]


async def statuses(store: Database, *found: Channel) -> list[int]:
    return [(await upkeep.find(store, channel.id)).status for channel in found]


def keeping(store: Database, options: Options = AUTOMATIC, size: int = 2) -> Any:
    return looking_after(store, options=lambda: options, rates=SuccessRates(size=size, threshold=0.5))


@pytest.fixture
async def after(store: Database) -> AsyncIterator[LookingAfter]:
    async with keeping(store) as made_after:
        yield made_after


async def test_a_finished_account_is_taken_out_once_and_root_hears_of_it_once(store: Database) -> None:
    (channel,) = await made(store, 1)
    refreshed: list[int] = []

    async def refresh() -> None:
        refreshed.append(1)

    async with looking_after(store, options=lambda: AUTOMATIC, refresh=refresh) as first, keeping(store) as second:
        for node in (first, second, first, second):
            node.health.failed(channel, gone("the <key> is gone"))
        letters = [*await first.read(), *await second.read()]
    assert await statuses(store, channel) == [3]
    assert (
        await queries.get(store, channel.id)
    ).cause == "bad key: status 401, type 'upstream_error', code 'bad_response_status_code'"
    ((receiver, subject, content),) = letters
    assert (receiver, subject) == ("", "渠道状态变更提醒")
    assert "the &lt;key&gt; is gone" in content
    assert len(refreshed) <= 1


async def test_without_the_option_it_stays_and_counts_as_a_failure(store: Database) -> None:
    first, second = await made(store)
    async with keeping(store, DEFAULTS) as after:
        after.health.failed(first, gone())
        assert await after.read() == []
        after.health.failed(first, gone())
        ((_, _, content),) = await after.read()
    assert "已被系统自动禁用" in content
    assert "0.00%" in content
    assert await statuses(store, first, second) == [3, 1]


async def test_the_last_channel_stays(store: Database, after: LookingAfter) -> None:
    (only,) = await made(store, 1)
    for _ in range(10):
        after.health.failed(only, failed())
        await after.health.drain()
    assert await statuses(store, only) == [1]
    assert await after.read() == []


async def test_successes_count_too(store: Database, after: LookingAfter) -> None:
    first, _ = await made(store)
    for _ in range(10):
        after.health.succeeded(first)
        after.health.succeeded(first)
        after.health.failed(first, failed())
    await after.health.drain()
    assert await statuses(store, first) == [1]


@pytest.mark.parametrize(
    "error",
    [
        failed(400, blame="caller"),
        failed(403),
        failed(404),
        failed(422),
        failed(500, blame="nobody"),
        failed(500, blame="caller"),
    ],
    ids=lambda error: f"{error.status} {error.blame}",
)
async def test_what_callers_can_provoke_counts_for_nothing(
    store: Database, after: LookingAfter, error: UpstreamError
) -> None:
    first, _ = await made(store)
    for _ in range(10):
        after.health.failed(first, error)
    await after.health.drain()
    assert await statuses(store, first) == [1]


async def test_a_sentence_of_the_callers_is_none_of_the_upstreams(store: Database, after: LookingAfter) -> None:
    first, second = await made(store)
    said = UpstreamError("Permission denied", status=403)
    said.quoted = True
    after.health.failed(first, said)
    after.health.failed(second, UpstreamError("Permission denied", status=403))
    await after.health.drain()
    assert await statuses(store, first, second) == [1, 3]


async def test_a_channel_that_was_taken_out_starts_afresh(store: Database) -> None:
    first, _, _, _ = await made(store, 4)
    async with keeping(store, size=3) as after:
        for _ in range(2):
            after.health.failed(first, failed())
        await queries.disable(store, first.id, "by another node")
        async with store.read() as tx:
            after.health.follow(await channels.load_routes(tx))
        await queries.enable(store, first.id)
        for _ in range(2):
            after.health.failed(first, failed())
        await after.health.drain()
        assert await statuses(store, first) == [1]
        after.health.failed(first, failed())
        await after.health.drain()
        assert await statuses(store, first) == [3]


async def test_enabling_is_told_and_never_undoes_a_decision(store: Database, after: LookingAfter) -> None:
    first, second = await made(store)
    await queries.disable(store, first.id, "before")
    await queries.change(store, Wish(id=second.id, status=2))
    assert [await after.health.enable(channel) for channel in (first, second, first)] == [True, False, False]
    ((_, _, content),) = await after.read()
    assert "已被重新启用" in content
    assert await statuses(store, first, second) == [1, 2]
