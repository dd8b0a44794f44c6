"""An answer of the neutral model, written as a `response` object.

https://developers.openai.com/api/reference/resources/responses/methods/create: beside the answer it repeats what was
asked for, with the defaults of what was not. Nothing is stored here, and it says so: `store` is false.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from one_api import ir
from one_api.dialects.openai_notes import encode_annotation, encode_tokens
from one_api.dialects.responses import reasoning
from one_api.dialects.responses.tools import Offered, offered, unwrapped
from one_api.lib import json

INCOMPLETE: Final[Mapping[ir.Reason, str]] = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Why an answer is not complete: https://developers.openai.com/api/docs/guides/conversation-state."""

_MAX_ID: Final = 40  # theirs end at 64 characters
_PREFIX: Final = re.compile(r"^(resp_|msg_|chatcmpl-)")
_UNUSUAL: Final = re.compile(r"[^a-zA-Z0-9_-]")
_ECHOED: Final[tuple[tuple[str, Any], ...]] = (
    ("instructions", None),
    ("max_output_tokens", None),
    ("max_tool_calls", None),
    ("metadata", {}),
    ("parallel_tool_calls", True),
    ("prompt_cache_key", None),
    ("safety_identifier", None),
    ("temperature", 1.0),
    ("tool_choice", "auto"),
    ("tools", []),
    ("top_logprobs", 0),
    ("top_p", 1.0),
    ("truncation", "disabled"),
    ("user", None),
)


class Writing(msgspec.Struct, frozen=True):
    """What all of an answer's items and events have in common. `number` is the answer's own part of their ids."""

    number: str
    model: str
    created: int
    asked: Mapping[str, Any]
    offered: Mapping[str, Offered]

    def id(self, kind: str, index: int) -> str:
        return f"{kind}_{self.number}_{index}"

    def response(self, status: str, output: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
        """The object as it stands."""
        return {
            "id": f"resp_{self.number}",
            "object": "response",
            "created_at": self.created,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "model": self.model,
            "output": output,
            "previous_response_id": None,
            "reasoning": _reasoning(self.asked.get("reasoning")),
            "service_tier": "default",
            "store": False,
            "text": _text(self.asked.get("text")),
            "usage": None,
            **{name: default if self.asked.get(name) is None else self.asked[name] for name, default in _ECHOED},
            **more,
        }

    def item(self, index: int, said: ir.Said, status: str, *, base: int = 0) -> dict[str, Any] | None:
        """One item of the output; None for what has no form here. base: where a text begins in the whole text."""
        match said:
            case ir.Text():
                content = [refusal_part(said.text) if said.refused else text_part(said, base=base)]
                named = {"id": self.id("msg", index), "type": "message", "status": status}
                return {**named, "role": "assistant", "content": content}
            case ir.ToolCall():
                return self.call(index, said.id, said.name, said.arguments, status)
            case ir.Thinking() | ir.Redacted():
                return {"id": self.id("rs", index), "type": "reasoning", **reasoning.encode(said)}
            case ir.Image() if said.data:
                return self.image(index, said)
            case _:
                return None

    def image(self, index: int, image: ir.Image) -> dict[str, Any]:
        """Their own models give images by a tool of theirs."""
        made = {"result": image.data, "output_format": image.media_type.removeprefix("image/")}
        return {"id": self.id("ig", index), "type": "image_generation_call", "status": "completed", **made}

    def call(self, index: int, call_id: str, name: str, arguments: str, status: str) -> dict[str, Any]:
        """The call of a tool, by the name and in the form in which it was offered."""
        tool = self.offered.get(name, Offered(name))
        named = {"call_id": call_id, "name": tool.name, **({"namespace": tool.namespace} if tool.namespace else {})}
        if tool.custom:
            kind, text = {"id": self.id("ctc", index), "type": "custom_tool_call"}, {"input": unwrapped(arguments)}
        else:
            kind, text = {"id": self.id("fc", index), "type": "function_call"}, {"arguments": arguments}
        return {**kind, "status": status, **text, **named}


def writing(number: str, *, model: str, created: int, asked: Mapping[str, Any]) -> Writing:
    """For an answer with this id at its upstream, to this request."""
    kept = _UNUSUAL.sub("", _PREFIX.sub("", number, count=1))[:_MAX_ID]
    return Writing(kept or str(created), model, created, asked, offered(asked))


def encode_answer(answer: ir.Answer, *, model: str, created: int, asked: Mapping[str, Any]) -> bytes:
    """The body of a response. Texts that follow each other are one message, as in a stream."""
    form = writing(answer.id, model=answer.model or model, created=created, asked=asked)
    blocks = _joined(answer.blocks)
    last, ending = len(blocks) - 1, item_status(answer.reason)
    bases = itertools.accumulate((len(each.text) if isinstance(each, ir.Text) else 0 for each in blocks), initial=0)
    items = [
        form.item(index, block, ending if index == last else "completed", base=base)
        for index, (block, base) in enumerate(zip(blocks, bases, strict=False))
    ]
    output = [item for item in items if item is not None]
    return json.encode(form.response(output=output, **outcome(answer.reason, answer.usage)))


def outcome(reason: ir.Reason, usage: ir.Usage | None) -> dict[str, Any]:
    """How it ended."""
    told = {"usage": None if usage is None else encode_usage(usage)}
    if reason in INCOMPLETE:
        return {"status": "incomplete", "incomplete_details": {"reason": INCOMPLETE[reason]}, **told}
    return {"status": "completed", **told}


def item_status(reason: ir.Reason) -> str:
    """Of the last item: it is where an answer was broken off."""
    return "incomplete" if reason in INCOMPLETE else "completed"


def encode_usage(usage: ir.Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cache_write_tokens": usage.cache_write, "cached_tokens": usage.cached},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }


def text_part(said: ir.Text, *, base: int = 0) -> dict[str, Any]:
    """base: where it begins in the whole text."""
    cited = [encode_annotation(each, flat=True, base=base) for each in said.citations]
    return {"type": "output_text", "annotations": cited, "logprobs": encode_tokens(said.tokens), "text": said.text}


def refusal_part(text: str) -> dict[str, Any]:
    return {"type": "refusal", "refusal": text}


def _joined(blocks: tuple[ir.Said, ...]) -> list[ir.Said]:
    found: list[ir.Said] = []
    for block in blocks:
        if isinstance(block, (ir.Opaque, ir.File)) or (isinstance(block, ir.Image) and not block.data):
            continue  # what has no form here
        before = found[-1] if found else None
        if isinstance(block, ir.Text) and isinstance(before, ir.Text) and before.refused == block.refused:
            found[-1] = ir.Text(
                before.text + block.text,
                refused=block.refused,
                citations=before.citations + block.citations,
                tokens=before.tokens + block.tokens,
            )
        else:
            found.append(block)
    return found


def _reasoning(asked: Any) -> dict[str, Any]:
    wanted: Mapping[str, Any] = asked if isinstance(asked, dict) else {}
    return {"effort": wanted.get("effort"), "summary": wanted.get("summary")}


def _text(asked: Any) -> dict[str, Any]:
    return {"format": {"type": "text"}, **({} if not isinstance(asked, dict) else asked)}
