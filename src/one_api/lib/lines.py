"""Lines of JSON read incrementally, as some providers stream their answers: https://github.com/ndjson/ndjson-spec.

Lines come out whole whatever way the bytes were cut; empty ones are none.
"""

from one_api.lib.sse import EventTooLong

MAX_LINE = 16 * 1024 * 1024


class LineReader:
    """Each line is a pair of itself and itself, as if it were an event. `rest` are the pieces of one not yet ended."""

    __slots__ = ("_size", "rest")

    def __init__(self) -> None:
        self.rest: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[tuple[bytes, bytes | None]]:
        """The lines that are complete. Raises EventTooLong."""
        first, *others = chunk.split(b"\n")
        self._keep(first)
        found = []
        for piece in others:
            found.append(self._take())
            self._keep(piece)
        return [(line, line) for line in found if line]

    def close(self) -> list[tuple[bytes, bytes | None]]:
        """The line that the end of the stream left open."""
        line = self._take()
        return [(line, line)] if line else []

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > MAX_LINE:
            raise EventTooLong
        if piece:
            self.rest.append(piece)

    def _take(self) -> bytes:
        line = b"".join(self.rest).strip()
        self.rest, self._size = [], 0
        return line
