"""A request of the neutral model, written for the Responses API.

https://developers.openai.com/api/reference/resources/responses/methods/create. Nothing is left with the vendor: `store`
is false, so the reasoning that the next turn needs is asked for in encrypted form.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from one_api import ir
from one_api.dialects import turns
from one_api.dialects.openai_efforts import effort
from one_api.dialects.openai_notes import LOGPROBS
from one_api.dialects.responses import reasoning
from one_api.dialects.responses.parts import LIKELY
from one_api.lib import json

_THINKS: Final = re.compile(r"o\d|gpt-([5-9]|\d\d)(?!.*-chat)|codex")
"""Models that reason whether they are asked to or not. They take neither `temperature` nor `top_p`."""


def encode_request(request: ir.Request) -> ir.Encoded:
    """Raises Unrepresentable."""
    losses = [name for name in request.extra if name != LOGPROBS]
    thinks = _THINKS.match(request.model.rpartition("/")[2]) is not None
    value: dict[str, Any] = {"model": request.model, "input": list(_input(request, losses)), "store": False}
    if request.system:
        value["instructions"] = "\n\n".join(text.text for text in request.system)
    if request.limit is not None:
        value["max_output_tokens"] = request.limit
    value |= _sampling(request, losses, thinks=thinks)
    if request.stream:
        value["stream"] = True
    if request.user:
        value["user"] = request.user
    value |= _tools(request)
    if request.format is not None:
        value["text"] = {"format": _format(request.format)}
    asked = request.reasoning
    reasons = asked is not None and not asked.off
    if asked is not None and (thinks or reasons):
        told = effort(asked, request.model, losses)
        if told:
            value["reasoning"] = {"effort": told, **({"summary": "auto"} if reasons else {})}
    include = ["reasoning.encrypted_content"] if thinks or reasons else []
    if LOGPROBS in request.extra:
        include.append(LIKELY)
        value["top_logprobs"] = request.extra[LOGPROBS]
    if include:
        value["include"] = include
    return ir.Encoded(json.encode(value), tuple(dict.fromkeys(losses)))


def _sampling(request: ir.Request, losses: list[str], *, thinks: bool) -> dict[str, Any]:
    asked = {"temperature": request.temperature, "top_p": request.top_p}
    given = {name: wish for name, wish in asked.items() if wish is not None}
    losses.extend(name for name, wish in (("top_k", request.top_k), ("stop", request.stop)) if wish)
    if thinks:
        losses.extend(given)
        return {}
    return given


def _format(wanted: ir.Format) -> dict[str, Any]:
    if wanted.schema is None:
        return {"type": "json_object"}
    return {"type": "json_schema", "name": wanted.name or "answer", "schema": wanted.schema, "strict": wanted.exact}


def _tools(request: ir.Request) -> dict[str, Any]:
    if not request.tools:
        return {}
    value: dict[str, Any] = {"tools": [_tool(tool) for tool in request.tools]}
    choice = request.choice
    if choice is not None:
        named = {"type": "function", "name": choice.name}
        value["tool_choice"] = named if choice.mode == "one" else "required" if choice.mode == "any" else choice.mode
    if request.parallel is not None:
        value["parallel_tool_calls"] = request.parallel
    return value


def _tool(tool: ir.Tool) -> dict[str, Any]:
    """Theirs are strict unless they say otherwise, which schemas of other dialects are not made for."""
    return {
        "type": "function",
        "name": tool.name,
        **({"description": tool.description} if tool.description else {}),
        "parameters": tool.schema if tool.schema is not None else {"type": "object", "properties": {}},
        "strict": tool.strict,
    }


def _input(request: ir.Request, losses: list[str]) -> Iterator[dict[str, Any]]:
    for turn in request.turns:
        waiting: list[dict[str, Any]] = []
        for block in turn.blocks:
            part = _part(block, turn.role)
            if part is not None:
                waiting.append(part)
                continue
            yield from _message(turn.role, waiting)
            waiting = []
            yield from _item(block, losses)
        yield from _message(turn.role, waiting)


def _message(role: str, content: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    if content:
        yield {"type": "message", "role": role, "content": content}


def _part(block: ir.Said, role: str) -> dict[str, Any] | None:
    """A piece of a message; None for what is an item of its own."""
    match block:
        case ir.Text():
            return {"type": "output_text" if role == "assistant" else "input_text", "text": block.text}
        case ir.Image() | ir.File() if role != "user":
            raise ir.Unrepresentable(f"on this channel a message of role {role!r} can only hold text")
        case ir.Image():
            url = turns.inline(block)
            return {"type": "input_image", "detail": "auto", "image_url": url}
        case ir.File() if block.url:
            return {"type": "input_file", "file_url": block.url}
        case ir.File():
            inline = turns.inline(block)
            return {"type": "input_file", "filename": block.name or "file", "file_data": inline}
        case _:
            return None


def _item(block: ir.Said, losses: list[str]) -> Iterator[dict[str, Any]]:
    match block:
        case ir.ToolCall():
            named = {"call_id": block.id, "name": block.name, "arguments": block.arguments or "{}"}
            yield {"type": "function_call", **named}
        case ir.ToolResult():
            yield {"type": "function_call_output", "call_id": block.call_id, "output": _result(block)}
        case ir.Thinking() | ir.Redacted() if block.origin != reasoning.NAME:
            losses.append("thinking of an earlier turn")
        case ir.Thinking() | ir.Redacted():
            yield {"type": "reasoning", **reasoning.encode(block)}
        case ir.Opaque() if block.dialect == reasoning.NAME:
            yield dict(block.raw)
        case _:
            raise ir.Unrepresentable("the request holds content that cannot be sent to this channel")


def _result(block: ir.ToolResult) -> str | list[dict[str, Any]]:
    """Text where it is nothing else. Theirs has no mark for a call that failed."""
    texts = [each.text for each in block.content if isinstance(each, ir.Text)]
    if len(texts) == len(block.content):
        said = "\n".join(texts)
        return f"Error: {said}" if block.failed else said
    found = [part for each in block.content if (part := _part(each, "user")) is not None]
    return [{"type": "input_text", "text": "Error:"}, *found] if block.failed else found
