"""A request of Gemini's clients, read into the neutral model: https://ai.google.dev/api/generate-content."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from one_api import ir
from one_api.dialects.gemini import seals
from one_api.dialects.gemini.fields import field, message, number, several, snake, text
from one_api.dialects.gemini.parts import NAME
from one_api.dialects.gemini.schema import widened
from one_api.dialects.gemini.thinking import effort_of
from one_api.dialects.openai_notes import wanted
from one_api.ir import Unrepresentable
from one_api.lib import json

_KNOWN: Final = frozenset(("contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "model"))
_CONFIG: Final = frozenset(
    (
        *("temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "candidateCount", "thinkingConfig"),
        *("responseMimeType", "responseSchema", "responseJsonSchema", "responseLogprobs", "logprobs"),
    )
)
_RENAMED: Final = {"presencePenalty": "presence_penalty", "frequencyPenalty": "frequency_penalty"}
_MODES: Final[Mapping[str, Literal["auto", "any", "none"]]] = {
    "AUTO": "auto",
    "VALIDATED": "auto",
    "ANY": "any",
    "NONE": "none",
}


def decode_request(document: Mapping[str, Any], *, model: str) -> ir.Request:
    """Raises Unrepresentable for what cannot be read."""
    if field(document, "cachedContent"):
        raise Unrepresentable("cachedContent cannot be used on this channel: it does not know what Google keeps")
    config = message(document, "generationConfig")
    choice, allowed = _choice(message(message(document, "toolConfig"), "functionCallingConfig"))
    tools = tuple(_tools(several(document, "tools")))
    top_k = number(config, "topK", int, float)
    return ir.Request(
        model=model,
        system=tuple(_system(message(document, "systemInstruction"))),
        turns=tuple(_Conversation().turns(several(document, "contents"))),
        tools=tuple(tool for tool in tools if not allowed or tool.name in allowed),
        choice=choice,
        limit=number(config, "maxOutputTokens", int) or None,
        temperature=number(config, "temperature", int, float),
        top_p=number(config, "topP", int, float),
        top_k=None if top_k is None else int(top_k),
        stop=_stops(field(config, "stopSequences")),
        n=number(config, "candidateCount", int) or 1,
        reasoning=_reasoning(message(config, "thinkingConfig")),
        format=_format(config),
        extra={
            **dict(_others(document, _KNOWN)),
            **dict(_others(config, _CONFIG)),
            **wanted(field(config, "responseLogprobs") is True, field(config, "logprobs")),
        },
    )


def _others(value: Mapping[str, Any], known: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """What has no place of its own, by OpenAI's name where there is one."""
    names = known | {snake(name) for name in known}
    renamed = _RENAMED | {snake(name): other for name, other in _RENAMED.items()}
    return ((renamed.get(name, name), item) for name, item in value.items() if name not in names and item is not None)


def _system(content: Mapping[str, Any]) -> Iterator[ir.Text]:
    for part in several(content, "parts"):
        if not isinstance(part.get("text"), str):
            raise Unrepresentable("systemInstruction can only hold text")
        yield ir.Text(part["text"])


def _stops(value: Any) -> tuple[str, ...]:
    if value is not None and (not isinstance(value, list) or not all(isinstance(each, str) for each in value)):
        raise Unrepresentable("stopSequences has to be an array of strings")
    return tuple(value or ())


# --- contents ---


class _Conversation:
    """Reads turn after turn. A call may have no name of its own; a result then belongs to the first open one."""

    __slots__ = ("_count", "_open")

    def __init__(self) -> None:
        self._count = 0
        self._open: list[tuple[str, str]] = []  # id and name of calls without a result

    def turns(self, contents: list[Mapping[str, Any]]) -> Iterator[ir.Turn]:
        for place, content in enumerate(contents):
            role = text(content, "role") or "user"
            if role not in ("user", "model", "function"):
                raise Unrepresentable(f"contents[{place}].role has to be user or model")
            blocks = [
                block
                for number, part in enumerate(several(content, "parts"))
                for block in self._part(part, f"contents[{place}].parts[{number}]")
            ]
            yield ir.Turn("assistant" if role == "model" else "user", tuple(_merged(blocks)))

    def _part(self, part: Mapping[str, Any], place: str) -> Iterator[ir.Said]:
        signature = text(part, "thoughtSignature")
        called, answered = message(part, "functionCall"), message(part, "functionResponse")
        data, file = message(part, "inlineData"), message(part, "fileData")
        if called:
            if signature:
                yield seals.redacted(signature)
            yield self._call(called)
            return
        if part.get("thought") is True:
            yield seals.thinking(text(part, "text"), signature)
            return
        if isinstance(part.get("text"), str):
            yield ir.Text(part["text"])
        elif answered:
            yield self._result(answered, place)
        elif data:
            yield _media(text(data, "mimeType"), data=text(data, "data"), name=text(data, "displayName"))
        elif file:
            yield _media(text(file, "mimeType"), url=text(file, "fileUri"), name=text(file, "displayName"))
        elif part:
            yield ir.Opaque(NAME, part)
            return
        if signature:
            yield seals.redacted(signature)

    def _call(self, called: Mapping[str, Any]) -> ir.ToolCall:
        name = text(called, "name")
        call_id = text(called, "id") or f"call_{self._count}"
        self._count += 1
        self._open.append((call_id, name))
        return ir.ToolCall(call_id, name, json.encode(message(called, "args")).decode())

    def _result(self, answered: Mapping[str, Any], place: str) -> ir.ToolResult:
        name, call_id = text(answered, "name"), text(answered, "id")
        known = {each for each, _ in self._open}
        if call_id not in known:
            call_id = next((each for each, called in self._open if called == name), call_id)
        if not call_id:
            raise Unrepresentable(f"{place}.functionResponse has no call before it")
        self._open = [each for each in self._open if each[0] != call_id]
        shown = []
        for part in several(answered, "parts"):
            data = message(part, "inlineData")
            if not data:
                raise Unrepresentable(f"{place}.functionResponse.parts can only hold inlineData")
            shown.append(_media(text(data, "mimeType"), data=text(data, "data")))
        told, failed = _told(message(answered, "response"))
        return ir.ToolResult(call_id, (ir.Text(told), *shown), failed=failed)


def _media(kind: str, *, data: str = "", url: str = "", name: str = "") -> ir.Image | ir.File:
    if kind.startswith("image/"):
        return ir.Image(media_type=kind, data=data, url=url)
    return ir.File(media_type=kind, data=data, url=url, name=name)


def _told(response: Mapping[str, Any]) -> tuple[str, bool]:
    """Text by the names Google gives it, anything else as JSON; and whether it is an error."""
    for name in ("output", "error"):
        if response.keys() == {name}:
            said = response[name]
            return (said if isinstance(said, str) else json.encode(said).decode()), name == "error"
    return json.encode(response).decode(), False


def _merged(blocks: list[ir.Said]) -> list[ir.Said]:
    """Pieces of a thought are one up to its signature: so a client puts a stream together. Empty texts are none."""
    found: list[ir.Said] = []
    for block in blocks:
        last = found[-1] if found else None
        if isinstance(block, ir.Thinking) and isinstance(last, ir.Thinking) and not last.signature:
            found[-1] = ir.Thinking(last.text + block.text, block.signature, block.origin)
        elif not isinstance(block, ir.Text) or block.text:
            found.append(block)
    return found


# --- tools and the form of the answer ---


def _tools(tools: list[Mapping[str, Any]]) -> Iterator[ir.Tool]:
    for place, tool in enumerate(tools):
        others = [name for name in tool if name not in ("functionDeclarations", snake("functionDeclarations"))]
        if others:
            raise Unrepresentable(f"tools[{place}]: {others[0]!r} cannot be used on this channel")
        for each in several(tool, "functionDeclarations"):
            schema = field(each, "parametersJsonSchema")
            if not isinstance(schema, dict):
                parameters = field(each, "parameters")
                schema = widened(parameters) if isinstance(parameters, dict) else None
            yield ir.Tool(text(each, "name"), text(each, "description"), schema)


def _choice(config: Mapping[str, Any]) -> tuple[ir.ToolChoice | None, frozenset[str]]:
    """How to choose, and from which functions if not from all."""
    mode = _MODES.get(text(config, "mode").upper())
    allowed = field(config, "allowedFunctionNames")
    names = [each for each in allowed if isinstance(each, str)] if isinstance(allowed, list) else []
    if mode == "any" and len(names) == 1:
        return ir.ToolChoice("one", names[0]), frozenset()
    return (None if mode is None else ir.ToolChoice(mode)), frozenset(names)


def _reasoning(config: Mapping[str, Any]) -> ir.Reasoning | None:
    budget = number(config, "thinkingBudget", int)
    effort = effort_of(text(config, "thinkingLevel"))
    if budget == 0:
        return ir.Reasoning("none")
    if not (effort or budget or field(config, "includeThoughts") is True):
        return None
    return ir.Reasoning(effort, max(budget or 0, 0))


def _format(config: Mapping[str, Any]) -> ir.Format | None:
    if text(config, "responseMimeType") != "application/json":
        return None
    schema = field(config, "responseJsonSchema")
    if isinstance(schema, dict):
        return ir.Format(schema)
    schema = field(config, "responseSchema")
    return ir.Format(widened(schema) if isinstance(schema, dict) else None)
