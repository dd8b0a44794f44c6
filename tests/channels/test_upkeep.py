"""What is written down about channels, and who may be taken out of use when many fail at once."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from one_api.channels import queries, upkeep
from one_api.channels.rules import Refused, Wish
from one_api.channels.upkeep import Progress, Switches
from one_api.store.engine import Database
from one_api.store.schema import abilities, channels, generations

pytestmark = pytest.mark.anyio
NOW = 1_795_487_000


async def rows(store: Database, query: Any) -> list[dict[str, Any]]:
    async with store.read() as tx:
        return [dict(row) for row in (await tx.execute(query)).mappings()]


async def statuses(store: Database) -> list[int]:
    return [row["status"] for row in await rows(store, select(channels.c.status).order_by(channels.c.id))]


async def made(store: Database, count: int, **more: Any) -> list[int]:
    return await queries.create(store, Wish(key="\n".join("k" * count), **{"models": "m", **more}), now=NOW)


async def test_of_a_storm_half_the_channels_remain(store: Database) -> None:
    numbers = await made(store, 5)
    won = await asyncio.gather(*(Switches(store).eject(number, "bad") for number in numbers))
    assert sum(won) == 2
    assert sorted(await statuses(store)) == [1, 1, 1, 3, 3]
    served = await rows(store, select(abilities.c.channel_id, abilities.c.enabled))
    assert {row["channel_id"]: not row["enabled"] for row in served} == dict(zip(numbers, won, strict=True))


async def test_a_channel_that_alone_serves_a_model_stays(store: Database) -> None:
    (special,) = await made(store, 1, models="m,only here")
    (other, _, _) = await made(store, 3)
    assert not await Switches(store).eject(special, "bad")
    assert await Switches(store).eject(other, "bad")


async def test_those_disabled_by_hand_or_for_another_group_do_not_count(store: Database) -> None:
    (first,) = await made(store, 1, group="default")
    await made(store, 3, group="vip")
    await made(store, 3, status=2)
    assert not await Switches(store).eject(first, "bad")


async def test_a_channel_is_ejected_once(store: Database) -> None:
    first, _ = await made(store, 2)
    won = await asyncio.gather(*(Switches(store).eject(first, "bad") for _ in range(4)))
    assert sorted(won) == [False, False, False, True]
    assert not await Switches(store).eject(9999, "bad")


async def test_scopes_are_newest_first_and_an_unknown_one_is_empty(store: Database) -> None:
    on, off, tired = await made(store, 3)
    await queries.change(store, Wish(id=off, status=2))
    await queries.disable(store, tired, "gone")
    assert await upkeep.numbers(store, "all") == [tired, off, on]
    assert await upkeep.numbers(store, "disabled") == [tired, off]
    assert await upkeep.in_use(store) == [on]
    assert await upkeep.numbers(store, "enabled") == []


async def test_a_test_and_a_balance_are_recorded_and_nobody_reloads_for_it(store: Database) -> None:
    (number,) = await made(store, 1)
    before = await rows(store, select(generations))
    await upkeep.record_test(store, number, response_ms=120, now=NOW)
    await upkeep.record_balance(store, number, balance=99.655, now=NOW + 1)
    shown = await queries.get(store, number)
    assert (shown.response_time, shown.test_time, shown.balance_updated_time) == (120, NOW, NOW + 1)
    assert shown.balance == pytest.approx(99.655)
    assert await rows(store, select(generations)) == before


async def test_a_channel_is_found_with_its_key(store: Database) -> None:
    (number,) = await made(store, 1)
    assert (await upkeep.find(store, number)).key == "k"
    with pytest.raises(Refused, match="record not found"):
        await upkeep.find(store, 9999)


async def test_progress_is_counted_where_all_can_see_it(store: Database) -> None:
    await upkeep.begin_progress(store, total=7, now=NOW)
    await upkeep.begin_progress(store, total=3, now=NOW + 5)
    for passed in (True, False, True):
        await upkeep.advance_progress(store, passed=passed)
    assert await upkeep.progress(store, running=True) == Progress(
        running=True, total=3, done=3, failed=1, began=NOW + 5
    )


async def test_before_the_first_test_there_is_no_progress(store: Database) -> None:
    assert await upkeep.progress(store, running=False) == Progress(running=False, total=0, done=0, failed=0, began=0)
