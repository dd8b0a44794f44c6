"""A head that repeats the one before is known again, and only that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from one_api.edge.repeats import RepeatedHead
from one_api.relay.heading import UNREAD

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nAuthorization: Bearer sk-x\r\n\r\n"
HEADERS = [(b"Host", b"a"), (b"Content-Length", b"12"), (b"Authorization", b"Bearer sk-x")]


def learned(head: bytes = HEAD, headers: list[tuple[bytes, bytes]] = HEADERS) -> RepeatedHead | None:
    return RepeatedHead.learn(head + b"{}", headers, UNREAD)


@given(st.integers(0, 10**9 - 1), st.binary(max_size=20))
def test_the_same_head_with_any_length_is_known(length: int, body: bytes) -> None:
    known = learned()
    assert known is not None
    head = HEAD.replace(b"12", b"%d" % length)
    assert known.match(head + body) == (len(head), length)


@given(st.integers(0, len(HEAD) - 1), st.binary(min_size=1, max_size=1))
def test_a_head_that_differs_in_one_byte_is_not(place: int, byte: bytes) -> None:
    known = learned()
    assert known is not None
    other = HEAD[:place] + byte + HEAD[place + 1 :]
    digits = HEAD.index(b"12")
    same = other == HEAD or (digits <= place < digits + 2 and byte.isdigit())
    assert (known.match(other + b"body") is not None) is same


@given(st.integers(0, len(HEAD) - 1))
def test_a_part_of_a_head_is_not(end: int) -> None:
    known = learned()
    assert known is not None
    assert known.match(HEAD[:end]) is None


@pytest.mark.parametrize(
    "line",
    [
        b"Transfer-Encoding: chunked",
        b"Expect: 100-continue",
        b"Connection: close",
        b"Connection: upgrade",
        b"content-length: 12",
        b"Upgrade: h2c",
    ],
)
def test_a_head_with_other_framing_is_not_learned(line: bytes) -> None:
    name, _, value = line.partition(b": ")
    assert learned(HEAD[:-2] + line + b"\r\n\r\n", [*HEADERS, (name, value)]) is None


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace(b": 12", b":12"),  # read as the same, but written otherwise: the parser's business
        HEAD.replace(b": 12", b": 12 "),
        b"\r\n\r\n" + HEAD,
        HEAD[:-2],
    ],
)
def test_an_odd_head_is_not_learned(head: bytes) -> None:
    assert RepeatedHead.learn(head, HEADERS, UNREAD) is None


@pytest.mark.parametrize("digits", [b"", b"-1", b"+1", b"0x1", b"1 ", b"1234567890", "²".encode("latin-1")])
def test_a_length_that_is_none_is_left_to_the_parser(digits: bytes) -> None:
    known = learned()
    assert known is not None
    assert known.match(HEAD.replace(b"12", digits)) is None
