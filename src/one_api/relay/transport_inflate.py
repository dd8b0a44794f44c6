"""Undoing gzip and deflate in pieces, so that a small answer cannot become a large one in memory."""

import zlib
from typing import Final

PIECE: Final = 256 * 1024
MOST_RATIO: Final = 100
FREE_BYTES: Final = 1024 * 1024  # below this no ratio is too high: short texts of one letter are no attack

_GZIP: Final = 31  # zlib's wbits
_ZLIB: Final = 15
_RAW: Final = -15
_CODINGS: Final = frozenset((b"gzip", b"x-gzip", b"deflate"))


class NotInflatable(Exception):
    """The bytes are not what their header says, or end too early."""


class Bomb(Exception):
    """More than a hundred bytes out of one."""


class Inflater:
    """`feed` compressed bytes, `read` plain ones until there are none, `close` at the end."""

    __slots__ = ("_deflate", "_fed", "_input", "_made", "_more", "_zip")

    def __init__(self, coding: bytes) -> None:
        self._deflate = coding == b"deflate"
        self._zip = None if self._deflate else zlib.decompressobj(_GZIP)
        self._input = b""
        self._more = False  # zlib may hold output back though it has eaten all input
        self._fed = 0
        self._made = 0

    @staticmethod
    def knows(coding: bytes) -> bool:
        return coding in _CODINGS

    def feed(self, data: bytes) -> None:
        self._fed += len(data)
        self._input = self._input + data if self._input else data

    def read(self) -> bytes:
        """At most PIECE bytes; none means that more input is needed. Raises NotInflatable, Bomb."""
        while self._input or self._more:
            if self._zip is None or (self._zip.eof and self._input):
                if self._deflate and len(self._input) < 2:
                    return b""
                self._zip = self._next_member()
            piece = self._inflate()
            if piece:
                return piece
        return b""

    def close(self) -> None:
        """Raises NotInflatable if the end has not been seen. An empty body is no gzip and no error."""
        if self._fed and not (self._zip and self._zip.eof):
            raise NotInflatable("the compressed answer is not complete")

    def _inflate(self) -> bytes:
        assert self._zip is not None  # noqa: S101  # read() made it
        try:
            piece = self._zip.decompress(self._input, PIECE)
        except zlib.error:
            raise NotInflatable("the answer is not compressed as its header says") from None
        self._input = self._zip.unused_data if self._zip.eof else self._zip.unconsumed_tail
        self._more = len(piece) == PIECE and not self._zip.eof
        self._made += len(piece)
        if self._made > FREE_BYTES and self._made > MOST_RATIO * self._fed:
            raise Bomb
        return piece

    def _next_member(self) -> "zlib._Decompress":
        """Gzip may be concatenated. Some servers send `deflate` without zlib's frame.

        https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1.2
        """
        if not self._deflate:
            return zlib.decompressobj(_GZIP)
        if self._zip is not None:
            raise NotInflatable("bytes follow the end of the compressed answer")
        framed = self._input[0] & 15 == 8 and int.from_bytes(self._input[:2], "big") % 31 == 0
        return zlib.decompressobj(_ZLIB if framed else _RAW)
