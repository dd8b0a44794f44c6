"""The smallest valid images of any size: what an upstream's `/img/<width>x<height>.<kind>` gives away."""

import struct
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType


def png(width: int, height: int) -> bytes:
    """One bit a pixel, all black."""
    pixels = zlib.compress(bytes((width + 7) // 8 + 1) * height, 9)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpg(width: int, height: int) -> bytes:
    """Baseline, one component. Both Huffman tables have one symbol, so a grey block is two zero bits."""
    blocks = ((width + 7) // 8) * ((height + 7) // 8)
    scan = bytearray((blocks * 2 + 7) // 8)
    if blocks % 4:
        scan[-1] = 0xFF >> (blocks % 4 * 2)  # what is left of the last byte is filled with ones
    one_code = bytes((1, *[0] * 15, 0))
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xDB, b"\x00" + bytes([1] * 64)),
            _segment(0xC0, struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0)),
            _segment(0xC4, b"\x00" + one_code + b"\x10" + one_code),
            _segment(0xDA, bytes((1, 1, 0, 0, 63, 0))),
            bytes(scan),
            b"\xff\xd9",
        )
    )


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def gif(width: int, height: int) -> bytes:
    """Two colours. A clear code before every two pixels keeps all codes three bits wide."""
    pairs = (width * height + 1) // 2
    group = _lsb_first([(4, 3), (0, 3), (0, 3)] * 8)  # 16 pixels are 9 whole bytes
    rest = _lsb_first([(4, 3), (0, 3), (0, 3)] * (pairs % 8) + [(5, 3)])
    data = group * (pairs // 8) + rest
    blocks = b"".join(bytes((len(part),)) + part for part in (data[i : i + 255] for i in range(0, len(data), 255)))
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
    return b"GIF89a" + screen + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02" + blocks + b"\x00;"


def webp(width: int, height: int) -> bytes:
    """Lossless. Five prefix codes of one symbol each, so a pixel takes no bits at all."""
    code = [(1, 1), (0, 1), (0, 1), (0, 1)]
    fields = [(width - 1, 14), (height - 1, 14), (0, 1), (0, 3), (0, 1), (0, 1), (0, 1), *code * 5]
    data = b"\x2f" + _lsb_first(fields)
    data += bytes(len(data) % 2)
    body = b"WEBPVP8L" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _lsb_first(fields: list[tuple[int, int]]) -> bytes:
    bits = position = 0
    for value, width in fields:
        bits |= value << position
        position += width
    return bits.to_bytes((position + 7) // 8, "little")


KINDS: Mapping[str, tuple[str, Callable[[int, int], bytes]]] = MappingProxyType(
    {
        "png": ("image/png", png),
        "jpg": ("image/jpeg", jpg),
        "gif": ("image/gif", gif),
        "webp": ("image/webp", webp),
    }
)
