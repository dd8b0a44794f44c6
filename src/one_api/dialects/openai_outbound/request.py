"""A request of the neutral model written as a chat completion.

https://platform.openai.com/docs/api-reference/chat/create.
"""

from collections.abc import Iterable
from typing import Any, Final

from one_api import ir
from one_api.dialects import turns
from one_api.dialects.openai_efforts import effort
from one_api.dialects.openai_notes import LOGPROBS
from one_api.lib import json

_REASONING: Final = ("o1", "o3", "o4", "gpt-5")
_PASSED: Final = ("seed", "presence_penalty", "frequency_penalty")


def encode_request(request: ir.Request) -> ir.Encoded:
    """Raises Unrepresentable."""
    passed = {name: wish for name, wish in request.extra.items() if name in _PASSED}
    losses = [name for name in request.extra if name not in passed and name != LOGPROBS]
    if request.top_k is not None:
        losses.append("top_k")
    thinks = request.model.rpartition("/")[2].startswith(_REASONING)
    value: dict[str, Any] = {"model": request.model, "messages": list(_messages(request, losses)), **passed}
    if request.limit is not None:
        # Models that think know this name only, other vendors' the other.
        value["max_completion_tokens" if thinks else "max_tokens"] = request.limit
    wishes = {"temperature": request.temperature, "top_p": request.top_p}
    value |= {name: wish for name, wish in wishes.items() if wish is not None and not thinks}
    if thinks:
        losses.extend(name for name, wish in wishes.items() if wish is not None)
    if LOGPROBS in request.extra:
        value |= {"logprobs": True, "top_logprobs": request.extra[LOGPROBS]}
    value |= {"n": request.n} if request.n > 1 else {}
    if request.stop:
        value["stop"] = list(request.stop)
    if request.stream:
        value |= {"stream": True, "stream_options": {"include_usage": True}}
    if request.user:
        value["user"] = request.user
    value |= _tools(request)
    if request.format is not None:
        value["response_format"] = _format(request.format)
    if request.reasoning is not None:
        value |= _thinking(request.reasoning, request.model, losses, thinks=thinks)
    return ir.Encoded(json.encode(value), tuple(dict.fromkeys(losses)))


def _thinking(asked: ir.Reasoning, model: str, losses: list[str], *, thinks: bool) -> dict[str, Any]:
    if not thinks:
        losses.extend(() if asked.off else ("thinking",))
        return {}
    told = effort(asked, model, losses)
    return {"reasoning_effort": told} if told else {}


def must_be_enclosed(block: ir.Image | ir.File) -> bool:
    """Files are given inline; images may be addresses."""
    return isinstance(block, ir.File) and bool(block.url)


def _format(wanted: ir.Format) -> dict[str, Any]:
    if wanted.schema is None:
        return {"type": "json_object"}
    schema = {"name": wanted.name or "answer", "schema": wanted.schema, "strict": wanted.exact}
    return {"type": "json_schema", "json_schema": schema}


def _tools(request: ir.Request) -> dict[str, Any]:
    if not request.tools:
        return {}
    value: dict[str, Any] = {"tools": [_tool(tool) for tool in request.tools]}
    choice = request.choice
    if choice is not None:
        named = {"type": "function", "function": {"name": choice.name}}
        value["tool_choice"] = named if choice.mode == "one" else "required" if choice.mode == "any" else choice.mode
    if request.parallel is not None:
        value["parallel_tool_calls"] = request.parallel
    return value


def _tool(tool: ir.Tool) -> dict[str, Any]:
    function = {
        "name": tool.name,
        **({"description": tool.description} if tool.description else {}),
        **({} if tool.schema is None else {"parameters": tool.schema}),
        **({"strict": True} if tool.strict else {}),
    }
    return {"type": "function", "function": function}


def _messages(request: ir.Request, losses: list[str]) -> Iterable[dict[str, Any]]:
    if request.system:
        yield {"role": "system", "content": "\n\n".join(text.text for text in request.system)}
    for turn in request.turns:
        if turn.role == "assistant" and _remembers(request.model):
            yield _with_thoughts(turn.blocks, losses)
        elif turn.role == "assistant":
            yield _assistant(turn.blocks, losses)
        else:
            yield from _asked(turn)


def _asked(turn: ir.Turn) -> Iterable[dict[str, Any]]:
    """Results of tools are messages of their own, which hold text: their images go to the message after them."""
    parts: list[dict[str, Any]] = []
    for block in turn.blocks:
        if isinstance(block, ir.ToolResult):
            yield {"role": "tool", "tool_call_id": block.call_id, "content": turns.result_text(block)}
            media = [each for each in block.content if not isinstance(each, ir.Text)]
            parts.extend(_part(each) for each in media)
        else:
            parts.append(_part(block))
    if not parts:
        return
    alone = parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts
    yield {"role": turn.role, "content": alone}


def _part(block: ir.Said) -> dict[str, Any]:
    match block:
        case ir.Text():
            return {"type": "text", "text": block.text}
        case ir.Image():
            url = turns.inline(block)
            return {"type": "image_url", "image_url": {"url": url}}
        case ir.File() if block.data:
            inline = turns.inline(block)
            return {"type": "file", "file": {"filename": block.name or "file", "file_data": inline}}
        case _:
            raise _unsaid(block)


def _unsaid(block: ir.Said) -> ir.Unrepresentable:
    kind = block.raw.get("type") if isinstance(block, ir.Opaque) else type(block).__name__.lower()
    return ir.Unrepresentable(f"content of type {kind!r} cannot be sent to this channel")


def _remembers(model: str) -> bool:
    """Models that refuse the result of a call without what they thought before it; others refuse what they thought.

    https://api-docs.deepseek.com/guides/thinking_mode#tool-calls,
    https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model.
    """
    return model.rpartition("/")[2].lower().startswith(("deepseek", "kimi"))


def _with_thoughts(blocks: tuple[ir.Said, ...], losses: list[str]) -> dict[str, Any]:
    """The field may be empty beside calls of tools, but not absent."""
    thought = "".join(block.text for block in blocks if isinstance(block, ir.Thinking))
    message = _assistant(tuple(block for block in blocks if not isinstance(block, ir.Thinking)), losses)
    return {**message, "reasoning_content": thought} if thought or "tool_calls" in message else message


def _assistant(blocks: tuple[ir.Said, ...], losses: list[str]) -> dict[str, Any]:
    texts: list[str] = []
    calls: list[dict[str, Any]] = []
    for block in blocks:
        match block:
            case ir.Text():
                texts.append(block.text)
            case ir.ToolCall():
                function = {"name": block.name, "arguments": block.arguments}
                calls.append({"id": block.id, "type": "function", "function": function})
            case ir.Thinking() | ir.Redacted():
                losses.append("thinking of an earlier turn")
            case _:
                raise _unsaid(block)
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) if texts or not calls else None}
    return {**message, "tool_calls": calls} if calls else message
