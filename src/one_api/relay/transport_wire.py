"""A request as bytes. Whatever could end a line early, or says twice what the transport says, does not get out."""

import re
from typing import Final

from one_api.relay.transport import HttpRequest

MOST_LINES: Final = 4096
LONGEST_LINE: Final = 1024  # longer ones are seldom the same twice

_METHOD: Final = re.compile(r"[A-Z]{1,20}")
_TARGET: Final = re.compile(rb"[!-~\x80-\xff]+")
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_VALUES: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_OURS: Final = frozenset((b"host", b"content-length", b"transfer-encoding", b"connection"))
_MEANS_A_BODY: Final = frozenset(("POST", "PUT", "PATCH"))


class Writer:
    """Writes requests. Lines that were checked once are remembered: most calls repeat those of the call before."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: dict[tuple[str | bytes, bytes], bytes] = {}

    def head(self, request: HttpRequest, host_line: bytes) -> bytes:
        """The request up to its body. Raises ValueError."""
        known = self._lines
        first = known.get((request.method, request.target))
        parts = [self._request_line(request.method, request.target) if first is None else first, host_line]
        for header in request.headers:
            line = known.get(header)
            parts.append(self._header_line(header) if line is None else line)
        size = len(request.body)
        if size or request.method in _MEANS_A_BODY:
            parts.append(b"content-length: %d\r\n\r\n" % size)
        else:
            parts.append(b"\r\n")
        return b"".join(parts)

    def _request_line(self, method: str, target: bytes) -> bytes:
        if not _METHOD.fullmatch(method):
            raise ValueError("not a method")
        if not _TARGET.fullmatch(target):
            raise ValueError("a request target holds no blanks and no control characters")
        return self._remember((method, target), b"%b %b HTTP/1.1\r\n" % (method.encode("ascii"), target))

    def _header_line(self, header: tuple[bytes, bytes]) -> bytes:
        name, value = header
        if not _NAME.fullmatch(name):
            raise ValueError("not a header name")
        if name.lower() in _OURS:
            raise ValueError(f"the transport itself writes {name.decode('ascii').lower()}")
        if _NOT_IN_VALUES.search(value):
            raise ValueError(f"the value of {name.decode('ascii')} holds control characters")
        return self._remember(header, b"%b: %b\r\n" % header)

    def _remember(self, key: tuple[str | bytes, bytes], line: bytes) -> bytes:
        if len(line) <= LONGEST_LINE:
            if len(self._lines) >= MOST_LINES:
                self._lines.clear()
            self._lines[key] = line
        return line
