"""Amazon's event stream, read incrementally: https://smithy.io/2.0/aws/amazon-eventstream.html.

A frame is its length, the length of its headers, a checksum of both, headers, a payload, and a checksum of all.
"""

import struct
from collections.abc import Iterator
from typing import Final
from zlib import crc32

import msgspec

MAX_FRAME: Final = 24 * 1024 * 1024
_PRELUDE: Final = struct.Struct(">III")
_CRC: Final = struct.Struct(">I")
_OVERHEAD: Final = _PRELUDE.size + _CRC.size
_WIDTHS: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Of headers whose value has one width, by their type."""
_BYTES, _TEXT = 6, 7


class Broken(ValueError):
    """What came is no frame."""


class Frame(msgspec.Struct, frozen=True):
    """kind: event, exception or error. name: which."""

    kind: str
    name: str
    payload: bytes


class FrameReader:
    """Cuts a byte stream into frames."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Raises Broken."""
        self._rest += data
        while len(self._rest) >= _PRELUDE.size:
            total, headers, checksum = _PRELUDE.unpack_from(self._rest)
            if crc32(self._rest[:8]) != checksum or not _OVERHEAD + headers <= total <= MAX_FRAME:
                raise Broken("the upstream's stream holds what is no frame")
            if len(self._rest) < total:
                return
            raw = bytes(self._rest[:total])
            del self._rest[:total]
            yield _frame(raw, headers)


def _frame(raw: bytes, length: int) -> Frame:
    end = len(raw) - _CRC.size
    if crc32(raw[:end]) != _CRC.unpack_from(raw, end)[0]:
        raise Broken("a frame of the upstream's stream was damaged on its way")
    payload_at = _PRELUDE.size + length
    try:
        headers = _headers(raw[_PRELUDE.size : payload_at])
    except (IndexError, struct.error, UnicodeDecodeError):
        raise Broken("the headers of a frame cannot be read") from None
    kind = headers.get(":message-type", "")
    named = {"event": ":event-type", "exception": ":exception-type", "error": ":error-code"}
    return Frame(kind, headers.get(named.get(kind, ""), ""), raw[payload_at:end])


def _headers(raw: bytes) -> dict[str, str]:
    """Those that are text."""
    found: dict[str, str] = {}
    place = 0
    while place < len(raw):
        name_end = place + 1 + raw[place]
        name, kind = raw[place + 1 : name_end].decode(), raw[name_end]
        place = name_end + 1
        if kind in (_BYTES, _TEXT):
            (width,) = struct.unpack_from(">H", raw, place)
            place += 2
        else:
            width = _WIDTHS.get(kind, -1)
        if width < 0 or place + width > len(raw):
            raise IndexError
        if kind == _TEXT:
            found[name] = raw[place : place + width].decode()
        place += width
    return found
