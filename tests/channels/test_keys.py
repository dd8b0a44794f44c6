"""Several keys in one channel, on every database."""

import asyncio

import pytest
from sqlalchemy import delete, insert, select, update

from one_api.channels import keys, queries, upkeep
from one_api.channels.rules import Refused, Wish
from one_api.routing import Channel
from one_api.store.engine import Database
from one_api.store.schema import abilities, channel_keys, channel_parameters, channels

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
HEADERS = '{"headers":{"X-A":"b"}}'


async def made(store: Database, text: str = "k1\nk2\nk3", choice: str = "round_robin", parameters: str = "") -> int:
    wish = Wish(type=1, name="c", key=text, models="m", key_choice=choice, parameters=parameters)
    (number,) = await queries.create(store, wish, now=NOW)
    return number


async def lead(store: Database, number: int) -> str:
    async with store.read() as tx:
        return str(await tx.scalar(select(channels.c.key).where(channels.c.id == number)))


async def usable(store: Database, number: int) -> list[tuple[int, str]]:
    return [(each.number, each.key) for each in (await upkeep.find(store, number)).keys]


async def with_key(store: Database, number: int, key: int) -> Channel:
    return await upkeep.with_key(store, await upkeep.find(store, number), key)


async def disable(store: Database, number: int, key: int) -> int | None:
    return await upkeep.Switches(store).disable_key(await with_key(store, number, key), "bad key")


async def test_lines_are_the_keys_of_one_channel_only_where_that_is_chosen(store: Database) -> None:
    several = await made(store)
    assert await usable(store, several) == [(1, "k1"), (2, "k2"), (3, "k3")]
    assert await lead(store, several) == "k1"
    assert len(await queries.create(store, Wish(key="a\nb", models="m"), now=NOW)) == 2


async def test_a_key_goes_out_of_use_alone_and_the_channel_with_the_last(store: Database) -> None:
    number = await made(store)
    assert await disable(store, number, 1) == 2
    assert await disable(store, number, 1) is None
    assert (await lead(store, number), await usable(store, number)) == ("k2", [(2, "k2"), (3, "k3")])
    left = await asyncio.gather(disable(store, number, 2), disable(store, number, 3))
    assert sorted(each for each in left if each is not None) == [0, 1]
    channel = await upkeep.find(store, number)
    assert (channel.status, channel.keys) == (3, ())
    async with store.read() as tx:
        assert not await tx.scalar(select(abilities.c.enabled).where(abilities.c.channel_id == number))
    shown = await keys.shown(store, number)
    assert [(each.number, each.status, each.cause) for each in shown] == [(key, 3, "bad key") for key in (1, 2, 3)]


async def test_a_key_that_works_again_takes_its_channel_with_it(store: Database) -> None:
    number = await made(store, "k1\nk2")
    for key in (1, 2):
        await disable(store, number, key)
    switches = upkeep.Switches(store)
    assert await switches.enable_key(await with_key(store, number, 2))
    assert not await switches.enable_key(await with_key(store, number, 2))
    assert ((await upkeep.find(store, number)).status, await usable(store, number)) == (1, [(2, "k2")])
    assert await lead(store, number) == "k2"


async def test_what_a_person_takes_out_of_use_no_test_brings_back(store: Database) -> None:
    number = await made(store)
    await keys.switch(store, number, 2, 2, now=NOW)
    assert not await upkeep.Switches(store).enable_key(await with_key(store, number, 2))
    assert await upkeep.out_of_use(store, await upkeep.find(store, number)) == []
    await keys.switch(store, number, 2, 1, now=NOW)
    assert len(await usable(store, number)) == 3


async def test_keys_are_added_replaced_and_removed(store: Database) -> None:
    number = await made(store, "k1\nk2")
    await disable(store, number, 1)
    await keys.add(store, number, ["k2", "k3"])
    assert await usable(store, number) == [(2, "k2"), (3, "k3")]
    await queries.change(store, Wish(id=number, key="k1\nk4"))
    assert await usable(store, number) == [(2, "k4")]
    await keys.remove(store, number, 1)
    with pytest.raises(Refused, match="至少需要一个密钥"):
        await keys.remove(store, number, 2)
    with pytest.raises(Refused, match="record not found"):
        await keys.remove(store, number, 9)


async def test_one_key_becomes_several_and_one_again(store: Database) -> None:
    (number,) = await queries.create(store, Wish(key="k1", models="m"), now=NOW)
    with pytest.raises(Refused, match="不能包含换行"):
        await queries.change(store, Wish(id=number, key="a\nb"))
    with pytest.raises(Refused, match="只有一个密钥"):
        await keys.add(store, number, ["k2"])
    assert (await queries.change(store, Wish(id=number, key_choice="random"))).key_choice == "random"
    await keys.add(store, number, ["k2"])
    assert [key for _, key in await usable(store, number)] == ["k1", "k2"]
    assert (await queries.change(store, Wish(id=number, key_choice=""))).key_choice == ""
    assert (await usable(store, number), await lead(store, number)) == ([], "k1")


async def test_a_key_that_another_program_wrote_is_the_only_one(store: Database) -> None:
    number = await made(store)
    async with store.write() as tx:
        await tx.execute(update(channels).where(channels.c.id == number).values(key="theirs"))
    channel = await upkeep.find(store, number)
    assert (channel.key, channel.keys, await keys.shown(store, number)) == ("theirs", (), [])


async def test_parameters_stay_with_their_channel(store: Database) -> None:
    number = await made(store, "k", "", HEADERS)
    assert (await queries.get(store, number)).parameters == HEADERS
    await queries.change(store, Wish(id=number, name="other", created_time=NOW + 5))
    found = (await upkeep.find(store, number)).parameters
    assert found is not None
    assert found.headers == {"x-a": "b"}
    assert (await queries.change(store, Wish(id=number, parameters=""))).parameters == ""
    assert (await upkeep.find(store, number)).parameters is None


async def test_a_number_given_again_inherits_nothing(store: Database) -> None:
    number = await made(store, parameters=HEADERS)
    async with store.write() as tx:  # as One API's program does it, which knows of no other table
        await tx.execute(delete(channels).where(channels.c.id == number))
        await tx.execute(insert(channels).values(id=number, key="new", created_time=NOW + 1, status=1))
    channel = await upkeep.find(store, number)
    assert (channel.key, channel.keys, channel.parameters) == ("new", (), None)
    shown = await queries.get(store, number)
    assert (shown.parameters, shown.key_choice) == ("", "")


async def test_a_removed_channel_leaves_nothing(store: Database) -> None:
    await queries.remove(store, await made(store, parameters=HEADERS))
    async with store.read() as tx:
        assert (await tx.execute(select(channel_keys))).all() == []
        assert (await tx.execute(select(channel_parameters))).all() == []


@pytest.mark.parametrize(
    "wish, complaint",
    [
        (Wish(key="k", key_choice="all"), "key_choice"),
        (Wish(key="k", parameters='{"headers":{"Host":"a"}}'), "'Host' belongs to the connection"),
        (Wish(key="k", parameters="{" + " " * 65536 + "}"), "过长"),
        (Wish(key="a\nb\rc", key_choice="random"), "不能包含换行"),
    ],
)
async def test_what_cannot_be_saved_is_refused(store: Database, wish: Wish, complaint: str) -> None:
    with pytest.raises(Refused, match=complaint):
        await queries.create(store, wish, now=NOW)
    async with store.read() as tx:
        assert (await tx.execute(select(channels.c.id))).all() == []
