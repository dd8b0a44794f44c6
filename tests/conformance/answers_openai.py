"""In OpenAI's chat completions and responses."""

from collections.abc import Iterator
from typing import Any, Final

from one_api import ir
from tests.conformance.answered import IMAGE, URL, Answered, Answers, Document, body, sse

# --- OpenAI's chat completions ----------------------------------------------------------------------------------------


def _openai(
    message: Document,
    *marks: str | float,
    finish: str = "stop",
    usage: Document | None = None,
    reason: ir.Reason | None = None,
    more: Document | None = None,
) -> Answered:
    """more: fields of the choice. Tool calls get the index that streams give them."""
    head = {"id": "chatcmpl-1", "created": 1, "model": "m"}
    counts = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, **(usage or {})}
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish, **(more or {})}
    delta = {
        **message,
        **(
            {"tool_calls": [{"index": n, **call} for n, call in enumerate(message["tool_calls"])]}
            if "tool_calls" in message
            else {}
        ),
    }
    pieces = [
        {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": None, **(more or {})},
        {"index": 0, "delta": {}, "finish_reason": finish},
    ]
    chunk = {**head, "object": "chat.completion.chunk"}
    stream = sse(*({**chunk, "choices": [each]} for each in pieces), {**chunk, "choices": [], "usage": counts})
    whole = {**head, "object": "chat.completion", "choices": [choice], "usage": counts}
    return Answered(body(whole), stream + b"data: [DONE]\n\n", marks, reason)


def _openai_choices() -> Answered:
    head = {"id": "chatcmpl-1", "created": 1, "model": "m"}
    said = [{"role": "assistant", "content": text} for text in ("hi", "zebra")]
    whole = [{"index": n, "message": each, "finish_reason": "stop"} for n, each in enumerate(said)]
    pieces = [{"index": n, "delta": each, "finish_reason": None} for n, each in enumerate(said)]
    ends = [{"index": n, "delta": {}, "finish_reason": "stop"} for n, _ in enumerate(said)]
    chunk = {**head, "object": "chat.completion.chunk"}
    stream = sse(*({**chunk, "choices": [each]} for each in (*pieces, *ends)))
    return Answered(body({**head, "choices": whole}), stream + b"data: [DONE]\n\n", ("zebra",))


_HI: Final = {"content": "hi"}
_O_CALLS: Final = [
    {"id": f"call_{word}", "type": "function", "function": {"name": f"zebra_{word}", "arguments": '{"a":"b"}'}}
    for word in ("one", "two")
]
TOKEN: Final = {"token": "hi", "logprob": -0.4711, "bytes": [104, 105]}
_O_ERROR: Final = {"error": {"message": "zebra", "type": "server_error", "code": None, "param": None}}
OPENAI: Final[Answers] = {
    "text": _openai({"content": "zebra"}, "zebra"),
    "thinking": _openai({**_HI, "reasoning_content": "zebra"}, "zebra"),
    "signature of thinking": None,
    "redacted thinking": None,
    "tool calls": _openai({"content": None, "tool_calls": _O_CALLS}, "zebra_one", "zebra_two", finish="tool_calls"),
    "image": _openai(
        {**_HI, "images": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}"}}]}, IMAGE
    ),
    "refusal": _openai({"content": None, "refusal": "zebra"}, "zebra"),
    "citation": _openai(
        {
            **_HI,
            "annotations": [
                {"type": "url_citation", "url_citation": {"url": URL, "title": "T", "start_index": 0, "end_index": 2}}
            ],
        },
        URL,
    ),
    "logprobs": _openai(
        _HI, -0.4711, more={"logprobs": {"content": [{**TOKEN, "top_logprobs": [TOKEN]}], "refusal": None}}
    ),
    "n": _openai_choices(),
    "end: stop": _openai(_HI, reason="stop"),
    "end: length": _openai(_HI, finish="length", reason="length"),
    "end: tool calls": _openai({"content": None, "tool_calls": _O_CALLS}, finish="tool_calls", reason="tool_calls"),
    "end: filtered": _openai(_HI, finish="content_filter", reason="content_filter"),
    "usage: input and output": _openai(
        _HI, 4711, 317, usage={"prompt_tokens": 4711, "completion_tokens": 317, "total_tokens": 5028}
    ),
    "usage: cached": _openai(
        _HI, 1237, usage={"prompt_tokens": 4711, "prompt_tokens_details": {"cached_tokens": 1237}}
    ),
    "usage: cache writes": _openai(
        _HI, 1237, usage={"prompt_tokens": 4711, "prompt_tokens_details": {"cache_write_tokens": 1237}}
    ),
    "usage: reasoning": _openai(
        _HI, 1237, usage={"completion_tokens": 4711, "completion_tokens_details": {"reasoning_tokens": 1237}}
    ),
    "usage: audio": _openai(
        _HI,
        *(1237, 1239),
        usage={
            "prompt_tokens": 4711,
            "completion_tokens": 4711,
            "prompt_tokens_details": {"audio_tokens": 1237},
            "completion_tokens_details": {"audio_tokens": 1239},
        },
    ),
    "error": Answered(body(_O_ERROR), sse(_O_ERROR), ("zebra",)),
}

# --- OpenAI's responses -----------------------------------------------------------------------------------------------


def _item_events(index: int, item: Document) -> Iterator[Document]:
    place = {"output_index": index, "item_id": item["id"]}
    yield {"type": "response.output_item.added", "output_index": index, "item": {**item, "content": [], "summary": []}}
    match item["type"]:
        case "message":
            for part in item["content"]:
                if part["type"] == "refusal":
                    yield {"type": "response.refusal.delta", **place, "content_index": 0, "delta": part["refusal"]}
                    continue
                told = {"content_index": 0, "delta": part["text"], "logprobs": part["logprobs"]}
                yield {"type": "response.output_text.delta", **place, **told}
                for number, each in enumerate(part["annotations"]):
                    noted = {"content_index": 0, "annotation_index": number, "annotation": each}
                    yield {"type": "response.output_text.annotation.added", **place, **noted}
        case "reasoning":
            for part in item["summary"]:
                told = {"summary_index": 0, "delta": part["text"]}
                yield {"type": "response.reasoning_summary_text.delta", **place, **told}
        case "function_call":
            yield {"type": "response.function_call_arguments.delta", **place, "delta": item["arguments"]}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _responses(
    *items: Document,
    marks: tuple[str | int | float, ...] = (),
    usage: Document | None = None,
    incomplete: str = "",
    reason: ir.Reason | None = None,
) -> Answered:
    counts = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, **(usage or {})}
    output = [{"id": f"item_{index}", **item} for index, item in enumerate(items)]
    head = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "error": None}
    status = "incomplete" if incomplete else "completed"
    whole = {**head, "status": status, "output": output, "usage": counts}
    if incomplete:
        whole["incomplete_details"] = {"reason": incomplete}
    stream = sse(
        {"type": "response.created", "response": {**head, "status": "in_progress", "output": []}},
        *(event for index, item in enumerate(output) for event in _item_events(index, item)),
        {"type": f"response.{status}", "response": whole},
        named=True,
    )
    return Answered(body(whole), stream, marks, reason)


def _r_text(text: str = "hi", **more: Any) -> Document:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": [], **more}
    return {"type": "message", "role": "assistant", "status": "completed", "content": [part]}


def _r_thought(encrypted: str, *texts: str) -> Document:
    summary = [{"type": "summary_text", "text": text} for text in texts]
    return {"type": "reasoning", "summary": summary, "encrypted_content": encrypted}


_R_CALLS: Final = [
    {"type": "function_call", "call_id": f"call_{word}", "name": f"zebra_{word}", "arguments": '{"a":"b"}'}
    for word in ("one", "two")
]
_R_ERROR: Final = {"code": "server_error", "message": "zebra"}
RESPONSES: Final[Answers] = {
    "text": _responses(_r_text("zebra"), marks=("zebra",)),
    "thinking": _responses(_r_thought("c2lnbmVk", "zebra"), _r_text(), marks=("zebra",)),
    "signature of thinking": _responses(_r_thought("c2lnbmVk", "hm"), _r_text(), marks=("c2lnbmVk",)),
    "redacted thinking": _responses(_r_thought("c2lnbmVk"), _r_text(), marks=("c2lnbmVk",)),
    "tool calls": _responses(*_R_CALLS, marks=("zebra_one", "zebra_two")),
    "image": _responses(
        {"type": "image_generation_call", "status": "completed", "result": IMAGE, "output_format": "png"},
        marks=(IMAGE,),
    ),
    "refusal": _responses(
        {
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "refusal", "refusal": "zebra"}],
        },
        marks=("zebra",),
    ),
    "citation": _responses(
        _r_text(annotations=[{"type": "url_citation", "url": URL, "title": "T", "start_index": 0, "end_index": 2}]),
        marks=(URL,),
    ),
    "logprobs": _responses(_r_text(logprobs=[{**TOKEN, "top_logprobs": [TOKEN]}]), marks=(-0.4711,)),
    "n": None,
    "end: stop": _responses(_r_text(), reason="stop"),
    "end: length": _responses(_r_text(), incomplete="max_output_tokens", reason="length"),
    "end: tool calls": _responses(*_R_CALLS, reason="tool_calls"),
    "end: filtered": _responses(_r_text(), incomplete="content_filter", reason="content_filter"),
    "usage: input and output": _responses(
        _r_text(), marks=(4711, 317), usage={"input_tokens": 4711, "output_tokens": 317}
    ),
    "usage: cached": _responses(
        _r_text(), marks=(1237,), usage={"input_tokens": 4711, "input_tokens_details": {"cached_tokens": 1237}}
    ),
    "usage: cache writes": _responses(
        _r_text(), marks=(1237,), usage={"input_tokens": 4711, "input_tokens_details": {"cache_write_tokens": 1237}}
    ),
    "usage: reasoning": _responses(
        _r_text(), marks=(1237,), usage={"output_tokens": 4711, "output_tokens_details": {"reasoning_tokens": 1237}}
    ),
    "usage: audio": None,
    "error": Answered(
        body({"id": "resp_1", "status": "failed", "output": [], "error": _R_ERROR}),
        sse({"type": "error", **_R_ERROR, "param": None}, named=True),
        ("zebra",),
    ),
}
