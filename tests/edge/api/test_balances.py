"""What changes a balance beside calls, and what must not: gifts, and forms saved while calls are charged."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select, update

from one_api.ledger import Facts, HoldRequest
from one_api.store.schema import ledger, logs, tokens, users
from tests.edge.api.world import PASSWORD, World

pytestmark = pytest.mark.anyio

OK = {"message": "", "success": True}
START = 1_000_000


async def options(here: World, **values: Any) -> None:
    root = await here.with_session(1)
    for key, value in values.items():
        assert await root.put("/api/option/", {"key": key, "value": str(value)}) == OK


async def user(here: World, **columns: Any) -> dict[str, Any]:
    conditions = [users.c[name] == value for name, value in columns.items()]
    return (await here.rows(select(users).where(*conditions)))[0]


# --- gifts and invitations --------------------------------------------------------------------------------------------


async def test_gifts_are_booked_for_the_new_user_and_his_inviter(everywhere: World) -> None:
    await options(everywhere, QuotaForNewUser=1000, QuotaForInvitee=300, QuotaForInviter=200)
    inviter = await everywhere.user("inviter")
    code = (await (await everywhere.with_session(inviter)).get("/api/user/aff"))["data"]
    body = {"username": "carol", "password": PASSWORD, "aff_code": code, "quota": 9, "role": 100, "group": "svip"}
    assert await everywhere.somebody().post("/api/user/register", body) == OK
    carol = await user(everywhere, username="carol")
    assert (carol["quota"], carol["inviter_id"], carol["role"], carol["group"]) == (1300, inviter, 1, "default")
    assert (await user(everywhere, id=inviter))["quota"] == 200
    entries = await everywhere.rows(select(ledger).order_by(ledger.c.id))
    assert [(entry["kind"], entry["user_id"], entry["quota"]) for entry in entries] == [
        ("gift", carol["id"], 1000),
        ("gift", carol["id"], 300),
        ("gift", inviter, 200),
    ]
    told = [(row["user_id"], row["type"], row["content"]) for row in await everywhere.rows(select(logs))]
    assert told == [
        (carol["id"], 4, "新用户注册赠送 ＄0.002000 额度"),
        (carol["id"], 4, "使用邀请码赠送 ＄0.000600 额度"),
        (inviter, 4, "邀请用户赠送 ＄0.000400 额度"),
    ]


@pytest.mark.parametrize("code", [None, "", "zzzz", "%"])
async def test_an_invite_code_nobody_has_is_none(everywhere: World, code: str | None) -> None:
    await options(everywhere, QuotaForNewUser=0, QuotaForInvitee=300, QuotaForInviter=200)
    body = {"username": "carol", "password": PASSWORD, "aff_code": code}
    assert await everywhere.somebody().post("/api/user/register", body) == OK
    carol = await user(everywhere, username="carol")
    assert (carol["quota"], carol["inviter_id"]) == (0, 0)
    assert await everywhere.rows(select(ledger)) == []
    assert await everywhere.rows(select(logs)) == []


async def test_a_name_that_is_taken_earns_nobody_anything(everywhere: World) -> None:
    await options(everywhere, QuotaForNewUser=1000, QuotaForInviter=200)
    root = await everywhere.with_session(1)
    code = (await root.get("/api/user/aff"))["data"]
    before = (await user(everywhere, id=1))["quota"]
    body = {"username": "root", "password": PASSWORD, "aff_code": code}
    assert (await everywhere.somebody().post("/api/user/register", body))["message"] == "用户名已被占用"
    assert (await user(everywhere, id=1))["quota"] == before
    assert await everywhere.rows(select(ledger)) == []


async def test_many_may_be_invited_at_once(everywhere: World) -> None:
    await options(everywhere, QuotaForNewUser=10, QuotaForInvitee=3, QuotaForInviter=2)
    inviter = await everywhere.user("inviter")
    code = (await (await everywhere.with_session(inviter)).get("/api/user/aff"))["data"]

    async def register(number: int) -> Any:
        body = {"username": f"u{number}", "password": PASSWORD, "aff_code": code}
        return await everywhere.somebody(ip=f"203.0.113.{number}").post("/api/user/register", body)

    assert await asyncio.gather(*map(register, range(12))) == [OK] * 12
    assert (await user(everywhere, id=inviter))["quota"] == 24
    totals = select(func.sum(users.c.quota).label("quota")).where(users.c.inviter_id == inviter)
    assert int((await everywhere.rows(totals))[0]["quota"]) == 12 * 13


# --- forms beside charges ---------------------------------------------------------------------------------------------


async def charge(here: World, user_id: int, token_id: int, calls: int) -> None:
    for number in range(calls):
        request = HoldRequest(
            request_id=f"c{user_id}-{number}", user_id=user_id, token_id=token_id, unlimited=True, least=1, most=50
        )
        hold = await here.ledger.hold(request)
        await here.ledger.settle(hold, 7, Facts(source="reported"))


async def test_saving_profiles_beside_charges_changes_no_balance(everywhere: World) -> None:
    user_id = await everywhere.user("alice")
    await everywhere.execute(update(users).where(users.c.id == user_id).values(quota=START))
    token_id = (await everywhere.rows(select(tokens).where(tokens.c.user_id == user_id)))[0]["id"]
    alice, root = await everywhere.with_session(user_id), await everywhere.with_session(1)
    shown = (await root.get(f"/api/user/{user_id}"))["data"]
    done = asyncio.Event()

    async def save_own() -> int:
        saved = 0
        while not done.is_set():
            body = shown | {"display_name": f"a{saved}", "used_quota": 1, "request_count": 1}
            assert await alice.put("/api/user/self", body) == OK
            saved += 1
        return saved

    async def administer() -> int:
        saved = 0
        whole = {**shown, "quota_before": START, "used_quota": 1, "request_count": 1}
        while not done.is_set():
            without = {name: value for name, value in shown.items() if name != "quota"}
            for body in (whole, without | {"group": f"g{saved}"}, {"id": user_id, "email": f"{saved}@x.test"}):
                assert await root.put("/api/user/", body) == OK
            saved += 1
        return saved

    async def calls() -> None:
        try:
            await charge(everywhere, user_id, token_id, 60)
        finally:
            done.set()

    saved = await asyncio.gather(save_own(), administer(), calls())
    assert min(saved[0], saved[1]) > 0
    row = await user(everywhere, id=user_id)
    assert (row["quota"], row["used_quota"], row["request_count"]) == (START - 60 * 7, 60 * 7, 60)


async def test_an_adjustment_beside_charges_is_added_to_them(everywhere: World) -> None:
    user_id = await everywhere.user("alice")
    await everywhere.execute(update(users).where(users.c.id == user_id).values(quota=START))
    token_id = (await everywhere.rows(select(tokens).where(tokens.c.user_id == user_id)))[0]["id"]
    root = await everywhere.with_session(1)

    async def adjust() -> None:
        for _ in range(10):
            body = {"id": user_id, "quota": START + 5, "quota_before": START}
            assert await root.put("/api/user/", body) == OK

    await asyncio.gather(adjust(), charge(everywhere, user_id, token_id, 40))
    assert (await user(everywhere, id=user_id))["quota"] == START + 50 - 40 * 7
