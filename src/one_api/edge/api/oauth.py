"""Signing in at providers: GitHub, Lark, OpenID Connect, WeChat. Who is signed in already binds his account there.

A console asks for a state, sends the browser to the provider, and brings back what the browser was given. A state is
good once, and in the browser that asked for it; it is used up by the first question to the provider.
"""

from typing import Final

import structlog
from starlette.responses import Response

from one_api.accounts import sessions, users
from one_api.accounts.oauth import (
    KINDS,
    Callback,
    Distrusted,
    Identity,
    Kind,
    bindings,
    check_enabled,
    denied,
    plausible_code,
    states,
)
from one_api.accounts.oauth.bindings import Bound
from one_api.accounts.oauth.states import Begun
from one_api.accounts.rules import COMMON, ENABLED, Refused
from one_api.accounts.sessions import Session
from one_api.accounts.users import NameTaken, User
from one_api.edge import auth
from one_api.edge.api import newcomers
from one_api.edge.api.answers import answer, done
from one_api.edge.api.endpoint import Access, Call, delete, get
from one_api.edge.api.newcomers import Newcomer
from one_api.edge.api.shown import brief

WRONG: Final = "无效的参数"

log = structlog.get_logger(__name__)


class WrongState(Refused):
    """The browser began nothing with this state, or that was too long ago, or it came back before."""

    status = 403

    def __init__(self) -> None:
        super().__init__("state is empty or not same")


@get("/api/oauth/state", Access.ANYONE, changes=True, critical=True)
async def state(call: Call) -> Response:
    """A new state. With `provider`, also the address to send the browser to, which has PKCE and a nonce in it."""
    kind, made = call.text("provider"), states.new()
    browser = states.browser_id(_cookie(call))
    envelope = {"data": made, "message": "", "success": True}
    pkce = False
    if kind:
        known = _kind(kind)
        check_enabled(known, call.options)
        try:
            start = await call.parts.providers.start(known, call.options, state=made, browser=browser)
        except Distrusted as error:
            raise _logged(call, known, error) from None
        envelope["url"], pkce = start.url, start.pkce
    await states.begin(call.parts.database, made, browser=browser, provider=kind, pkce=pkce, now=call.now)
    response = answer(envelope)
    auth.set_session(response, browser, secure=call.secure)
    return response


@get("/api/oauth/github", Access.ANYONE, changes=True, critical=True)
async def github(call: Call) -> Response:
    return await _come_back(call, "github")


@get("/api/oauth/lark", Access.ANYONE, changes=True, critical=True)
async def lark(call: Call) -> Response:
    return await _come_back(call, "lark")


@get("/api/oauth/oidc", Access.ANYONE, changes=True, critical=True)
async def oidc(call: Call) -> Response:
    return await _come_back(call, "oidc")


@get("/api/oauth/wechat", Access.ANYONE, changes=True, critical=True)
async def wechat(call: Call) -> Response:
    """Somebody types a code that he was given in a chat; there is no state."""
    check_enabled("wechat", call.options)
    identity = await _identify(call, "wechat", Callback(code=_code(call)))
    return await _sign_in(call, identity)


@get("/api/oauth/wechat/bind", Access.USER, changes=True, critical=True)
async def bind_wechat(call: Call) -> Response:
    check_enabled("wechat", call.options)
    identity = await _identify(call, "wechat", Callback(code=_code(call)))
    await bindings.bind(call.parts.database, call.user, identity)
    await call.refresh()
    return done()


@delete("/api/oauth/{provider}", Access.USER)
async def unbind(call: Call) -> Response:
    """One API has no way to take a binding away."""
    await bindings.unbind(call.parts.database, call.user, _kind(call.request.path_params["provider"]))
    await call.refresh()
    return done()


def _kind(text: str) -> Kind:
    """Raises Refused."""
    for kind in KINDS:
        if kind == text:
            return kind
    raise Refused(WRONG)


def _cookie(call: Call) -> str:
    return call.request.cookies.get(auth.COOKIE, "")


async def _come_back(call: Call, kind: Kind) -> Response:
    """A browser is back from a provider: what it brings is checked before anybody is asked about it."""
    begun = await _begun(call, kind)
    session = await _session(call)
    check_enabled(kind, call.options)
    refusal = call.text("error")
    code = "" if refusal else _code(call)
    if not await states.use(call.parts.database, begun):
        raise WrongState
    if refusal:
        raise _logged(call, kind, denied(kind, refusal))
    identity = await _identify(call, kind, _callback(call, begun, code))
    if session is None:
        return await _sign_in(call, identity)
    now = await _session(call)
    if now is None or now.user.id != session.user.id:
        raise auth.NotSignedIn
    await bindings.bind(call.parts.database, now.user, identity)
    await call.refresh()
    return done(message="bind")


async def _begun(call: Call, kind: Kind) -> Begun:
    """Raises WrongState."""
    found = await states.find(call.parts.database, call.text("state"), browser=_cookie(call), now=call.now)
    if found is None or found.provider not in ("", kind):
        raise WrongState
    return found


async def _session(call: Call) -> Session | None:
    """Whose session the browser has. Raises Refused if he is banned, or a foreign page asks in his name."""
    session = await sessions.find(call.parts.database, _cookie(call), now=call.now)
    if session is not None:
        auth.require_same_origin(call.request.headers, call.options.server_address)
        auth.require_role(session.user, COMMON)
    return session


def _code(call: Call) -> str:
    """Raises Refused."""
    code = call.text("code")
    if not plausible_code(code):
        raise Refused(WRONG)
    return code


def _callback(call: Call, begun: Begun, code: str) -> Callback:
    made, browser = call.text("state"), _cookie(call)
    return Callback(
        code=code,
        issuer=call.text("iss"),
        verifier=states.verifier(made, browser) if begun.pkce else "",
        nonce=states.nonce(made, browser) if begun.provider == "oidc" else "",
    )


async def _identify(call: Call, kind: Kind, callback: Callback) -> Identity:
    """Raises Distrusted."""
    try:
        return await call.parts.providers.identify(kind, call.options, callback, now=call.now)
    except Distrusted as error:
        raise _logged(call, kind, error) from None


def _logged(call: Call, kind: Kind, error: Distrusted) -> Distrusted:
    log.warning("somebody could not sign in at a provider", provider=kind, reason=error.reason, request_id=call.id)
    return error


async def _sign_in(call: Call, identity: Identity) -> Response:
    """As whom the identity opens, or as somebody new; always with a new session."""
    database = call.parts.database
    user = await bindings.find(database, identity) or await _register(call, identity)
    if user.status != ENABLED:
        raise Refused("用户已被封禁")
    session_id = await sessions.begin(database, user_id=user.id, now=call.now, instead_of=_cookie(call))
    response = done(brief(user))
    auth.set_session(response, session_id, secure=call.secure)
    return response


async def _register(call: Call, identity: Identity) -> User:
    """Whoever registers the same identity at the same time gets the one account."""
    if not call.options.register_enabled:
        raise Refused("管理员关闭了新用户注册")
    database = call.parts.database
    for name in await bindings.names(database, identity):
        newcomer = Newcomer(
            username=name,
            password="",
            display_name=identity.display_name,
            email=identity.email,
            identity=identity,
        )
        try:
            return await users.get(database, await newcomers.welcome(call, newcomer))
        except NameTaken:
            continue
        except Bound:
            found = await bindings.find(database, identity)
            if found is not None:
                return found
            raise
    raise NameTaken
