"""Heads of HTTP messages that repeat each other but for some values: told without a parser.

What repeats byte by byte means the same. A value that differs has to be plain, so that it is no more than a value.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import compress, count
from operator import ne
from typing import Final

LONGEST: Final = 8 * 1024
_is_plain = re.compile(rb"[!-~](?:[ !-~]*[!-~])?").fullmatch


def names(lines: Iterable[bytes]) -> list[bytes]:
    """What stands before the colons of a head's lines, in lower case."""
    return [line.partition(b":")[0].lower() for line in lines]


class KnownHead:
    """The lines of a head that was parsed. In those at `places`, numbered from the first, another value may stand."""

    __slots__ = ("_lines", "_prefixes")

    def __init__(self, lines: Sequence[bytes], places: Iterable[int]) -> None:
        self._lines = lines
        prefixes = {place: lines[place][: lines[place].find(b":") + 2] for place in places}
        self._prefixes = {place: prefix for place, prefix in prefixes.items() if prefix.endswith(b": ")}

    def match(self, data: bytes) -> tuple[int, dict[int, bytes]] | None:
        """How long the head is that `data` begins with, and its other values; None if it is another head."""
        end = data.find(b"\r\n\r\n", 0, LONGEST)
        lines = data[: max(end, 0)].split(b"\r\n")
        if len(lines) != len(self._lines):
            return None
        values = {}
        for place in compress(count(), map(ne, lines, self._lines)):
            line, prefix = lines[place], self._prefixes.get(place)
            if prefix is None or not line.startswith(prefix) or not _is_plain(value := line[len(prefix) :]):
                return None
            values[place] = value
        return end + 4, values
