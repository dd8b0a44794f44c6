"""A connection's last request head, known again without being parsed.

SDKs send the same head with every call of a connection, but for the length of the body. Proxies, and programs that use
the keys of many, send what differs in a few values. What repeats the rest byte by byte means the same, so the parser
need not look again. It is left where it stands: between two messages.
"""

from collections.abc import Sequence
from typing import Final

from one_api.lib.heads import KnownHead, names
from one_api.relay.heading import CHANGEABLE, Heading, renewable, renewed

LONGEST_LENGTH: Final = 9  # digits; more is no body of ours
_LENGTH: Final = b"content-length"
_CHANGEABLE: Final = CHANGEABLE | {_LENGTH}
_OTHER_FRAMING: Final = frozenset((b"transfer-encoding", b"expect", b"upgrade", b"connection"))
_KEPT_ALIVE: Final = b"keep-alive"


class RepeatedHead:
    """`before` and `after` are what stands around `digits`, those of content-length."""

    __slots__ = ("_after", "_before", "_digits", "_heading", "_known", "_names")

    def __init__(self, before: bytes, digits: bytes, after: bytes, heading: Heading) -> None:
        self._before = before
        self._digits = digits
        self._after = after
        self._heading = heading
        self._names: list[bytes] = []
        self._known: KnownHead | None = None  # made when first needed: most connections are one caller's

    @classmethod
    def learn(cls, data: bytes, headers: Sequence[tuple[bytes, bytes]], heading: Heading) -> "RepeatedHead | None":
        """The head that `data` begins with and that was parsed as this; None for one that is not to be repeated."""
        lengths = [item for item in headers if item[0].lower() == _LENGTH]
        if len(lengths) != 1 or any(
            name.lower() in _OTHER_FRAMING and value.lower() != _KEPT_ALIVE for name, value in headers
        ):
            return None
        head, blank, _ = data.partition(b"\r\n\r\n")
        name, digits = lengths[0]
        line = b"\r\n%b: %b\r\n" % (name, digits)
        before, found, after = (head + b"\r\n").partition(line)
        if not blank or not found or not digits.isdigit():
            return None
        return cls(before + line[: -len(digits) - 2], digits, b"\r\n" + after + b"\r\n", heading)

    def match(self, data: bytes) -> tuple[int, int, Heading] | None:
        """Where the body begins in `data`, how long it is, and what the head says; None if it begins with another."""
        before, after = self._before, self._after
        if data.startswith(before):
            start = len(before)
            end = data.find(b"\r", start, start + LONGEST_LENGTH + 1)
            digits = data[start:end]
            if end >= 0 and digits.isdigit() and data.startswith(after, end):
                return end + len(after), int(digits), self._heading
        return self._match_lines(data) if renewable(self._heading) else None

    def _match_lines(self, data: bytes) -> tuple[int, int, Heading] | None:
        """The same where other values may stand in some lines. What is given twice stays as it is."""
        if self._known is None:
            lines = (self._before + self._digits + self._after).removesuffix(b"\r\n\r\n").split(b"\r\n")
            self._names = found = names(lines)
            places = [n for n, name in enumerate(found) if name in _CHANGEABLE and found.count(name) == 1]
            self._known = KnownHead(lines, places)
        match = self._known.match(data)
        if match is None:
            return None
        start, changed = match
        values = {self._names[place]: value for place, value in changed.items()}
        digits = values.pop(_LENGTH, self._digits)
        if not digits.isdigit() or len(digits) > LONGEST_LENGTH:
            return None
        return start, int(digits), renewed(self._heading, values) if values else self._heading
