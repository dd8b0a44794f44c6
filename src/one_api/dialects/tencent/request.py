"""A request of the neutral model, written for Hunyuan: https://cloud.tencent.com/document/api/1729/105701."""

from collections.abc import Iterable
from typing import Any, Final

from one_api import ir
from one_api.dialects import turns
from one_api.lib import json

MOST_SEED: Final = 10_000
_KNOWN: Final = {"seed": lambda value: turns.is_whole(value) and 0 < value <= MOST_SEED}


def encode_request(request: ir.Request) -> ir.Encoded:
    """Raises Unrepresentable."""
    losses: list[str] = []
    extras = turns.extras(request, _KNOWN, losses)
    value: dict[str, Any] = {
        "Model": request.model,
        "Messages": list(_messages(request, losses)),
        "Stream": request.stream,
        **turns.only(
            (
                ("TopP", request.top_p),
                ("Temperature", request.temperature),
                ("Stop", list(request.stop) or None),
                ("Seed", extras.get("seed")),
            )
        ),
        **_tools(request, losses),
    }
    lost = {
        "max_tokens": request.limit,
        "top_k": request.top_k,
        "response_format": request.format,
        "reasoning": request.reasoning,
        "user": request.user or None,
    }
    for name, wish in lost.items():
        if wish is not None:
            turns.lose(losses, name)
    return ir.Encoded(json.encode(value), tuple(losses))


def _tools(request: ir.Request, losses: list[str]) -> dict[str, Any]:
    """A tool that has to be called is told in full once more."""
    if not request.tools:
        return {}
    told = {tool.name: _tool(tool) for tool in request.tools}
    value: dict[str, Any] = {"Tools": list(told.values())}
    choice = request.choice
    if choice is not None and choice.mode == "one" and choice.name in told:
        value |= {"ToolChoice": "custom", "CustomTool": told[choice.name]}
    elif choice is not None and choice.mode in ("auto", "none"):
        value["ToolChoice"] = choice.mode
    elif choice is not None:
        turns.lose(losses, "tool_choice")
    if request.parallel is not None:
        turns.lose(losses, "parallel_tool_calls")
    if any(tool.strict for tool in request.tools):
        turns.lose(losses, "strict")
    return value


def _tool(tool: ir.Tool) -> dict[str, Any]:
    """Its schema is a text."""
    described = {"Description": tool.description} if tool.description else {}
    schema = json.encode(tool.schema or {"type": "object", "properties": {}}).decode()
    return {"Type": "function", "Function": {"Name": tool.name, **described, "Parameters": schema}}


def _messages(request: ir.Request, losses: list[str]) -> Iterable[dict[str, Any]]:
    told = turns.system(request)
    if told:
        yield {"Role": "system", "Content": told}
    for turn in request.turns:
        parts = turns.parts(turn, losses)
        if parts.thought:
            turns.lose(losses, "thinking of an earlier turn")
        if turn.role == "assistant":
            yield _assistant(parts)
            continue
        for result in parts.results:
            yield {"Role": "tool", "ToolCallId": result.call_id, "Content": turns.result_text(result)}
        if parts.shown:
            yield {"Role": turn.role, **_content(parts)}


def _content(parts: turns.Parts) -> dict[str, Any]:
    """Plain text where it is no more."""
    if not parts.images:
        return {"Content": "\n".join(parts.texts)}
    contents = [
        {"Type": "text", "Text": each.text}
        if isinstance(each, ir.Text)
        else {"Type": "image_url", "ImageUrl": {"Url": turns.inline(each)}}
        for each in parts.shown
    ]
    return {"Contents": contents}


def _assistant(parts: turns.Parts) -> dict[str, Any]:
    message: dict[str, Any] = {"Role": "assistant", "Content": "".join(parts.texts)}
    calls = [
        {"Id": call.id, "Type": "function", "Function": {"Name": call.name, "Arguments": call.arguments or "{}"}}
        for call in parts.calls
    ]
    return {**message, "ToolCalls": calls} if calls else message
