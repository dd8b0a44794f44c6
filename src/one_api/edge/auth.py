"""Who asks: a session's cookie says it, else an access token. And whether it was a page of ours that made him ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from one_api.accounts import Database, sessions, users
from one_api.accounts.rules import ENABLED, Refused
from one_api.accounts.sessions import LIFE_S, Session
from one_api.accounts.users import User

COOKIE: Final = "session"


class NotSignedIn(Refused):
    """The one refusal consoles act upon: they show the login page."""

    status = 401

    def __init__(self) -> None:
        super().__init__("无权进行此操作，未登录且未提供 access token")


class ForeignPage(Refused):
    """A page of another origin made the browser ask."""

    status = 403

    def __init__(self) -> None:
        super().__init__("请求来自其他网站，已被拒绝；如果这是您自己的地址，请检查 ServerAddress 设置")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, by his row as it is now; `session` is None for an access token."""

    user: User
    session: Session | None


async def identify(database: Database, request: Request, *, now: int) -> Identity:
    """A session wins over the header. Raises NotSignedIn, and Refused for a wrong access token or more than one."""
    session = await sessions.find(database, request.cookies.get(COOKIE, ""), now=now)
    if session is not None:
        return Identity(session.user, session)
    found = request.headers.getlist("authorization")
    if not any(found):
        raise NotSignedIn
    user = None
    if len(found) == 1:  # who looked at the request before may have taken another
        user = await users.by_access_token(database, found[0].replace("Bearer ", "", 1))
    if user is None or not user.username:
        raise Refused("无权进行此操作，access token 无效")
    return Identity(user, None)


async def visitor(database: Database, request: Request, *, now: int) -> User | None:
    """Who asks where nobody has to be signed in."""
    try:
        return (await identify(database, request, now=now)).user
    except Refused:
        return None


def require_role(user: User, least: int) -> None:
    """Raises Refused for who is banned or of too low a role."""
    if user.status != ENABLED:
        raise Refused("用户已被封禁")
    if user.role < least:
        raise Refused("无权进行此操作，权限不足")


def require_same_origin(headers: Mapping[str, str], server_address: str) -> None:
    """Raises ForeignPage unless a page of ours, or no page at all, made this request.

    A browser says where a request comes from, in Origin, Sec-Fetch-Site or Referer; what says nothing is no browser.
    """
    ours = {headers.get("host", "").lower(), _host(server_address)}
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and _host(origin) in ours:
        return
    if site is not None:
        good = site in ("same-origin", "none")
    elif origin is not None:
        good = False
    else:
        referer = headers.get("referer")
        good = referer is None or _host(referer) in ours
    if not good:
        raise ForeignPage


def _host(address: str) -> str:
    """Host and port of an address; what is none, `null` too, gives a word that is no host."""
    try:
        return urlsplit(address).netloc.rpartition("@")[2].lower() or "-"
    except ValueError:
        return "-"


def secure(headers: Mapping[str, str], scheme: str, server_address: str) -> bool:
    """Whether the browser reached us by TLS: we or a proxy we believe saw it, or the address we have says so."""
    return scheme == "https" or (
        server_address.lower().startswith("https://") and headers.get("host", "").lower() == _host(server_address)
    )


def set_session(response: Response, session_id: str, *, secure: bool) -> None:
    response.set_cookie(
        COOKIE, session_id, max_age=LIFE_S, expires=LIFE_S, path="/", secure=secure, httponly=True, samesite="lax"
    )


def clear_session(response: Response, *, secure: bool) -> None:
    response.delete_cookie(COOKIE, path="/", secure=secure, httponly=True, samesite="lax")
