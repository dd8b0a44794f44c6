"""A request of the neutral model, written for DashScope.

https://help.aliyun.com/en/model-studio/qwen-api-via-dashscope. Models that see have a place of their own, where content
is a list of parts; the others have text.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from one_api import ir
from one_api.dialects import turns
from one_api.lib import json

SEARCHING: Final = "-internet"
"""What One API has put behind models that search the web."""
MOST_TOP_P: Final = 0.9999
"""It is "(0, 1.0)": one is too much."""
_SEEING: Final = re.compile(r"-vl\b|^qvq|-ocr\b|^qwen-?(\d+\.\d+)")
_SEEING_SINCE: Final = 3.5
_KNOWN: Final = {
    "seed": turns.is_whole,
    "presence_penalty": turns.is_number,
    "repetition_penalty": turns.is_number,
    "enable_search": lambda value: type(value) is bool,
}


def sees(model: str) -> bool:
    """Whether a model is asked where images are: those of vision, and all of Qwen since 3.5."""
    found = _SEEING.search(model)
    return found is not None and (found[1] is None or float(found[1]) >= _SEEING_SINCE or "-vl" in model)


def encode_request(request: ir.Request) -> ir.Encoded:
    """Raises Unrepresentable."""
    losses: list[str] = []
    parameters: dict[str, Any] = {
        "result_format": "message",
        **({"incremental_output": True} if request.stream else {}),
        **turns.only(
            (
                ("max_tokens", request.limit),
                ("temperature", request.temperature),
                ("top_p", None if request.top_p is None else min(request.top_p, MOST_TOP_P)),
                ("top_k", request.top_k),
                ("stop", list(request.stop) or None),
            )
        ),
        **turns.extras(request, _KNOWN, losses),
        **({"enable_search": True} if request.model.endswith(SEARCHING) else {}),
        **_tools(request, losses),
        **_thinking(request, losses),
    }
    if request.format is not None:
        parameters["response_format"] = {"type": "json_object"}
        if request.format.schema is not None:
            turns.lose(losses, "the schema of response_format")
    if request.user:
        turns.lose(losses, "user")
    model = request.model.removesuffix(SEARCHING)
    value = {"model": model, "input": {"messages": _messages(request, losses)}, "parameters": parameters}
    return ir.Encoded(json.encode(value), tuple(losses))


def _thinking(request: ir.Request, losses: list[str]) -> dict[str, Any]:
    """Thinking is told in streams only: https://help.aliyun.com/en/model-studio/deep-thinking."""
    asked = request.reasoning
    if asked is None:
        return {}
    if asked.off:
        return {"enable_thinking": False}
    if not request.stream:
        turns.lose(losses, "reasoning: there is none without a stream")
        return {}
    budget = asked.budget if asked.native is None else asked.native.get("budget_tokens")
    named = {"thinking_budget": budget} if type(budget) is int and budget > 0 else {}
    return {"enable_thinking": True, **named}


def _tools(request: ir.Request, losses: list[str]) -> dict[str, Any]:
    if not request.tools:
        return {}
    value: dict[str, Any] = {"tools": [turns.function(tool) for tool in request.tools]}
    choice = request.choice
    if choice is not None and choice.mode == "one":
        value["tool_choice"] = {"type": "function", "function": {"name": choice.name}}
    elif choice is not None and choice.mode == "none":
        value["tool_choice"] = "none"
    elif choice is not None and choice.mode == "any":
        turns.lose(losses, "tool_choice")
    if request.parallel is not None:
        value["parallel_tool_calls"] = request.parallel
    if any(tool.strict for tool in request.tools):
        turns.lose(losses, "strict")
    return value


def _messages(request: ir.Request, losses: list[str]) -> list[dict[str, Any]]:
    seeing = sees(request.model)
    found = list(_written(request, losses))
    if not seeing and any(isinstance(message["content"], list) for message in found):
        raise ir.Unrepresentable(f"on this channel the model {request.model!r} cannot be given images")
    if seeing:
        for message in found:
            if isinstance(message["content"], str):
                message["content"] = [{"text": message["content"]}]
    return found


def _written(request: ir.Request, losses: list[str]) -> Iterable[dict[str, Any]]:
    """With lists for content that is more than text."""
    told = turns.system(request)
    if told:
        yield {"role": "system", "content": told}
    for turn in request.turns:
        parts = turns.parts(turn, losses)
        if turn.role == "assistant":
            if parts.thought:
                turns.lose(losses, "thinking of an earlier turn")
            calls = [turns.called(call) for call in parts.calls]
            yield {"role": "assistant", "content": "".join(parts.texts), **({"tool_calls": calls} if calls else {})}
            continue
        for result in parts.results:
            yield {"role": "tool", "content": turns.result_text(result), "tool_call_id": result.call_id}
        if parts.images:
            yield {"role": turn.role, "content": [_part(each) for each in parts.shown]}
        elif parts.shown:
            yield {"role": turn.role, "content": "\n".join(parts.texts)}


def _part(block: ir.Text | ir.Image) -> dict[str, Any]:
    return {"text": block.text} if isinstance(block, ir.Text) else {"image": turns.inline(block)}
