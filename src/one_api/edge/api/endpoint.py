"""An endpoint is one function that takes a Call and gives a Response; its decorator says who may ask.

What happens around each is here, in One API's order: who asks, his status and role, the origin, the body. Afterwards
whatever was refused becomes the envelope consoles know: HTTP 200 and `success: false`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal, TypeAlias, TypeVar

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from one_api.accounts import rules
from one_api.accounts.rules import InvalidInput, InvalidParameter, Refused
from one_api.accounts.users import User
from one_api.edge import auth
from one_api.edge.api import decode
from one_api.edge.api.answers import Language, language_of, refused, text
from one_api.edge.api.parts import Parts
from one_api.errors import OneAPIError, Unavailable
from one_api.options import Options
from one_api.pricing.gojson import DecodeError

T = TypeVar("T")
Method = Literal["GET", "POST", "PUT", "DELETE"]

SMALL: Final = 4 * 1024  # a body that holds a name and a password
LARGE: Final = 20 * 1024 * 1024
_MOST_PAGES: Final = 10**9

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
    """A route. `changes`: a foreign page must not cause it. `critical`: guessing is possible, so it is rationed."""

    method: Method
    path: str
    access: Access
    changes: bool
    critical: bool
    most: int
    run: Run

    async def __call__(self, request: Request) -> Response:
        parts: Parts = request.app.state.parts
        language = language_of(request.headers.get("accept-language", ""))
        try:
            call = await self._admit(parts, request, language)
            return await self.run(call)
        except InvalidParameter as error:
            return refused(text("invalid_parameter", language), error.status)
        except InvalidInput:
            return refused(text("invalid_input", language))
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
        now = int(parts.clock())
        identity = None
        if self.access > Access.ANYONE:
            identity = await auth.identify(parts.database, request, now=now)
            auth.require_role(identity.user, self.access)
        by_token = "authorization" in request.headers if identity is None else identity.session is None
        if self.changes and not by_token:
            auth.require_same_origin(request.headers, parts.options.now.server_address)
        body = b"" if self.method == "GET" else await _body(request, self.most)
        return Call(parts=parts, request=request, language=language, identity=identity, body=body, now=now)


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


def get(path: str, access: Access, *, changes: bool = False, critical: bool = False) -> Callable[[Run], Endpoint]:
    return _endpoint("GET", path, access, changes=changes, critical=critical)


def post(path: str, access: Access, *, critical: bool = False, most: int = LARGE) -> Callable[[Run], Endpoint]:
    return _endpoint("POST", path, access, critical=critical, most=most)


def put(path: str, access: Access) -> Callable[[Run], Endpoint]:
    return _endpoint("PUT", path, access)


def delete(path: str, access: Access) -> Callable[[Run], Endpoint]:
    return _endpoint("DELETE", path, access)


def _endpoint(
    method: Method, path: str, access: Access, *, changes: bool = True, critical: bool = False, most: int = LARGE
) -> Callable[[Run], Endpoint]:
    def made(run: Run) -> Endpoint:
        return Endpoint(method=method, path=path, access=access, changes=changes, critical=critical, most=most, run=run)

    return made
