"""Tools that a client runs itself: functions, custom tools, and both of them in a namespace.

https://developers.openai.com/api/docs/guides/function-calling. Only functions are known everywhere. A custom tool,
whose input is text of any form, becomes a function with one argument; a tool of a namespace carries its name in front.
`Offered` tells them apart when one is called. What OpenAI runs (web search and the like) is refused.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from one_api import ir
from one_api.dialects.reading import text_of
from one_api.ir import Tool, ToolChoice, Unrepresentable
from one_api.lib import json

_INPUT: Final = "input"
_CUSTOM_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {_INPUT: {"type": "string"}},
    "required": [_INPUT],
    "additionalProperties": False,
}


class Offered(msgspec.Struct, frozen=True):
    """A tool as the client named it."""

    name: str
    namespace: str = ""
    custom: bool = False


def offered(document: Mapping[str, Any]) -> dict[str, Offered]:
    """Those tools of a request that are called by another name or in another form than functions."""
    found: dict[str, Offered] = {}
    for namespace, tool in _each(document.get("tools")):
        name, custom = text_of(tool.get("name")), tool.get("type") == "custom"
        if namespace or custom:
            found[flat(namespace, name)] = Offered(name, namespace, custom)
    return found


def _each(tools: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for tool in tools if isinstance(tools, list) else ():
        if not isinstance(tool, dict):
            continue
        if tool.get("type") == "namespace":
            inner = tool.get("tools")
            for each in inner if isinstance(inner, list) else ():
                if isinstance(each, dict):
                    yield text_of(tool.get("name")), each
        else:
            yield "", tool


def flat(namespace: object, name: str) -> str:
    """One name for both."""
    return f"{namespace}__{name}" if isinstance(namespace, str) and namespace else name


def wrapped(text: str) -> str:
    """The input of a custom tool as the arguments of a function."""
    return json.encode({_INPUT: text}).decode()


def unwrapped(arguments: str) -> str:
    """And back. What the model wrote in another form is the input as it is."""
    try:
        value = json.decode(arguments.encode())
    except (json.InvalidJSON, UnicodeEncodeError):
        return arguments
    found = value.get(_INPUT) if isinstance(value, dict) else None
    return found if isinstance(found, str) else arguments


# --- of a request ---


def decode_tools(document: Mapping[str, Any]) -> tuple[Tool, ...]:
    """All but those that the caller does not allow for this answer. Raises Unrepresentable."""
    tools = document.get("tools")
    if tools is not None and not isinstance(tools, list):
        raise Unrepresentable("tools has to be an array")
    found = [tool for number, each in enumerate(tools or ()) for tool in _tools(each, f"tools[{number}]")]
    choice = document.get("tool_choice")
    if not isinstance(choice, dict) or choice.get("type") != "allowed_tools":
        return tuple(found)
    listed = choice.get("tools")
    if not isinstance(listed, list):
        raise Unrepresentable("tool_choice.tools has to be an array")
    allowed = {flat(each.get("namespace"), text_of(each.get("name"))) for each in listed if isinstance(each, dict)}
    return tuple(tool for tool in found if tool.name in allowed)


def _tools(tool: Any, place: str) -> Iterator[Tool]:
    if not isinstance(tool, dict):
        raise Unrepresentable(f"{place} has to be an object")
    if tool.get("type") != "namespace":
        yield _tool(tool, "", place)
        return
    inner = tool.get("tools")
    if not isinstance(inner, list) or not text_of(tool.get("name")):
        raise Unrepresentable(f"{place} needs a name and an array of tools")
    for number, each in enumerate(inner):
        if not isinstance(each, dict):
            raise Unrepresentable(f"{place}.tools[{number}] has to be an object")
        yield _tool(each, tool["name"], f"{place}.tools[{number}]")


def _tool(tool: Mapping[str, Any], namespace: str, place: str) -> Tool:
    kind, name, description = tool.get("type"), tool.get("name"), text_of(tool.get("description"))
    if kind not in ("function", "custom"):
        raise Unrepresentable(f"{place} of type {kind!r} cannot be used on this channel: it has no such tool")
    if not isinstance(name, str) or not name:
        raise Unrepresentable(f"{place}.name is required")
    if kind == "custom":
        return Tool(flat(namespace, name), _described(description, tool.get("format")), _CUSTOM_SCHEMA)
    schema = tool.get("parameters")
    if schema is not None and not isinstance(schema, dict):
        raise Unrepresentable(f"{place}.parameters has to be an object")
    return Tool(flat(namespace, name), description, schema, strict=tool.get("strict") is True)


def _described(description: str, form: Any) -> str:
    """A grammar cannot be enforced elsewhere, so the model is told of it."""
    if not isinstance(form, dict) or form.get("type") != "grammar":
        return description
    grammar = f"The input has to match this {text_of(form.get('syntax'))} grammar:\n{text_of(form.get('definition'))}"
    return f"{description}\n\n{grammar}" if description else grammar


def decode_choice(document: Mapping[str, Any]) -> ToolChoice | None:
    """Raises Unrepresentable for tools that the channel does not have."""
    choice: Any = document.get("tool_choice")
    match choice.get("type") if isinstance(choice, dict) else None:
        case None if choice is None:
            return None
        case None if choice in ("auto", "none", "required"):
            return ToolChoice("any" if choice == "required" else choice)
        case "allowed_tools":
            return ToolChoice("any" if choice.get("mode") == "required" else "auto")
        case "function" | "custom" if text_of(choice.get("name")):
            return ToolChoice("one", flat(choice.get("namespace"), choice["name"]))
        case _:
            raise Unrepresentable("tool_choice of this form cannot be used on this channel")


def decode_call(item: Mapping[str, Any], place: str) -> ir.ToolCall:
    """A call of an earlier answer, by the name it has elsewhere."""
    call_id, name = text_of(item.get("call_id")), text_of(item.get("name"))
    if not call_id or not name:
        raise Unrepresentable(f"{place} needs a call_id and a name")
    named = flat(item.get("namespace"), name)
    if item.get("type") == "custom_tool_call":
        return ir.ToolCall(call_id, named, wrapped(text_of(item.get("input"))))
    return ir.ToolCall(call_id, named, text_of(item.get("arguments")))
