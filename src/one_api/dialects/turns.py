"""What turns hold by kind, for dialects whose messages have one field for each kind instead of blocks in order."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from one_api import ir
from one_api.lib import json


class Parts(msgspec.Struct, frozen=True):
    """One turn. `shown` are the texts and images of a user in order, those that tools gave at the end."""

    texts: tuple[str, ...] = ()
    shown: tuple[ir.Text | ir.Image, ...] = ()
    calls: tuple[ir.ToolCall, ...] = ()
    results: tuple[ir.ToolResult, ...] = ()
    thought: str = ""

    @property
    def images(self) -> tuple[ir.Image, ...]:
        return tuple(each for each in self.shown if isinstance(each, ir.Image))


def parts(turn: ir.Turn, losses: list[str]) -> Parts:
    """Raises Unrepresentable for content without a field of its own."""
    shown: list[ir.Text | ir.Image] = []
    calls: list[ir.ToolCall] = []
    results: list[ir.ToolResult] = []
    given: list[ir.Image] = []
    thought = ""
    for block in turn.blocks:
        match block:
            case ir.Text() | ir.Image():
                shown.append(block)
            case ir.ToolCall():
                calls.append(block)
            case ir.ToolResult():
                results.append(block)
                given += [each for each in block.content if isinstance(each, ir.Image)]
                if any(isinstance(each, ir.File) for each in block.content):
                    raise ir.Unrepresentable("the result of a tool cannot hold files on this channel")
            case ir.Thinking():
                thought += block.text
            case ir.Redacted():
                lose(losses, "thinking of an earlier turn")
            case _:
                raise ir.Unrepresentable("the request holds content that cannot be sent to this channel")
    if turn.role != "user" and any(isinstance(each, ir.Image) for each in shown):
        raise ir.Unrepresentable("on this channel only messages of the user can hold images")
    texts = tuple(each.text for each in shown if isinstance(each, ir.Text) and each.text)
    return Parts(texts, (*shown, *given), tuple(calls), tuple(results), thought)


def hints(request: ir.Request) -> list[str]:
    """What is said of blocks and tools beyond their content, as that they are worth keeping."""
    blocks = [block for turn in request.turns for block in turn.blocks]
    inner = [each for block in blocks if isinstance(block, ir.ToolResult) for each in block.content]
    marked = (*request.system, *request.tools, *blocks, *inner)
    return [
        name for each in marked if not isinstance(each, ir.Thinking | ir.Redacted | ir.Opaque) for name in each.extra
    ]


def result_text(result: ir.ToolResult) -> str:
    text = "\n".join(each.text for each in result.content if isinstance(each, ir.Text))
    return f"Error: {text}" if result.failed else text


def system(request: ir.Request) -> str:
    return "\n\n".join(text.text for text in request.system if text.text)


def lose(losses: list[str], name: str) -> None:
    if name not in losses:
        losses.append(name)


def lose_wishes(request: ir.Request, losses: list[str]) -> None:
    """For upstreams that can be told no wish at all."""
    wishes: dict[str, Any] = {
        "max_tokens": request.limit,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "stop": request.stop or None,
        "tools": request.tools or None,
        "response_format": request.format,
        "reasoning": request.reasoning,
        "user": request.user or None,
        **request.extra,
    }
    for name, wish in wishes.items():
        if wish is not None:
            lose(losses, name)


def inline(block: ir.Image | ir.File) -> str:
    """Its address, or one that holds it."""
    return block.url or f"data:{block.media_type};base64,{block.data}"


def arguments(call: ir.ToolCall) -> msgspec.Raw | dict[str, Any]:
    """For dialects that want an object and no text: as the model wrote it, which may have left half of it.

    Raises Unrepresentable.
    """
    if not call.arguments.strip():
        return {}
    try:
        written = call.arguments.encode()
        value = json.decode(written)
    except (json.InvalidJSON, UnicodeEncodeError):
        raise ir.Unrepresentable(f"the arguments of the call {call.id!r} are no JSON") from None
    if not isinstance(value, dict):
        raise ir.Unrepresentable(f"the arguments of the call {call.id!r} are no JSON object")
    return msgspec.Raw(written)


def argued(arguments: str) -> msgspec.Raw | dict[str, Any]:
    """The same of an answer, which cannot be refused any more: what is left unfinished is kept as a text."""
    if not arguments.strip():
        return {}
    try:
        value = json.decode(arguments.encode())
    except (json.InvalidJSON, UnicodeEncodeError):
        return {"unfinished": arguments}
    return msgspec.Raw(arguments.encode()) if isinstance(value, dict) else {}


def function(tool: ir.Tool) -> dict[str, Any]:
    """The definition of a tool as OpenAI has it, which others took over."""
    described = {"description": tool.description} if tool.description else {}
    schema = tool.schema or {"type": "object", "properties": {}}
    return {"type": "function", "function": {"name": tool.name, **described, "parameters": schema}}


def called(call: ir.ToolCall) -> dict[str, Any]:
    """A call as OpenAI has it."""
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}


Wanted = Callable[[Any], bool]


def extras(request: ir.Request, known: Mapping[str, Wanted], losses: list[str]) -> dict[str, Any]:
    """Fields of the caller's dialect that the upstream's has by the same name; all others are lost."""
    found = {}
    for name, value in request.extra.items():
        if name in known and known[name](value):
            found[name] = value
        else:
            lose(losses, name)
    return found


def is_number(value: Any) -> bool:
    return type(value) in (int, float)


def is_whole(value: Any) -> bool:
    return type(value) is int


def only(names: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The wishes that were uttered."""
    return {name: value for name, value in names if value is not None}
