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
from typing import Any, ClassVar, Final, assert_never

from one_api import ir
from one_api.dialects import openai_chat, turns
from one_api.dialects.openai_notes import encode_annotation, encode_tokens
from one_api.lib import json

GOOGLE: Final = "gemini"
_FORMATS: Final = {"anthropic": "anthropic-claude-v1", "openai": "openai-responses-v1", GOOGLE: "google-gemini-v1"}


def encode_answer(answer: ir.Answer, *, model: str, created: int) -> bytes:
    """The body of a chat completion; `model` is the name it was asked for at the upstream."""
    value: dict[str, Any] = {
        "id": f"chatcmpl-{answer.id}",
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [_choice(index, each) for index, each in enumerate(answer.choices)],
    }
    if answer.usage is not None:
        value["usage"] = encode_usage(answer.usage)
    return json.encode(value)


def _choice(index: int, choice: ir.Choice) -> dict[str, Any]:
    value: dict[str, Any] = {"index": index, "message": _message(choice.blocks), "finish_reason": choice.reason}
    tokens = tuple(each for block in choice.blocks if isinstance(block, ir.Text) for each in block.tokens)
    return {**value, "logprobs": _logprobs(tokens)} if tokens else value


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
    texts = [block.text for block in blocks if isinstance(block, ir.Text) and not block.refused]
    refusals = [block.text for block in blocks if isinstance(block, ir.Text) and block.refused]
    thoughts = [block.text for block in blocks if isinstance(block, ir.Thinking)]
    images = [_image(block) for block in blocks if isinstance(block, ir.Image)]
    details, calls = _details_and_calls(blocks)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(texts) if texts or not (calls or refusals) else None,
    }
    if refusals:
        message["refusal"] = "".join(refusals)
    if any(thoughts):
        message["reasoning_content"] = "".join(thoughts)
    cited = [each for block in blocks if isinstance(block, ir.Text) for each in block.citations]
    if cited:
        message["annotations"] = [encode_annotation(each, flat=False) for each in cited]
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
            signed = _signature(blocks[index - 1]) if index else ""
            called = {"name": block.name, "arguments": block.arguments}
            calls.append({"id": block.id, "type": "function", "function": called, **_extra_content(signed)})
        elif isinstance(block, (ir.Thinking, ir.Redacted)) and not (
            _signature(block) and isinstance(following, ir.ToolCall)
        ):
            details.append(_detail(index, block))
    return details, calls


def _logprobs(tokens: tuple[ir.Token, ...]) -> dict[str, Any]:
    return {"content": encode_tokens(tokens), "refusal": None}


def _signature(block: ir.Said) -> str:
    """What Google's models give to the call behind it, if the block is that."""
    return block.data if isinstance(block, ir.Redacted) and block.origin == GOOGLE else ""


def _extra_content(signature: str) -> dict[str, Any]:
    return {"extra_content": {"google": {"thought_signature": signature}}} if signature else {}


def _image(block: ir.Image | ir.File) -> dict[str, Any]:
    url = turns.inline(block)
    return {"type": "image_url", "image_url": {"url": url}}


def _detail(index: int, block: ir.Thinking | ir.Redacted) -> dict[str, Any]:
    named = {"format": _FORMATS.get(block.origin, block.origin or "unknown"), "index": index}
    if isinstance(block, ir.Redacted):
        return {"type": "reasoning.encrypted", "data": block.data, **named}
    return {"type": "reasoning.text", "text": block.text, "signature": block.signature, **named}


_ALIVE: Final = b": ping\n\n"
_Saying = ir.ThinkingDelta | ir.ThinkingEnded | ir.Shown | ir.Cited | ir.CallStarted | ir.ArgumentsDelta


class ChunkEncoder:
    """Writes the events of an answer as chunks. `usage`: whether the caller asked for the chunk that tells it. place:
    of this answer among those he asked for; each of the others has an encoder of its own.

    The chunk that names the role is the first that says something, so that an upstream which fails before it can be
    replaced by another.
    """

    number: ClassVar = 0
    __slots__ = (
        *("_calls", "_created", "_delta", "_head", "_held", "_model", "_others", "_place", "_silent", "_started"),
        "_usage",
    )

    def __init__(self, *, model: str, created: int, usage: bool, place: int = 0) -> None:
        self._model = model
        self._created = created
        self._usage = usage
        self._calls = -1
        self._silent = True
        self._held: ir.ThinkingEnded | None = None  # may be the signature of a call that follows
        self._place = place
        self._others: dict[int, ChunkEncoder] = {}
        self._begin(ir.Started("", ""))

    def encode(self, event: ir.Event) -> bytes:
        if self._held is not None and not isinstance(event, ir.Beside):
            return self._encode_held(self._held, event)
        match event:
            case ir.TextDelta():
                if self._silent or event.refused or event.tokens:
                    return self._said({"refusal" if event.refused else "content": event.text}, tokens=event.tokens)
                return b'%b{"content":%b},"finish_reason":null}]}\n\n' % (self._delta, json.encode(event.text))
            case ir.ThinkingEnded() if _signature(event.block):
                self._held = event
                return b""
            case ir.Started() | ir.Beside() | ir.Alive() | ir.Failed():
                return self._unsaid(event)
            case ir.Ended():
                return self._counted(event.usage) + openai_chat.END
            case ir.Finished():
                return self._said({}, event.reason)
            case _:
                return self._said(self._delta_of(event))

    def _encode_held(self, held: ir.ThinkingEnded, event: ir.Event) -> bytes:
        self._held = None
        if isinstance(event, ir.CallStarted):
            return self._said(self._call(event, _signature(held.block)))
        return self._said({"reasoning_details": [_detail(held.index, held.block)]}) + self.encode(event)

    def _delta_of(self, event: _Saying) -> Mapping[str, Any]:
        match event:
            case ir.ThinkingDelta():
                return {"reasoning_content": event.text}
            case ir.ThinkingEnded():
                return {"reasoning_details": [_detail(event.index, event.block)]}
            case ir.Cited():
                return {"annotations": [encode_annotation(event.citation, flat=False)]}
            case ir.Shown():
                return {"images": [_image(event.block)]}
            case ir.CallStarted():
                return self._call(event, "")
            case ir.ArgumentsDelta():
                return {"tool_calls": [{"index": self._calls, "function": {"arguments": event.text}}]}
            case _:
                assert_never(event)

    def _call(self, event: ir.CallStarted, signature: str) -> Mapping[str, Any]:
        self._calls += 1
        named = {"id": event.id, "type": "function", "function": {"name": event.name, "arguments": ""}}
        return {"tool_calls": [{"index": self._calls, **named, **_extra_content(signature)}]}

    def _unsaid(self, event: ir.Started | ir.Beside | ir.Alive | ir.Failed) -> bytes:
        """What says nothing of this answer."""
        match event:
            case ir.Started():
                self._begin(event)
                return b""
            case ir.Beside():
                return self._other(event.index).encode(event.event)
            case ir.Alive():
                return _ALIVE
            case ir.Failed():
                return b""

    def _other(self, place: int) -> "ChunkEncoder":
        found = self._others.get(place)
        if found is None:
            found = ChunkEncoder(model=self._model, created=self._created, usage=False, place=place)
            found.encode(self._started)
            self._others[place] = found
        return found

    def _begin(self, event: ir.Started) -> None:
        self._started = event
        head = {
            "id": f"chatcmpl-{event.id}",
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": event.model or self._model,
        }
        self._head = b"data: %b," % json.encode(head)[:-1]
        self._delta = b'%b"choices":[{"index":%d,"delta":' % (self._head, self._place)

    def _said(self, delta: Mapping[str, Any], reason: str | None = None, tokens: tuple[ir.Token, ...] = ()) -> bytes:
        if self._silent:
            self._silent = False
            delta = {"role": "assistant", "content": "", **delta}
        likely = b',"logprobs":%b' % json.encode(_logprobs(tokens)) if tokens else b""
        return b'%b%b%b,"finish_reason":%b}]}\n\n' % (self._delta, json.encode(delta), likely, json.encode(reason))

    def _counted(self, usage: ir.Usage | None) -> bytes:
        if usage is None or not self._usage:
            return b""
        return b'%b"choices":[],"usage":%b}\n\n' % (self._head, json.encode(encode_usage(usage)))
