"""Every dialect of callers with every one of channels: what is said at one end arrives at the other."""

import itertools

import pytest

from one_api import ir
from one_api.dialects.inbound import INBOUND, MEASURED
from one_api.dialects.openai_chat import Verdict
from one_api.dialects.outbound import OUTBOUND
from one_api.dialects.tap import EventTap, PassageTap
from one_api.errors import OneAPIError
from one_api.lib import json
from one_api.lib.sse import SSEReader
from one_api.providers import CONVERSATION, SPOKEN

CALLERS = sorted(INBOUND)
PAIRS = [(caller, channel) for caller, channel in itertools.product(CALLERS, sorted(OUTBOUND)) if channel in INBOUND]
USAGE = ir.Usage(30, 7, cached=20)
EVENTS: list[ir.Event] = [
    ir.Started("x1", "m"),
    ir.TextDelta("Hel"),
    ir.Alive(),
    ir.TextDelta('lo "你好"\n'),
    ir.CallStarted("call_1", "f"),
    ir.ArgumentsDelta('{"a":'),
    ir.ArgumentsDelta("1}"),
    ir.CallStarted("call_2", "g"),
    ir.ArgumentsDelta("{}"),
    ir.Finished("tool_calls"),
    ir.Ended(USAGE),
]
ANSWER = ir.Answer(
    id="x1",
    model="m",
    blocks=(ir.Text('Hello "你好"\n'), ir.ToolCall("call_1", "f", '{"a":1}'), ir.ToolCall("call_2", "g", "{}")),
    reason="tool_calls",
    usage=USAGE,
)
ASKED = {"stream_options": {"include_usage": True}}


def write(caller: str, events: list[ir.Event]) -> list[bytes]:
    encoder = INBOUND[caller].encoder(model="m", created=1, asked=ASKED)
    return [encoder.encode(event) for event in events]


def essence(events: list[ir.Event]) -> tuple[str, list[list[str]], list[ir.Event]]:
    """The text, the calls and how it ended, however many pieces they came in."""
    text, calls = "", []
    for event in events:
        match event:
            case ir.TextDelta():
                text += event.text
            case ir.CallStarted():
                calls.append([event.id, event.name, ""])
            case ir.ArgumentsDelta():
                calls[-1][2] += event.text
    return text, calls, [each for each in events if isinstance(each, (ir.Finished, ir.Ended, ir.Failed))]


def test_a_caller_is_heard_by_the_name_of_his_wire() -> None:
    assert set(SPOKEN.values()) == INBOUND.keys()
    assert {wire: SPOKEN[mode] for wire, mode in CONVERSATION.items()} == {wire: wire for wire in INBOUND}
    assert INBOUND.keys() <= OUTBOUND.keys()


@pytest.mark.parametrize("caller, channel", PAIRS)
def test_a_stream_arrives_at_the_caller(caller: str, channel: str) -> None:
    """The channel's bytes are written by the dialect's other half; what the caller gets is read by his own decoder."""
    decoder = OUTBOUND[channel].decoder()
    there = [event for piece in write(channel, EVENTS) for event in decoder.feed(piece)] + decoder.close()
    reader = INBOUND[caller].decoder()
    back = [event for piece in write(caller, there) for event in reader.feed(piece)] + reader.close()
    assert essence(back) == essence(EVENTS)


@pytest.mark.parametrize("caller, channel", PAIRS)
def test_a_whole_answer_arrives_at_the_caller(caller: str, channel: str) -> None:
    there = OUTBOUND[channel].decode_answer(INBOUND[channel].encode_answer(ANSWER, model="m", created=1, asked={}))
    assert isinstance(there, ir.Answer)
    back = INBOUND[caller].decode_answer(INBOUND[caller].encode_answer(there, model="m", created=1, asked={}))
    assert isinstance(back, ir.Answer)
    assert (back.blocks, back.reason, back.usage) == (ANSWER.blocks, ANSWER.reason, ANSWER.usage)


@pytest.mark.parametrize("caller", CALLERS)
def test_the_mark_of_the_end_is_written_with_the_end(caller: str) -> None:
    """Whoever saw the end has paid: no client may take its answer for complete before."""
    *said, end = write(caller, EVENTS)
    mark = INBOUND[caller].END
    assert end.endswith(mark)
    assert not mark or mark not in b"".join(said)
    reader = INBOUND[caller].decoder()
    before = [event for piece in said for event in reader.feed(piece)]
    assert not any(isinstance(event, ir.Ended) for event in before)


@pytest.mark.parametrize("caller", CALLERS)
def test_a_failure_is_told_by_an_error_of_the_dialect(caller: str) -> None:
    *_, last = write(caller, [*EVENTS[:3], ir.Failed("x", "y")])
    assert last == b""
    error = OneAPIError("no", status=429)
    event = INBOUND[caller].encode_error_event(error, "r")
    reader = INBOUND[caller].decoder()
    assert [each for each in reader.feed(event) if isinstance(each, ir.Failed)]
    assert "no" in json.decode(INBOUND[caller].encode_error(error, "r"))["error"]["message"]


@pytest.mark.parametrize("caller", sorted(MEASURED))
def test_a_tap_reads_what_it_would_have_been_told(caller: str) -> None:
    told, read = EventTap(), PassageTap(INBOUND[caller])
    for event in EVENTS:
        told.note(event)
    verdicts = [read.event(data) for piece in write(caller, EVENTS) for _, data in SSEReader().feed(piece)]
    assert (read.usage, read.finished, "".join(read.pieces)) == (told.usage, True, "".join(told.pieces))
    assert verdicts[-1] in ((Verdict.DONE,) if read.end else (Verdict.DONE, Verdict.LAST))
