"""Answers in every shape and chunking, fed to our reader and to h11: the same message, or an error from both.

Where only one of both takes a damaged answer, that is leniency of a parser, not a second meaning.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from one_api.relay.connection import Connection
from one_api.relay.direct import DirectTransport
from one_api.relay.exchange import DirectExchange
from one_api.relay.transport import Head, HttpRequest, Origin, Timeouts
from one_api.relay.transport_repeats import whole_chunk
from tests.relay.peer import Told

Verdict = tuple[int, bytes] | str
ORIGIN = Origin(False, "upstream.example", 80)
REQUEST = HttpRequest(origin=ORIGIN, method="POST", target=b"/", headers=(), body=b"{}")

TOKENS = st.text("abcXYZ-_0123456789", min_size=1, max_size=12).map(str.encode)
VALUES = st.binary(max_size=20).map(lambda b: bytes(c for c in b if 0x20 <= c < 0x7F)).map(bytes.strip)
OTHERS = st.lists(st.tuples(TOKENS.map(lambda t: b"x-" + t), VALUES), max_size=4)
CASES = st.sampled_from([bytes.lower, bytes.upper, bytes.title])


def headers(pairs: Sequence[tuple[bytes, bytes]]) -> bytes:
    return b"".join(name + b": " + value + b"\r\n" for name, value in pairs)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    status = draw(st.sampled_from([200, 201, 204, 304, 400, 401, 429, 500, 503]))
    body = draw(st.binary(max_size=200))
    spell = draw(CASES)
    framing = draw(st.sampled_from(["length", "chunked", "close"]))
    others = draw(OTHERS)
    start = b"HTTP/1.1 %d Reason\r\n" % status
    if status in (204, 304):
        return start + headers(others) + b"\r\n"
    if framing == "length":
        return start + headers([*others, (spell(b"content-length"), b"%d" % len(body))]) + b"\r\n" + body
    if framing == "close":
        return start + headers([*others, (b"connection", b"close")]) + b"\r\n" + body
    pieces = [
        body[a:b] for a, b in pairwise(sorted({0, len(body), *draw(st.lists(st.integers(0, len(body)), max_size=4))}))
    ]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)
    return start + headers([*others, (spell(b"transfer-encoding"), b"chunked")]) + b"\r\n" + chunks + b"0\r\n\r\n"


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    raw = bytearray(draw(answers()))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw) - 1))
        match draw(st.sampled_from(["change", "drop", "insert"])):
            case "change":
                raw[at] = draw(st.integers(0, 255))
            case "drop":
                del raw[at : at + draw(st.integers(1, 8))]
            case _:
                raw[at:at] = draw(st.binary(max_size=6))
        if not raw:
            break
    return bytes(raw)


class Wire(asyncio.Transport):
    """A transport that goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """What is sent does not matter here."""

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


Ours = Callable[[Sequence[bytes]], Verdict]


class Reading:
    """A connection of ours without a socket, and what it told of its last answer."""

    def __init__(self, owner: DirectTransport) -> None:
        self.owner = owner
        self.connection = Connection(owner, (ORIGIN, ""))
        self.wire = Wire()
        self.connection.connection_made(self.wire)
        self.told = Told()

    def read(self, pieces: Sequence[bytes]) -> None:
        self.told = Told()
        self.connection.begin(DirectExchange(self.owner, REQUEST, self.told, Timeouts(), 0.0))
        for piece in pieces:
            if not self.wire.closed:
                self.connection.data_received(piece)

    def close(self) -> Verdict:
        self.connection.connection_lost(None)
        told = self.told
        assert told.calls.count("end") + told.calls.count("fail") == 1, told.calls
        return told.error.kind if told.error is not None else (told.status, told.body)


@pytest.fixture(scope="module")
def owner() -> Iterator[DirectTransport]:
    loop = asyncio.new_event_loop()
    yield DirectTransport(loop, most_idle=0x10000)
    loop.close()


@pytest.fixture(scope="module")
def ours(owner: DirectTransport) -> Ours:
    """Our reader, without sockets."""

    def read(pieces: Sequence[bytes]) -> Verdict:
        reading = Reading(owner)
        reading.read(pieces)
        return reading.close()

    return read


def theirs(raw: bytes) -> Verdict:
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="POST", target="/", headers=[("host", "x"), ("content-length", "0")]))
    client.send(h11.EndOfMessage())
    status, body = 0, b""
    try:
        client.receive_data(raw)
        for more in (None, b""):
            if more is not None:
                client.receive_data(more)
            while (event := client.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                if isinstance(event, h11.Response):
                    status = event.status_code
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    return status, body
                elif isinstance(event, h11.ConnectionClosed):
                    return "closed"
    except h11.RemoteProtocolError:
        return "protocol"
    return "closed"


def cut(raw: bytes, marks: Sequence[int]) -> list[bytes]:
    places = sorted({0, len(raw), *(mark % (len(raw) + 1) for mark in marks)})
    return [raw[a:b] for a, b in pairwise(places)]


def cut_at_lines(raw: bytes, chosen: int) -> list[bytes]:
    """Where lines end, and so between chunks: bit n of `chosen` is the n-th of those places."""
    ends = [place + 2 for place in range(len(raw)) if raw.startswith(b"\r\n", place)]
    return cut(raw, [end for number, end in enumerate(ends) if chosen >> number & 1])


MARKS = st.lists(st.integers(0, 2000), max_size=10)
LINES = st.integers(0, (1 << 20) - 1)


@settings(max_examples=400, deadline=None)
@given(raw=answers(), marks=MARKS)
def test_a_valid_answer_is_read_as_h11_reads_it_however_it_is_cut(ours: Ours, raw: bytes, marks: list[int]) -> None:
    assert ours(cut(raw, marks)) == ours([raw]) == theirs(raw)


@settings(max_examples=400, deadline=None)
@given(raw=answers(), chosen=LINES)
def test_a_read_may_end_with_a_line_or_a_chunk(ours: Ours, raw: bytes, chosen: int) -> None:
    assert ours(cut_at_lines(raw, chosen)) == ours([raw])


@settings(max_examples=60, deadline=None)
@given(raw=answers())
def test_one_byte_at_a_time_is_the_same_answer(ours: Ours, raw: bytes) -> None:
    assert ours([raw[i : i + 1] for i in range(len(raw))]) == ours([raw])


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n%b\r\nabcde\r\n0\r\n\r\n"


@settings(max_examples=1500, deadline=None)
@given(raw=mutated(), chosen=LINES)
@example(raw=CHUNKED % b"5", chosen=0xFF)
@example(raw=CHUNKED % b"0x5", chosen=0xFF)
@example(raw=CHUNKED % b"+5", chosen=0xFF)
@example(raw=CHUNKED % b" 5", chosen=0xFF)
@example(raw=CHUNKED % b"5;a=b", chosen=0xFF)
@example(raw=CHUNKED % b"0_5", chosen=0xFF)
@example(raw=CHUNKED % b"6", chosen=0xFF)
@example(raw=CHUNKED % b"", chosen=0xFF)
def test_damage_is_seen_wherever_a_read_ends(ours: Ours, raw: bytes, chosen: int) -> None:
    found, pieces = ours([raw]), ours(cut_at_lines(raw, chosen))
    assert isinstance(found, str) == isinstance(pieces, str)
    assert isinstance(found, str) or found == pieces


@settings(max_examples=1500, deadline=None)
@given(raw=mutated(), marks=MARKS)
@example(raw=b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", marks=[])
@example(raw=b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", marks=[])
@example(raw=b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n", marks=[])
def test_a_damaged_answer_is_never_read_as_another_whole_one(ours: Ours, raw: bytes, marks: list[int]) -> None:
    """Where both readers find a whole answer it is the same one; and chunking never changes what we find."""
    found, expected = ours([raw]), theirs(raw)
    assert isinstance(ours(cut(raw, marks)), str) == isinstance(found, str)
    if isinstance(found, tuple) and isinstance(expected, tuple):
        assert found == expected


@st.composite
def alike(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Two answers with the same lines but for their values, the second perhaps damaged."""
    names = [b"Content-Length", *draw(st.lists(st.sampled_from(OFTEN) | TOKENS.map(lambda t: b"x-" + t), max_size=5))]
    names = draw(st.permutations(names))
    made = []
    for status in (200, draw(st.sampled_from([200, 200, 200, 429]))):
        body = draw(st.binary(max_size=20))
        values = [b"%d" % len(body) if name == b"Content-Length" else draw(VALUES) for name in names]
        made.append(b"HTTP/1.1 %d OK\r\n" % status + headers([*zip(names, values, strict=True)]) + b"\r\n" + body)
    first, second = made
    if draw(st.booleans()):
        at = draw(st.integers(0, len(second) - 1))
        second = second[:at] + draw(st.binary(max_size=3)) + second[at + draw(st.integers(0, 3)) :]
    return first, second


OFTEN = [b"Date", b"Set-Cookie", b"Content-Type", b"Connection", b"Transfer-Encoding", b"Content-Encoding", b"Server"]
LIKE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: now\r\n\r\n{}"
KEPT = LIKE.replace(b"Date: now", b"Connection: keep-alive")


@settings(max_examples=1500, deadline=None)
@given(both=alike())
@example(both=(LIKE, LIKE.replace(b"now", b"later")))
@example(both=(LIKE, LIKE.replace(b": 2", b": 3")))
@example(both=(LIKE, LIKE.replace(b": 2", b": 1")))
@example(both=(LIKE, LIKE.replace(b": 2", b": +2")))
@example(both=(LIKE, LIKE.replace(b"now", b"a\r\nConnection: close")))
@example(both=(LIKE, LIKE.replace(b"now", b"a\nb")))
@example(both=(LIKE, LIKE + LIKE))
@example(both=(KEPT, KEPT.replace(b"keep-alive", b"close")))
def test_an_answer_is_read_the_same_whatever_came_before_it(owner: DirectTransport, both: tuple[bytes, bytes]) -> None:
    first, second = both
    alone, after = Reading(owner), Reading(owner)
    alone.read([second])
    after.read([first])
    if after.wire.closed or after.told.calls[-1:] != ["end"]:
        return  # it serves no other
    after.read([second])
    assert (after.told.head, after.wire.closed) == (alone.told.head, alone.wire.closed)
    assert after.close() == alone.close()


@pytest.mark.parametrize("tail", [b"", b"\r", b"XX", b"\rX", b"\r\n5", b"\r\n\r\n"])
def test_a_chunk_that_is_not_whole_is_parsed(tail: bytes) -> None:
    assert whole_chunk(b"5\r\nabcde\r\n") == b"abcde"
    assert whole_chunk(b"5\r\nabcde" + tail) == b""


def test_an_answer_like_the_one_before_is_not_parsed(owner: DirectTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(owner)
    reading.read([LIKE])
    monkeypatch.setattr(Connection, "_parse", None)
    reading.read([LIKE.replace(b"now", b"later").replace(b": 2", b": 3").replace(b"{}", b"[1]")])
    assert reading.told.body == b"[1]"
    assert reading.told.head == Head(200, [(b"content-length", b"3"), (b"date", b"later")])
    assert reading.close() == (200, b"[1]")
