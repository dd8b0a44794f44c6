"""A request of the Responses API, read into the neutral model.

https://developers.openai.com/api/reference/resources/responses/methods/create. Nothing is stored here, so whatever
refers to something that was stored is refused, by the name of the field that does.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from one_api import ir
from one_api.dialects.openai_notes import wanted
from one_api.dialects.reading import text_of, typed
from one_api.dialects.responses import reasoning, tools
from one_api.dialects.responses.parts import LIKELY, parts
from one_api.ir import Unrepresentable

_STORED: Final = ("previous_response_id", "conversation", "prompt")
_KNOWN: Final = frozenset(
    (
        *("model", "input", "instructions", "max_output_tokens", "temperature", "top_p", "stream", "stream_options"),
        *("tools", "tool_choice", "parallel_tool_calls", "reasoning", "text", "user", "safety_identifier"),
        *("metadata", "store", "background", "include", "top_logprobs"),  # answered here: see outcome
        *_STORED,
    )
)
_DEFAULTS: Final[tuple[tuple[str, Any], ...]] = (
    *(("truncation", "disabled"), ("service_tier", "auto"), ("service_tier", "default")),
)
"""What asks for nothing, and so is not lost where it cannot be said."""


class Refused(Unrepresentable):
    """Says of one field that no translation can have it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} cannot be used on this channel: {reason}")
        self.param = field


def decode_request(document: Mapping[str, Any], *, model: str) -> ir.Request:
    """Raises Unrepresentable for what cannot be read."""
    for field in _STORED:
        if document.get(field) is not None:
            raise Refused(field, "it keeps no responses, conversations or prompts")
    if document.get("background") is True:
        raise Refused("background", "it answers at once")
    system, turns = _conversation(document)
    return ir.Request(
        model=model,
        system=system,
        turns=turns,
        tools=tools.decode_tools(document),
        choice=tools.decode_choice(document),
        parallel=typed(document, "parallel_tool_calls", bool),
        limit=typed(document, "max_output_tokens", int) or None,
        open_ended=True,
        temperature=typed(document, "temperature", int, float),
        top_p=typed(document, "top_p", int, float),
        stream=document.get("stream") is True,
        reasoning=_reasoning(document.get("reasoning")),
        format=_format(document.get("text")),
        user=text_of(document.get("user")) or text_of(document.get("safety_identifier")),
        extra=dict(_rest(document)),
    )


def _rest(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if key not in _KNOWN and value is not None and (key, value) not in _DEFAULTS:
            yield key, value
    text, include = document.get("text"), document.get("include")
    if isinstance(text, dict) and text.get("verbosity") not in (None, "medium"):
        yield "text.verbosity", text["verbosity"]
    for each in include if isinstance(include, list) else ():
        if isinstance(each, str) and each not in ("reasoning.encrypted_content", LIKELY):
            yield f"include: {each}", True
    if isinstance(include, list):
        yield from wanted(LIKELY in include, document.get("top_logprobs")).items()


# --- the conversation ---


def _conversation(document: Mapping[str, Any]) -> tuple[tuple[ir.Text, ...], tuple[ir.Turn, ...]]:
    """Items of the assistant that follow each other are one turn, and so are results of tools: other dialects want
    calls and their results to be whole.
    """
    said = document.get("input")
    if isinstance(said, str):
        said = [{"role": "user", "content": said}]
    if not isinstance(said, list):
        raise Unrepresentable("input has to be a string or an array")
    instructions = typed(document, "instructions", str)
    system: list[ir.Text] = [ir.Text(instructions)] if instructions else []
    turns: list[ir.Turn] = []
    for number, item in enumerate(said):
        read = _item(item, f"input[{number}]")
        if read is None:
            continue
        if read.role == "system" and not turns:
            system.extend(block for block in read.blocks if isinstance(block, ir.Text))
        elif turns and turns[-1].role == read.role and _goes_on(turns[-1], read):
            turns[-1] = ir.Turn(read.role, turns[-1].blocks + read.blocks)
        else:
            turns.append(read)
    return tuple(system), tuple(turns)


def _goes_on(before: ir.Turn, item: ir.Turn) -> bool:
    """A second message begins a turn of its own, unless calls that wait for their results stand before it."""
    if item.role != "assistant":
        return all(isinstance(block, ir.ToolResult) for block in (*before.blocks, *item.blocks))
    called = any(isinstance(block, ir.ToolCall) for block in (*before.blocks, *item.blocks))
    return called or not any(isinstance(block, ir.Text) for block in before.blocks)


def _item(item: Any, place: str) -> ir.Turn | None:
    """None for an item that says nothing."""
    if not isinstance(item, dict):
        raise Unrepresentable(f"{place} has to be an object")
    match item.get("type") or ("message" if "role" in item else None):
        case "message":
            return _message(item, place)
        case "function_call" | "custom_tool_call":
            return ir.Turn("assistant", (tools.decode_call(item, place),))
        case "function_call_output" | "custom_tool_call_output":
            return ir.Turn("user", (_result(item, place),))
        case "reasoning":
            thought = reasoning.decode(item)
            return None if thought is None else ir.Turn("assistant", (thought,))
        case "image_generation_call" if text_of(item.get("result")):
            kind = text_of(item.get("output_format")) or "png"
            return ir.Turn("assistant", (ir.Image(media_type=f"image/{kind}", data=item["result"]),))
        case "item_reference":
            raise Unrepresentable(f"{place} refers to an item that is not kept here: send the item itself")
        case kind:
            raise Unrepresentable(f"{place} of type {kind!r} cannot be sent to this channel")


def _message(item: Mapping[str, Any], place: str) -> ir.Turn | None:
    said = parts(item.get("content"), f"{place}.content")
    match item.get("role"):
        case _ if not said:
            return None
        case "user" | "assistant" as role:
            return ir.Turn(role, said)
        case "system" | "developer" as role:
            if not all(isinstance(block, ir.Text) for block in said):
                raise Unrepresentable(f"{place} of role {role!r} can only hold text")
            return ir.Turn("system", said)
        case role:
            raise Unrepresentable(f"{place}.role {role!r} is not known")


def _result(item: Mapping[str, Any], place: str) -> ir.ToolResult:
    call_id = text_of(item.get("call_id"))
    if not call_id:
        raise Unrepresentable(f"{place}.call_id is required")
    return ir.ToolResult(call_id, parts(item.get("output"), f"{place}.output"))


# --- wishes ---


def _reasoning(asked: Any) -> ir.Reasoning | None:
    effort = text_of(asked.get("effort")) if isinstance(asked, dict) else ""
    return ir.Reasoning(effort) if effort else None


def _format(text: Any) -> ir.Format | None:
    wanted: Any = text.get("format") if isinstance(text, dict) else None
    match wanted.get("type") if isinstance(wanted, dict) else None:
        case "json_object":
            return ir.Format()
        case "json_schema" if isinstance(wanted.get("schema"), dict):
            return ir.Format(wanted["schema"], text_of(wanted.get("name")), strict=wanted.get("strict") is True)
        case None | "text":
            return None
        case _:
            raise Unrepresentable("text.format of this form cannot be used on this channel")
