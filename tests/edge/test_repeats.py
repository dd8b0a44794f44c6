"""A head that repeats the one before is known again, also with other values where they may change, and only that."""

from contextlib import suppress

import httptools
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from one_api.edge.repeats import RepeatedHead
from one_api.relay.heading import CHANGEABLE, UNREAD, Heading, read_head

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nAuthorization: Bearer sk-x\r\n\r\n"
HEADERS = [(b"Host", b"a"), (b"Content-Length", b"12"), (b"Authorization", b"Bearer sk-x")]


def learned(head: bytes = HEAD, headers: list[tuple[bytes, bytes]] = HEADERS) -> RepeatedHead | None:
    return RepeatedHead.learn(head + b"{}", headers, UNREAD)


@given(st.integers(0, 10**9 - 1), st.binary(max_size=20))
def test_the_same_head_with_any_length_is_known(length: int, body: bytes) -> None:
    known = learned()
    assert known is not None
    head = HEAD.replace(b"12", b"%d" % length)
    assert known.match(head + body) == (len(head), length, UNREAD)


@given(st.integers(0, len(HEAD) - 1), st.binary(min_size=1, max_size=1))
def test_a_head_that_differs_in_one_byte_is_not(place: int, byte: bytes) -> None:
    known = learned()
    assert known is not None
    other = HEAD[:place] + byte + HEAD[place + 1 :]
    digits = HEAD.index(b"12")
    assume(not HEAD.index(b"Bearer") <= place < len(HEAD) - 4)  # another key is looked at below
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


Lines = list[tuple[bytes, bytes]]


class Parsed:
    """A head as the parser tells it."""

    def __init__(self, data: bytes) -> None:
        self.url = b""
        self.headers: Lines = []
        self.whole = False
        with suppress(httptools.HttpParserError):  # what follows a body that is shorter than ours is no request
            httptools.HttpRequestParser(self).feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.whole = True

    @property
    def heading(self) -> Heading:
        heading = read_head(b"POST", self.url, self.headers) if self.whole else None
        assert heading is not None
        return heading


def written(lines: Lines) -> bytes:
    path = b"POST /v1/messages HTTP/1.1\r\n"
    return path + b"".join(b"%b: %b\r\n" % line for line in lines) + b"\r\n"


LINES = [
    (b"Host", b"a"),
    (b"Authorization", b"Bearer sk-x"),
    (b"Content-Length", b"12"),
    (b"X-Forwarded-For", b"10.0.0.1"),
    (b"X-Request-ID", b"one"),
    (b"Content-Type", b"application/json"),
]
ANY = st.one_of(st.binary(max_size=12), st.text("abc -1,.", max_size=12).map(str.encode))


@given(st.lists(st.tuples(st.integers(0, len(LINES) - 1), ANY), max_size=3))
@example([(1, b"Bearer sk-y-7")])
@example([(1, b"sk-y"), (3, b"10.0.0.2, 10.0.0.3"), (4, b"two")])
@example([(2, b"13"), (4, b"not a name")])
def test_a_head_with_other_values_says_what_the_parser_would_read(changes: list[tuple[int, bytes]]) -> None:
    first = written(LINES)
    known = RepeatedHead.learn(first, LINES, Parsed(first).heading)
    assert known is not None
    lines = list(LINES)
    for place, value in changes:
        lines[place] = lines[place][0], value
    head = written(lines)
    found = known.match(head + b"{}")
    if found is not None:
        parsed = Parsed(head + b"{}")
        assert {line[0].lower() for line in lines if line not in LINES} <= CHANGEABLE | {b"content-length"}
        assert found[0] == len(head)
        assert found[1] == int(dict(parsed.headers)[b"Content-Length"])
        # The length of the body is not asked of the heading by anybody.
        told = {name: value for name, value in found[2].headers.items() if name != b"content-length"}
        assert told.items() <= parsed.heading.headers.items()
        assert (found[2].credentials, found[2].caller_id) == (parsed.heading.credentials, parsed.heading.caller_id)


def test_other_callers_behind_one_proxy_are_told_apart_without_the_parser() -> None:
    first = written(LINES)
    known = RepeatedHead.learn(first, LINES, Parsed(first).heading)
    assert known is not None
    second = first.replace(b"sk-x", b"sk-yy-7").replace(b"10.0.0.1", b"10.0.0.2").replace(b": 12", b": 123")
    found = known.match(second)
    assert found is not None
    assert found[:2] == (len(second), 123)
    assert found[2].credentials is not None
    assert (found[2].credentials.key, found[2].credentials.channel) == ("yy", "7")
    assert found[2].headers[b"x-forwarded-for"] == b"10.0.0.2"
    assert known.match(first) == (len(first), 12, Parsed(first).heading)


@pytest.mark.parametrize(
    "line, other",
    [
        (b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-For: a\x00b"),
        (b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-For:  10.0.0.1"),
        (b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-For: \xff"),
        (b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-For: a\rb"),
        (b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-For: a\nTransfer-Encoding: chunked"),
        (b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-For: a\r\nX-Real-IP: b"),
        (b"X-Forwarded-For: 10.0.0.1", b"X-Real-IP: 10.0.0.1"),
        (b"Content-Length: 12", b"Content-Length: +1"),
        (b"Host: a", b"Host: b"),
        (b"Content-Type: application/json", b"Content-Type: text/plain"),
        (b"POST /v1/messages", b"POST /v1/embeddings"),
    ],
)
def test_what_may_not_change_is_left_to_the_parser(line: bytes, other: bytes) -> None:
    first = written(LINES)
    known = RepeatedHead.learn(first, LINES, Parsed(first).heading)
    assert known is not None
    assert known.match(first.replace(line, other)) is None


@pytest.mark.parametrize(
    "lines",
    [
        [*LINES, (b"x-forwarded-for", b"10.0.0.9")],  # the last one counts
        [*LINES, (b"Authorization", b"Bearer sk-z")],  # a fault, and it is told
    ],
)
def test_a_header_that_is_given_twice_does_not_change(lines: Lines) -> None:
    first = written(lines)
    known = RepeatedHead.learn(first, lines, Parsed(first).heading)
    assert known is not None
    assert known.match(first) is not None
    assert known.match(first.replace(b"10.0.0.1", b"10.0.0.2").replace(b"sk-x", b"sk-y")) is None


def test_two_different_keys_are_still_told() -> None:
    lines = [*LINES, (b"x-api-key", b"sk-x")]
    first = written(lines)
    known = RepeatedHead.learn(first, lines, Parsed(first).heading)
    assert known is not None
    found = known.match(first.replace(b"Bearer sk-x", b"Bearer sk-y"))
    assert found is not None
    assert "two different keys" in found[2].fault
