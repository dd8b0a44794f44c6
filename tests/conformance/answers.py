"""What upstreams answer: every feature of an answer in the bytes of every wire, whole and as a stream.

Wires with a protocol that few speak have their cases in `tests/dialects/providers`: what those hold is what is tried.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from one_api import ir
from one_api.dialects.outbound import OUTBOUND
from tests.conformance import answers_anthropic, answers_gemini, answers_openai
from tests.conformance.answered import Answered, Answers

FOLDERS: Final = Path(__file__).parent.parent / "dialects" / "providers"

FEATURES: Final = (
    *("text", "thinking", "signature of thinking", "redacted thinking", "tool calls", "image", "refusal"),
    *("citation", "logprobs", "n", "end: stop", "end: length", "end: tool calls", "end: filtered"),
    *("usage: input and output", "usage: cached", "usage: cache writes", "usage: reasoning", "usage: audio", "error"),
)


def answers(wire: str) -> Answers:
    made = _BY_WIRE.get(wire)
    return _recorded(wire) if made is None else made


_BY_WIRE: Final[Mapping[str, Answers]] = {
    "openai": answers_openai.OPENAI,
    "anthropic": answers_anthropic.ANTHROPIC,
    "vertex": answers_anthropic.ANTHROPIC,
    "bedrock": {
        name: None if each is None else answers_anthropic.in_frames(each)
        for name, each in answers_anthropic.ANTHROPIC.items()
    },
    "converse": answers_anthropic.CONVERSE,
    "gemini": answers_gemini.GEMINI,
    "responses": answers_openai.RESPONSES,
}

# --- the others -------------------------------------------------------------------------------------------------------


def _recorded(wire: str) -> Answers:
    """What the recorded answers of a wire show: each feature by the first case that shows it, in one form or both."""
    found: dict[str, Answered | None] = dict.fromkeys(FEATURES)
    for folder in sorted((FOLDERS / wire).iterdir()):
        whole, stream = (_bytes(folder / name) for name in ("answer.in.json", "stream.in.txt"))
        by_whole = {} if not whole else _shown(OUTBOUND[wire].decode_answer(whole))
        by_stream = {} if not stream else _shown(_added_up(wire, stream))
        for feature in by_whole.keys() | by_stream.keys():
            same = by_whole.get(feature) == by_stream.get(feature)
            marks, reason = by_whole.get(feature) or by_stream[feature]
            if found[feature] is None:
                kept = (whole if feature in by_whole else b"", stream if same or feature not in by_whole else b"")
                found[feature] = Answered(*kept, marks, reason)
    return found


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _added_up(wire: str, stream: bytes) -> ir.Answer | ir.Failed:
    decoder = OUTBOUND[wire].decoder()
    return added_up([*decoder.feed(stream), *decoder.close()])


def added_up(events: list[ir.Event]) -> ir.Answer | ir.Failed:
    """What a stream says, block by block as far as it is needed here."""
    blocks: list[ir.Said] = []
    reason: ir.Reason = "stop"
    usage: ir.Usage | None = None
    for event in events:
        match event:
            case ir.TextDelta():
                blocks.append(ir.Text(event.text, refused=event.refused))
            case ir.ThinkingDelta():
                blocks.append(ir.Thinking(event.text))
            case ir.ThinkingEnded():
                blocks.append(event.block)
            case ir.CallStarted():
                blocks.append(ir.ToolCall(event.id, event.name, ""))
            case ir.Shown():
                blocks.append(event.block)
            case ir.Finished():
                reason = event.reason
            case ir.Ended():
                usage = event.usage
            case ir.Failed():
                return event
            case _:
                pass
    return ir.Answer(id="", model="", blocks=tuple(blocks), reason=reason, usage=usage)


_ENDS: Final[Mapping[ir.Reason, str]] = {
    "stop": "end: stop",
    "length": "end: length",
    "tool_calls": "end: tool calls",
    "content_filter": "end: filtered",
}


Shown = tuple[tuple[str | int | float, ...], ir.Reason | None]


def _shown(told: ir.Answer | ir.Failed) -> dict[str, Shown]:
    return {feature: (marks, reason) for feature, marks, reason in _features(told)}


def _features(told: ir.Answer | ir.Failed) -> Iterator[tuple[str, tuple[str | int | float, ...], ir.Reason | None]]:
    if isinstance(told, ir.Failed):
        yield "error", (told.message,), None
        return
    texts = [block.text for block in told.blocks if isinstance(block, ir.Text)]
    thoughts = [block.text for block in told.blocks if isinstance(block, ir.Thinking)]
    calls = [block.name for block in told.blocks if isinstance(block, ir.ToolCall)]
    if texts:
        yield "text", (texts[0].strip(),), None
    if thoughts:
        yield "thinking", (thoughts[0].strip(),), None
    if calls:
        yield "tool calls", tuple(calls), None
    yield _ENDS[told.reason], (), told.reason
    usage = told.usage
    if usage is not None and usage.input:
        yield "usage: input and output", (usage.output,), None
        if usage.cached:
            yield "usage: cached", (usage.cached,), None
        if usage.reasoning:
            yield "usage: reasoning", (usage.reasoning,), None
