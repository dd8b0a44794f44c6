"""A request of the neutral model, written for Ollama: https://docs.ollama.com/api/chat."""

from collections.abc import Iterable
from typing import Any, Final

from one_api import ir
from one_api.dialects import turns
from one_api.lib import json

_OPTIONS: Final = {
    "seed": turns.is_whole,
    "frequency_penalty": turns.is_number,
    "presence_penalty": turns.is_number,
    "num_ctx": turns.is_whole,
}
"""Options that callers name as Ollama does: https://docs.ollama.com/modelfile#valid-parameters-and-values."""


def must_be_enclosed(block: ir.Image | ir.File) -> bool:
    """Images are given as base64 only."""
    return bool(block.url)


def encode_request(request: ir.Request) -> ir.Encoded:
    """Raises Unrepresentable."""
    losses: list[str] = []
    value: dict[str, Any] = {
        "model": request.model,
        "messages": list(_messages(request, losses)),
        "stream": request.stream,
        "options": _options(request, losses),
        **_tools(request, losses),
        **_thinking(request.reasoning),
    }
    if request.format is not None:
        value["format"] = "json" if request.format.schema is None else request.format.schema
    if request.user:
        turns.lose(losses, "user")
    return ir.Encoded(json.encode(value), tuple(losses))


def _options(request: ir.Request, losses: list[str]) -> dict[str, Any]:
    wishes = (
        ("temperature", request.temperature),
        ("top_p", request.top_p),
        ("top_k", request.top_k),
        ("num_predict", request.limit),
        ("stop", list(request.stop) or None),
    )
    return turns.extras(request, _OPTIONS, losses) | turns.only(wishes)


def _thinking(asked: ir.Reasoning | None) -> dict[str, Any]:
    """`think` is a boolean, or a level that only some models know: https://docs.ollama.com/capabilities/thinking."""
    if asked is None:
        return {}
    if asked.off:
        return {"think": False}
    return {"think": asked.effort if asked.effort in ("low", "medium", "high") else True}


def _tools(request: ir.Request, losses: list[str]) -> dict[str, Any]:
    """Nothing can be said about whether a tool is to be used, save that there is none."""
    mode = "auto" if request.choice is None else request.choice.mode
    if not request.tools or mode == "none":
        return {}
    if mode != "auto":
        turns.lose(losses, "tool_choice")
    if request.parallel is False:
        turns.lose(losses, "parallel_tool_calls")
    if any(tool.strict for tool in request.tools):
        turns.lose(losses, "strict")
    return {"tools": [turns.function(tool) for tool in request.tools]}


def _messages(request: ir.Request, losses: list[str]) -> Iterable[dict[str, Any]]:
    names: dict[str, str] = {}  # of the tools called so far, by the ids of the calls: results are told by name
    told = turns.system(request)
    if told:
        yield {"role": "system", "content": told}
    for turn in request.turns:
        parts = turns.parts(turn, losses)
        if turn.role == "assistant":
            names |= {call.id: call.name for call in parts.calls}
            yield _assistant(parts)
            continue
        for result in parts.results:
            named = {"tool_name": names[result.call_id]} if result.call_id in names else {}
            yield {"role": "tool", "content": turns.result_text(result), **named, "tool_call_id": result.call_id}
        if parts.shown:
            images = [_image(image) for image in parts.images]
            text = {"role": turn.role, "content": "\n".join(parts.texts)}
            yield {**text, "images": images} if images else text


def _assistant(parts: turns.Parts) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(parts.texts)}
    if parts.thought:
        message["thinking"] = parts.thought
    if parts.calls:
        message["tool_calls"] = [
            {"id": call.id, "function": {"name": call.name, "arguments": turns.arguments(call)}} for call in parts.calls
        ]
    return message


def _image(image: ir.Image) -> str:
    if not image.data:
        raise ir.Unrepresentable("an image by address cannot be sent to this channel")
    return image.data
