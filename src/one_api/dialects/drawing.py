"""Images made from words: in OpenAI's form, and what they are in any.

https://platform.openai.com/docs/api-reference/images/create. A provider with a form of its own is a module like
`dashscope.images`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from one_api import ir
from one_api.lib import json

NONE: Final = "the upstream gave no images"
_KNOWN: Final = frozenset(("model", "prompt", "n", "size", "response_format", "stream"))
_INLINE: Final = ";base64,"


class Asked(msgspec.Struct, frozen=True):
    """What is to be drawn. size: "" where it is left to the model. enclosed: the images themselves are wanted, not
    their addresses. `extra` are wishes that only some providers know.
    """

    prompt: str
    n: int = 1
    size: str = ""
    enclosed: bool = False
    extra: ir.Extra = {}


class Picture(msgspec.Struct, frozen=True):
    """An image by address, or in base64. `prompt` is what the model made of the words."""

    url: str = ""
    data: str = ""
    prompt: str = ""


def decode_request(document: Mapping[str, Any]) -> Asked:
    """Raises Unrepresentable."""
    prompt, n, size = document.get("prompt"), document.get("n"), document.get("size")
    form = document.get("response_format")
    if not isinstance(prompt, str) or not isinstance(size or "", str) or type(n or 1) is not int:
        raise ir.Unrepresentable("prompt and size have to be strings, n a number")
    if form not in (None, "url", "b64_json"):
        raise ir.Unrepresentable("response_format has to be url or b64_json")
    if document.get("stream"):
        raise ir.Unrepresentable("on this channel images do not come in a stream")
    extra = {name: value for name, value in document.items() if name not in _KNOWN and value is not None}
    return Asked(prompt, n or 1, "" if size in (None, "auto") else str(size), form == "b64_json", extra)


def granted(asked: Asked, known: Mapping[str, Callable[[Any], bool]]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The wishes that a provider has by the same name, and the names of all others."""
    found = {name: value for name, value in asked.extra.items() if name in known and known[name](value)}
    return found, tuple(name for name in asked.extra if name not in found)


def located(url: str, prompt: str = "") -> Picture:
    """An image at its address, which may hold it."""
    if url.startswith("data:") and _INLINE in url:
        return Picture(data=url.partition(_INLINE)[2], prompt=prompt)
    return Picture(url, prompt=prompt)


def encode_answer(found: Iterable[Picture], *, created: int) -> bytes:
    return json.encode({"created": created, "data": [_image(each) for each in found]})


def _image(picture: Picture) -> dict[str, str]:
    image = {"b64_json": picture.data} if picture.data else {"url": picture.url}
    return {**image, "revised_prompt": picture.prompt} if picture.prompt else image
