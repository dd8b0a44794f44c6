"""The ledger as its callers see it, on each database."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert

from one_api.errors import AccessDenied, OneAPIError, QuotaExceeded, TokenQuotaExceeded, TokenRefused, Unavailable
from one_api.ledger import Facts, Hold, Ledger
from one_api.ledger.model import MOST
from one_api.store.schema import tokens, users
from tests.ledger.world import World, request

pytestmark = pytest.mark.anyio

DONE = Facts(
    channel_id=1,
    model_name="gpt",
    prompt_tokens=3,
    completion_tokens=4,
    source="reported",
    username="user1",
    token_name="token1",
)
NOT_LOGGED = Facts(logged=False)


async def test_settle_charges_user_and_token_and_gives_the_rest_back(books: World) -> None:
    await books.add_user(quota=1000)
    await books.add_token(remain=500)
    async with books.ledger() as ledger:
        hold = await ledger.hold(request(most=300))
        assert hold == Hold(request_id="call", user_id=1, token_id=1, unlimited=False, quota=300)
        assert (await books.user(), await books.token()) == ((700, 0, 0), (200, 0))
        assert await ledger.settle(hold, 120, DONE)
    assert (await books.user(), await books.token()) == ((880, 120, 1), (380, 120))
    assert await books.rows("select * from holds") == []


async def test_settle_twice_charges_once(books: World) -> None:
    await books.add_user()
    await books.add_token()
    async with books.ledger() as ledger:
        hold = await ledger.hold(request())
        answers = await asyncio.gather(ledger.settle(hold, 10, DONE), ledger.settle(hold, 20, DONE))
        assert list(answers) == [True, False]
        assert not await ledger.settle(hold, 30, DONE)
    assert (await books.user())[:2] == (990, 10)
    assert await books.value("select count(*) from ledger") == 1


async def test_an_unlimited_token_is_counted_but_not_limited(books: World) -> None:
    await books.add_user()
    await books.add_token(remain=0, unlimited_quota=True)
    async with books.ledger() as ledger:
        hold = await ledger.hold(request())
        assert hold.unlimited
        await ledger.settle(hold, 60, DONE)
    assert (await books.user(), await books.token()) == ((940, 60, 1), (0, 60))


async def test_a_release_leaves_no_trace(books: World) -> None:
    await books.add_user()
    await books.add_token()
    async with books.ledger() as ledger:
        hold = await ledger.hold(request())
        assert await ledger.settle(hold, 0, NOT_LOGGED)
        assert not await ledger.settle(hold, 50, DONE)
        await ledger.flush()
    assert (await books.user(), await books.token()) == ((1000, 0, 0), (1000, 0))
    assert await books.rows("select * from ledger union all select * from ledger") == []
    assert await books.value("select count(*) from logs") == 0


async def test_a_failed_call_is_counted_and_logged_at_no_cost(books: World) -> None:
    await books.add_user()
    await books.add_token()
    async with books.ledger() as ledger:
        await ledger.settle(await ledger.hold(request()), 0, DONE)
        await ledger.flush()
    assert await books.user() == (1000, 0, 1)
    assert await books.value("select quota from logs") == 0


@pytest.mark.parametrize(
    "user, token, expected",
    [
        ({"quota": 99}, {}, QuotaExceeded("user quota is not enough")),
        ({}, {"remain": 99}, TokenQuotaExceeded("令牌额度不足")),
        ({}, {"remain": 0}, TokenRefused("该令牌额度已用尽")),
        ({}, {"remain": -5}, TokenRefused("该令牌额度已用尽")),
        ({"status": 2}, {}, AccessDenied("用户已被封禁")),
        ({"status": 3}, {}, AccessDenied("用户已被封禁")),
        ({}, {"status": 2}, TokenRefused("该令牌状态不可用")),
        ({}, {"status": 3}, TokenRefused("该令牌已过期")),
        ({}, {"status": 4}, TokenRefused("令牌 token1（#1）额度已用尽")),
        ({}, {"expired_time": 1_000_000}, TokenRefused("该令牌已过期")),
        ({}, {"user_id": 2}, TokenRefused("无效的令牌")),
        ({}, {"token_id": 2}, TokenRefused("无效的令牌")),
        ({"status": 2}, {"remain": 0}, TokenRefused("该令牌额度已用尽")),
    ],
)
async def test_a_hold_is_refused_with_its_reason(
    file: World, user: dict[str, Any], token: dict[str, Any], expected: OneAPIError
) -> None:
    await file.add_user(**user)
    await file.add_token(**token)
    before = await file.user()
    async with file.ledger() as ledger:
        with pytest.raises(type(expected)) as refused:
            await ledger.hold(request(least=100))
    assert refused.value.message == expected.message
    assert await file.user() == before
    assert await file.value("select count(*) from holds") == 0


async def test_a_hold_takes_what_is_left_down_to_the_least(books: World) -> None:
    await books.add_user(quota=50)
    await books.add_token(remain=40)
    async with books.ledger() as ledger:
        hold = await ledger.hold(request(least=40, most=100))
        assert hold.quota == 40
        await ledger.settle(hold, 40, DONE)
    assert (await books.user(), await books.token()) == ((10, 40, 1), (0, 40))


async def test_a_cost_above_the_hold_takes_what_is_left_and_books_the_rest_as_short(books: World) -> None:
    await books.add_user(quota=150)
    await books.add_token(remain=130)
    async with books.ledger() as ledger:
        await ledger.settle(await ledger.hold(request(most=100)), 1000, DONE)
    assert (await books.user(), await books.token()) == ((20, 130, 1), (0, 130))
    assert await books.row("select quota, held, short from ledger") == {"quota": 130, "held": 100, "short": 870}


async def test_calls_at_once_never_spend_more_than_the_balance(books: World) -> None:
    await books.add_user(quota=1000)
    await books.add_token(remain=10**6)
    async with books.ledger() as ledger:
        asked = [ledger.hold(request(f"call{n}", least=100, most=100)) for n in range(200)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        holds = [answer for answer in answers if isinstance(answer, Hold)]
        assert len(holds) == 10
        assert all(isinstance(answer, QuotaExceeded) for answer in answers if not isinstance(answer, Hold))
        assert all(await asyncio.gather(*[ledger.settle(hold, 100, DONE) for hold in holds]))
    assert await books.user() == (0, 1000, 10)


async def test_a_user_or_token_that_is_gone_meanwhile_pays_as_far_as_he_can(books: World) -> None:
    await books.add_user()
    await books.add_token()
    async with books.ledger() as ledger:
        first, second = await asyncio.gather(ledger.hold(request("a")), ledger.hold(request("b")))
        await books.change("update users set status = 2")
        assert await ledger.settle(first, 30, DONE)
        assert (await books.user())[0] == 870
        await books.change("delete from tokens")
        await books.change("delete from users")
        assert await ledger.settle(second, 40, DONE)
    assert await books.value("select sum(quota) from ledger") == 70


async def test_grants_count_once(books: World) -> None:
    await books.add_user(quota=5)
    async with books.ledger() as ledger:
        twice = asyncio.gather(ledger.grant(1, 100, "redeem", "code1"), ledger.grant(1, 100, "redeem", "code1"))
        assert sorted(await twice) == [False, True]
        assert not await ledger.grant(1, 100, "redeem", "code1")
        assert await ledger.grant(1, 100, "topup", "code1")
        assert not await ledger.grant(7, 100, "redeem", "code2")
        assert await ledger.grant(1, -1000, "adjust", "take")
        assert await ledger.set_user_quota(1, 77, "edit")
    assert await books.user() == (77, 0, 0)
    booked = await books.rows("select kind, quota, short from ledger order by id")
    assert [tuple(row.values()) for row in booked] == [
        ("redeem", 100, 0),
        ("topup", 100, 0),
        ("adjust", -205, 795),
        ("adjust", 77, 0),
    ]


async def test_a_token_edit_waits_for_its_turn_and_open_holds_come_back_on_top(books: World) -> None:
    await books.add_user()
    await books.add_token(remain=100)
    async with books.ledger() as ledger:
        hold = await ledger.hold(request(most=100))
        assert await ledger.set_token_quota(1, 500, unlimited=False)
        assert not await ledger.set_token_quota(9, 500, unlimited=False)
        await ledger.settle(hold, 40, DONE)
        assert await books.token() == (560, 40)
        assert await ledger.set_token_quota(1, 3, unlimited=True)
        assert (await ledger.hold(request("other", least=50))).unlimited


async def test_settled_calls_are_in_the_log_and_in_their_channels_total(books: World) -> None:
    await books.add_user()
    await books.add_token()
    await books.add_channel()
    async with books.ledger(clock=lambda: 1_700_000_000.9) as ledger:
        facts = Facts(
            channel_id=1, model_name="模型", prompt_tokens=3, completion_tokens=4, content="倍率",
            username="user1", token_name="token1", elapsed_ms=12, first_s=0.0074, is_stream=True, source="reported",
        )  # fmt: skip
        for number in range(3):
            await ledger.settle(await ledger.hold(request(f"call{number}")), 10, facts)
        await ledger.settle(await ledger.hold(request("silent")), 10, Facts(channel_id=1, logged=False))
        await ledger.flush()
        await ledger.flush()
        row = await books.row("select * from logs where request_id = 'call1'")
    assert await books.value("select count(*) from logs") == 3
    assert {key: value for key, value in row.items() if key not in {"id", "is_stream", "system_prompt_reset"}} == {
        "user_id": 1, "created_at": 1_700_000_000, "type": 2, "content": "倍率", "username": "user1",
        "token_name": "token1", "model_name": "模型", "quota": 10, "prompt_tokens": 3, "completion_tokens": 4,
        "channel_id": 1, "request_id": "call1", "elapsed_time": 12, "first_token_time": 7,
    }  # fmt: skip
    assert (bool(row["is_stream"]), bool(row["system_prompt_reset"])) == (True, False)
    assert await books.value("select used_quota from channels") == 40
    assert await books.user() == (960, 40, 4)


async def test_a_hold_nobody_waits_for_is_released(books: World) -> None:
    await books.add_user()
    await books.add_token()
    async with books.ledger() as ledger:
        ledger.hold(request("left")).cancel()
        await ledger.hold(request("stays"))
        await ledger.flush()
    assert [row["request_id"] for row in await books.rows("select request_id from holds")] in (["stays"], [])
    assert (await books.user())[0] == 900


async def test_what_is_queued_is_written_before_the_ledger_closes(books: World) -> None:
    await books.add_user()
    await books.add_token()
    ledger = Ledger.open(books.url)
    await ledger.start()
    holds = await asyncio.gather(*[ledger.hold(request(f"call{n}", most=10)) for n in range(50)])
    settled = [ledger.settle(hold, 5, DONE) for hold in holds]
    await ledger.aclose()
    assert all(await asyncio.gather(*settled))
    assert await books.user() == (750, 250, 50)
    assert await books.value("select count(*) from logs") == 50
    with pytest.raises(Unavailable):
        await ledger.hold(request("late"))


async def test_a_charge_counts_even_if_the_database_refuses_its_description(books: World) -> None:
    await books.add_user()
    await books.add_token()
    await books.add_channel()
    name = "\ud800" + "x" * 300
    odd = Facts(channel_id=1, model_name=name, content="a\x00b", prompt_tokens=2**70, source="reported")
    async with books.ledger() as ledger:
        holds = [await ledger.hold(request(f"call{n}")) for n in range(3)]
        settles = [ledger.settle(hold, 10, odd if number == 1 else DONE) for number, hold in enumerate(holds)]
        assert all(await asyncio.gather(*settles))
        await ledger.flush()
    assert await books.user() == (970, 30, 3)
    assert await books.value("select used_quota from channels") == 30
    row = await books.row("select model_name, content from logs where request_id = 'call1'")
    assert row == {"model_name": "?" + "x" * 190, "content": "ab"}


async def test_a_thousand_users_fit_into_one_batch(books: World) -> None:
    async with books.engine.begin() as tx:
        await tx.execute(insert(users), [user(number) for number in range(1, 1001)])
        await tx.execute(insert(tokens), [token(number) for number in range(1, 1001)])
    async with books.ledger() as ledger:
        before = ledger.writer.batches
        asked = [ledger.hold(request(f"call{n}", user=n, token=n)) for n in range(1, 1001)]
        holds = await asyncio.gather(*asked)
        assert all(await asyncio.gather(*[ledger.settle(hold, 30, DONE) for hold in holds]))
        assert ledger.writer.batches <= before + 4
    assert await books.value("select count(*) from users where quota = 970 and used_quota = 30") == 1000
    assert await books.value("select count(*) from tokens where remain_quota = 970 and used_quota = 30") == 1000


def user(number: int) -> dict[str, Any]:
    names = {"username": f"user{number}", "password": "", "access_token": f"{number:032}", "aff_code": str(number)}
    return {"id": number, "quota": 1000, "status": 1, **names}


def token(number: int) -> dict[str, Any]:
    return {"id": number, "user_id": number, "key": f"{number:048}", "name": "", "status": 1, "remain_quota": 1000}


async def test_a_request_id_used_twice_holds_once(books: World) -> None:
    await books.add_user()
    await books.add_token()
    async with books.ledger() as ledger:
        await ledger.hold(request("same"))
        with pytest.raises(Unavailable):
            await ledger.hold(request("same"))
        together = await asyncio.gather(ledger.hold(request("x")), ledger.hold(request("x")), return_exceptions=True)
        assert [type(answer) for answer in together] == [Hold, Unavailable]
    assert (await books.user())[0] == 800


async def test_costs_no_price_can_produce_are_refused_before_they_are_queued(file: World) -> None:
    await file.add_user()
    await file.add_token()
    async with file.ledger() as ledger:
        hold = await ledger.hold(request())
        for cost in (-1, MOST + 1, True, 1.5, float("nan")):
            with pytest.raises(ValueError, match="cost"):
                ledger.settle(hold, cost, DONE)  # type: ignore[arg-type]  # what must not pass
        with pytest.raises(ValueError, match="hold"):
            ledger.hold(request("new", least=5, most=4))
        with pytest.raises(ValueError, match="hold"):
            ledger.hold(request("new", least=-1))
    assert (await file.user())[0] == 900
