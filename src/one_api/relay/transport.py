"""What the relay knows of the network: one request goes out, one answer comes in, by callbacks.

Callbacks and not streams, so that the bytes of an answer go from socket to socket without waking a task. The rules:
- `send` returns before anything happened and calls nothing back; a request that cannot be sent fails a turn later.
- A sink hears `on_head` once, `on_data` any number of times and then `on_end` or `on_fail`; `on_fail` may come first.
- After `Exchange.abort()` it hears nothing more, not even that.
- What a sink raises is logged, never propagated: it ends the exchange, and `on_fail` follows.
- Interim answers (1xx) are skipped, redirects are not followed, gzip and deflate are undone within bounds.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol
from urllib.parse import quote, urlsplit

from msgspec import Struct

from one_api.errors import UpstreamError

Headers = tuple[tuple[bytes, bytes], ...]
FailureKind = Literal["connect", "tls", "timeout", "protocol", "closed", "too_large"]
_TOLD: Final[Mapping[FailureKind, tuple[int, str]]] = {
    "connect": (500, "the upstream cannot be reached"),
    "tls": (500, "the upstream's certificate was not accepted"),
    "timeout": (504, "the upstream did not answer in time"),
    "protocol": (500, "the upstream's answer is not valid HTTP"),
    "closed": (500, "the upstream closed the connection before its answer was complete"),
    "too_large": (500, "the upstream's answer is too large"),
}

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_NOT_IN_URLS: Final = re.compile(r"[\x00-\x20\x7f\\#]")  # a fragment is no part of a request
_PLACE: Final = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:@%]+))(?::(?P<port>[0-9]{0,5}))?")
_NAME: Final = re.compile(r"[0-9a-z._~-]{1,253}")
_PRINTABLE: Final = "".join(map(chr, range(0x21, 0x7F)))


class Origin(Struct, frozen=True):
    """Where connections go. `host` is a name in ASCII or an address, an IPv6 one without brackets."""

    secure: bool
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> "tuple[Origin, str]":
        """The origin of an http(s) address, and its path with the query, which may be empty.

        Raises ValueError for anything that two readers could understand differently: user names, blanks, backslashes,
        fragments, odd hosts and ports.
        """
        if _NOT_IN_URLS.search(url):
            raise ValueError("an address holds no blanks, backslashes or fragments")
        parts = urlsplit(url)
        if parts.scheme not in _DEFAULT_PORTS:
            raise ValueError("not an http or https address")
        place = _PLACE.fullmatch(parts.netloc)
        if place is None:
            raise ValueError("an address names a host, maybe a port, and no user")
        port = int(place["port"] or _DEFAULT_PORTS[parts.scheme])
        if not 0 < port < 65536:
            raise ValueError("a port is a number from 1 to 65535")
        path = quote(parts.path + (f"?{parts.query}" if parts.query else ""), safe=_PRINTABLE)
        return cls(parts.scheme == "https", place["v6"] or _ascii_name(place["name"]), port), path

    @property
    def authority(self) -> bytes:
        """The value of a Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}").encode("ascii")


def _ascii_name(host: str) -> str:
    name = (host if host.isascii() else host.encode("idna").decode("ascii")).lower()
    if not _NAME.fullmatch(name):
        raise ValueError("not a host name")
    return name


class HttpRequest(Struct, frozen=True, kw_only=True):
    """`headers` come without host, content-length, transfer-encoding and connection: the transport writes those.

    `address`: connect to this IP address instead of resolving the host, on a connection of its own; Host and the
    certificate's name stay the origin's.
    """

    origin: Origin
    method: str
    target: bytes
    headers: Headers
    body: bytes = b""
    address: str = ""


class Head(Struct, frozen=True):
    """An answer's status and headers, names in lower case."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]

    def get(self, name: bytes) -> bytes | None:
        """The first of that name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds, 0 is none; exact to about half a second.

    `connect` covers name, TCP and TLS; `first_byte` lasts from the request to the complete head; `idle` is the longest
    silence after it, not counted while the sink has paused; `total` covers everything.
    """

    connect: float = 10
    first_byte: float = 600
    idle: float = 300
    total: float = 3600


class TransportError(Exception):
    """Why there is no whole answer. `sent`: a byte of the request may have reached the upstream.

    `reason` is for logs: it names no key and quotes neither request nor answer.
    """

    def __init__(self, kind: FailureKind, reason: str = "", *, sent: bool) -> None:
        super().__init__(f"{kind}: {reason}" if reason else kind)
        self.kind: FailureKind = kind
        self.reason = reason
        self.sent = sent

    def told(self) -> UpstreamError:
        """What a caller may know of it: no address, no key."""
        status, sentence = _TOLD[self.kind]
        return UpstreamError(
            f"do request failed: {sentence}", status=status, code="do_request_failed", kind="one_api_error"
        )


class Sink(Protocol):
    """Who gets an answer."""

    def on_head(self, head: Head) -> None: ...
    def on_data(self, data: bytes) -> None: ...
    def on_end(self) -> None: ...
    def on_fail(self, error: TransportError) -> None: ...


class Exchange(Protocol):
    """One request under way. After its end all three do nothing."""

    def pause(self) -> None:
        """Stop reading the upstream's socket; what has been read may still come."""

    def resume(self) -> None: ...

    def abort(self) -> None:
        """Close the connection at once."""


class Transport(Protocol):
    """A way to reach upstreams."""

    def send(self, request: HttpRequest, sink: Sink, timeouts: Timeouts) -> Exchange: ...
    async def aclose(self) -> None: ...
