"""A request of the neutral model, written for ERNIE: https://cloud.baidu.com/doc/WENXINWORKSHOP/s/jlil56u11.

User and assistant take turns there, with nothing but text, and at most one function is called at a time.
"""

from collections.abc import Iterable
from typing import Any, Final

from one_api import ir
from one_api.dialects import turns
from one_api.lib import json

LEAST_LIMIT: Final = 2
_KNOWN: Final = {"frequency_penalty": lambda value: turns.is_number(value) and 1 <= value <= 2}
"""Their `penalty_score`, as One API has it."""


def encode_request(request: ir.Request) -> ir.Encoded:
    """The model is part of the address. Raises Unrepresentable."""
    losses: list[str] = []
    system = [turns.system(request)]
    messages = _merged(_messages(request, system, losses))
    extras = turns.extras(request, _KNOWN, losses)
    value: dict[str, Any] = {
        "messages": messages,
        **turns.only(
            (
                ("system", "\n\n".join(text for text in system if text) or None),
                ("temperature", request.temperature),
                ("top_p", request.top_p),
                ("penalty_score", extras.get("frequency_penalty")),
                ("max_output_tokens", None if request.limit is None else max(request.limit, LEAST_LIMIT)),
                ("stop", list(request.stop) or None),
                ("user_id", request.user or None),
            )
        ),
        "stream": request.stream,
        **_functions(request, losses),
    }
    if request.format is not None:
        value["response_format"] = "json_object"
        if request.format.schema is not None:
            turns.lose(losses, "the schema of response_format")
    lost = {"top_k": request.top_k, "reasoning": request.reasoning}
    for name, wish in lost.items():
        if wish is not None:
            turns.lose(losses, name)
    return ir.Encoded(json.encode(value), tuple(losses))


def _functions(request: ir.Request, losses: list[str]) -> dict[str, Any]:
    choice = request.choice
    if not request.tools or (choice is not None and choice.mode == "none"):
        return {}
    value: dict[str, Any] = {"functions": [turns.function(tool)["function"] for tool in request.tools]}
    if choice is not None and choice.mode == "one":
        value["tool_choice"] = {"type": "function", "function": {"name": choice.name}}
    elif choice is not None and choice.mode == "any":
        turns.lose(losses, "tool_choice")
    if request.parallel is not None:
        turns.lose(losses, "parallel_tool_calls")
    if any(tool.strict for tool in request.tools):
        turns.lose(losses, "strict")
    return value


def _messages(request: ir.Request, system: list[str], losses: list[str]) -> Iterable[dict[str, Any]]:
    """System messages in the middle are told at the start, the only place there is."""
    names: dict[str, str] = {}
    for turn in request.turns:
        parts = turns.parts(turn, losses)
        text = "\n".join(parts.texts)
        if parts.images:
            raise ir.Unrepresentable("this channel cannot be given images")
        if parts.thought:
            turns.lose(losses, "thinking of an earlier turn")
        if turn.role == "system":
            turns.lose(losses, "place of a system message")
            system.append(text)
            continue
        if turn.role == "assistant":
            names |= {call.id: call.name for call in parts.calls}
            yield _assistant(parts)
            continue
        if len(parts.results) > 1:
            raise ir.Unrepresentable("this channel can be given the result of one tool at a time")
        for result in parts.results:
            name = names.get(result.call_id, "")
            yield {"role": "function", "name": name, "content": turns.result_text(result)}
        if text:
            yield {"role": "user", "content": text}


def _assistant(parts: turns.Parts) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(parts.texts)}
    if len(parts.calls) > 1:
        raise ir.Unrepresentable("on this channel one tool can be called at a time")
    for call in parts.calls:
        message["function_call"] = {"name": call.name, "arguments": call.arguments or "{}"}
    return message


def _merged(messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One message where several of one side follow each other."""
    found: list[dict[str, Any]] = []
    for message in messages:
        last = found[-1] if found else {}
        if last.get("role") == message["role"] and last.keys() == message.keys() == {"role", "content"}:
            found[-1] = {**last, "content": f"{last['content']}\n{message['content']}"}
        else:
            found.append(message)
    return found
