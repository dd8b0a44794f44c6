"""Who pays for a call that did not come to its end: cut by the upstream, left by the client, overtaken by events."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest

from tests.e2e import wire
from tests.e2e.books import eventually
from tests.e2e.paying import (
    COUNTED,
    ERROR,
    PROMPT,
    TEXT,
    Site,
    all_in_the_log,
    ask,
    mark,
    open_site,
    part_of_a_whole,
    read_by_gateway,
)
from tests.e2e.world import START, World
from tests.harness import scripted
from tests.harness.admin import Admin
from tests.harness.scripted import DONE, Turn, chunk, tokens, usage_chunk

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with open_site(tmp_path_factory.mktemp("midway")) as site:
        yield site


# --- cut by the upstream ----------------------------------------------------------------------------------------------


async def end_without_an_end(turn: Turn) -> None:
    await turn.end()


async def fin(turn: Turn) -> None:
    turn.close()


async def rst(turn: Turn) -> None:
    turn.reset()


async def half_a_chunk(turn: Turn) -> None:
    await turn.send(b"ff\r\n" + chunk("never whole")[:20])
    turn.close()


async def bad_chunk(turn: Turn) -> None:
    await turn.send(b"zz\r\n")


async def half_an_event(turn: Turn) -> None:
    await turn.piece(chunk("never whole")[:-12])
    await turn.end()


async def an_error(turn: Turn) -> None:
    await turn.piece(ERROR + chunk("never seen"))


async def an_error_without_its_blank_line(turn: Turn) -> None:
    await turn.piece(ERROR[:-2])
    await turn.end()


CUTS: Mapping[str, tuple[str, Callable[[Turn], Awaitable[None]]]] = {
    "end": ("the upstream's stream ended before its answer did", end_without_an_end),
    "FIN": ("the upstream broke off (closed)", fin),
    "RST": ("the upstream broke off (closed)", rst),
    "half a chunk": ("the upstream broke off (closed)", half_a_chunk),
    "bad chunk": ("the upstream broke off (protocol)", bad_chunk),
    "half an event": ("the upstream's stream ended before its answer did", half_an_event),
    "error": ("overloaded", an_error),
    "error at the end": ("overloaded", an_error_without_its_blank_line),
}


@pytest.mark.parametrize("usage", [None, tokens(20, 10)], ids=["counted", "reported"])
@pytest.mark.parametrize("case", CUTS)
async def test_a_stream_cut_by_the_upstream_costs_what_it_produced(site: Site, case: str, usage: object) -> None:
    message, cut = CUTS[case]
    before = await mark(site)
    async with wire.connect(site.world.port) as connection:
        connection.send(wire.chat(site.key, stream=True))
        turn = await site.world.upstream.turn()
        first = chunk("hello") + chunk(" world", usage=usage)
        await turn.events(first)
        assert (await connection.head())[0] == 200
        assert await connection.content(len(first)) == first
        await cut(turn)
        last, complete = await connection.rest()
    assert complete
    assert last.startswith(b"data: ")
    assert last.endswith(b"\n\n")
    error = json.loads(last[6:])["error"]
    assert error["message"].startswith(f"{message} (request id: ")
    turn.close()
    await before.paid(COUNTED if usage is None else 40, "estimated")


async def test_a_stream_without_framing_is_cut_by_its_end(site: Site) -> None:
    """Where the end of the connection is the end of the answer, only the answer says whether it is whole."""
    before = await mark(site)
    async with wire.connect(site.world.port) as connection:
        connection.send(wire.chat(site.key, stream=True))
        turn = await site.world.upstream.turn()
        await turn.send(scripted.head(200, [("content-type", "text/event-stream")]) + chunk("hello") + chunk(" world"))
        turn.close()
        body = (await connection.reply()).body
    assert b"[DONE]" not in body
    assert b"the upstream's stream ended before its answer did" in body
    await before.paid(COUNTED, "estimated")


async def test_a_finished_stream_without_its_mark_is_complete(site: Site) -> None:
    site.world.upstream.scripts["up"] = scripted.streams(chunk(TEXT), chunk(finish="stop"))
    before = await mark(site)
    assert (await ask(site, stream=True)).body.endswith(DONE)
    await before.paid(COUNTED, "counted")


# --- left by the client -----------------------------------------------------------------------------------------------


async def leaving(site: Site, begun: Callable[[Turn], Awaitable[None]], *, stream: bool) -> None:
    """A client that leaves when the upstream has done so much and nothing of it can have reached him."""
    async with wire.connect(site.world.port) as connection:
        connection.send(wire.chat(site.key, stream=stream))
        turn = await site.world.upstream.turn()
        await begun(turn)
        connection.leave()
        await turn.left()


async def silent(_turn: Turn) -> None:
    pass


async def half_a_head(turn: Turn) -> None:
    await turn.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n")


@both
@pytest.mark.parametrize("begun", [silent, half_a_head])
async def test_who_leaves_before_the_upstream_accepted_pays_nothing(
    site: Site, *, stream: bool, begun: Callable[[Turn], Awaitable[None]]
) -> None:
    before = await mark(site)
    await leaving(site, begun, stream=stream)
    await before.free()


async def settled_within(site: Site, count: int) -> None:
    async def there() -> bool:
        return len(await site.world.books.finals()) >= count

    await eventually(there)


async def head_only(turn: Turn) -> None:
    await turn.events()
    await turn.send(b"5\r\n: hi")  # so that whoever reads this has read the head


async def comments(turn: Turn) -> None:
    await turn.events(b": wait\n\n: wait\n\n")


@pytest.mark.parametrize("begun", [head_only, comments, part_of_a_whole])
async def test_who_leaves_when_the_upstream_had_accepted_pays_the_prompt(
    site: Site, begun: Callable[[Turn], Awaitable[None]]
) -> None:
    before = await mark(site)
    async with wire.connect(site.world.port) as connection:
        connection.send(wire.chat(site.key, stream=begun is not part_of_a_whole))
        turn = await site.world.upstream.turn()
        await begun(turn)
        await read_by_gateway(site)
        connection.leave()
        await turn.left()
    final = await before.paid(PROMPT, "counted")
    assert (final.prompt_tokens, final.completion_tokens) == (PROMPT, 0)


async def test_who_leaves_before_an_errors_end_pays_nothing(site: Site) -> None:
    async def half_an_error(turn: Turn) -> None:
        await turn.send(scripted.head(500, [("content-length", "500")]) + b"{")
        await read_by_gateway(site)

    before = await mark(site)
    await leaving(site, half_an_error, stream=False)
    await before.free()


EVENTS = [chunk("hello"), chunk(" world"), chunk(" hello"), chunk(" world")]
STREAM = b"".join(EVENTS)
BYTES = sorted(
    {
        *(len(EVENTS[0]) + each for each in (0, 1, 6, 40)),
        *(sum(map(len, EVENTS[:count])) + each for count in (2, 3, 4) for each in (-2, -1, 0)),
    }
)


@pytest.mark.parametrize("at", BYTES)
async def test_who_leaves_in_mid_stream_pays_what_was_produced(site: Site, at: int) -> None:
    whole = sum(end <= at for end in ends(EVENTS))
    before = await mark(site)
    async with wire.connect(site.world.port) as connection:
        connection.send(wire.chat(site.key, stream=True))
        turn = await site.world.upstream.turn()
        await turn.events(STREAM[:at])
        assert (await connection.head())[0] == 200
        await connection.content(ends(EVENTS)[whole - 1])
        connection.leave()
        await turn.left()
    final = await before.paid(PROMPT + 2 * whole, "counted")
    assert final.completion_tokens == whole


async def test_a_long_stream_writes_down_what_a_crash_would_cost(site: Site) -> None:
    count = 520  # more than go by between two notes
    before = await mark(site)
    async with wire.connect(site.world.port) as connection:
        connection.send(wire.chat(site.key, stream=True))
        turn = await site.world.upstream.turn()
        await turn.events(EVENTS[0])
        assert (await connection.head())[0] == 200
        await connection.content(len(EVENTS[0]))
        await turn.piece(EVENTS[0] * (count - 1))

        async def noted() -> bool:
            (hold,) = await site.world.books.holds()
            return 2 * count <= int(hold.checkpoint) <= int(hold.quota)

        await eventually(noted)
        connection.leave()
        await turn.left()
    await before.paid(PROMPT + 2 * count, "counted")


def ends(events: list[bytes]) -> list[int]:
    """Where each event ends."""
    return [sum(map(len, events[: count + 1])) for count in range(len(events))]


async def test_who_leaves_after_a_report_pays_what_was_reported(site: Site) -> None:
    before = await mark(site)
    async with wire.connect(site.world.port) as connection:
        connection.send(wire.chat(site.key, stream=True))
        turn = await site.world.upstream.turn()
        first = chunk("hello", usage=tokens(20, 1))
        await turn.events(first)
        assert (await connection.head())[0] == 200
        await connection.content(len(first))
        connection.leave()
        await turn.left()
    await before.paid(20 + 2, "reported")


async def test_many_who_leave_pay_each_their_own(site: Site) -> None:
    """Left at once and by many: none of the holds stays open, none of the charges is lost."""
    count = 40
    before = await mark(site)

    async def leave() -> None:
        async with wire.connect(site.world.port) as connection:
            connection.send(wire.chat(site.key, stream=True))
            assert (await connection.head())[0] == 200
            await connection.content(len(EVENTS[0]))
            connection.leave()

    async def endless(turn: Turn) -> None:
        await turn.events(EVENTS[0])
        await turn.left()

    site.world.upstream.scripts["up"] = endless
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(leave())
    await settled_within(site, before.finals + count)
    finals = list(await site.world.books.finals())[before.finals :]
    assert [(row.quota, row.source) for row in finals] == [(PROMPT + 2, "counted")] * count
    row = await site.world.books.user("alice")
    assert row.quota + row.used_quota == START
    assert before.quota - row.quota == count * (PROMPT + 2)


# --- meanwhile --------------------------------------------------------------------------------------------------------


def disable_token(_root: Admin, user: Admin) -> None:
    user.ask("PUT", "/api/token/", params={"status_only": "1"}, json={"id": user.tokens()[0]["id"], "status": 2})


def delete_token(_root: Admin, user: Admin) -> None:
    user.ask("DELETE", f"/api/token/{user.tokens()[0]['id']}")


def expire_token(_root: Admin, user: Admin) -> None:
    token = user.tokens()[0]
    user.ask("PUT", "/api/token/", json={**token, "expired_time": 1_000_000})


def exhaust_token(_root: Admin, user: Admin) -> None:
    token = user.tokens()[0]
    user.ask("PUT", "/api/token/", json={**token, "unlimited_quota": False, "remain_quota": 0})


def disable_user(root: Admin, user: Admin) -> None:
    root.ask("POST", "/api/user/manage", json={"username": user.me()["username"], "action": "disable"})


def delete_user(root: Admin, user: Admin) -> None:
    root.ask("POST", "/api/user/manage", json={"username": user.me()["username"], "action": "delete"})


def nothing_left(root: Admin, user: Admin) -> None:
    me = user.me()
    root.ask("PUT", "/api/user/", json={"id": me["id"], "quota": 0})


MEANWHILE = (disable_token, delete_token, expire_token, exhaust_token, disable_user, delete_user, nothing_left)


@pytest.mark.parametrize("happens", MEANWHILE)
async def test_what_happens_to_the_caller_meanwhile_changes_no_bill(
    site: Site, happens: Callable[[Admin, Admin], None]
) -> None:
    world, name = site.world, happens.__name__.replace("_", "")[:12]
    user = world.root.user(name, START)
    key, user_id = user.token(), user.me()["id"]
    async with wire.connect(world.port) as connection:
        connection.send(wire.chat(key, stream=True))
        turn = await world.upstream.turn()
        await turn.events(chunk("hello"))
        assert (await connection.head())[0] == 200
        await connection.until(b"hello")
        await asyncio.to_thread(happens, world.root, user)
        await refused(world, key)
        await turn.piece(chunk(" world") + chunk(finish="stop") + usage_chunk(tokens(20, 10)) + DONE)
        await turn.end()
        body, complete = await connection.rest()
    assert complete
    assert body.endswith(DONE)
    await world.books.settled()
    (final,) = [row for row in await world.books.finals() if row.user_id == user_id]
    assert (final.quota, final.source) == (40, "reported")
    assert await world.books.granted(user_id) == final.quota


async def refused(world: World, key: str) -> None:
    reply = await world.ask(wire.chat(key))
    assert reply.status in (401, 403), reply


# --- the log ---


async def test_every_charge_is_in_the_log(site: Site) -> None:
    """Last: of all the calls above."""
    await all_in_the_log(site)
