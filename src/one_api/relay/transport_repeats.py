"""What of an upstream's answers need not be parsed: a chunk that comes whole, and an answer like the one before."""

from functools import lru_cache
from typing import Final

from one_api.lib.heads import KnownHead, names
from one_api.relay.transport import Head
from one_api.relay.transport_sips import SIP

MOST_SIZES: Final = 1024  # remembered
_DIGITS: Final = 6
_HEXADECIMAL: Final = b"0123456789abcdefABCDEF"
_LENGTH: Final = b"content-length"
_MOST_LENGTH: Final = 9  # digits
# What says where an answer ends or what becomes of its connection.
_FIXED: Final = frozenset(
    (
        b"connection",
        b"content-encoding",
        b"keep-alive",
        b"proxy-connection",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)


def whole_chunk(data: bytes) -> bytes:
    """What is in `data` if that is one chunk from its beginning to its end, else nothing: then it is to be parsed.

    https://www.rfc-editor.org/rfc/rfc9112#section-7.1
    """
    end = data.find(b"\r\n", 0, _DIGITS + 2)
    if end > 0 and _size_of(data[:end]) == len(data) - end - 4 and data.endswith(b"\r\n"):
        return data[end + 2 : -2]
    return b""


@lru_cache(MOST_SIZES)
def _size_of(digits: bytes) -> int:
    """-1 for what is no size, or larger than what is handed on at once."""
    size = -1 if digits.strip(_HEXADECIMAL) else int(digits, 16)
    return size if size <= SIP else -1


class RepeatedAnswer:
    """A connection's last answer, by which the next one is known: servers repeat a head but for a few values."""

    __slots__ = ("_head", "_known", "_length", "_place")

    def __init__(self, known: KnownHead, place: int, length: int, head: Head) -> None:
        self._known = known
        self._place = place
        self._length = length
        self._head = head

    @classmethod
    def learn(cls, data: bytes, head: Head) -> "RepeatedAnswer | None":
        """`data` is an answer with a length, from its beginning to its end, whose connection goes on, and `head` what
        it was parsed as. None for one that is not to be repeated.
        """
        lines = data.partition(b"\r\n\r\n")[0].split(b"\r\n")
        found = names(lines)
        if found[1:] != [name for name, _ in head.headers] or found.count(_LENGTH) != 1:
            return None
        place = found.index(_LENGTH)
        places = [number for number, name in enumerate(found) if number and name not in _FIXED]
        return cls(KnownHead(lines, places), place, int(head.headers[place - 1][1]), head)

    def match(self, data: bytes) -> tuple[Head, bytes] | None:
        """The head and the body of an answer that is all of `data`; None where that is to be parsed."""
        match = self._known.match(data)
        if match is None:
            return None
        start, changed = match
        length, digits = self._length, changed.get(self._place)
        if digits is not None:
            if not digits.isdigit() or len(digits) > _MOST_LENGTH:
                return None
            length = int(digits)
        if len(data) - start != length:
            return None
        if not changed:
            return self._head, data[start:]
        headers = [*self._head.headers]
        for place, value in changed.items():
            headers[place - 1] = (headers[place - 1][0], value)
        return Head(self._head.status, headers), data[start:]
