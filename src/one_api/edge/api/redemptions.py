"""Redemption codes, for administrators; and their use, for everybody."""

from dataclasses import dataclass

from starlette.responses import Response

from one_api.accounts import Transaction, logs, redemptions
from one_api.accounts.logs import TOPUP, Entry
from one_api.accounts.rules import quota_text
from one_api.edge.api.answers import done
from one_api.edge.api.declared import KEYWORD, PAGE
from one_api.edge.api.decode import Int, Int64
from one_api.edge.api.endpoint import SMALL, Access, Call, delete, get, post, put
from one_api.ledger import Facts, credit
from one_api.lib import json


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """What a form may say."""

    id: Int = 0
    status: Int = 0
    name: str = ""
    quota: Int64 = 0
    count: Int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpRequest:
    key: str = ""

    def __repr__(self) -> str:
        return "<TopUpRequest>"


@get("/api/redemption/", Access.ADMIN, query=(PAGE,), answers=list[redemptions.Redemption])
async def list_redemptions(call: Call) -> Response:
    return done(await redemptions.page(call.parts.database, number=call.page))


@get("/api/redemption/search", Access.ADMIN, query=(KEYWORD,), answers=list[redemptions.Redemption])
async def search_redemptions(call: Call) -> Response:
    return done(await redemptions.search(call.parts.database, keyword=call.text("keyword")))


@get("/api/redemption/{id}", Access.ADMIN, answers=redemptions.Redemption)
async def get_redemption(call: Call) -> Response:
    return done(await redemptions.get(call.parts.database, call.path_number("id")))


@post("/api/redemption/", Access.ADMIN)
async def create_redemptions(call: Call) -> Response:
    form = call.bind(Redemption, "Redemption")
    keys = await redemptions.create(
        call.parts.database, user_id=call.user.id, name=form.name, quota=form.quota, count=form.count, now=call.now
    )
    return done(keys)


@put("/api/redemption/", Access.ADMIN)
async def update_redemption(call: Call) -> Response:
    """With any `status_only` in the query the status alone; else name and quota."""
    form = call.bind(Redemption, "Redemption")
    database = call.parts.database
    if call.text("status_only"):
        return done(await redemptions.set_status(database, form.id, form.status))
    return done(await redemptions.change(database, form.id, name=form.name, quota=form.quota))


@delete("/api/redemption/used", Access.ADMIN, answers=int)
async def delete_used_redemptions(call: Call) -> Response:
    """How many there were."""
    return done(await redemptions.remove_used(call.parts.database))


@delete("/api/redemption/{id}", Access.ADMIN)
async def delete_redemption(call: Call) -> Response:
    await redemptions.remove(call.parts.database, call.path_number_or_zero("id"))
    return done()


@post("/api/user/topup", Access.USER, critical=True, most=SMALL)
async def redeem(call: Call) -> Response:
    """Use a code. The log row follows the credit, and may be missing if the process ends between them."""
    key = call.bind(TopUpRequest, "topUpRequest").key
    user = call.user

    async def pay(tx: Transaction, quota: int) -> None:
        facts = Facts(username=user.username, source="counted", details=json.encode({"request": call.id}).decode())
        await credit(tx, user_id=user.id, amount=quota, kind="redeem", key=key, facts=facts, now=call.now)

    quota = await redemptions.redeem(call.parts.database, key, now=call.now, pay=pay)
    content = f"通过兑换码充值 {quota_text(quota, call.options)}"
    entry = Entry(user_id=user.id, type=TOPUP, content=content, username=user.username, request_id=call.id)
    await logs.note(call.parts.logs, [entry], now=call.now)
    return done(quota)
