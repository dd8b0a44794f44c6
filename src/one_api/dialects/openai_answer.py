"""An answer in the neutral model, written as a chat completion or as its chunks.

Formats: https://platform.openai.com/docs/api-reference/chat/object and .../chat/streaming. Beyond them:

- `reasoning_content` holds the text of what the model thought, as DeepSeek names it;
- `reasoning_details` holds each block of thinking once and whole, with what its vendor needs to know it again:
  `{"type": "reasoning.text", "text", "signature", "format", "index"}`, or for thinking that only the vendor can read
  `{"type": "reasoning.encrypted", "data", "format", "index"}`; `index` is its place among the blocks of the answer, and
  `format` names the vendor as https://openrouter.ai/docs/use-cases/reasoning-tokens does. In a stream the entries come
  one by one, each complete; a client that appends them has the message's field.
- `extra_content` of a tool call holds the signature that Google's models give it, as Google's own layer for OpenAI's
  clients has it: https://ai.google.dev/gemini-api/docs/thought-signatures#openai;
- `images` holds what the model drew, as https://openrouter.ai/docs/features/multimodal/image-generation has it.
"""

from collections.abc import Mapping
from typing import Any, Final, assert_never

from one_api import ir
from one_api.lib import json

GOOGLE: Final = "gemini"
_FORMATS: Final = {"anthropic": "anthropic-claude-v1", GOOGLE: "google-gemini-v1"}
DONE: Final = b"[DONE]"
_Saying = ir.TextDelta | ir.ThinkingDelta | ir.ThinkingEnded | ir.Shown | ir.CallStarted | ir.ArgumentsDelta


def encode_answer(answer: ir.Answer, *, model: str, created: int) -> bytes:
    """The body of a chat completion; `model` is the name it was asked for at the upstream."""
    value: dict[str, Any] = {
        "id": f"chatcmpl-{answer.id}",
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [{"index": 0, "message": _message(answer.blocks), "finish_reason": answer.reason}],
    }
    if answer.usage is not None:
        value["usage"] = encode_usage(answer.usage)
    return json.encode(value)


def encode_failure(failure: ir.Failed) -> bytes:
    """An error object, as the body of an answer or an event of a stream."""
    error = {"message": failure.message, "type": failure.type, "param": None, "code": None}
    return json.encode({"error": error})


def encode_usage(usage: ir.Usage) -> dict[str, Any]:
    """A usage object; details only where there are some."""
    value: dict[str, Any] = {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
    }
    if usage.cached or usage.cache_write:
        value["prompt_tokens_details"] = {"cached_tokens": usage.cached, "cache_write_tokens": usage.cache_write}
    if usage.audio_in:
        value["prompt_tokens_details"] = {**value.get("prompt_tokens_details", {}), "audio_tokens": usage.audio_in}
    if usage.reasoning:
        value["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
    if usage.audio_out:
        after = value.get("completion_tokens_details", {})
        value["completion_tokens_details"] = {**after, "audio_tokens": usage.audio_out}
    return value


def _message(blocks: tuple[ir.Said, ...]) -> dict[str, Any]:
    texts = [block.text for block in blocks if isinstance(block, ir.Text)]
    thoughts = [block.text for block in blocks if isinstance(block, ir.Thinking)]
    images = [_image(block) for block in blocks if isinstance(block, ir.Image)]
    details, calls = _details_and_calls(blocks)
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) if texts or not calls else None}
    if any(thoughts):
        message["reasoning_content"] = "".join(thoughts)
    if details:
        message["reasoning_details"] = details
    if images:
        message["images"] = images
    if calls:
        message["tool_calls"] = calls
    return message


def _details_and_calls(blocks: tuple[ir.Said, ...]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What was thought, and the calls; Google's signature of a call goes with it."""
    details: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    for index, block in enumerate(blocks):
        following = blocks[index + 1] if index + 1 < len(blocks) else None
        if isinstance(block, ir.ToolCall):
            signed = signs(blocks[index - 1]) if index else ""
            called = {"name": block.name, "arguments": block.arguments}
            calls.append({"id": block.id, "type": "function", "function": called, **_extra_content(signed)})
        elif isinstance(block, (ir.Thinking, ir.Redacted)) and not (
            signs(block) and isinstance(following, ir.ToolCall)
        ):
            details.append(_detail(index, block))
    return details, calls


def signs(block: ir.Said) -> str:
    """The signature, if the block is one that Google's models give to the call behind it."""
    return block.data if isinstance(block, ir.Redacted) and block.origin == GOOGLE else ""


def _extra_content(signature: str) -> dict[str, Any]:
    return {"extra_content": {"google": {"thought_signature": signature}}} if signature else {}


def _image(block: ir.Image | ir.File) -> dict[str, Any]:
    url = block.url or f"data:{block.media_type};base64,{block.data}"
    return {"type": "image_url", "image_url": {"url": url}}


def _detail(index: int, block: ir.Thinking | ir.Redacted) -> dict[str, Any]:
    named = {"format": _FORMATS.get(block.origin, block.origin or "unknown"), "index": index}
    if isinstance(block, ir.Redacted):
        return {"type": "reasoning.encrypted", "data": block.data, **named}
    return {"type": "reasoning.text", "text": block.text, "signature": block.signature, **named}


class ChunkEncoder:
    """Writes the events of one answer as the `data` fields of its chunks; None stands for a comment, a sign of life.

    The chunk that names the role is the first that says something, so that an upstream which fails before it can be
    replaced by another.
    """

    __slots__ = ("_calls", "_head", "_held", "_silent")

    def __init__(self, *, model: str, created: int) -> None:
        self._head: dict[str, Any] = {
            "id": "chatcmpl-",
            "object": "chat.completion.chunk",
            "created": created,
            "model": model,
        }
        self._calls = -1
        self._silent = True
        self._held: ir.ThinkingEnded | None = None  # may be the signature of a call that follows

    def encode(self, event: ir.Event) -> list[bytes | None]:
        held, self._held = self._held, None
        if isinstance(event, ir.ThinkingEnded) and signs(event.block):
            self._held = event
            return self._details(held)
        if isinstance(event, ir.CallStarted):
            return [self._delta(self._called(event, signs(held.block) if held is not None else ""))]
        return [*self._details(held), *self._encode(event)]

    def _details(self, held: ir.ThinkingEnded | None) -> list[bytes | None]:
        return [] if held is None else [self._delta(self._said(held))]

    def _encode(self, event: ir.Event) -> list[bytes | None]:
        match event:
            case ir.Started():
                self._head |= {"id": f"chatcmpl-{event.id}", **({"model": event.model} if event.model else {})}
                return []
            case ir.Finished():
                return [self._delta({}, event.reason)]
            case ir.Alive():
                return [None]
            case ir.Ended():
                return [*self._usage(event.usage), DONE]
            case ir.Failed():
                return [encode_failure(event)]
            case _:
                return [self._delta(self._said(event))]

    def _said(self, event: _Saying) -> dict[str, Any]:
        match event:
            case ir.TextDelta():
                return {"content": event.text}
            case ir.ThinkingDelta():
                return {"reasoning_content": event.text}
            case ir.ThinkingEnded():
                return {"reasoning_details": [_detail(event.index, event.block)]}
            case ir.Shown():
                return {"images": [_image(event.block)]}
            case ir.CallStarted():
                return self._called(event, "")
            case ir.ArgumentsDelta():
                return {"tool_calls": [{"index": self._calls, "function": {"arguments": event.text}}]}
            case _:
                assert_never(event)

    def _called(self, event: ir.CallStarted, signature: str) -> dict[str, Any]:
        self._calls += 1
        named = {"id": event.id, "type": "function", "function": {"name": event.name, "arguments": ""}}
        return {"tool_calls": [{"index": self._calls, **named, **_extra_content(signature)}]}

    def _usage(self, usage: ir.Usage | None) -> list[bytes]:
        return [] if usage is None else [json.encode({**self._head, "choices": [], "usage": encode_usage(usage)})]

    def _delta(self, delta: Mapping[str, Any], reason: str | None = None) -> bytes:
        if self._silent:
            self._silent = False
            delta = {"role": "assistant", "content": "", **delta}
        return json.encode({**self._head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
