"""Events do not depend on how their bytes were cut, and keep the bytes they came as."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from one_api.lib import sse
from one_api.lib.sse import SSEReader, data_of

LINES = st.sampled_from(
    ["data: x", "data:y", "data", ": comment", "event: e", "id: 1", "retry: 5", 'data: {"a":1}', "nonsense"]
)
STREAMS = st.tuples(
    st.lists(st.lists(LINES, min_size=1, max_size=3), max_size=6), st.sampled_from(["\n", "\r\n", "\r"])
).map(lambda made: "".join(made[1].join(lines) + made[1] * 2 for lines in made[0]).encode())


def read(chunks: list[bytes]) -> list[tuple[bytes, bytes | None]]:
    reader = SSEReader()
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return events + reader.close()


@given(STREAMS, st.lists(st.integers(0, 200), max_size=8))
def test_events_do_not_depend_on_chunking(stream: bytes, marks: list[int]) -> None:
    places = sorted({0, len(stream), *(mark for mark in marks if mark < len(stream))})
    cut = [stream[a:b] for a, b in pairwise(places)]
    whole, parts = read([stream]), read(cut)
    assert [data for _, data in parts] == [data for _, data in whole]


@given(STREAMS)
def test_one_byte_at_a_time_gives_the_same_data(stream: bytes) -> None:
    assert [d for _, d in read([stream[i : i + 1] for i in range(len(stream))])] == [d for _, d in read([stream])]


@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"").replace(b"\r", b"")), max_size=6))
def test_raw_bytes_of_plain_events_add_up_to_the_stream(payloads: list[bytes]) -> None:
    stream = b"".join(b"data: " + payload + b"\n\n" for payload in payloads)
    assert b"".join(raw for raw, _ in read([stream])) == stream
    assert [data for _, data in read([stream])] == payloads


@pytest.mark.parametrize(
    "raw, data",
    [
        (b"data: a\n\n", b"a"),
        (b"data:a\n\n", b"a"),
        (b"data:  a\n\n", b" a"),
        (b"data: a\ndata: b\n\n", b"a\nb"),
        (b"event: x\ndata: a\n\n", b"a"),
        (b": ping\n\n", None),
        (b"data\n\n", b""),
        (b"data: a\r\n\r\n", b"a"),
        (b"database: a\n\n", None),
        (b"\xef\xbb\xbfdata: a\n\n", b"a"),
    ],
)
def test_the_data_field_is_read_as_the_standard_says(raw: bytes, data: bytes | None) -> None:
    assert data_of(raw) == data


def test_an_endless_event_is_refused() -> None:
    reader = SSEReader()
    reader.feed(b"x" * sse.MAX_EVENT)
    with pytest.raises(sse.EventTooLong):
        reader.feed(b"x")


def test_what_the_end_left_open_is_an_event_if_it_holds_data() -> None:
    reader = SSEReader()
    reader.feed(b"data: tail")
    assert reader.close() == [(b"data: tail\n\n", b"tail")]
    reader.feed(b": half a comment")
    assert reader.close() == []


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_an_event_of_megabytes_in_small_pieces_is_put_together_once(end: bytes) -> None:
    """Else this would copy 60 GB."""
    reader = SSEReader()
    found = reader.feed(b"event: x" + end + b"data: ")
    for _ in range(8 * 1024):
        found += reader.feed(b"x" * 1024)
    found += reader.feed(end + end)
    assert [len(data or b"") for _, data in found] == [8 * 1024 * 1024]
