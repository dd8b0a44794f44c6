"""Upstream requests that take more than sending them: signing, fetching a token, asking until all is done. Pure.

A flow is a generator. It yields what it needs and is sent what came of it; it returns the request whose answer is the
caller's. `relay.flows` walks along it, so a test can do so by hand.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from one_api.lib import json

Headers = tuple[tuple[bytes, bytes], ...]
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A request to an upstream. Address and headers hold secrets; `secrets` are those that are no part of the key."""

    method: str = "POST"
    url: str
    headers: Headers = ()
    body: bytes = b""
    secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "<Query>"

    @property
    def host(self) -> str:
        """The value of its Host header."""
        parts = urlsplit(self.url)
        return parts.netloc.lower().removesuffix(_DEFAULT_PORTS[parts.scheme])

    @property
    def path(self) -> str:
        return urlsplit(self.url).path or "/"

    @property
    def query(self) -> str:
        return urlsplit(self.url).query

    def carrying(self, *headers: tuple[bytes, bytes], secrets: tuple[str, ...] = ()) -> "Query":
        """The same with these headers."""
        return replace(self, headers=(*self.headers, *headers), secrets=(*self.secrets, *secrets))


@dataclass(frozen=True, slots=True)
class Response:
    """What came back of a Query."""

    status: int
    body: bytes

    def members(self) -> dict[str, Any]:
        """Those of the object it holds; none if it holds no object."""
        try:
            value = json.decode(self.body)
        except json.InvalidJSON:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class Token:
    """What a key was exchanged for, and for how many seconds it is good."""

    value: str
    lifetime: float

    def __repr__(self) -> str:
        return "<Token>"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A key's token is wanted: one that is remembered under this name, else what `read` finds in the answer to `ask`.

    Both raise Refused.
    """

    name: str
    ask: Callable[[], Query]
    read: Callable[[Response], Token]

    def __repr__(self) -> str:
        return "<Exchange>"


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: float


class Refused(Exception):  # it is an answer
    """A step on the way failed, and this is what the caller's attempt is answered with."""

    def __init__(self, status: int, message: str, *, kind: str = "upstream_error", body: bytes = b"") -> None:
        super().__init__(message)
        self.status = status
        self.body = body or json.encode({"error": {"message": message, "type": kind}})


Flow = Generator[Query | Exchange | Wait, Any, Query]
"""Is sent a Response for a Query, a Token's value for an Exchange, None for a Wait."""
Way = Callable[[Query, float], Flow]
"""From a request as the dialect wrote it, and the time, to a flow. Raises Refused."""


def signed(sign: Callable[[Query, float], Query]) -> Way:
    """The way of a request that only has to be signed."""

    def way(query: Query, now: float) -> Flow:
        yield from ()
        return sign(query, now)

    return way
