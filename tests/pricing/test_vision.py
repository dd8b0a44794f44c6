"""Sizes of images from their first bytes, and what they cost."""

import base64
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from one_api.pricing import vision
from tests.pricing import recorded


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height)


def jpeg(width: int, height: int, *, frame: int = 0xC0, before: bytes = b"") -> bytes:
    return b"\xff\xd8" + before + struct.pack(">BBHBHH", 0xFF, frame, 17, 8, height, width)


def webp(kind: bytes, content: bytes) -> bytes:
    return b"RIFF\x00\x00\x00\x00WEBP" + kind + struct.pack("<I", len(content)) + content


EXIF = b"\xff\xe1" + struct.pack(">H", 60_002) + b"\xff" * 60_000
LOSSY = b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 600 | 0x4000, 400 | 0x8000)
LOSSLESS = b"\x2f" + struct.pack("<I", 599 | 399 << 14)
EXTENDED = b"\x00\x00\x00\x00" + (599).to_bytes(3, "little") + (399).to_bytes(3, "little")


@pytest.mark.parametrize(
    "data",
    [
        png(600, 400),
        gif(600, 400),
        jpeg(600, 400),
        jpeg(600, 400, frame=0xC2),
        jpeg(600, 400, before=EXIF),
        jpeg(600, 400, before=b"\xff\xdb\x00\x02\xff\xd0\xff\xff\xc4\x00\x02"),
        webp(b"VP8 ", LOSSY),
        webp(b"VP8L", LOSSLESS),
        webp(b"VP8X", EXTENDED),
    ],
)
def test_sizes(data: bytes) -> None:
    assert vision.image_size(data) == (600, 400)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x00\x00",
        b"<svg/>",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rNOPE\x00\x00\x00\x01\x00\x00\x00\x01",
        b"\xff\xd8\x00\x00",
        b"\xff\xd8\xff\xe0\x00\x00\xff\xd9",
        webp(b"VP8 ", b"\x00" * 20),
        webp(b"VP8L", b"\x00" * 20),
        webp(b"ALPH", b"\x00" * 20),
    ],
)
def test_what_is_no_image_has_no_size(data: bytes) -> None:
    assert vision.image_size(data) is None


@pytest.mark.parametrize(
    "data", [png(6, 4), gif(6, 4), jpeg(6, 4), webp(b"VP8 ", LOSSY), webp(b"VP8L", LOSSLESS), webp(b"VP8X", EXTENDED)]
)
def test_a_head_cut_anywhere_has_no_size(data: bytes) -> None:
    assert [vision.image_size(data[:cut]) for cut in range(len(data))] == [None] * len(data)


@given(st.sampled_from([png(1, 1)[:8], b"GIF89a", b"\xff\xd8", webp(b"VP8L", b"")]), st.binary(max_size=80))
def test_no_bytes_break_the_reader(head: bytes, rest: bytes) -> None:
    size = vision.image_size(head + rest)
    assert size is None or min(size) >= 0


def url(data: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


def test_data_urls_are_believed_by_content_and_not_by_name() -> None:
    assert vision.data_url_size(url(png(600, 400))) == (600, 400)


def test_a_size_behind_a_large_preview_is_found() -> None:
    assert vision.data_url_size(url(jpeg(600, 400, before=EXIF + EXIF))) == (600, 400)


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/x.png",
        "data:image/png,AAAA",
        "data:text/plain;base64,AAAA",
        "data:image/png;base64,AAAA",
        "data:image/png;base64,***A",
        "data:image/png;base64,A",
        "data:image/png;base64,é",
        "data:image/png;base64,",
    ],
)
def test_other_addresses_have_no_size(address: str) -> None:
    assert vision.data_url_size(address) is None


@pytest.mark.parametrize("case", recorded.vectors("image_tokens.json"), ids=str)
def test_vectors(case: dict[str, Any]) -> None:
    assert vision.cost(case["model"], case["detail"], (case["width"], case["height"])) == case["tokens"]


def test_details() -> None:
    assert [vision.cost("gpt-4o", detail, (512, 512)) for detail in ("", "auto", "high", "low", "ultra")] == [
        255,
        255,
        255,
        85,
        0,
    ]


def test_images_nobody_could_read() -> None:
    assert vision.cost("gpt-4o", "high", None) == 0
    assert vision.cost("gpt-4o", "low", None) == 85
    assert vision.cost("gpt-4o", "high", (0, 0)) == 85
    assert vision.cost("gpt-4o-mini", "high", (0, 0)) == 2833


@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_an_image_of_any_size_has_at_most_eight_tiles_and_a_bit(width: int, height: int) -> None:
    assert 85 <= vision.cost("gpt-4o", "high", (width, height)) <= 85 + 170 * 8
