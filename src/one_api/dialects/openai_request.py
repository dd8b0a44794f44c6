"""A caller's chat completion request, read into the neutral model.

Format: https://platform.openai.com/docs/api-reference/chat/create. Beyond it, as other gateways have them:
`cache_control` on a part, a message or a tool; `thinking` as Anthropic writes it; and `reasoning_details` on a message
of the assistant (see openai_answer), so that a client which sends an answer back as it got it loses nothing; so are
`extra_content` of its tool calls, and its `images`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from one_api.dialects import openai_parts
from one_api.dialects.openai_notes import wanted
from one_api.dialects.openai_parts import MARK, mark_of
from one_api.dialects.reading import text_of, typed
from one_api.ir import (
    Format,
    Reasoning,
    Redacted,
    Request,
    Said,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
    Unrepresentable,
)

_GOOGLE: Final = "gemini"
ORIGINS: Final = {"anthropic-claude-v1": "anthropic", "openai-responses-v1": "openai", "google-gemini-v1": _GOOGLE}
"""Whose signature an entry of `reasoning_details` holds, by its `format`."""

_KNOWN: Final = frozenset(
    (
        *("model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "stop"),
        *("stream", "stream_options", "tools", "tool_choice", "functions", "function_call", "parallel_tool_calls"),
        *("reasoning_effort", "reasoning", "thinking", "response_format", "user", "logprobs", "top_logprobs", "n"),
    )
)
_DEFAULTS: Final[tuple[tuple[str, Any], ...]] = (
    *(("modalities", ["text"]), ("store", False)),
    *(("frequency_penalty", 0), ("presence_penalty", 0)),
)
"""What asks for nothing, and so is not lost where it cannot be said."""


def decode_request(document: Mapping[str, Any], *, model: str) -> Request:
    """Raises Unrepresentable for what cannot be read, with a sentence for the caller."""
    system, turns = _turns(document["messages"])
    return Request(
        model=model,
        system=system,
        turns=turns,
        tools=_tools(document),
        choice=_choice(document),
        parallel=typed(document, "parallel_tool_calls", bool),
        limit=max(typed(document, key, int) or 0 for key in ("max_tokens", "max_completion_tokens")) or None,
        temperature=typed(document, "temperature", int, float),
        top_p=typed(document, "top_p", int, float),
        top_k=typed(document, "top_k", int),
        stop=_stop(document.get("stop")),
        n=typed(document, "n", int) or 1,
        stream=document.get("stream") is True,
        reasoning=_reasoning(document),
        format=_format(document.get("response_format")),
        user=text_of(document.get("user")),
        extra={
            key: value
            for key, value in document.items()
            if key not in _KNOWN and value is not None and (key, value) not in _DEFAULTS
        }
        | wanted(document.get("logprobs") is True, document.get("top_logprobs")),
    )


def _stop(value: Any) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value or []
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise Unrepresentable("stop has to be a string or an array of strings")
    return tuple(found)


# --- messages ---


def _turns(messages: Sequence[Mapping[str, Any]]) -> tuple[tuple[Text, ...], tuple[Turn, ...]]:
    system: list[Text] = []
    turns: list[Turn] = []
    older = ""  # a function of the older form has no id: its result is that of the call before it
    for position, message in enumerate(messages):
        place = f"messages[{position}]"
        role = message.get("role")
        if role in ("system", "developer"):
            blocks = openai_parts.texts(message, place)
            if turns:
                turns.append(Turn("system", blocks))
            else:
                system.extend(blocks)
        elif role == "user":
            turns.append(Turn("user", openai_parts.parts(message, place)))
        elif role == "assistant":
            older = f"call_{position}"
            turns.append(Turn("assistant", _assistant(message, place, older)))
        elif role in ("tool", "function"):
            turns.append(Turn("user", (_result(message, place, older if role == "function" else ""),)))
        else:
            raise Unrepresentable(f"{place}.role {role!r} is not known")
    return tuple(system), tuple(turns)


def _result(message: Mapping[str, Any], place: str, older: str) -> ToolResult:
    call_id = message.get("tool_call_id") or older
    if not isinstance(call_id, str) or not call_id:
        raise Unrepresentable(f"{place}.tool_call_id is required")
    bare = {key: value for key, value in message.items() if key != MARK}
    return ToolResult(
        call_id, openai_parts.parts(bare, place), failed=message.get("is_error") is True, extra=mark_of(message)
    )


def _assistant(message: Mapping[str, Any], place: str, older: str) -> tuple[Said, ...]:
    said: list[Said] = [*openai_parts.parts(message, place), *openai_parts.images(message, place)]
    refusal = text_of(message.get("refusal"))
    if refusal:
        said.append(Text(refusal))
    said.extend(_calls(message, place, older))
    return _with_thinking(said, message)


def _calls(message: Mapping[str, Any], place: str, older: str) -> Iterable[Said]:
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise Unrepresentable(f"{place}.tool_calls has to be an array")
    for number, call in enumerate(calls):
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict):
            raise Unrepresentable(f"{place}.tool_calls[{number}] has to be the call of a function")
        signature = _signature(call)
        if signature:
            yield Redacted(signature, _GOOGLE)
        yield _call(text_of(call.get("id")), function, f"{place}.tool_calls[{number}]", mark_of(call))
    function = message.get("function_call")
    if isinstance(function, dict):
        yield _call(older, function, f"{place}.function_call", {})


def _signature(call: Mapping[str, Any]) -> str:
    """What Google's models sign their calls with: `extra_content.google.thought_signature`."""
    found: Any = call
    for name in ("extra_content", "google", "thought_signature"):
        found = found.get(name) if isinstance(found, dict) else None
    return text_of(found)


def _call(number: str, function: Mapping[str, Any], place: str, extra: Mapping[str, Any]) -> ToolCall:
    name, arguments = function.get("name"), function.get("arguments") or ""
    if not isinstance(name, str) or not isinstance(arguments, str) or not name:
        raise Unrepresentable(f"{place} needs a name, and arguments as a JSON text")
    return ToolCall(number or name, name, arguments, extra)


def _with_thinking(said: list[Said], message: Mapping[str, Any]) -> tuple[Said, ...]:
    """What was thought, at the places it had among the blocks of the answer.

    An entry of `reasoning_details` names its place by `index`; what was said fills the other places in order.
    """
    details = message.get("reasoning_details")
    thoughts: dict[int, Said] = {}
    for number, each in enumerate(details if isinstance(details, list) else ()):
        thought = _thought(each) if isinstance(each, dict) else None
        if thought is not None:
            index = each.get("index")
            thoughts[index if type(index) is int and index not in thoughts else -1 - number] = thought
    plain = text_of(message.get("reasoning_content")) or text_of(message.get("reasoning"))
    if not thoughts:
        return (Thinking(plain), *said) if plain else tuple(said)
    blocks: list[Said] = [thoughts[index] for index in sorted(thoughts, reverse=True) if index < 0]
    rest = iter(said)
    for index in sorted(each for each in thoughts if each >= 0):
        while len(blocks) < index and (following := next(rest, None)) is not None:
            blocks.append(following)
        blocks.append(thoughts[index])
    return (*blocks, *rest)


def _thought(detail: Mapping[str, Any]) -> Said | None:
    form = text_of(detail.get("format"))
    origin = ORIGINS.get(form, form)
    match detail.get("type"):
        case "reasoning.text":
            return Thinking(text_of(detail.get("text")), text_of(detail.get("signature")), origin)
        case "reasoning.encrypted":
            return Redacted(text_of(detail.get("data")), origin)
        case _:
            return None


# --- tools and the form of the answer ---


def _tools(document: Mapping[str, Any]) -> tuple[Tool, ...]:
    tools = document.get("tools") or []
    older = document.get("functions") or []
    if not isinstance(tools, list) or not isinstance(older, list):
        raise Unrepresentable("tools has to be an array")
    found = [_tool(each, f"tools[{number}]") for number, each in enumerate(tools)]
    return (*found, *(_function(each, {}, f"functions[{number}]") for number, each in enumerate(older)))


def _tool(tool: Any, place: str) -> Tool:
    if not isinstance(tool, dict) or tool.get("type", "function") != "function":
        kind = tool.get("type") if isinstance(tool, dict) else tool
        raise Unrepresentable(f"{place} of type {kind!r} cannot be used on this channel")
    return _function(tool.get("function"), mark_of(tool), place)


def _function(function: Any, extra: Mapping[str, Any], place: str) -> Tool:
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise Unrepresentable(f"{place}.function.name is required")
    schema = function.get("parameters")
    if schema is not None and not isinstance(schema, dict):
        raise Unrepresentable(f"{place}.function.parameters has to be an object")
    return Tool(
        function["name"],
        text_of(function.get("description")),
        schema,
        strict=function.get("strict") is True,
        extra={**extra, **mark_of(function)},
    )


_MODES: Final[Mapping[str, Literal["auto", "any", "none"]]] = {
    "auto": "auto",
    "none": "none",
    "required": "any",
    "any": "any",
}


def _choice(document: Mapping[str, Any]) -> ToolChoice | None:
    choice = document.get("tool_choice") or document.get("function_call")
    if choice is None:
        return None
    if isinstance(choice, str) and choice in _MODES:
        return ToolChoice(_MODES[choice])
    if isinstance(choice, dict):
        function = choice.get("function") if "function" in choice else choice
        name = function.get("name") if isinstance(function, dict) else None
        if isinstance(name, str):
            return ToolChoice("one", name)
    raise Unrepresentable("tool_choice of this form cannot be used on this channel")


def _reasoning(document: Mapping[str, Any]) -> Reasoning | None:
    native = document.get("thinking")
    if isinstance(native, dict):
        return Reasoning(native=native)
    asked = document.get("reasoning")
    nested: Mapping[str, Any] = asked if isinstance(asked, dict) else {}
    effort = text_of(document.get("reasoning_effort")) or text_of(nested.get("effort"))
    budget = nested.get("max_tokens")
    if type(budget) is int and budget > 0:
        return Reasoning(budget=budget)
    return Reasoning(effort) if effort else None


def _format(value: Any) -> Format | None:
    if not isinstance(value, dict):
        return None
    match value.get("type"):
        case "json_object":
            return Format()
        case "json_schema":
            described = value.get("json_schema")
            if not isinstance(described, dict) or not isinstance(described.get("schema"), dict):
                return Format()
            return Format(described["schema"], text_of(described.get("name")), strict=described.get("strict") is True)
        case _:
            return None
