"""A connection's last request head, known again without being parsed.

SDKs send the same head with every call of a connection, but for the length of the body. Proxies, and programs that use
the keys of many, send what differs in a few values. What repeats the rest byte by byte means the same, so the parser
need not look again. It is left where it stands: between two messages.
"""

import re
from collections.abc import Callable, Sequence
from itertools import compress, count
from operator import ne
from typing import Any, Final, TypeAlias

from one_api.relay.heading import CHANGEABLE, Heading, renewable, renewed

LONGEST_LENGTH: Final = 9  # digits; more is no body of ours
LONGEST_HEAD: Final = 8 * 1024  # whose values are looked at one by one
_LENGTH: Final = b"content-length"
_OTHER_FRAMING: Final = frozenset((b"transfer-encoding", b"expect", b"upgrade", b"connection"))
_KEPT_ALIVE: Final = b"keep-alive"

_Line: TypeAlias = tuple[bytes, bytes, Callable[[bytes], Any]]
"""The name of a header, what its line begins with, and whether what may follow is plain enough not to be parsed."""

_is_length = re.compile(rb"[0-9]{1,%d}" % LONGEST_LENGTH).fullmatch
_is_value = re.compile(rb"[!-~](?:[ !-~]*[!-~])?").fullmatch


class RepeatedHead:
    """`before` and `after` are what stands around the digits of content-length, `lines` what stands between CRLFs."""

    __slots__ = ("_after", "_before", "_changeable", "_heading", "_length", "_lines")

    def __init__(self, before: bytes, after: bytes, lines: list[bytes], length: int, heading: Heading) -> None:
        self._before = before
        self._after = after
        self._lines = lines
        self._length = length
        self._heading = heading
        self._changeable: dict[int, _Line] | None = None if renewable(heading) else {}  # looked for when first needed

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
        before += line[: -len(digits) - 2]
        return cls(before, b"\r\n" + after + b"\r\n", head.split(b"\r\n"), int(digits), heading)

    def match(self, data: bytes) -> tuple[int, int, Heading] | None:
        """Where the body begins in `data`, how long it is, and what the head says; None if it begins with another."""
        before, after = self._before, self._after
        if data.startswith(before):
            start = len(before)
            end = data.find(b"\r", start, start + LONGEST_LENGTH + 1)
            digits = data[start:end]
            if end >= 0 and digits.isdigit() and data.startswith(after, end):
                return end + len(after), int(digits), self._heading
        return self._match_lines(data)

    def _match_lines(self, data: bytes) -> tuple[int, int, Heading] | None:
        """The same where other values may stand in some lines."""
        if self._changeable is None:
            self._changeable = _changeable(self._lines)
        elif not self._changeable:
            return None
        end = data.find(b"\r\n\r\n", 0, LONGEST_HEAD)
        lines = data[: max(end, 0)].split(b"\r\n")
        if len(lines) != len(self._lines):
            return None
        length, values = self._length, {}
        for place in compress(count(), map(ne, lines, self._lines)):
            if place not in self._changeable:
                return None
            name, prefix, is_good = self._changeable[place]
            value = lines[place][len(prefix) :]
            if not lines[place].startswith(prefix) or not is_good(value):
                return None
            if name == _LENGTH:
                length = int(value)
            else:
                values[name] = value
        return end + 4, length, renewed(self._heading, values) if values else self._heading


def _changeable(lines: Sequence[bytes]) -> dict[int, _Line]:
    """By the number of the line. What is given twice stays as it is."""
    found: dict[int, _Line] = {}
    names = [line.partition(b":")[0].lower() for line in lines]
    for number, name in enumerate(names):
        prefix = lines[number][: len(name) + 2]
        if names.count(name) == 1 and (name in CHANGEABLE or name == _LENGTH) and prefix.endswith(b": "):
            found[number] = (name, prefix, _is_length if name == _LENGTH else _is_value)
    return found
