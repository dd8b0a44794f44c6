"""What an image costs as a prompt: its size from the first bytes of the file, and tiles of 512 pixels from its size.

Nothing is decoded: four formats keep width and height in their head.
"""

import binascii
import math
import struct
from typing import Final

Size = tuple[int, int]
"""Width and height in pixels. (0, 0) is what One API makes of an address that does not serve an image."""

_DATA_PREFIX: Final = "data:image/"
_HEAD_CHARS: Final = 1 << 16  # of base64, a multiple of 4; JPEG files with large previews need more
_JPEG_SIZES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # frame headers; the three are tables
_JPEG_BARE: Final = frozenset((0x01, *range(0xD0, 0xD9)))  # markers without a length


def cost(model: str, detail: str, size: Size | None) -> int:
    """Prompt tokens of an image. Unknown details and images nobody could read cost nothing.

    https://platform.openai.com/docs/guides/vision
    """
    low, tile, base = (2833, 5667, 2833) if model.startswith("gpt-4o-mini") else (85, 170, 85)
    if detail == "low":
        return low
    if detail not in ("", "auto", "high") or size is None:
        return 0
    return tile * _tiles(*size) + base


def data_url_size(url: str) -> Size | None:
    """The size of an image inside a `data:` URL, whatever type it claims to be."""
    head, found, content = url.partition(";base64,")
    if not found or not head.startswith(_DATA_PREFIX):
        return None
    try:
        size = image_size(binascii.a2b_base64(content[:_HEAD_CHARS]))
        if size is None and len(content) > _HEAD_CHARS:
            size = image_size(binascii.a2b_base64(content))
    except ValueError:  # not base64, or not even ASCII
        return None
    return size


def image_size(data: bytes) -> Size | None:
    """The size of a PNG, GIF, JPEG or WebP image of which `data` is the beginning."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _pair(">II", data, 16) if data[12:16] == b"IHDR" else None
        if data.startswith((b"GIF87a", b"GIF89a")):
            return _pair("<HH", data, 6)
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError):  # it ends too early
        return None
    return None


def _tiles(width: int, height: int) -> int:
    if max(width, height) > 2048:
        width, height = _scaled(width, height, 2048 / max(width, height))
    if min(width, height) > 768:
        width, height = _scaled(width, height, 768 / min(width, height))
    return math.ceil(width / 512) * math.ceil(height / 512)


def _scaled(width: int, height: int, ratio: float) -> Size:
    return int(width * ratio), int(height * ratio)


def _pair(form: str, data: bytes, at: int) -> Size:
    first, second = struct.unpack_from(form, data, at)
    return first, second


def _jpeg(data: bytes) -> Size | None:
    """Walk the segments up to the frame header.

    https://www.w3.org/Graphics/JPEG/itu-t81.pdf
    """
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker in _JPEG_BARE:
            at += 2
        elif marker in _JPEG_SIZES:
            height, width = _pair(">HH", data, at + 5)
            return width, height
        else:
            at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    return None


def _webp(data: bytes) -> Size | None:
    """Read the first chunk, which is one of three kinds.

    https://developers.google.com/speed/webp/docs/riff_container
    """
    match data[12:16]:
        case b"VP8 " if data[23:26] == b"\x9d\x01\x2a":
            width, height = _pair("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L" if data[20] == 0x2F:
            bits = struct.unpack_from("<I", data, 21)[0]
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            width_low, width_high, height_low, height_high = struct.unpack_from("<HBHB", data, 24)
            return (width_high << 16 | width_low) + 1, (height_high << 16 | height_low) + 1
        case _:
            return None
