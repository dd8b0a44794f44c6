"""Anything may come in: every reader and translator is fed with what was changed, cut, framed anew or is very long.

None may raise what is not ours, or say twice that it is over. The seeds are the cases of tests/conformance. `make fuzz`
tries many more examples, and others each time.
"""

import contextlib
import json
import os
import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from one_api import ir
from one_api.dialects.inbound import INBOUND, MEASURED
from one_api.dialects.outbound import OUTBOUND, encode_request
from one_api.dialects.tap import PassageTap
from one_api.errors import BadRequest
from one_api.lib.json import InvalidJSON, decode_strict
from one_api.lib.sse import SSEReader
from tests.conformance import requests
from tests.conformance.answers import answers
from tests.harness import frames

EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "40"))
CLIENTS, WIRES = sorted(INBOUND), sorted(OUTBOUND)
EVENTS: Final = (
    *("anthropic", "baidu", "cohere", "coze", "dashscope", "gemini", "openai", "replicate", "responses", "tencent"),
    *("vertex", "xunfei"),
)
"""Wires whose streams are server-sent events."""
fuzzed = settings(
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=6),
    st.sampled_from(["", "\ud800", "data: x\n\n", "9" * 400, {}, [], [[]], {"type": "text"}, [None], {"a": {"b": []}}]),
)


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [place] if place else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [each for name, inner in items for each in places(inner, (*place, name))]


def changed(value: Any, place: tuple[Any, ...], junk: Any) -> Any:
    if not place:
        return junk
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = changed(value[place[0]], place[1:], junk)
    return copy


@st.composite
def spoiled(draw: st.DrawFn, seeds: list[Any]) -> Any:
    """One of these with up to three changes."""
    value = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 3))):
        found = places(value)
        if found:
            value = changed(value, draw(st.sampled_from(found)), draw(JUNK))
    return value


@cache
def wholes(wire: str) -> list[Any]:
    return [json.loads(each.whole) for each in answers(wire).values() if each is not None and each.whole]


@cache
def streams(wire: str) -> list[bytes]:
    return [each.stream for each in answers(wire).values() if each is not None and each.stream]


def written(value: Any) -> bytes:
    return json.dumps(value).encode()


def read(wire: str, pieces: list[bytes]) -> list[ir.Event]:
    decoder = OUTBOUND[wire].decoder()
    events = [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()
    assert sum(isinstance(event, (ir.Ended, ir.Failed)) for event in events) <= 1
    return events


# --- requests ---


@pytest.mark.parametrize("client", CLIENTS)
@fuzzed
@given(data=st.data())
def test_any_request_is_sent_or_refused(client: str, data: st.DataObject) -> None:
    seeds = [wish.asked for wish in requests.wishes(client, "anthropic").values() if wish is not None]
    try:
        document = decode_strict(written(data.draw(spoiled(seeds)))).value
    except InvalidJSON:
        return
    if not isinstance(document, dict) or (client == "openai" and not isinstance(document.get("messages"), list)):
        return
    if client == "openai" and not all(isinstance(each, dict) for each in document["messages"]):
        return  # relay.calls refuses those before
    if client in MEASURED:
        with contextlib.suppress(BadRequest):
            MEASURED[client].measure(document)
        MEASURED[client].written(document)
        MEASURED[client].own(document, model="claude-sonnet-4-5", vendor=True)
        INBOUND[client].patch(document, model="m", system_prompt="s")
    try:
        asked = INBOUND[client].decode_request(document, model="m")
    except ir.Unrepresentable:
        return
    for wire in WIRES:
        with contextlib.suppress(ir.Unrepresentable):
            encode_request(wire, OUTBOUND[wire], asked)


# --- answers ---


@pytest.mark.parametrize("wire", WIRES)
@fuzzed
@given(data=st.data())
def test_any_whole_answer_is_read_or_is_none(wire: str, data: st.DataObject) -> None:
    if not wholes(wire):
        return
    body = written(data.draw(spoiled(wholes(wire))))
    with contextlib.suppress(InvalidJSON):
        answer = OUTBOUND[wire].decode_answer(body)
        if isinstance(answer, ir.Answer):
            for client in CLIENTS:
                json.loads(INBOUND[client].encode_answer(answer, model="m", created=1, asked={}))


@pytest.mark.parametrize("wire", EVENTS)
@fuzzed
@given(data=st.data())
def test_any_stream_is_read_or_told_to_be_broken(wire: str, data: st.DataObject) -> None:
    raw = data.draw(st.sampled_from(streams(wire)))
    pieces = [piece for _, piece in SSEReader().feed(raw) if piece is not None and piece.startswith(b"{")]
    number = data.draw(st.integers(0, max(len(pieces) - 1, 0)))
    if pieces:
        pieces[number] = written(data.draw(spoiled([json.loads(pieces[number])])))
    events = read(wire, [b"data: %b\n\n" % piece for piece in pieces])
    for client in CLIENTS:
        encoder = INBOUND[client].encoder(model="m", created=1, asked={})
        for event in events:
            encoder.encode(event)
    if wire in MEASURED:
        tap = PassageTap(MEASURED[wire])
        for piece in pieces:
            tap.event(piece)


@pytest.mark.parametrize("wire", ["bedrock", "converse"])
@fuzzed
@given(data=st.data())
def test_any_frame_is_read_or_told_to_be_broken(wire: str, data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(streams(wire))))
    for _ in range(data.draw(st.integers(0, 2))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    name = data.draw(st.sampled_from(["chunk", "messageStart", "contentBlockDelta", "metadata", "messageStop", "?"]))
    read(wire, [bytes(raw)])
    read(wire, [frames.event(name, data.draw(JUNK.filter(lambda value: "\ud800" not in str(value))))])


# --- framing ---


def crlf(raw: bytes) -> bytes:
    return raw.replace(b"\n", b"\r\n")


def cr(raw: bytes) -> bytes:
    return raw.replace(b"\n", b"\r")


def bom(raw: bytes) -> bytes:
    return b"\xef\xbb\xbf" + raw


def comments(raw: bytes) -> bytes:
    return re.sub(rb"(?m)^data:", b": a comment\nid: 7\nretry: 100\ndata:", raw)


def tight(raw: bytes) -> bytes:
    return re.sub(rb"(?m)^data: ", b"data:", raw)


def endless(raw: bytes) -> bytes:
    """Without the blank line behind the last event."""
    return raw.rstrip(b"\n") + b"\n"


FRAMINGS: Final[dict[str, Callable[[bytes], bytes]]] = {
    each.__name__: each for each in (crlf, cr, bom, comments, tight, endless)
}


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("wire", EVENTS)
def test_events_do_not_depend_on_how_lines_end(wire: str, framing: str) -> None:
    for raw in streams(wire):
        expected = [event for event in read(wire, [raw]) if not isinstance(event, ir.Alive)]
        framed = FRAMINGS[framing](raw)
        for pieces in ([framed], [framed[at : at + 7] for at in range(0, len(framed), 7)]):
            assert [event for event in read(wire, pieces) if not isinstance(event, ir.Alive)] == expected


@pytest.mark.parametrize("wire", EVENTS)
@fuzzed
@given(data=st.data())
def test_events_do_not_depend_on_where_bytes_are_cut(wire: str, data: st.DataObject) -> None:
    """In the middle of a letter too."""
    raw = data.draw(st.sampled_from(streams(wire))).replace(b"zebra", "斑马🦓".encode())
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    pieces = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert read(wire, pieces) == read(wire, [raw])


@pytest.mark.parametrize("wire", ["anthropic", "gemini", "openai", "responses"])
def test_an_event_of_megabytes_is_one_like_any_other(wire: str) -> None:
    """In pieces as the network has them; what is read again with every piece would take minutes."""
    seed = next(each.stream for name, each in answers(wire).items() if name == "text" and each is not None)
    long = "x" * (8 * 1024 * 1024)
    raw = seed.replace(b"zebra", long.encode())
    events = read(wire, [raw[at : at + 65536] for at in range(0, len(raw), 65536)])
    assert max(len(event.text) for event in events if isinstance(event, ir.TextDelta)) == len(long)
    client = INBOUND[wire].encoder(model="m", created=1, asked={})
    assert sum(len(client.encode(event)) for event in events) > len(long)


@pytest.mark.parametrize("wire", EVENTS)
def test_a_line_without_an_end_is_given_up(wire: str) -> None:
    decoder = OUTBOUND[wire].decoder()
    found: list[ir.Event] = []
    for _ in range(20):
        found += decoder.feed(b"data: " + b"x" * (1024 * 1024))
    assert [type(event) for event in found] == [ir.Failed]
