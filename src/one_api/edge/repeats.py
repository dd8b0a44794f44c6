"""A connection's last request head, known again without being parsed.

SDKs send the same head with every call of a connection, but for the length of the body. What repeats it byte by byte
means the same, so the parser need not look again. It is left where it stands: between two messages.
"""

from collections.abc import Sequence

from one_api.relay.heading import Heading

LONGEST_LENGTH = 9  # digits; more is no body of ours
_OTHER_FRAMING = frozenset((b"transfer-encoding", b"expect", b"upgrade", b"connection"))
_KEPT_ALIVE = b"keep-alive"


class RepeatedHead:
    """`before` and `after` are what stands around the digits of content-length."""

    __slots__ = ("_after", "_before", "heading")

    def __init__(self, before: bytes, after: bytes, heading: Heading) -> None:
        self._before = before
        self._after = after
        self.heading = heading

    @classmethod
    def learn(cls, data: bytes, headers: Sequence[tuple[bytes, bytes]], heading: Heading) -> "RepeatedHead | None":
        """The head that `data` begins with and that was parsed as this; None for one that is not to be repeated."""
        lengths = [item for item in headers if item[0].lower() == b"content-length"]
        if len(lengths) != 1 or any(
            name.lower() in _OTHER_FRAMING and value.lower() != _KEPT_ALIVE for name, value in headers
        ):
            return None
        head, blank, _ = data.partition(b"\r\n\r\n")
        name, digits = lengths[0]
        line = b"\r\n%b: %b\r\n" % (name, digits)
        before, found, after = (head + b"\r\n").partition(line)
        if not blank or not found:
            return None
        return cls(before + line[: -len(digits) - 2], b"\r\n" + after + b"\r\n", heading)

    def match(self, data: bytes) -> tuple[int, int] | None:
        """Where the body begins in `data` and how long it is; None if it begins with another head."""
        before, after = self._before, self._after
        if not data.startswith(before):
            return None
        start = len(before)
        end = data.find(b"\r", start, start + LONGEST_LENGTH + 1)
        digits = data[start:end]
        if end < 0 or not digits.isdigit() or not data.startswith(after, end):
            return None
        return end + len(after), int(digits)
