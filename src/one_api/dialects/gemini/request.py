"""A request of the neutral model, written for Google's Gemini API: https://ai.google.dev/api/generate-content.

What it has no form for is refused if it is content, and named among the losses if it is a wish.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from one_api import ir
from one_api.dialects.gemini import parts
from one_api.dialects.gemini.fields import snake
from one_api.dialects.gemini.models import Abilities, abilities
from one_api.dialects.gemini.schema import reduced
from one_api.dialects.gemini.thinking import thinking
from one_api.dialects.openai_notes import LOGPROBS
from one_api.lib import json

MOST_STOPS: Final = 5
CATEGORIES: Final = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT", "CIVIC_INTEGRITY")
"""https://ai.google.dev/gemini-api/docs/safety-settings: of those One API sets a threshold for each."""

_PASSED: Final = {"seed": "seed", "presence_penalty": "presencePenalty", "frequency_penalty": "frequencyPenalty"}


def encode_request(request: ir.Request, *, safety: str) -> ir.Encoded:
    """Raises Unrepresentable. `safety` is the threshold from which on something is blocked."""
    losses: list[str] = []
    able = abilities(request.model)
    system, contents = _conversation(request, able, losses)
    tools = _tools(request, able, losses)
    value: dict[str, Any] = {
        "contents": contents,
        **({"systemInstruction": {"parts": system}} if system else {}),
        "safetySettings": [{"category": f"HARM_CATEGORY_{each}", "threshold": safety} for each in CATEGORIES],
        **tools,
    }
    config = _config(request, able, losses, tools=bool(tools))
    if config:
        value["generationConfig"] = config
    return ir.Encoded(json.encode(value), tuple(dict.fromkeys(losses)))


# --- the conversation ---


def _conversation(
    request: ir.Request, able: Abilities, losses: list[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Instructions, and contents of alternating roles: results of calls made at once have to come at once.

    A model without a place for instructions is told first of all, and agrees, as with One API.
    """
    system = [{"text": text.text} for text in _system(request, losses)]
    merged: list[tuple[str, list[dict[str, Any]]]] = []
    if system and not able.system:
        merged = [("user", system), ("model", [{"text": "Okay"}])]
        system = []
    names: dict[str, str] = {}
    for turn in request.turns:
        if turn.role == "system":
            continue
        role = "model" if turn.role == "assistant" else "user"
        written = parts.encode(turn.blocks, names, ids=able.ids, losses=losses)
        names |= {block.id: block.name for block in turn.blocks if isinstance(block, ir.ToolCall)}
        if not written:
            continue
        if merged and merged[-1][0] == role:
            merged[-1][1].extend(written)
        else:
            merged.append((role, written))
    return system, [{"role": role, "parts": content} for role, content in merged]


def _system(request: ir.Request, losses: list[str]) -> Iterator[ir.Text]:
    """One from the middle of a conversation has no place there and goes to the others, in front."""
    yield from (text for text in request.system if text.text)
    for turn in request.turns:
        if turn.role == "system":
            losses.append("place of a later system message")
            yield from (block for block in turn.blocks if isinstance(block, ir.Text) and block.text)


# --- wishes ---


def _config(request: ir.Request, able: Abilities, losses: list[str], *, tools: bool) -> dict[str, Any]:
    asked = {
        "temperature": request.temperature,
        "topP": request.top_p,
        "topK": request.top_k,
        "maxOutputTokens": request.limit,
        "candidateCount": request.n if request.n > 1 else None,
        **_extra(request, able, losses),
    }
    value = {name: wish for name, wish in asked.items() if wish is not None}
    if request.stop:
        value["stopSequences"] = list(request.stop[:MOST_STOPS])
        if len(request.stop) > MOST_STOPS:
            losses.append("stop after the fifth")
    if request.user:
        losses.append("user")
    told = thinking(request.reasoning, able, losses) | _told(request)
    if told:
        value["thinkingConfig"] = told
    if request.format is not None:
        if tools and not able.ids:
            losses.append("response_format beside tools")  # "unsupported" before Gemini 3
        else:
            value |= _format(request.format, able)
    return value


def _extra(request: ir.Request, able: Abilities, losses: list[str]) -> dict[str, Any]:
    """Wishes in OpenAI's words that have a name here."""
    value: dict[str, Any] = {}
    for name, wish in request.extra.items():
        if name == "extra_body":
            continue
        if name == LOGPROBS:
            value |= {"responseLogprobs": True, **({"logprobs": wish} if wish else {})}
            continue
        if name == "modalities" and isinstance(wish, list) and "audio" not in wish:
            value["responseModalities"] = [each.upper() for each in wish if isinstance(each, str)]
        elif name in _PASSED and type(wish) in (int, float) and (able.penalties or name == "seed"):
            value[_PASSED[name]] = wish
        else:
            losses.append(name)
    return value


def _told(request: ir.Request) -> dict[str, Any]:
    """What a client says of thinking in Google's own words: https://ai.google.dev/gemini-api/docs/openai#extra-body."""
    found: Any = request.extra
    for name in ("extra_body", "google", "thinking_config"):
        found = found.get(name) if isinstance(found, Mapping) else None
    known = ("includeThoughts", "thinkingBudget", "thinkingLevel")
    return {name: found[snake(name)] for name in known if snake(name) in found} if isinstance(found, dict) else {}


def _format(wanted: ir.Format, able: Abilities) -> dict[str, Any]:
    """https://ai.google.dev/gemini-api/docs/structured-output."""
    value: dict[str, Any] = {"responseMimeType": "application/json"}
    if wanted.schema is None:
        return value
    if able.schema:
        return {**value, "responseJsonSchema": wanted.schema}
    return {**value, "responseSchema": reduced(wanted.schema)}


def _tools(request: ir.Request, able: Abilities, losses: list[str]) -> dict[str, Any]:
    """https://ai.google.dev/gemini-api/docs/function-calling."""
    if not request.tools:
        return {}
    if request.parallel is False:
        losses.append("parallel_tool_calls")
    declared = []
    for tool in request.tools:
        if tool.strict:
            losses.append("strict")
        declared.append(
            {
                "name": tool.name,
                **({"description": tool.description} if tool.description else {}),
                **_parameters(tool, able),
            }
        )
    value: dict[str, Any] = {"tools": [{"functionDeclarations": declared}]}
    if request.choice is not None:
        value["toolConfig"] = {"functionCallingConfig": _choice(request.choice)}
    return value


def _parameters(tool: ir.Tool, able: Abilities) -> dict[str, Any]:
    """None for a function that takes nothing: an object without properties is refused."""
    if not tool.schema or not (tool.schema.get("properties") or tool.schema.keys() - {"type", "properties"}):
        return {}
    if able.schema:
        return {"parametersJsonSchema": tool.schema}
    schema = reduced(tool.schema)
    return {"parameters": schema} if schema.get("properties") else {}


def _choice(choice: ir.ToolChoice) -> dict[str, Any]:
    if choice.mode == "one":
        return {"mode": "ANY", "allowedFunctionNames": [choice.name]}
    return {"mode": choice.mode.upper()}
