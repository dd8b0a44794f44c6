"""A request that offers another protocol, written once more: for who takes the offer, and for a parser without it."""

from collections.abc import Iterable
from typing import Final

from one_api.providers import REALTIME_PATH

Headers = Iterable[tuple[bytes, bytes]]

_SESSIONS: Final = REALTIME_PATH.encode()
_OFFER: Final = frozenset((b"upgrade", b"http2-settings", b"connection"))


def is_of_a_session(url: bytes, headers: Headers) -> bool:
    """Whether a WebSocket is wanted, where there are some."""
    if url.partition(b"?")[0] != _SESSIONS:
        return False
    return (b"upgrade", b"websocket") in {(name.lower(), value.lower()) for name, value in headers}


def with_offer(url: bytes, headers: Headers, rest: bytes) -> bytes:
    return _written(b"GET %b HTTP/1.1" % url, headers, rest)


def without_offer(method: bytes, url: bytes, version: str, headers: Headers, rest: bytes) -> bytes:
    """Java's client offers HTTP/2 with every body, and the parser leaves the body out of such a message.

    https://www.rfc-editor.org/rfc/rfc9110#section-7.8
    """
    kept = [item for item in headers if item[0].lower() not in _OFFER]
    return _written(b"%b %b HTTP/%b" % (method, url, version.encode()), kept, rest)


def _written(first: bytes, headers: Headers, rest: bytes) -> bytes:
    return b"\r\n".join((first, *(b"%b: %b" % item for item in headers), b"", rest))
