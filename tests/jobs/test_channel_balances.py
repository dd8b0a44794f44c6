"""Balances, asked for over real sockets the way calls go, and saved."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from one_api.channels import queries
from one_api.channels.rules import Refused, Wish
from one_api.errors import OneAPIError
from one_api.options import DEFAULTS
from one_api.providers.balances import NoBalance
from one_api.store.engine import Database
from one_api.store.schema import channels
from tests.harness import scripted
from tests.harness.lookingafter import looking_after
from tests.harness.scripted import Turn, Upstream, replies

pytestmark = pytest.mark.anyio

NOW = 1_795_487_000  # 24 November 2026
AUTOMATIC = replace(DEFAULTS, automatic_disable_channel_enabled=True)


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with scripted.serve() as serving:
        yield serving


async def channel(store: Database, upstream: Upstream, name: str = "main", kind: int = 1, **more: Any) -> int:
    wish = Wish(type=kind, name=name, key=f"sk-up-{name}", base_url=upstream.at(name), models="m", **more)
    return (await queries.create(store, wish, now=NOW))[0]


def billing(limit: float, used: float) -> scripted.Script:
    """OpenAI's two pages."""

    async def script(turn: Turn) -> None:
        subscription = b'{"has_payment_method":true,"hard_limit_usd":%f}' % limit
        usage = b'{"total_usage":%f}' % used
        await turn.reply(200, subscription if turn.request.target.endswith("/subscription") else usage)

    return script


async def balances(store: Database) -> dict[str, tuple[float, int, int]]:
    """Balance, when it was updated, and status, by name."""
    async with store.read() as tx:
        return {
            row.name: (row.balance or 0, row.balance_updated_time or 0, row.status)
            for row in await tx.execute(select(channels))
        }


async def test_a_balance_is_asked_for_and_saved(store: Database, upstream: Upstream) -> None:
    number = await channel(store, upstream)
    upstream.scripts["main"] = billing(120, 2034.5)
    async with looking_after(store, clock=lambda: float(NOW)) as after:
        assert await after.upkeep.balances.update(number) == pytest.approx(99.655)
    saved, *rest = (await balances(store))["main"]
    assert saved == pytest.approx(99.655)
    assert rest == [NOW, 1]
    assert [(request.method, request.target.partition("?")[0]) for request in upstream.received] == [
        ("GET", "/main/v1/dashboard/billing/subscription"),
        ("GET", "/main/v1/dashboard/billing/usage"),
    ]
    assert upstream.received[1].target.endswith("?start_date=2026-11-01&end_date=2026-11-24")
    assert {request.header("authorization") for request in upstream.received} == {"Bearer sk-up-main"}


@pytest.mark.parametrize(
    "kind, status, body, message",
    [
        (1, 401, b'{"error":{"message":"sk-up-main"}}', "status code: 401"),
        (1, 302, b"", "status code: 302"),
        (1, 200, b"html", "invalid character 'h' looking for beginning of value"),
        (1, 200, b"{}", "上游返回的余额无法识别"),
        (3, 200, b"{}", "尚未实现"),
        (14, 200, b"{}", "尚未实现"),
        (5, 200, b'{"msg":"no user for sk-up-main"}', "no user for ***"),
        (44, 200, b'{"code":1,"message":"key sk-up-main"}', "code: 1, message: key ***"),
    ],
)
async def test_what_is_said_where_none_is_known(
    store: Database, upstream: Upstream, kind: int, status: int, body: bytes, message: str
) -> None:
    number = await channel(store, upstream, kind=kind)
    upstream.scripts["main"] = replies(status, body)
    async with looking_after(store) as after:
        with pytest.raises(NoBalance) as refused:
            await after.upkeep.balances.update(number)
        assert refused.value.message == message
    assert (await balances(store))["main"] == (0, 0, 1)


async def test_an_unknown_channel_and_one_nobody_reaches(store: Database) -> None:
    made = await queries.create(store, Wish(type=5, key="sk-secret", base_url="http://127.0.0.1:1"), now=NOW)
    async with looking_after(store) as after:
        with pytest.raises(Refused, match="record not found"):
            await after.upkeep.balances.update(9999)
        with pytest.raises(OneAPIError) as refused:
            await after.upkeep.balances.update(made[0])
    assert refused.value.message == "do request failed: the upstream cannot be reached"


async def test_all_in_use_are_updated_and_one_that_fails_stops_no_other(store: Database, upstream: Upstream) -> None:
    await channel(store, upstream, "a")
    await channel(store, upstream, "b")
    await channel(store, upstream, "off", status=2)
    await channel(store, upstream, "foreign", kind=14)
    await channel(store, upstream, "empty")
    await channel(store, upstream, "points", kind=4)
    upstream.scripts |= {"a": billing(10, 0), "b": replies(500, b"boom"), "off": billing(7, 0)}
    upstream.scripts |= {"empty": billing(5, 600), "points": replies(200, b'{"total_available":0}')}
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    automatic: dict[str, Any] = {
        "options": lambda: AUTOMATIC,
        "clock": lambda: float(NOW),
        "pause_s": 2.0,
        "sleep": sleep,
    }
    async with looking_after(store, **automatic) as after:
        await after.upkeep.balances.update_all()
        (letter,) = [content for _, _, content in await after.read()]
    assert await balances(store) == {
        "a": (10, NOW, 1),
        "b": (0, 0, 1),
        "off": (0, 0, 2),
        "foreign": (0, 0, 1),
        "empty": (-1, NOW, 3),
        "points": (0, NOW, 1),  # what nothing left means there, nobody knows
    }
    assert "余额不足" in letter
    assert pauses == [2.0, 2.0, 2.0]


async def test_an_empty_account_stays_in_use_where_nothing_is_disabled(store: Database, upstream: Upstream) -> None:
    await channel(store, upstream)
    upstream.scripts["main"] = billing(5, 600)
    async with looking_after(store, clock=lambda: float(NOW)) as after:
        await after.upkeep.balances.run()
        assert await after.read() == []
    assert await balances(store) == {"main": (-1, NOW, 1)}


async def test_of_two_nodes_one_updates(store: Database, upstream: Upstream) -> None:
    await channel(store, upstream, kind=4)
    async with looking_after(store) as first, looking_after(store) as second:
        assert await first.upkeep.balances.begin()
        turn = await upstream.turn()
        await second.upkeep.balances.run()
        await second.upkeep.balances.update_all()
        await turn.reply(200, b'{"total_available":5}')
        await first.upkeep.balances.settled()
    assert len(upstream.received) == 1
    assert (await balances(store))["main"][0] == 5
