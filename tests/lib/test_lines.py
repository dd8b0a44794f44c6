"""Lines do not depend on how their bytes were cut, and have an end."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from one_api.lib.lines import MAX_LINE, LineReader
from one_api.lib.sse import EventTooLong


def twice(*lines: bytes) -> list[tuple[bytes, bytes]]:
    return [(line, line) for line in lines]


def read(*chunks: bytes) -> list[tuple[bytes, bytes | None]]:
    reader = LineReader()
    return [line for chunk in chunks for line in reader.feed(chunk)] + reader.close()


@given(
    st.lists(st.sampled_from([b"{}", b'{"a":1}', b"", b"\r", "你".encode()]), max_size=8), st.lists(st.integers(0, 60))
)
def test_lines_do_not_depend_on_chunking(lines: list[bytes], marks: list[int]) -> None:
    stream = b"\n".join(lines)
    places = sorted({0, len(stream), *(mark for mark in marks if mark < len(stream))})
    expected = [line.strip() for line in lines if line.strip()]
    assert read(stream) == read(*(stream[a:b] for a, b in pairwise(places))) == twice(*expected)


def test_a_line_is_told_as_soon_as_it_ends() -> None:
    reader = LineReader()
    assert reader.feed(b'{"a":1}\n{"b') == twice(b'{"a":1}')
    assert reader.feed(b'":2}\r\n') == twice(b'{"b":2}')
    assert reader.close() == []


def test_a_line_without_end_is_refused() -> None:
    reader = LineReader()
    piece = b"x" * (MAX_LINE // 4)
    for _ in range(4):
        assert reader.feed(piece) == []
    with pytest.raises(EventTooLong):
        reader.feed(b"x")


def test_many_small_pieces_of_a_long_line_are_joined_once() -> None:
    reader = LineReader()
    for _ in range(100_000):
        assert reader.feed(b"x" * 10) == []
    assert reader.feed(b"\n") == twice(b"x" * 1_000_000)
