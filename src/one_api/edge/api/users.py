"""Users, for administrators; and the one door for systems that sell quota."""

from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from one_api.accounts import administration, logs, passwords, rules, users
from one_api.accounts.administration import Wish
from one_api.accounts.logs import MANAGE, TOPUP, Entry
from one_api.accounts.rules import InvalidInput, InvalidParameter, Refused, quota_text
from one_api.accounts.users import User as Row
from one_api.edge.api import newcomers
from one_api.edge.api.answers import done
from one_api.edge.api.declared import KEYWORD, PAGE, Query
from one_api.edge.api.decode import Int, Int64
from one_api.edge.api.endpoint import Access, Call, delete, get, post, put
from one_api.edge.api.newcomers import Newcomer
from one_api.edge.api.shown import ShownUser, full, rank
from one_api.ledger import Facts
from one_api.lib import json


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """What a form may say; whole user objects are sent back, and the rest of them is ignored.

    quota: what the balance is to be. quota_before: what the form showed; given, the difference is what is booked.
    """

    id: Int = 0
    username: str = ""
    password: str = ""
    display_name: str = ""
    email: str = ""
    group: str = ""
    role: Int = 0
    status: Int = 0
    quota: Int64 | None = None
    quota_before: Int64 | None = None

    def __repr__(self) -> str:
        return f"<User {self.id} {self.username!r}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageRequest:
    username: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    user_id: Int = 0
    quota: Int = 0
    remark: str = ""


_ORDER: Final = Query("order", about="`quota`, `used_quota` or `request_count`, the largest first; else the newest.")


@get("/api/user/", Access.ADMIN, query=(PAGE, _ORDER), answers=list[ShownUser])
async def list_users(call: Call) -> Response:
    return done(
        [full(user) for user in await users.page(call.parts.database, number=call.page, order=call.text("order"))]
    )


@get("/api/user/search", Access.ADMIN, query=(KEYWORD,), answers=list[ShownUser])
async def search_users(call: Call) -> Response:
    return done([full(user) for user in await users.search(call.parts.database, keyword=call.text("keyword"))])


@get("/api/user/{id}", Access.ADMIN, answers=ShownUser)
async def get_user(call: Call) -> Response:
    user_id = call.path_number("id")
    return done(full(await administration.visible(call.parts.database, actor=call.user, user_id=user_id)))


@post("/api/user/", Access.ADMIN, form=User, answers=None)
async def create_user(call: Call) -> Response:
    """Always a common user; a role in the form is only compared."""
    form = call.form(User)
    if not form.username or not form.password:
        raise InvalidParameter
    newcomers.check(username=form.username, password=form.password, display_name=form.display_name, email=form.email)
    if form.role >= call.user.role:
        raise Refused("无法创建权限大于等于自己的用户")
    display_name = form.display_name or form.username
    newcomer = Newcomer(username=form.username, password=form.password, display_name=display_name)
    await newcomers.welcome(call, newcomer)
    return done()


@put("/api/user/", Access.ADMIN, form=User, answers=None)
async def update_user(call: Call) -> Response:
    """What is empty or 0 stays; the quota is set whenever it is given."""
    form = call.form(User)
    if not form.id:
        raise InvalidParameter
    if rules.unacceptable(password=form.password):
        raise InvalidInput
    _check_quota(form)
    wish = Wish(
        username=form.username,
        password=await passwords.hashed(form.password) if form.password else "",
        display_name=form.display_name,
        email=form.email,
        group=form.group,
        role=form.role,
        status=form.status,
    )
    before = await administration.update(call.parts.database, actor=call.user, user_id=form.id, wish=wish)
    await _adjust(call, before, form)
    await call.refresh()
    return done()


def _check_quota(form: User) -> None:
    if form.quota is not None and form.quota < 0:
        raise Refused("quota 不能为负数！")
    rules.check_quota(form.quota or 0)
    rules.check_quota((form.quota or 0) - (form.quota_before or 0))


async def _adjust(call: Call, user: Row, form: User) -> None:
    """Book the change of a balance; other changes of it meanwhile are kept when the form said what it showed."""
    if form.quota is None:
        return
    shown = user.quota if form.quota_before is None else form.quota_before
    if form.quota == shown:
        return
    facts = _signed(call, user.username)
    ledger = call.parts.ledger
    if form.quota_before is None:
        await ledger.set_user_quota(user.id, form.quota, call.id, facts)
    else:
        await ledger.grant(user.id, form.quota - shown, "adjust", call.id, facts)
    texts = quota_text(shown, call.options), quota_text(form.quota, call.options)
    await _log(call, user, MANAGE, f"管理员将用户额度从 {texts[0]}修改为 {texts[1]}")


@post("/api/user/manage", Access.ADMIN, form=ManageRequest, answers=ShownUser)
async def manage_user(call: Call) -> Response:
    form = call.form(ManageRequest)
    if not form.username:
        raise InvalidParameter
    database = call.parts.database
    user = await administration.manage(database, actor=call.user, username=form.username, action=form.action)
    await call.refresh()
    return done(rank(user))


@delete("/api/user/{id}", Access.ADMIN, answers=None)
async def delete_user(call: Call) -> Response:
    await administration.remove(call.parts.database, actor=call.user, user_id=call.path_number("id"))
    await call.refresh()
    return done()


@post("/api/topup", Access.ADMIN, form=TopUp, answers=None)
async def top_up(call: Call) -> Response:
    """Credit any user, for whoever sold it to him."""
    form = call.bind(TopUp, "adminTopUpRequest")
    if form.quota < 0:
        raise Refused("quota 不能为负数！")
    rules.check_quota(form.quota)
    try:
        user = await users.get(call.parts.database, form.user_id)
    except rules.NotFound:
        raise Refused("用户不存在") from None
    if not await call.parts.ledger.grant(user.id, form.quota, "topup", call.id, _signed(call, user.username)):
        raise Refused("用户不存在")
    await _log(call, user, TOPUP, form.remark or f"通过 API 充值 {quota_text(form.quota, call.options)}", form.quota)
    return done()


def _signed(call: Call, username: str) -> Facts:
    """The audit of a change of money: who did it."""
    details = json.encode({"by": call.user.id, "as": call.user.username}).decode()
    return Facts(username=username, source="counted", logged=False, details=details)


async def _log(call: Call, user: Row, kind: int, content: str, quota: int = 0) -> None:
    entry = Entry(user_id=user.id, type=kind, content=content, username=user.username, quota=quota, request_id=call.id)
    await logs.note(call.parts.logs, [entry], now=call.now)
