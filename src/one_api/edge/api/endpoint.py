"""An endpoint is one function that takes a Call and gives a Response; its decorator says who may ask.

What happens around each is here, in One API's order: who asks, his status and role, the origin, the body. Afterwards
whatever was refused becomes the envelope consoles know: HTTP 200 and `success: false`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Literal, TypeAlias, TypeVar

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from one_api.accounts import humans, rules
from one_api.accounts.rules import InvalidInput, InvalidParameter, Refused
from one_api.accounts.users import User
from one_api.edge import auth
from one_api.edge.api import decode
from one_api.edge.api.answers import Language, language_of, refused, text
from one_api.edge.api.declared import UNSAID, Declared, Query
from one_api.edge.api.parts import Parts
from one_api.errors import OneAPIError, Unavailable
from one_api.options import Options
from one_api.pricing.gojson import DecodeError

T = TypeVar("T")
Method = Literal["GET", "POST", "PUT", "DELETE"]

SMALL: Final = 4 * 1024  # a body that holds a name and a password
LARGE: Final = 20 * 1024 * 1024
_MOST_PAGES: Final = 10**9
_NEW_SESSION: Final = "new_session"
_FRESH_S: Final = 0.5

log = structlog.get_logger(__name__)


class Access(IntEnum):
    """The lowest role that may ask."""

    ANYONE = 0
    USER = rules.COMMON
    ADMIN = rules.ADMIN
    ROOT = rules.ROOT


class TooLarge(Refused):
    status = 413

    def __init__(self) -> None:
        super().__init__("请求体过大")


class TooMany(OneAPIError):
    """Asked too often, by this network or about this account."""

    status = 429

    def __init__(self) -> None:
        super().__init__("too many requests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to an endpoint: who asks, and with what."""

    parts: Parts
    request: Request
    language: Language
    identity: auth.Identity | None
    body: bytes
    now: int

    @property
    def user(self) -> User:
        """Who asks; not for endpoints that anyone may ask."""
        if self.identity is None:
            raise AssertionError("this endpoint does not know who asks")
        return self.identity.user

    @property
    def id(self) -> str:
        return str(self.request.state.request_id)

    @property
    def options(self) -> Options:
        return self.parts.options.now

    @property
    def secure(self) -> bool:
        return auth.secure(self.request.headers, self.request.url.scheme, self.options.server_address)

    @property
    def page(self) -> int:
        return max(0, min(self.number("p"), _MOST_PAGES))

    def text(self, name: str) -> str:
        """A word of the query, empty if it is not there."""
        return self.request.query_params.get(name, "").replace("\0", "")

    def number(self, name: str) -> int:
        """A number of the query; what is none is 0."""
        return decode.atoi(self.text(name))

    def path_number(self, name: str) -> int:
        """A number of the path. Raises Refused with Go's complaint."""
        try:
            return decode.atoi_strict(self.request.path_params[name])
        except DecodeError as error:
            raise Refused(str(error)) from None

    def path_number_or_zero(self, name: str) -> int:
        return decode.atoi(self.request.path_params[name])

    def form(self, form: type[T]) -> T:
        """The body as a form. Raises InvalidParameter."""
        try:
            return decode.decode(form, self.body, name=form.__name__)
        except DecodeError:
            raise InvalidParameter from None

    def bind(self, form: type[T], name: str) -> T:
        """The body as a form. Raises Refused with the decoder's complaint, which calls the form `name`."""
        try:
            return decode.decode(form, self.body, name=name)
        except DecodeError as error:
            raise Refused(str(error)) from None

    async def refresh(self) -> None:
        """What this call changed is seen by the next one of this process; other processes see it within a second."""
        try:
            await self.parts.poller.look()
        except Exception:  # it is saved, and the poller's own task looks again
            log.exception("a change was saved and cannot be applied yet", request_id=self.id)


Run: TypeAlias = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A route. `changes`: a foreign page must not cause it. `critical`: guessing is possible, so it is rationed.

    `human`: Turnstile guards it where an administrator wants that.
    """

    method: Method
    path: str
    access: Access
    changes: bool
    critical: bool
    human: bool
    most: int
    declared: Declared
    run: Run

    async def __call__(self, request: Request) -> Response:
        response = await self._answer(request)
        session_id = getattr(request.state, _NEW_SESSION, "")
        if session_id:  # whatever the answer is, he need not show again that he is one
            options = request.app.state.parts.options.now
            secure = auth.secure(request.headers, request.url.scheme, options.server_address)
            auth.set_session(response, session_id, secure=secure)
        return response

    async def _answer(self, request: Request) -> Response:
        parts: Parts = request.app.state.parts
        language = language_of(request.headers.get("accept-language", ""))
        try:
            call = await self._admit(parts, request, language)
            return await self.run(call)
        except InvalidParameter as error:
            return refused(text("invalid_parameter", language), error.status)
        except InvalidInput:
            return refused(text("invalid_input", language))
        except TooMany as error:
            return Response(status_code=error.status)
        except Unavailable:
            return refused("数据库暂时不可用，请稍后再试")
        except OneAPIError as error:
            return refused(error.message, error.status if error.status < 500 else 200)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception:
            log.exception("an endpoint failed", path=self.path, request_id=request.state.request_id)
            return Response(status_code=500)

    async def _admit(self, parts: Parts, request: Request, language: Language) -> Call:
        began = parts.clock()
        if self.critical and not await parts.limits.allow(parts.limits.critical, request.state.ip):
            raise TooMany
        identity = await self._identify(parts, request)
        by_token = "authorization" in request.headers if identity is None else identity.session is None
        if self.changes and not by_token:
            auth.require_same_origin(request.headers, parts.options.now.server_address)
        if self.human and parts.turnstile.wanted:
            await _require_human(parts, request, int(began))
        body = b"" if self.method == "GET" else await _body(request, self.most)
        now = parts.clock()
        if now - began >= _FRESH_S:  # he may have lost his right while he sent the body
            identity = await self._identify(parts, request)
        return Call(parts=parts, request=request, language=language, identity=identity, body=body, now=int(now))

    async def _identify(self, parts: Parts, request: Request) -> auth.Identity | None:
        if self.access == Access.ANYONE:
            return None
        identity = await auth.identify(parts.database, request, now=int(parts.clock()))
        auth.require_role(identity.user, self.access)
        return identity


async def _require_human(parts: Parts, request: Request, now: int) -> None:
    """Raises Refused. A browser that shows it gets a session that says so."""
    session_id = request.cookies.get(auth.COOKIE, "")
    if await humans.known(parts.database, session_id, now=now):
        return
    await parts.turnstile.check(request.query_params.get("turnstile", ""), ip=request.state.ip)
    setattr(request.state, _NEW_SESSION, await humans.remember(parts.database, session_id, now=now))


async def _body(request: Request, most: int) -> bytes:
    """Raises TooLarge, and ClientDisconnect."""
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length[:20]) > most:
        raise TooLarge
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > most:
            raise TooLarge
    return bytes(found)


def get(
    path: str,
    access: Access,
    *,
    changes: bool = False,
    critical: bool = False,
    human: bool = False,
    query: Sequence[Query] = (),
    answers: Any = UNSAID,
    statuses: Sequence[int] = (),
) -> Callable[[Run], Endpoint]:
    said = Declared(query=query, answers=answers, statuses=statuses)
    return _endpoint("GET", path, access, said, changes=changes, critical=critical, human=human)


def post(
    path: str,
    access: Access,
    *,
    critical: bool = False,
    human: bool = False,
    most: int = LARGE,
    query: Sequence[Query] = (),
    form: type[Any] | None = None,
    answers: Any = UNSAID,
) -> Callable[[Run], Endpoint]:
    said = Declared(query=query, form=form, answers=answers)
    return _endpoint("POST", path, access, said, critical=critical, human=human, most=most)


def put(
    path: str,
    access: Access,
    *,
    query: Sequence[Query] = (),
    form: type[Any] | None = None,
    answers: Any = UNSAID,
    statuses: Sequence[int] = (),
) -> Callable[[Run], Endpoint]:
    return _endpoint("PUT", path, access, Declared(query=query, form=form, answers=answers, statuses=statuses))


def delete(
    path: str, access: Access, *, query: Sequence[Query] = (), answers: Any = UNSAID
) -> Callable[[Run], Endpoint]:
    return _endpoint("DELETE", path, access, Declared(query=query, answers=answers))


def _endpoint(
    method: Method,
    path: str,
    access: Access,
    declared: Declared,
    *,
    changes: bool = True,
    critical: bool = False,
    human: bool = False,
    most: int = LARGE,
) -> Callable[[Run], Endpoint]:
    def made(run: Run) -> Endpoint:
        return Endpoint(
            method=method,
            path=path,
            access=access,
            changes=changes,
            critical=critical,
            human=human,
            most=most,
            declared=declared,
            run=run,
        )

    return made
