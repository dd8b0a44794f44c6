import asyncio
from random import Random
from typing import Any

import pytest
from sqlalchemy import select, update

from one_api.channels import queries
from one_api.channels.rules import Refused, Wish
from one_api.routing import Routes
from one_api.store.engine import Database
from one_api.store.schema import abilities, channel_causes, channels, generations

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000


async def rows(store: Database, statement: Any) -> list[dict[str, Any]]:
    async with store.read() as tx:
        return [dict(row) for row in (await tx.execute(statement)).mappings()]


async def generation(store: Database) -> int:
    found = await rows(store, select(generations.c.n).where(generations.c.topic == "routes"))
    return int(found[0]["n"]) if found else 0


async def routes(store: Database) -> Routes:
    async with store.read() as tx:
        return await queries.load_routes(tx)


def ids(found: Routes, model: str, group: str = "default") -> list[int]:
    return sorted(channel.id for channel in found.plan(group, model, Random(1)))


async def test_a_line_of_the_key_makes_a_channel_with_its_abilities(store: Database) -> None:
    wish = Wish(type=1, name="c", key="k1\nk2\n\nk3", models="gpt-4,gpt-3.5-turbo,gpt-4", group="default,vip")
    made = await queries.create(store, wish, now=NOW)
    stored = await rows(store, select(channels).order_by(channels.c.id))
    assert [(row["key"], row["models"], row["created_time"]) for row in stored] == [
        (key, "gpt-4,gpt-3.5-turbo,gpt-4", NOW) for key in ("k1", "k2", "k3")
    ]
    assert len(await rows(store, select(abilities))) == 12
    assert ids(await routes(store), "gpt-4", "vip") == made
    assert await generation(store) == 1


async def test_a_channel_that_cannot_be_made_leaves_nothing(store: Database) -> None:
    await queries.create(store, Wish(id=50, key="a", models="m"), now=NOW)
    with pytest.raises(Refused, match="渠道 Id 已存在"):
        await queries.create(store, Wish(id=50, key="b\nc", models="other"), now=NOW)
    assert len(await rows(store, select(channels))) == 1
    assert len(await rows(store, select(abilities))) == 1


async def test_a_number_of_ones_own_does_not_stop_the_next_channel(store: Database) -> None:
    await queries.create(store, Wish(id=50, key="a"), now=NOW)
    assert await queries.create(store, Wish(key="b"), now=NOW) == [51]


async def test_an_update_rebuilds_the_abilities(store: Database) -> None:
    (channel_id,) = await queries.create(store, Wish(key="a", models="m1,m2", priority=1), now=NOW)
    shown = await queries.change(store, Wish(id=channel_id, models="m2,m3", group="vip", priority=0))
    assert (shown.models, shown.group, shown.priority, shown.key) == ("m2,m3", "vip", 0, "")
    found = await rows(store, select(abilities).order_by(abilities.c.model))
    assert [(row["group"], row["model"], row["enabled"], row["priority"]) for row in found] == [
        ("vip", "m2", True, 0),
        ("vip", "m3", True, 0),
    ]
    assert (await rows(store, select(channels.c.key)))[0]["key"] == "a"


async def test_an_unknown_channel_is_not_changed_into_being(store: Database) -> None:
    with pytest.raises(Refused, match="record not found"):
        await queries.change(store, Wish(id=9999, name="ghost", models="ghost-model"))
    assert await rows(store, select(abilities)) == []
    assert await generation(store) == 0


async def test_a_disabled_channel_leaves_the_routes(store: Database) -> None:
    (channel_id,) = await queries.create(store, Wish(key="a", models="m"), now=NOW)
    await queries.change(store, Wish(id=channel_id, status=2))
    assert ids(await routes(store), "m") == []
    await queries.change(store, Wish(id=channel_id, status=1))
    assert ids(await routes(store), "m") == [channel_id]


async def test_only_one_of_many_disables_a_channel(store: Database) -> None:
    (channel_id,) = await queries.create(store, Wish(key="a", models="m"), now=NOW)
    won = await asyncio.gather(*(queries.disable(store, channel_id, "gone") for _ in range(5)))
    assert sorted(won) == [False] * 4 + [True]
    assert [row["status"] for row in await rows(store, select(channels.c.status))] == [3]
    assert ids(await routes(store), "m") == []
    assert await generation(store) == 2


async def test_what_was_disabled_by_hand_is_not_enabled_again(store: Database) -> None:
    (channel_id,) = await queries.create(store, Wish(key="a", models="m", status=2), now=NOW)
    assert not await queries.enable(store, channel_id)
    assert not await queries.disable(store, channel_id, "gone")
    assert [row["status"] for row in await rows(store, select(channels.c.status))] == [2]


async def test_what_the_gateway_disabled_is_enabled_again(store: Database) -> None:
    (channel_id,) = await queries.create(store, Wish(key="a", models="m"), now=NOW)
    await queries.disable(store, channel_id, "gone")
    assert await queries.enable(store, channel_id)
    assert ids(await routes(store), "m") == [channel_id]
    async with store.read() as tx:
        assert (await tx.execute(select(channel_causes))).all() == []


async def test_the_cause_is_told_while_it_holds(store: Database) -> None:
    """Also when another program changes the status, or gives the number to another channel."""
    (channel_id,) = await queries.create(store, Wish(key="a", models="m"), now=NOW)
    await queries.disable(store, channel_id, "bad key: " + "x" * 300)
    found = await queries.get(store, channel_id)
    assert (found.cause, found.disabled_time > 0) == (("bad key: " + "x" * 300)[:191], True)
    for columns in ({"status": 1}, {"status": 3, "created_time": NOW + 1}):
        async with store.write() as tx:
            await tx.execute(update(channels).where(channels.c.id == channel_id).values(columns))
        found = await queries.get(store, channel_id)
        assert (found.cause, found.disabled_time) == ("", 0)


async def test_deleting_takes_the_abilities_along(store: Database) -> None:
    first, second = await queries.create(store, Wish(key="a\nb", models="m"), now=NOW)
    await queries.remove(store, first)
    await queries.remove(store, 9999)
    assert [row["channel_id"] for row in await rows(store, select(abilities))] == [second]
    with pytest.raises(Refused, match="WHERE conditions required"):
        await queries.remove(store, 0)


async def test_deleting_the_disabled_leaves_the_enabled(store: Database) -> None:
    made = await queries.create(store, Wish(key="a\nb\nc\nd", models="m"), now=NOW)
    await queries.change(store, Wish(id=made[0], status=2))
    await queries.disable(store, made[1], "gone")
    assert await queries.remove_disabled(store) == 2
    assert await queries.remove_disabled(store) == 0
    assert [row["id"] for row in await rows(store, select(channels.c.id).order_by(channels.c.id))] == made[2:]
    assert sorted({row["channel_id"] for row in await rows(store, select(abilities))}) == made[2:]


async def test_channels_are_listed_by_tens_newest_first(store: Database) -> None:
    made = await queries.create(store, Wish(key="\n".join("k" * 12), name="many"), now=NOW)
    assert [channel.id for channel in await queries.page(store, number=0)] == made[::-1][:10]
    assert [channel.id for channel in await queries.page(store, number=1)] == made[::-1][10:]
    assert await queries.page(store, number=2) == []


async def test_a_channel_is_sought_by_number_and_by_the_start_of_its_name(store: Database) -> None:
    (first,) = await queries.create(store, Wish(key="sk-secret", name="batch"), now=NOW)
    await queries.create(store, Wish(key="b", name="other"), now=NOW)

    async def found(keyword: str) -> list[str]:
        return [channel.name for channel in await queries.search(store, keyword=keyword)]

    assert await found("ba") == ["batch"]
    assert await found(str(first)) == ["batch"]
    assert await found("sk-secret") == []
    assert await found("") == ["batch", "other"]


async def test_rows_of_an_older_version_are_shown_without_null_where_consoles_split(store: Database) -> None:
    (channel_id,) = await queries.create(store, Wish(key="a"), now=NOW)
    nothing = dict.fromkeys(("name", "models", "group", "config", "balance", "test_time", "weight", "system_prompt"))
    async with store.write() as tx:
        await tx.execute(update(channels).values(nothing))
    shown = await queries.get(store, channel_id)
    assert (shown.name, shown.models, shown.group, shown.config, shown.balance, shown.test_time) == (
        "",
        "",
        "",
        "",
        0,
        0,
    )
    assert (shown.weight, shown.system_prompt) == (None, None)
    assert (await routes(store)).channel(channel_id) is not None
