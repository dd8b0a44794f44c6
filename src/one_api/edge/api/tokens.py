"""A user's own tokens."""

from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from one_api.accounts import rules, tokens
from one_api.accounts.tokens import Wish
from one_api.edge.api.answers import done
from one_api.edge.api.declared import KEYWORD, PAGE, Query
from one_api.edge.api.decode import Int, Int64
from one_api.edge.api.endpoint import Access, Call, delete, get, post, put


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a form may say."""

    id: Int = 0
    status: Int = 0
    name: str = ""
    expired_time: Int64 = 0
    remain_quota: Int64 = 0
    unlimited_quota: bool = False
    models: str | None = None
    subnet: str | None = None

    def wish(self) -> Wish:
        return Wish(
            name=self.name,
            expired_time=self.expired_time,
            remain_quota=self.remain_quota,
            unlimited_quota=self.unlimited_quota,
            models=self.models,
            subnet=self.subnet,
        )


_ORDER: Final = Query("order", about="`remain_quota` or `used_quota`, the largest first; else the newest.")
_STATUS_ONLY: Final = Query("status_only", about="With any text the status alone is changed.")


@get("/api/token/", Access.USER, query=(PAGE, _ORDER), answers=list[tokens.Token])
async def list_tokens(call: Call) -> Response:
    found = await tokens.page(call.parts.database, user_id=call.user.id, number=call.page, order=call.text("order"))
    return done(found)


@get("/api/token/search", Access.USER, query=(KEYWORD,), answers=list[tokens.Token])
async def search_tokens(call: Call) -> Response:
    return done(await tokens.search(call.parts.database, user_id=call.user.id, keyword=call.text("keyword")))


@get("/api/token/{id}", Access.USER, answers=tokens.Token)
async def get_token(call: Call) -> Response:
    token_id = call.path_number("id")
    return done(await tokens.get(call.parts.database, user_id=call.user.id, token_id=token_id))


@post("/api/token/", Access.USER, form=Token, answers=tokens.Token)
async def create_token(call: Call) -> Response:
    wish = call.bind(Token, "Token").wish()
    return done(await tokens.create(call.parts.database, user_id=call.user.id, wish=wish, now=call.now))


@put("/api/token/", Access.USER, query=(_STATUS_ONLY,), form=Token, answers=tokens.Token)
async def update_token(call: Call) -> Response:
    """With any `status_only` in the query the status alone; else everything else, what the form leaves out included."""
    form = call.bind(Token, "Token")
    database, user_id = call.parts.database, call.user.id
    tokens.check(form.wish())
    enable = form.status == rules.ENABLED
    stored = await tokens.check_change(database, user_id=user_id, token_id=form.id, enable=enable, now=call.now)
    if call.text("status_only"):
        changed = await tokens.set_status(database, user_id=user_id, token_id=form.id, status=form.status)
    else:
        limits = (form.remain_quota, form.unlimited_quota)
        if limits != (stored.remain_quota, stored.unlimited_quota):
            await call.parts.ledger.set_token_quota(form.id, form.remain_quota, unlimited=form.unlimited_quota)
        changed = await tokens.replace(database, user_id=user_id, token_id=form.id, wish=form.wish())
    await call.refresh()
    return done(changed)


@delete("/api/token/{id}", Access.USER, answers=None)
async def delete_token(call: Call) -> Response:
    await tokens.remove(call.parts.database, user_id=call.user.id, token_id=call.path_number_or_zero("id"))
    await call.refresh()
    return done()
