"""In Anthropic's messages, and in Amazon's words for the same."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Final

from one_api import ir
from one_api.lib.sse import SSEReader
from tests.conformance.answered import URL, Answered, Answers, Document, body, sse
from tests.harness import frames

# --- Anthropic's messages, and in others' envelopes -------------------------------------------------------------------

_DELTAS: Final = {
    "text": ("text", "text_delta"),
    "thinking": ("thinking", "thinking_delta"),
}


def _block_events(index: int, block: Document) -> Iterator[Document]:
    """A block as it comes: begun empty, told in pieces."""
    deltas: list[Document] = []
    begun: Document = dict(block)
    if block["type"] in _DELTAS:
        name, kind = _DELTAS[block["type"]]
        begun[name] = ""
        deltas.append({"type": kind, name: block[name]})
    if block.get("signature"):
        begun["signature"] = ""
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    if block["type"] == "tool_use":
        begun["input"] = {}
        deltas.append({"type": "input_json_delta", "partial_json": json.dumps(block["input"])})
    deltas += [{"type": "citations_delta", "citation": each} for each in begun.pop("citations", ())]
    yield {"type": "content_block_start", "index": index, "content_block": begun}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _anthropic(
    *blocks: Document,
    marks: tuple[str | int | float, ...] = (),
    stop: str = "end_turn",
    usage: Document | None = None,
    reason: ir.Reason | None = None,
) -> Answered:
    counts = {"input_tokens": 10, "output_tokens": 5, **(usage or {})}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
    whole = {**message, "content": list(blocks), "stop_reason": stop, "usage": counts}
    begun: Document = {**message, "content": [], "stop_reason": None, "usage": {**counts, "output_tokens": 1}}
    stream = sse(
        {"type": "message_start", "message": begun},
        *(event for index, block in enumerate(blocks) for event in _block_events(index, block)),
        {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": counts},
        {"type": "message_stop"},
        named=True,
    )
    return Answered(body(whole), stream, marks, reason)


_A_HI: Final = {"type": "text", "text": "hi"}
_A_CALLS: Final = [
    {"type": "tool_use", "id": f"call_{word}", "name": f"zebra_{word}", "input": {"a": "b"}} for word in ("one", "two")
]
_A_CITED: Final = {
    "type": "web_search_result_location",
    "url": URL,
    "title": "T",
    "cited_text": "hi",
    "encrypted_index": "x",
}
_A_ERROR: Final = {"type": "error", "error": {"type": "api_error", "message": "zebra"}}
ANTHROPIC: Final[Answers] = {
    "text": _anthropic({"type": "text", "text": "zebra"}, marks=("zebra",)),
    "thinking": _anthropic({"type": "thinking", "thinking": "zebra", "signature": "s"}, _A_HI, marks=("zebra",)),
    "signature of thinking": _anthropic(
        {"type": "thinking", "thinking": "hm", "signature": "c2lnbmVk"}, _A_HI, marks=("c2lnbmVk",)
    ),
    "redacted thinking": _anthropic({"type": "redacted_thinking", "data": "c2lnbmVk"}, _A_HI, marks=("c2lnbmVk",)),
    "tool calls": _anthropic(*_A_CALLS, marks=("zebra_one", "zebra_two"), stop="tool_use"),
    "image": None,
    "refusal": None,
    "citation": _anthropic({**_A_HI, "citations": [_A_CITED]}, marks=(URL,)),
    "logprobs": None,
    "n": None,
    "end: stop": _anthropic(_A_HI, reason="stop"),
    "end: length": _anthropic(_A_HI, stop="max_tokens", reason="length"),
    "end: tool calls": _anthropic(*_A_CALLS, stop="tool_use", reason="tool_calls"),
    "end: filtered": _anthropic(_A_HI, stop="refusal", reason="content_filter"),
    "usage: input and output": _anthropic(_A_HI, marks=(4711, 317), usage={"input_tokens": 4711, "output_tokens": 317}),
    "usage: cached": _anthropic(_A_HI, marks=(1237,), usage={"cache_read_input_tokens": 1237}),
    "usage: cache writes": _anthropic(_A_HI, marks=(1237,), usage={"cache_creation_input_tokens": 1237}),
    "usage: reasoning": _anthropic(
        _A_HI, marks=(1237,), usage={"output_tokens": 4711, "output_tokens_details": {"thinking_tokens": 1237}}
    ),
    "usage: audio": None,
    "error": Answered(body(_A_ERROR), sse(_A_ERROR, named=True), ("zebra",)),
}


def in_frames(answered: Answered) -> Answered:
    """The same events in Amazon's envelope."""
    pieces = [data for _, data in SSEReader().feed(answered.stream) if data is not None]
    stream = b"".join(frames.event("chunk", {"bytes": b64encode(each).decode()}) for each in pieces)
    return Answered(answered.whole, stream, answered.marks, answered.reason)


# --- Bedrock's Converse -----------------------------------------------------------------------------------------------


def _converse_events(index: int, block: Document) -> Iterator[tuple[str, Document]]:
    place = {"contentBlockIndex": index}
    if "toolUse" in block:
        called = dict(block["toolUse"])
        written = json.dumps(called.pop("input"))
        yield "contentBlockStart", {**place, "start": {"toolUse": called}}
        yield "contentBlockDelta", {**place, "delta": {"toolUse": {"input": written}}}
    elif "reasoningContent" in block:
        told = block["reasoningContent"]
        for name, value in told.get("reasoningText", told).items():
            yield "contentBlockDelta", {**place, "delta": {"reasoningContent": {name: value}}}
    else:
        yield "contentBlockDelta", {**place, "delta": block}
    yield "contentBlockStop", place


def _converse(
    *blocks: Document,
    marks: tuple[str | int | float, ...] = (),
    stop: str = "end_turn",
    usage: Document | None = None,
    reason: ir.Reason | None = None,
) -> Answered:
    counts = {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15, **(usage or {})}
    message = {"role": "assistant", "content": list(blocks)}
    whole = {"output": {"message": message}, "stopReason": stop, "usage": counts}
    events: list[tuple[str, Document]] = [("messageStart", {"role": "assistant"})]
    events += [event for index, block in enumerate(blocks) for event in _converse_events(index, block)]
    events += [("messageStop", {"stopReason": stop}), ("metadata", {"usage": counts})]
    return Answered(body(whole), b"".join(frames.event(*each) for each in events), marks, reason)


_C_HI: Final = {"text": "hi"}
_C_CALLS: Final = [
    {"toolUse": {"toolUseId": f"call_{word}", "name": f"zebra_{word}", "input": {"a": "b"}}} for word in ("one", "two")
]
_C_THOUGHT: Final = {"reasoningContent": {"reasoningText": {"text": "zebra", "signature": "c2lnbmVk"}}}
CONVERSE: Final[Answers] = {
    "text": _converse({"text": "zebra"}, marks=("zebra",)),
    "thinking": _converse(_C_THOUGHT, _C_HI, marks=("zebra",)),
    "signature of thinking": _converse(_C_THOUGHT, _C_HI, marks=("c2lnbmVk",)),
    "redacted thinking": _converse({"reasoningContent": {"redactedContent": "c2lnbmVk"}}, _C_HI, marks=("c2lnbmVk",)),
    "tool calls": _converse(*_C_CALLS, marks=("zebra_one", "zebra_two"), stop="tool_use"),
    "image": None,
    "refusal": None,
    "citation": None,
    "logprobs": None,
    "n": None,
    "end: stop": _converse(_C_HI, reason="stop"),
    "end: length": _converse(_C_HI, stop="max_tokens", reason="length"),
    "end: tool calls": _converse(*_C_CALLS, stop="tool_use", reason="tool_calls"),
    "end: filtered": _converse(_C_HI, stop="content_filtered", reason="content_filter"),
    "usage: input and output": _converse(_C_HI, marks=(4711, 317), usage={"inputTokens": 4711, "outputTokens": 317}),
    "usage: cached": _converse(_C_HI, marks=(1237,), usage={"cacheReadInputTokens": 1237}),
    "usage: cache writes": _converse(_C_HI, marks=(1237,), usage={"cacheWriteInputTokens": 1237}),
    "usage: reasoning": None,
    "usage: audio": None,
    "error": Answered(b"", frames.exception("modelStreamErrorException", "zebra"), ("zebra",)),
}
