"""Lines of JSON read incrementally, as some providers stream their answers: https://github.com/ndjson/ndjson-spec.

Lines come out whole whatever way the bytes were cut; empty ones are none.
"""

MAX_LINE = 16 * 1024 * 1024


class LineTooLong(ValueError):
    """One line passed `MAX_LINE` bytes."""


class LineReader:
    """`rest` are the pieces of a line not yet ended."""

    __slots__ = ("_size", "rest")

    def __init__(self) -> None:
        self.rest: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that are complete. Raises LineTooLong."""
        first, *others = chunk.split(b"\n")
        self._keep(first)
        found = []
        for piece in others:
            found.append(self._take())
            self._keep(piece)
        return [line for line in found if line]

    def close(self) -> list[bytes]:
        """The line that the end of the stream left open."""
        line = self._take()
        return [line] if line else []

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > MAX_LINE:
            raise LineTooLong
        if piece:
            self.rest.append(piece)

    def _take(self) -> bytes:
        line = b"".join(self.rest).strip()
        self.rest, self._size = [], 0
        return line
