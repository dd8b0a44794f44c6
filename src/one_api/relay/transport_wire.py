"""A request as bytes. Whatever could end a line early, or says twice what the transport says, does not get out."""

import re
from typing import Final

from one_api.relay.transport import Headers, HttpRequest

MOST: Final = 2048
LONGEST: Final = 4096  # longer ones are seldom the same twice

_METHOD: Final = re.compile(r"[A-Z]{1,20}")
_TARGET: Final = re.compile(rb"[!-~\x80-\xff]+")
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_VALUES: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_OURS: Final = frozenset((b"host", b"content-length", b"transfer-encoding", b"connection"))
_MEANS_A_BODY: Final = frozenset(("POST", "PUT", "PATCH"))


class Writer:
    """Writes requests. What was checked once is remembered: most calls repeat the head of the call before."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes, bytes, Headers], bytes] = {}

    def head(self, request: HttpRequest, host_line: bytes) -> bytes:
        """The request up to its body. Raises ValueError."""
        key = (request.method, request.target, host_line, request.headers)
        known = self._known.get(key)
        if known is None:
            lines = map(_header_line, request.headers)
            known = b"".join((_request_line(request.method, request.target), host_line, *lines))
            self._remember(key, known)
        size = len(request.body)
        if size or request.method in _MEANS_A_BODY:
            return b"%bcontent-length: %d\r\n\r\n" % (known, size)
        return known + b"\r\n"

    def _remember(self, key: tuple[str, bytes, bytes, Headers], head: bytes) -> None:
        if len(head) <= LONGEST:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = head


def _request_line(method: str, target: bytes) -> bytes:
    if not _METHOD.fullmatch(method):
        raise ValueError("not a method")
    if not _TARGET.fullmatch(target):
        raise ValueError("a request target holds no blanks and no control characters")
    return b"%b %b HTTP/1.1\r\n" % (method.encode("ascii"), target)


def _header_line(header: tuple[bytes, bytes]) -> bytes:
    name, value = header
    if not _NAME.fullmatch(name):
        raise ValueError("not a header name")
    if name.lower() in _OURS:
        raise ValueError(f"the transport itself writes {name.decode('ascii').lower()}")
    if _NOT_IN_VALUES.search(value):
        raise ValueError(f"the value of {name.decode('ascii')} holds control characters")
    return b"%b: %b\r\n" % header
