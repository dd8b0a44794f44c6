"""Several answers to one request: asked for and told where both dialects know them, else refused."""

import itertools
import json
from typing import Any

import pytest

from one_api import ir
from one_api.dialects.inbound import INBOUND
from one_api.dialects.openai_chat import Verdict
from one_api.dialects.outbound import OUTBOUND, SEVERAL, encode_request
from one_api.dialects.tap import PassageTap
from one_api.dialects.wholes import spread

SEVERALS = sorted(SEVERAL)
PAIRS = list(itertools.product(SEVERALS, SEVERALS))
ASKED: dict[str, dict[str, Any]] = {
    "openai": {"messages": [{"role": "user", "content": "hi"}], "n": 3},
    "gemini": {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"candidateCount": 3}},
}
USAGE = ir.Usage(30, 7)
CALL = ir.ToolCall("call_1", "f", '{"a":1}')
ANSWER = ir.Answer(
    id="x1",
    model="m",
    blocks=(ir.Text("Hello"),),
    usage=USAGE,
    others=(ir.Choice((ir.Text('"你好"'), CALL), "tool_calls"), ir.Choice((ir.Text("Hi"),), "length")),
)
EVENTS: list[ir.Event] = [
    ir.Started("x1", "m"),
    ir.TextDelta("Hel"),
    ir.Beside(1, ir.TextDelta('"你')),
    ir.Beside(2, ir.TextDelta("Hi")),
    ir.Beside(2, ir.Finished("length")),
    ir.TextDelta("lo"),
    ir.Beside(1, ir.TextDelta('好"')),
    ir.Beside(1, ir.CallStarted("call_1", "f")),
    ir.Beside(1, ir.ArgumentsDelta('{"a":')),
    ir.Finished("stop"),
    ir.Beside(1, ir.ArgumentsDelta("1}")),
    ir.Beside(1, ir.Finished("tool_calls")),
    ir.Ended(USAGE),
]


@pytest.mark.parametrize("caller, channel", PAIRS)
def test_several_answers_are_asked_for(caller: str, channel: str) -> None:
    request = INBOUND[caller].decode_request(ASKED[caller], model="m")
    encoded = encode_request(channel, OUTBOUND[channel], request)
    sent = json.loads(encoded.body)
    assert (sent if channel == "openai" else sent["generationConfig"])[_word(channel)] == 3
    assert encoded.losses == ()


@pytest.mark.parametrize("caller", SEVERALS)
@pytest.mark.parametrize("channel", sorted(OUTBOUND.keys() - SEVERAL))
def test_a_channel_that_gives_one_answer_says_so(caller: str, channel: str) -> None:
    request = INBOUND[caller].decode_request(ASKED[caller], model="m")
    with pytest.raises(ir.Unrepresentable, match="one answer a call and not 3") as refused:
        encode_request(channel, OUTBOUND[channel], request)
    assert refused.value.status == 400


@pytest.mark.parametrize("channel", sorted(OUTBOUND))
def test_who_asks_for_one_answer_asks_for_nothing_special(channel: str) -> None:
    request = INBOUND["openai"].decode_request({**ASKED["openai"], "n": 1}, model="m")
    sent = encode_request(channel, OUTBOUND[channel], request)
    assert not [each for each in ('"n":', "candidateCount") if each in sent.body.decode()]
    assert "n" not in sent.losses


def _word(channel: str) -> str:
    return "candidateCount" if channel == "gemini" else "n"


@pytest.mark.parametrize("caller, channel", PAIRS)
def test_whole_answers_arrive(caller: str, channel: str) -> None:
    there = OUTBOUND[channel].decode_answer(INBOUND[channel].encode_answer(ANSWER, model="m", created=1, asked={}))
    assert isinstance(there, ir.Answer)
    back = INBOUND[caller].decode_answer(INBOUND[caller].encode_answer(there, model="m", created=1, asked={}))
    assert isinstance(back, ir.Answer)
    assert (back.choices, back.usage) == (ANSWER.choices, USAGE)


@pytest.mark.parametrize("caller, channel", PAIRS)
def test_streams_of_them_arrive(caller: str, channel: str) -> None:
    back = read(caller, write(caller, read(channel, write(channel, EVENTS))))
    assert choices(back) == choices(EVENTS)
    assert back[-1] == ir.Ended(USAGE)


@pytest.mark.parametrize("wire", SEVERALS)
def test_streams_may_be_cut_anywhere(wire: str) -> None:
    data = write(wire, EVENTS)
    assert all(read(wire, data, step) == read(wire, data) for step in (1, 2, 3, 7))


@pytest.mark.parametrize("wire", SEVERALS)
def test_a_whole_answer_is_streamed_to_who_wants_a_stream(wire: str) -> None:
    assert choices(read(wire, write(wire, list(spread(ANSWER))))) == choices(EVENTS)


@pytest.mark.parametrize("caller", ["anthropic", "responses"])
def test_callers_without_a_word_for_more_get_the_first(caller: str) -> None:
    assert choices(read(caller, write(caller, EVENTS)))[0] == choices(EVENTS)[0]
    body = INBOUND[caller].encode_answer(ANSWER, model="m", created=1, asked={})
    assert b"Hello" in body
    assert b"Hi" not in body


def test_answers_may_be_numbered_from_anywhere() -> None:
    """The one that speaks first is the answer: some number from 1, and a chunk without a number is one of its."""
    chunk: dict[str, Any] = {"id": "x1", "model": "m"}
    said = [(1, "a"), (0, "b"), (None, "c"), (1, "d")]
    chunks = [{**chunk, "choices": [{"index": index, "delta": {"content": text}}]} for index, text in said]
    data = b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in chunks) + b"data: [DONE]\n\n"
    assert read("openai", data)[1:-1] == [
        ir.TextDelta("a"),
        ir.Beside(1, ir.TextDelta("b")),
        ir.TextDelta("c"),
        ir.TextDelta("d"),
    ]


def test_a_stream_without_a_mark_ends_when_no_answer_is_under_way() -> None:
    """Where the first ends and another goes on, or begins, what looked like the end was none."""
    said = [(0, "a", ""), (1, "b", ""), (0, "", "STOP"), (1, "c", ""), (1, "", "STOP"), (2, "d", ""), (2, "", "STOP")]
    tap = PassageTap(INBOUND["gemini"])
    verdicts = []
    for index, text, reason in said:
        candidate = {"index": index, "content": {"parts": [{"text": text}]}, "finishReason": reason or None}
        verdicts.append(tap.event(json.dumps({"candidates": [candidate]}).encode()))
    content, forward, last, more = Verdict.CONTENT, Verdict.FORWARD, Verdict.LAST, Verdict.MORE
    assert verdicts == [content, content, forward, content, last, more, last]
    assert "".join(tap.pieces) == "abcd"


def write(wire: str, events: list[ir.Event]) -> bytes:
    encoder = INBOUND[wire].encoder(model="m", created=1, asked={"stream_options": {"include_usage": True}})
    return b"".join(encoder.encode(event) for event in events)


def read(wire: str, data: bytes, step: int = 1 << 20) -> list[ir.Event]:
    decoder = OUTBOUND[wire].decoder()
    pieces = (data[start : start + step] for start in range(0, len(data), step))
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()


def choices(events: list[ir.Event]) -> dict[int, tuple[str, str, str]]:
    """What each said, called and ended with, however many pieces it came in."""
    found: dict[int, tuple[str, str, str]] = {}
    for event in events:
        index, inner = (event.index, event.event) if isinstance(event, ir.Beside) else (0, event)
        text, called, reason = found.get(index, ("", "", ""))
        match inner:
            case ir.TextDelta():
                text += inner.text
            case ir.CallStarted():
                called += inner.name
            case ir.ArgumentsDelta():
                called += inner.text
            case ir.Finished():
                reason = inner.reason
            case _:
                pass
        found[index] = text, called, reason
    return found
