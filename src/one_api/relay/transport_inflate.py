"""Undoing gzip and deflate in pieces, so that a small answer cannot become a large one in memory."""

import zlib
from typing import Final

PIECE: Final = 256 * 1024
MOST_RATIO: Final = 100
FREE_BYTES: Final = 1024 * 1024  # below this no ratio is too high: short texts of one letter are no attack

_GZIP: Final = 31  # zlib's wbits
_ZLIB: Final = 15
_RAW: Final = -15
_FORMATS: Final = {b"gzip": _GZIP, b"x-gzip": _GZIP, b"deflate": _ZLIB}


class NotInflatable(Exception):
    """The bytes are not what their header says, or end too early."""


class Bomb(Exception):
    """More than a hundred bytes out of one."""


class Inflater:
    """`feed` compressed bytes, `read` plain ones until there are none."""

    __slots__ = ("_fed", "_input", "_made", "_wbits", "_zip")

    def __init__(self, coding: bytes) -> None:
        self._wbits = _FORMATS[coding]
        self._zip = zlib.decompressobj(self._wbits)
        self._input = b""
        self._fed = 0
        self._made = 0

    @staticmethod
    def knows(coding: bytes) -> bool:
        return coding in _FORMATS

    def feed(self, data: bytes) -> None:
        self._fed += len(data)
        self._input = self._input + data if self._input else data

    def read(self) -> bytes:
        """At most PIECE bytes; none means that more input is needed. Raises NotInflatable, Bomb."""
        while self._input:
            if self._zip.eof:
                self._next_member()
                continue
            piece = self._inflate()
            self._input = self._zip.unused_data if self._zip.eof else self._zip.unconsumed_tail
            if piece:
                self._made += len(piece)
                if self._made > FREE_BYTES and self._made > MOST_RATIO * self._fed:
                    raise Bomb
                return piece
        return b""

    def close(self) -> None:
        """Raises NotInflatable if the end has not been seen. An empty body is no gzip and no error."""
        if self._fed and not self._zip.eof:
            raise NotInflatable("the compressed answer is not complete")

    def _inflate(self) -> bytes:
        try:
            return self._zip.decompress(self._input, PIECE)
        except zlib.error:
            if self._wbits != _ZLIB or self._made:
                raise NotInflatable("the answer is not compressed as its header says") from None
        # Some servers send `deflate` without zlib's frame. https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1.2
        self._wbits = _RAW
        self._zip = zlib.decompressobj(_RAW)
        return self._inflate()

    def _next_member(self) -> None:
        """Gzip files may be concatenated; bytes after the end of deflate are an error."""
        if self._wbits != _GZIP:
            raise NotInflatable("bytes follow the end of the compressed answer")
        self._zip = zlib.decompressobj(_GZIP)
