"""Providers with a protocol of their own: cases as bytes in and bytes out, streams cut anywhere, anything survived.

A case is a folder `providers/WIRE/NAME`: a request of OpenAI's form and what is sent, an answer or stream of the
provider's and what a client of OpenAI's gets.
"""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from one_api import ir
from one_api.dialects.openai_answer import ChunkEncoder, encode_answer
from one_api.dialects.openai_request import decode_request
from one_api.dialects.outbound import OUTBOUND
from one_api.lib.json import InvalidJSON

HERE = Path(__file__).parent / "providers"
WIRES = sorted(each.name for each in HERE.iterdir())


def cases(file: str) -> list[Any]:
    return [
        pytest.param(each.parent, id=f"{each.parent.parent.name}-{each.parent.name}")
        for each in sorted(HERE.glob(f"*/*/{file}"))
    ]


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def encode(wire: str, document: dict[str, Any]) -> dict[str, Any]:
    try:
        encoded = OUTBOUND[wire].encode_request(decode_request(document, model=document.get("model", "m")))
    except ir.Unrepresentable as error:
        return {"refused": error.message}
    return {"losses": list(encoded.losses), "body": json.loads(encoded.body)}


def decode(wire: str, body: bytes) -> dict[str, Any]:
    answer = OUTBOUND[wire].decode_answer(body)
    if isinstance(answer, ir.Failed):
        return {"failed": [answer.type, answer.message], **({"refused": True} if answer.refused else {})}
    value: dict[str, Any] = json.loads(encode_answer(answer, model="m", created=1))
    return value


def events(wire: str, *pieces: bytes) -> list[ir.Event]:
    decoder = OUTBOUND[wire].decoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()


def translate(wire: str, *pieces: bytes) -> str:
    """A whole stream, read in these pieces and written as chunks; an error as what is told of it."""
    encoder = ChunkEncoder(model="m", created=1, usage=True)
    written = b""
    for event in events(wire, *pieces):
        if isinstance(event, ir.Failed):
            written += f"failed: {event.type}: {event.message}\n".encode()
        written += encoder.encode(event)
    return written.decode()


@pytest.mark.parametrize("folder", cases("request.in.json"))
def test_requests(folder: Path) -> None:
    assert encode(folder.parent.name, read(folder / "request.in.json")) == read(folder / "request.out.json")


@pytest.mark.parametrize("folder", cases("answer.in.json"))
def test_answers(folder: Path) -> None:
    assert decode(folder.parent.name, (folder / "answer.in.json").read_bytes()) == read(folder / "answer.out.json")


@pytest.mark.parametrize("folder", cases("stream.in.txt"))
def test_streams_cut_at_every_byte(folder: Path) -> None:
    wire = folder.parent.name
    raw, expected = (folder / "stream.in.txt").read_bytes(), (folder / "stream.out.sse").read_text("utf-8")
    assert translate(wire, raw) == expected
    assert translate(wire, *(raw[at : at + 1] for at in range(len(raw)))) == expected
    for at in range(1, len(raw)):
        assert translate(wire, raw[:at], raw[at:]) == expected, at


@pytest.mark.parametrize("folder", cases("stream.in.txt"))
def test_a_stream_that_breaks_off_is_never_complete(folder: Path) -> None:
    wire = folder.parent.name
    raw, whole = (folder / "stream.in.txt").read_bytes(), (folder / "stream.out.sse").read_text("utf-8")
    for at in range(1, len(raw)):
        if any(isinstance(event, ir.Ended) for event in events(wire, raw[:at])):
            assert translate(wire, raw[:at]) == whole, at


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("role", "content", "type", "text", "tool_calls", "function", "name", "id", "index", "message"),
                    *("delta", "usage", "output", "choices", "code", "error", "thinking", "arguments", "event", "data"),
                ]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("wire", WIRES)
@settings(max_examples=100, deadline=None)
@given(JSON, JSON, JSON, JSON, JSON)
def test_requests_of_any_shape_are_sent_or_refused(wire: str, a: Any, b: Any, c: Any, d: Any, e: Any) -> None:
    messages = [{"role": "user", "content": a}, {"role": "assistant", "content": a, "tool_calls": b}]
    document = {"messages": messages, "tools": d, "response_format": e, "thinking": a, "stop": b, "tool_choice": c}
    extra = {"seed": a, "num_ctx": b, "enable_search": c, "frequency_penalty": d}
    with contextlib.suppress(ir.Unrepresentable):
        OUTBOUND[wire].encode_request(decode_request({**document, **extra}, model="m"))


@pytest.mark.parametrize("wire", WIRES)
@settings(max_examples=100, deadline=None)
@given(st.lists(JSON, max_size=4), st.binary(max_size=8))
def test_streams_of_any_shape_are_read_or_told(wire: str, values: list[Any], noise: bytes) -> None:
    lines = [json.dumps(value, allow_nan=False) for value in values if finite(value)]
    for raw in ("\n".join(lines).encode() + noise, b"".join(b"data: %b\n\n" % each.encode() for each in lines) + noise):
        assert sum(isinstance(event, (ir.Ended, ir.Failed)) for event in events(wire, raw)) <= 1
        with contextlib.suppress(InvalidJSON):
            OUTBOUND[wire].decode_answer(raw)


def finite(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True
