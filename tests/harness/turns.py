"""One turn of a model as vendors stream it: what it thought, said and called, in their own events.

Formats: https://developers.openai.com/api/reference/resources/responses/streaming-events,
https://platform.openai.com/docs/api-reference/chat/streaming and
https://platform.claude.com/docs/en/build-with-claude/streaming.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.harness import frames

Call = tuple[str, str, str]
"""Its id, the tool's name, and the arguments as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """`thought` and its `seal`, by which the vendor knows it again. 100 tokens were read, 20 written."""

    thought: str = ""
    seal: str = ""
    text: str = ""
    calls: tuple[Call, ...] = ()


def halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


# --- OpenAI's Responses API -------------------------------------------------------------------------------------------


def responses(said: Said) -> bytes:
    """An item whose id begins with `ctc_` is a custom tool's call: its name is `apply_patch`."""
    told = list(_responses(said))
    lines = [{**event, "sequence_number": number} for number, event in enumerate(told)]
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (str(each["type"]).encode(), json.dumps(each, ensure_ascii=False).encode())
        for each in lines
    )


def _responses(said: Said) -> Iterator[dict[str, Any]]:
    response = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-5", "status": "in_progress"}
    blank = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "usage": None}
    yield {"type": "response.created", "response": {**response, **blank, "output": []}}
    output: list[dict[str, Any]] = []
    for make in (_reasoning, _message, _function_calls):
        for item, events in make(said):
            index = len(output)
            for event in events:
                yield {"output_index": index, **event}
            yield {"type": "response.output_item.done", "output_index": index, "item": item}
            output.append(item)
    usage = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 120,
    }
    done = {**response, **blank, "status": "completed", "output": output, "usage": usage}
    yield {"type": "response.completed", "response": done}


Item = tuple[dict[str, Any], list[dict[str, Any]]]


def _reasoning(said: Said) -> Iterator[Item]:
    if not said.thought:
        return
    item = {"id": "rs_1", "type": "reasoning", "summary": []}
    part = {"item_id": "rs_1", "summary_index": 0}
    kind = "response.reasoning_summary_text.delta"
    yield (
        {**item, "summary": [{"type": "summary_text", "text": said.thought}], "encrypted_content": said.seal},
        [
            {"type": "response.output_item.added", "item": item},
            {"type": "response.reasoning_summary_part.added", **part, "part": {"type": "summary_text", "text": ""}},
            *({"type": kind, **part, "delta": piece} for piece in halves(said.thought)),
        ],
    )


def _message(said: Said) -> Iterator[Item]:
    if not said.text:
        return
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    empty = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    part = {"item_id": "msg_1", "content_index": 0}
    kind = "response.output_text.delta"
    yield (
        {**item, "status": "completed", "content": [{**empty, "text": said.text}]},
        [
            {"type": "response.output_item.added", "item": item},
            {"type": "response.content_part.added", **part, "part": empty},
            *({"type": kind, **part, "delta": piece, "logprobs": []} for piece in halves(said.text)),
        ],
    )


def _function_calls(said: Said) -> Iterator[Item]:
    for number, (call_id, name, arguments) in enumerate(said.calls):
        if name == "apply_patch":
            kind, field, text = "custom_tool_call", "input", json.loads(arguments)["input"]
            delta = "response.custom_tool_call_input.delta"
        else:
            kind, field, text = "function_call", "arguments", arguments
            delta = "response.function_call_arguments.delta"
        item = {"id": f"fc_{number}", "type": kind, "status": "in_progress", "call_id": call_id, "name": name}
        yield (
            {**item, "status": "completed", field: text},
            [
                {"type": "response.output_item.added", "item": {**item, field: ""}},
                *({"type": delta, "item_id": item["id"], "delta": piece} for piece in halves(text)),
            ],
        )


# --- chat completions -------------------------------------------------------------------------------------------------


def chat(said: Said) -> bytes:
    """`reasoning_content` as DeepSeek has it; there is no seal."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning_content": piece} for piece in halves(said.thought)]
    deltas += [{"content": piece} for piece in halves(said.text)]
    for index, (call_id, name, arguments) in enumerate(said.calls):
        function = {"name": name, "arguments": ""}
        deltas.append({"tool_calls": [{"index": index, "id": call_id, "type": "function", "function": function}]})
        deltas += [{"tool_calls": [{"index": index, "function": {"arguments": piece}}]} for piece in halves(arguments)]
    finish = "tool_calls" if said.calls else "stop"
    chunks = [{**head, "choices": [{"index": 0, "delta": each, "finish_reason": None}]} for each in deltas]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    chunks.append({**head, "choices": [], "usage": usage})
    return b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in chunks) + b"data: [DONE]\n\n"


# --- Anthropic's Messages API -----------------------------------------------------------------------------------------


def messages(said: Said) -> bytes:
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (each["type"].encode(), json.dumps(each).encode()) for each in _told(said)
    )


def _told(said: Said) -> Iterator[dict[str, Any]]:
    usage = {"input_tokens": 100, "output_tokens": 1}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "claude", "usage": usage}
    yield {"type": "message_start", "message": head}
    for index, (block, deltas) in enumerate(_blocks(said)):
        yield {"type": "content_block_start", "index": index, "content_block": block}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    reason = "tool_use" if said.calls else "end_turn"
    yield {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 20}}
    yield {"type": "message_stop"}


def _blocks(said: Said) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    if said.thought:
        pieces = [{"type": "thinking_delta", "thinking": piece} for piece in halves(said.thought)]
        sealed = {"type": "signature_delta", "signature": said.seal}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*pieces, sealed]
    if said.text:
        yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in halves(said.text)]
    for call_id, name, arguments in said.calls:
        block = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
        yield block, [{"type": "input_json_delta", "partial_json": piece} for piece in halves(arguments)]


def bedrock(said: Said) -> bytes:
    """The same in Amazon's frames."""
    events = (json.dumps(each).encode() for each in _told(said))
    return b"".join(frames.event("chunk", {"bytes": b64encode(each).decode()}) for each in events)


# --- Amazon's Converse, for all its models ----------------------------------------------------------------------------


def converse(said: Said) -> bytes:
    """https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html."""
    told = [frames.event("messageStart", {"role": "assistant"})]
    for index, (start, deltas) in enumerate(_converse_blocks(said)):
        place = {"contentBlockIndex": index}
        told += [frames.event("contentBlockStart", {**place, "start": start})] if start else []
        told += [frames.event("contentBlockDelta", {**place, "delta": delta}) for delta in deltas]
        told.append(frames.event("contentBlockStop", place))
    told.append(frames.event("messageStop", {"stopReason": "tool_use" if said.calls else "end_turn"}))
    usage = {"inputTokens": 100, "outputTokens": 20, "totalTokens": 120}
    return b"".join((*told, frames.event("metadata", {"usage": usage, "metrics": {"latencyMs": 1}})))


def _converse_blocks(said: Said) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    if said.thought:
        pieces = [{"reasoningContent": {"text": piece}} for piece in halves(said.thought)]
        yield {}, [*pieces, {"reasoningContent": {"signature": said.seal}}]
    if said.text:
        yield {}, [{"text": piece} for piece in halves(said.text)]
    for call_id, name, arguments in said.calls:
        pieces = [{"toolUse": {"input": piece}} for piece in halves(arguments)]
        yield {"toolUse": {"toolUseId": call_id, "name": name}}, pieces


# --- Ollama's and Cohere's own ----------------------------------------------------------------------------------------


def ollama(said: Said) -> bytes:
    """Lines of JSON; calls come whole: https://docs.ollama.com/api/chat. There is no seal."""
    messages: list[dict[str, Any]] = [{"content": "", "thinking": piece} for piece in halves(said.thought) if piece]
    messages += [{"content": piece} for piece in halves(said.text) if piece]
    for call_id, name, arguments in said.calls:
        function = {"name": name, "arguments": json.loads(arguments)}
        messages.append({"content": "", "tool_calls": [{"id": call_id, "function": function}]})
    head = {"model": "qwen3", "created_at": "2026-11-27T05:00:00.5Z"}
    lines = [{**head, "message": {"role": "assistant", **each}, "done": False} for each in messages]
    counts = {"done_reason": "stop", "prompt_eval_count": 100, "eval_count": 20}
    last = {**head, "message": {"role": "assistant", "content": ""}, "done": True, **counts}
    return b"".join(json.dumps(each).encode() + b"\n" for each in (*lines, last))


def cohere(said: Said) -> bytes:
    """https://docs.cohere.com/v2/docs/streaming. There is no seal."""
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (str(each["type"]).encode(), json.dumps(each).encode()) for each in _cohere(said)
    )


def _cohere(said: Said) -> Iterator[dict[str, Any]]:
    yield {"type": "message-start", "id": "m-1", "delta": {"message": {"role": "assistant", "content": []}}}
    for index, (kind, text) in enumerate((("thinking", said.thought), ("text", said.text))):
        if text:
            start = {"message": {"content": {"type": kind, kind: ""}}}
            yield {"type": "content-start", "index": index, "delta": start}
            for piece in halves(text):
                yield {"type": "content-delta", "index": index, "delta": {"message": {"content": {kind: piece}}}}
            yield {"type": "content-end", "index": index}
    for index, (call_id, name, arguments) in enumerate(said.calls):
        call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
        yield {"type": "tool-call-start", "index": index, "delta": {"message": {"tool_calls": call}}}
        for piece in halves(arguments):
            told = {"message": {"tool_calls": {"function": {"arguments": piece}}}}
            yield {"type": "tool-call-delta", "index": index, "delta": told}
        yield {"type": "tool-call-end", "index": index}
    usage = {"tokens": {"input_tokens": 100.0, "output_tokens": 20.0}}
    finish = "TOOL_CALL" if said.calls else "COMPLETE"
    yield {"type": "message-end", "delta": {"finish_reason": finish, "usage": usage}}


# --- OpenAI's messages by other names ---------------------------------------------------------------------------------


def dashscope(said: Said) -> bytes:
    """https://help.aliyun.com/en/model-studio/qwen-api-via-dashscope. There is no seal."""
    told = []
    for delta, reason in _deltas(said):
        choice = {"message": {"role": "assistant", "content": "", **delta}, "finish_reason": reason or "null"}
        told.append({"output": {"choices": [choice]}, "usage": {"input_tokens": 100, "output_tokens": 20}})
    return b"".join(b"id:1\nevent:result\ndata:%b\n\n" % json.dumps(each).encode() for each in told)


def tencent(said: Said) -> bytes:
    """https://cloud.tencent.com/document/api/1729/105701. There is no seal."""
    told = [{"choices": [{"finish_reason": reason, "delta": delta}], "id": "i-1"} for delta, reason in _deltas(said)]
    usage = {"PromptTokens": 100, "CompletionTokens": 20, "TotalTokens": 120}
    return b"".join(b"data: %b\n\n" % json.dumps({**_pascal(each), "Usage": usage}).encode() for each in told)


def _deltas(said: Said) -> Iterator[tuple[dict[str, Any], str]]:
    """What is said piece by piece, and why it ends."""
    for name, text in (("reasoning_content", said.thought), ("content", said.text)):
        yield from (({name: piece}, "") for piece in halves(text) if piece)
    for index, (call_id, name, arguments) in enumerate(said.calls):
        for place, piece in enumerate(halves(arguments)):
            function = {"name": "" if place else name, "arguments": piece}
            yield {"tool_calls": [{"id": call_id, "type": "function", "index": index, "function": function}]}, ""
    yield {"content": ""}, "tool_calls" if said.calls else "stop"


def _pascal(value: Any) -> Any:
    if isinstance(value, list):
        return [_pascal(each) for each in value]
    if isinstance(value, dict):
        return {name.title().replace("_", ""): _pascal(each) for name, each in value.items()}
    return value


# --- Google's Gemini API ----------------------------------------------------------------------------------------------


def gemini(said: Said) -> bytes:
    """The seal stands at the first call, or at the end of the text: https://ai.google.dev/gemini-api/docs/thought-signatures."""
    parts: list[dict[str, Any]] = [{"text": piece, "thought": True} for piece in halves(said.thought) if piece]
    parts += [{"text": piece} for piece in halves(said.text) if piece]
    for call_id, name, arguments in said.calls:
        parts.append({"functionCall": {"id": call_id, "name": name, "args": json.loads(arguments)}})
    if said.seal:
        signed = next((each for each in parts if "functionCall" in each), parts[-1])
        signed["thoughtSignature"] = said.seal
    head = {"modelVersion": "gemini", "responseId": "r1"}
    values: list[dict[str, Any]] = [
        {**head, "candidates": [{"index": 0, "content": {"role": "model", "parts": [part]}}]} for part in parts
    ]
    values[-1]["candidates"][0]["finishReason"] = "STOP"
    values[-1]["usageMetadata"] = {"promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 120}
    return b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in values)


STREAMED: Final[Mapping[str, Callable[[Said], bytes]]] = {
    "responses": responses,
    "chat": chat,
    "messages": messages,
    "bedrock": bedrock,
    "gemini": gemini,
    "converse": converse,
    "ollama": ollama,
    "cohere": cohere,
    "dashscope": dashscope,
    "tencent": tencent,
}
