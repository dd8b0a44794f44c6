"""Server-sent events, read incrementally as the standard says: https://html.spec.whatwg.org/multipage/server-sent-events.html.

Events come out whole whatever way the bytes were cut. The raw bytes of an event are kept, so that it can be forwarded
as received.
"""

MAX_EVENT = 16 * 1024 * 1024


class EventTooLong(ValueError):
    """One event passed `MAX_EVENT` bytes."""


class SSEReader:
    """Cuts a byte stream into events.

    `feed` returns pairs (raw, data): the event's bytes with the blank line that ends it, and its joined `data` field,
    None for an event without one (comments, `event:` alone). `rest` holds bytes of an event not yet ended.
    """

    __slots__ = ("_scanned", "rest")

    def __init__(self) -> None:
        self.rest = b""
        self._scanned = 0

    def feed(self, chunk: bytes) -> list[tuple[bytes, bytes | None]]:
        data = self.rest + chunk if self.rest else chunk
        events = []
        start = 0
        # A blank line may be split over two chunks: look again at the last three bytes already scanned.
        position = max(self._scanned - 3, 0)
        if b"\r" in data:
            return self._feed_crlf(data)
        while (end := data.find(b"\n\n", position)) >= 0:
            raw = data[start : end + 2]
            events.append((raw, data_of(raw)))
            start = position = end + 2
        return self._keep(data, start, events)

    def plain(self, chunk: bytes) -> list[bytes] | None:
        """The `data` fields of a chunk that is whole events of one `data: ` line each, which nearly every chunk is.

        None for any other chunk; it then has to be fed.
        """
        if self.rest or b"\r" in chunk or not chunk.endswith(b"\n\n"):
            return None
        if chunk.find(b"\n") == len(chunk) - 2:  # one event: found faster than counted
            return [chunk[6:-2]] if chunk.startswith(b"data: ") else None
        found = chunk[:-2].split(b"\n\ndata: ")
        first = found[0]
        if not first.startswith(b"data: ") or chunk.count(b"\n") != 2 * len(found):
            return None
        found[0] = first[6:]
        return found

    def close(self) -> list[tuple[bytes, bytes | None]]:
        """The event that the end of the stream left open, if it holds data; ended with a blank line."""
        rest, self.rest, self._scanned = self.rest, b"", 0
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
        self.rest = data[start:] if start else data
        self._scanned = len(self.rest)
        if self._scanned > MAX_EVENT:
            raise EventTooLong
        return events


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
    if raw.startswith(b"data: ") and raw.find(b"\n") >= len(raw) - 2 and b"\r" not in raw:
        return raw[6:-2] if raw.endswith(b"\n\n") else raw[6:].rstrip(b"\n")
    if raw.startswith(b"event: ") and raw.endswith(b"\n\n") and raw.count(b"\n") == 3 and b"\r" not in raw:
        _, found_data, content = raw.partition(b"\ndata: ")
        if found_data:
            return content[:-2]
    found: list[bytes] = []
    for line in raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"):
        if line.startswith(b"data:"):
            found.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line == b"data":
            found.append(b"")
    return b"\n".join(found) if found else None
