"""Parts of contents, to and fro: https://ai.google.dev/api/caching#Part.

A signature (`thoughtSignature`) belongs to the part it came with and has to go back there, though other dialects have
no place for it: https://ai.google.dev/gemini-api/docs/thought-signatures. Here one of a thought is the thought's own,
and any other is a `Redacted` block: in front of the call it came with, or behind whatever else it came with.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, assert_never

import msgspec

from one_api import ir
from one_api.dialects import turns
from one_api.lib import json

NAME: Final = "gemini"
UNSIGNED: Final = "skip_thought_signature_validator"
"""What Google lets stand for the signature of a call that none of its models made; see the page above."""

# --- what is sent -----------------------------------------------------------------------------------------------------


def encode(
    blocks: tuple[ir.Said, ...], names: Mapping[str, str], *, ids: bool, losses: list[str]
) -> list[dict[str, Any]]:
    """The parts of one turn. `names` are those of the functions called so far, by the ids of the calls.

    Raises Unrepresentable for content that has no form here.
    """
    found: list[dict[str, Any]] = []
    signature, unsigned = "", ids
    for block in blocks:
        if signature and not isinstance(block, ir.ToolCall):
            found.append({"text": "", "thoughtSignature": signature})
        if isinstance(block, ir.Redacted) and block.origin == NAME:
            signature = block.data
            continue
        if isinstance(block, ir.ToolCall):
            found.append(_call(block, signature or (UNSIGNED if unsigned else ""), ids=ids))
            unsigned = False  # of calls made at once only the first is signed
        else:
            found.extend(_parts(block, names, ids=ids, losses=losses))
        signature = ""
    return [*found, {"text": "", "thoughtSignature": signature}] if signature else found


def _parts(block: ir.Said, names: Mapping[str, str], *, ids: bool, losses: list[str]) -> Iterator[dict[str, Any]]:
    match block:
        case ir.Text():
            if block.text:
                yield {"text": block.text}
        case ir.Image() | ir.File():
            yield media(block)
        case ir.ToolResult():
            yield from _result(block, names, ids=ids)
        case ir.Thinking() if block.origin == NAME:
            signed = {"thoughtSignature": block.signature} if block.signature else {}
            yield {"text": block.text, "thought": True, **signed}
        case ir.Thinking() | ir.Redacted():
            losses.append("thinking of another vendor")
        case ir.Opaque() if block.dialect == NAME:
            yield dict(block.raw)
        case ir.Opaque():
            raise ir.Unrepresentable(f"a block of {block.dialect} cannot be sent to this channel")
        case ir.ToolCall():
            yield _call(block, "", ids=ids)
        case _:
            assert_never(block)


_READ_BY_GOOGLE: Final = (
    "https://generativelanguage.googleapis.com/",
    "https://www.youtube.com/",
    "https://youtube.com/",
    "https://youtu.be/",
)


def must_be_enclosed(block: ir.Image | ir.File) -> bool:
    """Whether what is at an address has to be sent inline: not every model of theirs fetches for itself."""
    url = block.url
    return url.startswith(("http://", "https://")) and not url.startswith(_READ_BY_GOOGLE)


def media(block: ir.Image | ir.File) -> dict[str, Any]:
    """Inline, or a file that Google can read itself: https://ai.google.dev/gemini-api/docs/file-input-methods."""
    if block.url:
        return {"fileData": {"fileUri": block.url, **({"mimeType": block.media_type} if block.media_type else {})}}
    return {"inlineData": {"mimeType": block.media_type, "data": block.data}}


def _call(block: ir.ToolCall, signature: str, *, ids: bool) -> dict[str, Any]:
    called = {"name": block.name, "args": turns.arguments(block), **({"id": block.id} if ids and block.id else {})}
    return {"functionCall": called, **({"thoughtSignature": signature} if signature else {})}


def _result(block: ir.ToolResult, names: Mapping[str, str], *, ids: bool) -> Iterator[dict[str, Any]]:
    """Images stand in the result where models know that, and behind it where not.

    https://ai.google.dev/gemini-api/docs/function-calling#multimodal.
    """
    name = names.get(block.call_id)
    if name is None:
        raise ir.Unrepresentable(f"the result of {block.call_id!r} has no call before it")
    shown = [media(each) for each in block.content if not isinstance(each, ir.Text)]
    told = "\n".join(each.text for each in block.content if isinstance(each, ir.Text))
    answered: dict[str, Any] = {"name": name, "response": _response(told, failed=block.failed)}
    if ids:
        answered["id"] = block.call_id
        if shown:
            answered["parts"], shown = shown, []
    yield {"functionResponse": answered}
    yield from shown


def _response(told: str, *, failed: bool) -> Any:
    """An object as it is, and text by the names Google gives it: `output` and `error`."""
    if failed:
        return {"error": told}
    if told.lstrip().startswith("{"):
        try:
            written = told.encode()
            if isinstance(json.decode(written), dict):
                return msgspec.Raw(written)
        except (json.InvalidJSON, UnicodeEncodeError):
            pass
    return {"output": told}


# --- what is answered -------------------------------------------------------------------------------------------------


class Blob(msgspec.Struct, rename="camel"):
    mime_type: str = ""
    data: str = ""


class Called(msgspec.Struct):
    name: str = ""
    id: str = ""
    args: msgspec.Raw = msgspec.Raw(b"{}")


class Part(msgspec.Struct, rename="camel"):
    """A part of any kind; what a kind does not have is empty."""

    text: str | None = None
    thought: bool = False
    thought_signature: str = ""
    function_call: Called | None = None
    inline_data: Blob | None = None


_part = msgspec.json.Decoder(Part)


def decode(raw: msgspec.Raw) -> Part:
    """Raises msgspec.MsgspecError."""
    return _part.decode(raw)


def arguments(called: Called) -> str:
    """The object without the blanks that Google's whole answers are laid out with."""
    written = msgspec.json.format(bytes(called.args), indent=-1).decode()
    return "{}" if written == "null" else written
