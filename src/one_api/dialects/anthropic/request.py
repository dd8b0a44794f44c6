"""A request of the neutral model, written for Anthropic's Messages API.

Format: https://platform.claude.com/docs/en/api/messages/create. What it has no form for is refused if it is content,
and named among the losses if it is a wish.
"""

from typing import Any, Final

from one_api import ir
from one_api.dialects import turns
from one_api.dialects.anthropic import blocks
from one_api.dialects.anthropic.models import Abilities, abilities, full_name, longest
from one_api.dialects.anthropic.thinking import thinking
from one_api.lib import json

MAX_TOKENS: Final = 4096
"""Theirs has no default; One API's clients are used to this one."""
MAX_USER_ID: Final = 256


def encode_request(request: ir.Request) -> ir.Encoded:
    """Raises Unrepresentable."""
    losses: list[str] = list(request.extra)
    able = abilities(request.model)
    system, messages = _conversation(request, losses)
    default = longest(request.model, MAX_TOKENS) if request.open_ended else MAX_TOKENS
    limit, told = thinking(request, able, default, losses)
    value: dict[str, Any] = {
        "model": full_name(request.model),
        "messages": messages,
        **({"system": system} if system else {}),
        "max_tokens": limit,
        **told,
        **_sampling(request, able, thinks="thinking" in told, losses=losses),
        **_tools(request, able, losses),
    }
    config = {**value.get("output_config", {}), **_format(request, able, losses)}
    if config:
        value["output_config"] = config
    if request.stop:
        # Their API refuses a sequence that is all blanks.
        value["stop_sequences"] = [each for each in request.stop if each.strip()]
    if request.stream:
        value["stream"] = True
    if request.user and len(request.user) <= MAX_USER_ID:
        value["metadata"] = {"user_id": request.user}
    return ir.Encoded(json.encode(value), tuple(losses))


# --- the conversation ---


def _conversation(request: ir.Request, losses: list[str]) -> tuple[Any, list[dict[str, Any]]]:
    """The `system` field, and messages of alternating roles.

    "Consecutive user or assistant turns in your request will be combined into a single turn": we do so ourselves,
    because the results of tools have to stand at the beginning of theirs. A system message in the middle has no place
    on most models and goes to the others, in front.
    """
    system = [text for text in request.system if text.text.strip()]
    merged: list[tuple[str, list[dict[str, Any]]]] = []
    for turn in request.turns:
        if turn.role == "system":
            system.extend(block for block in turn.blocks if isinstance(block, ir.Text))
            turns.lose(losses, "place of a later system message")
            continue
        written = [each for block in turn.blocks if (each := blocks.encode(block, turn.role, losses)) is not None]
        if not written:
            continue
        if merged and merged[-1][0] == turn.role:
            merged[-1][1].extend(written)
        else:
            merged.append((turn.role, written))
    return _system(system), [{"role": role, "content": _results_first(content)} for role, content in merged]


def _system(texts: list[ir.Text]) -> Any:
    """Plain text where nothing is lost by it, as One API sends it."""
    if len(texts) == 1 and not texts[0].extra:
        return texts[0].text
    return [{"type": "text", "text": text.text, **text.extra} for text in texts]


def _results_first(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Their API wants results of tools to "come first in the content array".

    https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls.
    """
    return sorted(content, key=lambda block: block.get("type") != "tool_result")


# --- wishes ---


def _sampling(request: ir.Request, able: Abilities, *, thinks: bool, losses: list[str]) -> dict[str, Any]:
    """Their words: "Thinking isn't compatible with temperature or top_k modifications".

    https://platform.claude.com/docs/en/build-with-claude/extended-thinking.
    """
    asked = {"temperature": request.temperature, "top_p": request.top_p, "top_k": request.top_k}
    given = {name: value for name, value in asked.items() if value is not None}
    temperature = given.get("temperature")
    if temperature is not None and temperature > 1:
        given["temperature"] = 1  # theirs ends where OpenAI's goes on to 2
        losses.append("temperature above 1")
    unwanted: tuple[str, ...] = ()
    if able.sampling == "none" or thinks:
        unwanted = tuple(given)
    elif able.sampling == "one" and "temperature" in given:
        unwanted = ("top_p",)
    losses.extend(name for name in unwanted if given.get(name) not in (None, 1))
    return {name: value for name, value in given.items() if name not in unwanted}


def _tools(request: ir.Request, able: Abilities, losses: list[str]) -> dict[str, Any]:
    if not request.tools:
        return {}
    tools = []
    for tool in request.tools:
        strict = tool.strict and able.structured
        if tool.strict and not strict:
            turns.lose(losses, "strict")
        tools.append(
            {
                "name": tool.name,
                **({"description": tool.description} if tool.description else {}),
                "input_schema": {"type": "object", **(tool.schema or {"properties": {}})},
                **({"strict": True} if strict else {}),
                **tool.extra,
            }
        )
    return {"tools": tools, "tool_choice": _choice(request)}


def _choice(request: ir.Request) -> dict[str, Any]:
    """https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools#controlling-claudes-output."""
    asked = request.choice or ir.ToolChoice("auto")
    if asked.mode == "none":
        return {"type": "none"}
    choice: dict[str, Any] = {"type": "tool", "name": asked.name} if asked.mode == "one" else {"type": asked.mode}
    if request.parallel is False:
        choice["disable_parallel_tool_use"] = True
    return choice


def _format(request: ir.Request, able: Abilities, losses: list[str]) -> dict[str, Any]:
    """Theirs knows JSON of a schema, and no JSON without one."""
    if request.format is None:
        return {}
    if request.format.schema is None or not able.structured:
        losses.append("response_format")
        return {}
    return {"format": {"type": "json_schema", "schema": request.format.schema}}
