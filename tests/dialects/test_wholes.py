"""An answer in one piece and the stream it would have been say the same."""

from one_api import ir
from one_api.dialects.openai_answer import ChunkEncoder
from one_api.dialects.openai_outbound import StreamDecoder
from one_api.dialects.wholes import UNFINISHED, gather, spread

USAGE = ir.Usage(3, 4)
TEXT = ir.Answer(id="a", model="m", blocks=(ir.Thinking("hm"), ir.Text("hi")), reason="length", usage=USAGE)


def test_text_and_thoughts_come_together_again() -> None:
    assert gather(spread(TEXT)) == TEXT


def test_every_block_is_told() -> None:
    image, call = ir.Image(media_type="image/png", data="AA"), ir.ToolCall("c", "f", "{}")
    blocks = (ir.Redacted("x"), ir.Text("hi"), image, call)
    events = list(spread(ir.Answer(id="a", model="m", blocks=blocks, reason="tool_calls")))
    assert events == [
        ir.Started("a", "m"),
        ir.ThinkingEnded(0, ir.Redacted("x")),
        ir.TextDelta("hi"),
        ir.Shown(image),
        ir.CallStarted("c", "f"),
        ir.ArgumentsDelta("{}"),
        ir.Finished("tool_calls"),
        ir.Ended(None),
    ]


def test_a_client_reads_it_as_any_stream() -> None:
    encoder, decoder = ChunkEncoder(model="m", created=1, usage=True), StreamDecoder()
    events = [each for event in spread(TEXT) for each in decoder.feed(encoder.encode(event))]
    assert events[-1] == ir.Ended(USAGE)


def test_a_failure_stays_one_and_half_an_answer_is_one() -> None:
    failure = ir.Failed("x", "y")
    assert gather([ir.Started("", ""), failure]) == failure
    assert gather([ir.Started("", ""), ir.TextDelta("hi"), ir.Finished("stop")]) == ir.Failed(
        "upstream_error", UNFINISHED
    )
