"""A request of the neutral model, written for Cohere: https://docs.cohere.com/v2/reference/chat."""

from collections.abc import Iterable
from typing import Any, Final

from one_api import ir
from one_api.dialects import turns
from one_api.lib import json

SEARCHING: Final = "-internet"
"""What One API put behind models that were to search the web, which only version 1 could."""
MOST_P: Final = 0.99
_KNOWN: Final = {
    "seed": turns.is_whole,
    "frequency_penalty": lambda value: turns.is_number(value) and 0 <= value <= 1,
    "presence_penalty": lambda value: turns.is_number(value) and 0 <= value <= 1,
}


def encode_request(request: ir.Request) -> ir.Encoded:
    """Raises Unrepresentable."""
    losses: list[str] = []
    if request.model.endswith(SEARCHING):
        losses.append("web search")
    value: dict[str, Any] = {
        "model": request.model.removesuffix(SEARCHING),
        "messages": list(_messages(request, losses)),
        **({"stream": True} if request.stream else {}),
        **turns.only(
            (
                ("max_tokens", request.limit),
                ("temperature", request.temperature),
                ("k", request.top_k),
                ("p", None if request.top_p is None else min(request.top_p, MOST_P)),
                ("stop_sequences", list(request.stop) or None),
            )
        ),
        **turns.extras(request, _KNOWN, losses),
        **_tools(request, losses),
        **_thinking(request, losses),
    }
    if request.format is not None:
        schema = {} if request.format.schema is None else {"json_schema": request.format.schema}
        value["response_format"] = {"type": "json_object", **schema}
    if request.user:
        turns.lose(losses, "user")
    return ir.Encoded(json.encode(value), tuple(losses))


def _thinking(request: ir.Request, losses: list[str]) -> dict[str, Any]:
    """Only some models can: https://docs.cohere.com/docs/reasoning."""
    asked = request.reasoning
    if asked is None:
        return {}
    if "reasoning" not in request.model:
        if not asked.off:
            turns.lose(losses, "reasoning: the model cannot think")
        return {}
    if asked.off:
        return {"thinking": {"type": "disabled"}}
    budget = asked.budget if asked.native is None else asked.native.get("budget_tokens")
    named = {"token_budget": budget} if type(budget) is int and budget > 0 else {}
    return {"thinking": {"type": "enabled", **named}}


def _tools(request: ir.Request, losses: list[str]) -> dict[str, Any]:
    """https://docs.cohere.com/v2/docs/tool-use-overview. No tool can be named, so only the named one is told."""
    if not request.tools:
        return {}
    choice = request.choice or ir.ToolChoice("auto")
    wanted = [tool for tool in request.tools if choice.mode != "one" or tool.name == choice.name]
    value: dict[str, Any] = {"tools": [turns.function(tool) for tool in wanted]}
    if choice.mode != "auto":
        value["tool_choice"] = "NONE" if choice.mode == "none" else "REQUIRED"
    if any(tool.strict for tool in wanted):
        value["strict_tools"] = True
    if request.parallel is False:
        turns.lose(losses, "parallel_tool_calls")
    return value


def _messages(request: ir.Request, losses: list[str]) -> Iterable[dict[str, Any]]:
    told = turns.system(request)
    if told:
        yield {"role": "system", "content": told}
    for turn in request.turns:
        parts = turns.parts(turn, losses)
        if turn.role == "assistant":
            yield _assistant(parts, losses)
            continue
        for result in parts.results:
            yield {"role": "tool", "tool_call_id": result.call_id, "content": turns.result_text(result)}
        if parts.shown:
            yield {"role": turn.role, "content": _content(parts)}


def _content(parts: turns.Parts) -> Any:
    """Plain text where it is no more."""
    if not parts.images and len(parts.shown) == 1:
        return "".join(parts.texts)
    return [
        {"type": "text", "text": each.text}
        if isinstance(each, ir.Text)
        else {"type": "image_url", "image_url": {"url": turns.inline(each)}}
        for each in parts.shown
    ]


def _assistant(parts: turns.Parts, losses: list[str]) -> dict[str, Any]:
    """What was thought before a call is its plan; other thoughts are not taken back."""
    text = "".join(parts.texts)
    message: dict[str, Any] = {"role": "assistant", **({"content": text} if text or not parts.calls else {})}
    if parts.calls:
        message["tool_calls"] = [turns.called(call) for call in parts.calls]
    if parts.thought:
        if parts.calls:
            message["tool_plan"] = parts.thought
        else:
            turns.lose(losses, "thinking of an earlier turn")
    return message
