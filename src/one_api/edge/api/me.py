"""A user about himself: in, out, and who he is."""

from dataclasses import dataclass

from starlette.responses import Response

from one_api.accounts import passwords, profile, sessions, users
from one_api.accounts.rules import ENABLED, ROOT, InvalidParameter, Refused
from one_api.edge import auth
from one_api.edge.api import mails, newcomers
from one_api.edge.api.answers import done
from one_api.edge.api.endpoint import SMALL, Access, Call, TooMany, delete, get, post, put
from one_api.edge.api.newcomers import Newcomer
from one_api.edge.api.shown import ShownUser, brief, full


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRequest:
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"<LoginRequest {self.username!r}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """What a form may say; what a user may not decide himself is not among it."""

    username: str = ""
    password: str = ""
    display_name: str = ""
    email: str = ""
    verification_code: str = ""
    aff_code: str = ""

    def __repr__(self) -> str:
        return f"<User {self.username!r}>"


@post("/api/user/login", Access.ANYONE, critical=True, most=SMALL, form=LoginRequest, answers=ShownUser)
async def login(call: Call) -> Response:
    """By name or e-mail address. Whatever is wrong has one answer, which takes as long as the right one."""
    if not call.options.password_login_enabled:
        raise Refused("管理员关闭了密码登录")
    form = call.form(LoginRequest)
    if not form.username or not form.password:
        raise InvalidParameter
    database, limits = call.parts.database, call.parts.limits
    found = await users.for_login(database, form.username)
    account = str(found[0].id) if found else f"nobody {form.username}"
    if not await limits.allow_for(limits.guesses, account):
        raise TooMany
    good = await passwords.verify(form.password, found[1] if found else None)
    if found is None or not good or found[0].status != ENABLED:
        raise Refused("用户名或密码错误，或用户已被封禁")
    await limits.give_back(limits.guesses, account)
    user = found[0]
    if user.role >= ROOT and form.password == passwords.DEFAULT:
        passwords.announce_default(user.username)
    before = call.request.cookies.get(auth.COOKIE, "")
    session_id = await sessions.begin(database, user_id=user.id, now=call.now, instead_of=before)
    response = done(brief(user))
    auth.set_session(response, session_id, secure=call.secure)
    return response


@get("/api/user/logout", Access.ANYONE, changes=True, answers=None)
async def logout(call: Call) -> Response:
    response = done()
    session_id = call.request.cookies.get(auth.COOKIE, "")
    if session_id:
        await sessions.end(call.parts.database, session_id)
        auth.clear_session(response, secure=call.secure)
    return response


@post("/api/user/register", Access.ANYONE, critical=True, human=True, most=SMALL, form=User, answers=None)
async def register(call: Call) -> Response:
    options = call.options
    if not options.register_enabled:
        raise Refused("管理员关闭了新用户注册")
    if not options.password_register_enabled:
        raise Refused("管理员关闭了通过密码进行注册，请使用第三方账户验证的形式进行注册")
    form = call.form(User)
    newcomers.check(username=form.username, password=form.password, display_name=form.display_name, email=form.email)
    address = None
    if options.email_verification_enabled:
        if not form.email or not form.verification_code:
            raise Refused("管理员开启了邮箱验证，请输入邮箱地址和验证码")
        address = await mails.proven(call, form.email, form.verification_code)
    newcomer = Newcomer(
        username=form.username,
        password=form.password,
        display_name=form.username,
        address=address,
        aff_code=form.aff_code,
    )
    await newcomers.welcome(call, newcomer)
    return done()


@get("/api/user/self", Access.USER, answers=ShownUser)
async def who_am_i(call: Call) -> Response:
    return done(full(call.user))


@put("/api/user/self", Access.USER, form=User, answers=None)
async def change_myself(call: Call) -> Response:
    """Name, shown name and password; empty leaves them. A new password ends the other sessions."""
    form = call.form(User)
    session = call.identity.session if call.identity else None
    await profile.change(
        call.parts.database,
        call.user,
        username=form.username,
        password=form.password,
        display_name=form.display_name,
        keep_session=session.id_hash if session else "",
    )
    await call.refresh()
    return done()


@delete("/api/user/self", Access.USER, answers=None)
async def delete_myself(call: Call) -> Response:
    if call.user.role >= ROOT:
        raise Refused("不能删除超级管理员账户")
    await profile.remove(call.parts.database, call.user)
    await call.refresh()
    return done()


@get("/api/user/token", Access.USER, changes=True, answers=str)
async def rotate_access_token(call: Call) -> Response:
    """A new access token in place of the old one; it is never shown again."""
    return done(await users.rotate_access_token(call.parts.database, call.user.id))


@get("/api/user/aff", Access.USER, changes=True, answers=str)
async def invite_code(call: Call) -> Response:
    """Made when it is first asked for."""
    return done(await profile.invite_code(call.parts.database, call.user))
