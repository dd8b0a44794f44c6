"""Server-sent events, read incrementally as the standard says: https://html.spec.whatwg.org/multipage/server-sent-events.html.

Events come out whole whatever way the bytes were cut. The raw bytes of an event are kept, so that it can be forwarded
as received.
"""

from typing import Final

MAX_EVENT: Final = 16 * 1024 * 1024
CR: Final = 13  # looked for as a number, in an eighth of the time: bytes are tried as one first
BOM: Final = b"\xef\xbb\xbf"


class EventTooLong(ValueError):
    """One event passed `MAX_EVENT` bytes."""


class SSEReader:
    """Cuts a byte stream into events.

    `feed` returns pairs (raw, data): the event's bytes with the blank line that ends it, and its joined `data` field,
    None for an event without one (comments, `event:` alone). `_rest` holds bytes of an event not yet ended, `_more`
    those that came since and end nothing either: an event of megabytes in a thousand pieces is put together once.
    """

    __slots__ = ("_cr", "_more", "_rest", "_scanned", "_size")

    def __init__(self) -> None:
        self._rest = b""
        self._more: list[bytes] = []
        self._size = 0
        self._scanned = 0
        self._cr = False

    def feed(self, chunk: bytes) -> list[tuple[bytes, bytes | None]]:
        if self._rest:
            if self._ends_nothing(chunk):
                return self._wait(chunk)
            data = b"".join((self._rest, *self._more, chunk)) if self._more else self._rest + chunk
        else:
            data = chunk
        events = []
        start = 0
        # A blank line may be split over two chunks: look again at the last three bytes already scanned.
        position = max(self._scanned - 3, 0)
        if CR in data:
            return self._feed_crlf(data)
        while (end := data.find(b"\n\n", position)) >= 0:
            raw = data[start : end + 2]
            events.append((raw, data_of(raw)))
            start = position = end + 2
        return self._keep(data, start, events)

    def single(self, chunk: bytes) -> bytes | None:
        """The `data` field of a chunk that is one whole event of one line, as models that speak slowly send them."""
        if (
            self._rest
            or chunk.find(b"\n") != len(chunk) - 2
            or CR in chunk
            or not (chunk.startswith(b"data: ") and chunk.endswith(b"\n"))
        ):
            return None
        return chunk[6:-2]

    def plain(self, chunk: bytes) -> list[bytes] | None:
        """The `data` fields of a chunk that is whole events of one `data: ` line each, which nearly every chunk is.

        None for any other chunk; it then has to be fed.
        """
        if self._rest or CR in chunk or not chunk.endswith(b"\n\n"):
            return None
        found = chunk[:-2].split(b"\n\ndata: ")
        first = found[0]
        if not first.startswith(b"data: ") or chunk.count(b"\n") != 2 * len(found):
            return None
        found[0] = first[6:]
        return found

    def close(self) -> list[tuple[bytes, bytes | None]]:
        """The event that the end of the stream left open, if it holds data; ended with a blank line."""
        rest = b"".join((self._rest, *self._more))
        self._rest, self._more, self._size, self._scanned = b"", [], 0, 0
        if not rest.strip(b"\r\n"):
            return []
        data = data_of(rest)
        return [] if data is None else [(rest.rstrip(b"\r\n") + b"\n\n", data)]

    def _feed_crlf(self, data: bytes) -> list[tuple[bytes, bytes | None]]:
        events: list[tuple[bytes, bytes | None]] = []
        start = line = 0
        while True:
            end, after = _line_end(data, line)
            if end < 0:
                break
            if end == line:
                raw = data[start:after]
                if raw.strip(b"\r\n"):
                    events.append((raw, data_of(raw)))
                start = after
            line = after
        return self._keep(data, start, events)

    def _keep(
        self, data: bytes, start: int, events: list[tuple[bytes, bytes | None]]
    ) -> list[tuple[bytes, bytes | None]]:
        self._rest = data[start:] if start else data
        self._scanned = self._size = len(self._rest)
        self._cr = CR in self._rest
        if self._more:
            self._more = []
        if self._size > MAX_EVENT:
            raise EventTooLong
        return events

    def _ends_nothing(self, chunk: bytes) -> bool:
        """Whether there is no blank line yet, which a look at the chunk alone shows."""
        before = (self._more[-1] if self._more else self._rest)[-1:]
        if self._cr or CR in chunk:
            return before != b"\r" and b"\n" not in chunk and CR not in chunk
        return b"\n\n" not in chunk and not (before == b"\n" and chunk.startswith(b"\n"))

    def _wait(self, chunk: bytes) -> list[tuple[bytes, bytes | None]]:
        if not chunk:
            return []
        self._more.append(chunk)
        self._size += len(chunk)
        if self._size > MAX_EVENT:
            raise EventTooLong
        return []


def _line_end(data: bytes, start: int) -> tuple[int, int]:
    """Where the line from `start` ends and the next begins; (-1, -1) while that is not known."""
    cr = data.find(b"\r", start)
    lf = data.find(b"\n", start, cr if cr >= 0 else len(data))
    if lf >= 0:
        return lf, lf + 1
    if cr < 0 or cr + 1 == len(data):
        return -1, -1  # a CR at the end may be half of a CRLF
    return cr, cr + 2 if data[cr + 1 : cr + 2] == b"\n" else cr + 1


def data_of(raw: bytes) -> bytes | None:
    """The `data` field of one event: its lines joined by newlines, with or without a space after the colon."""
    if raw.startswith(b"data: ") and raw.find(b"\n") >= len(raw) - 2 and CR not in raw:
        return raw[6:-2] if raw.endswith(b"\n\n") else raw[6:].rstrip(b"\n")
    if raw.startswith(b"event: ") and raw.endswith(b"\n\n") and raw.count(b"\n") == 3 and CR not in raw:
        _, found_data, content = raw.partition(b"\ndata: ")
        if found_data:
            return content[:-2]
    found: list[bytes] = []
    raw = raw.removeprefix(BOM)  # may stand in front of a stream
    for line in raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"):
        if line.startswith(b"data:"):
            found.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line == b"data":
            found.append(b"")
    return b"\n".join(found) if found else None
