"""DeepL, as a model that translates what it is told: https://developers.deepl.com/api-reference/translate.

The model's name says into which language: `deepl-en`. It does not stream, and charges for the
characters of what it is told, which here are tokens, as with One API.
"""

from typing import Annotated, Final

import msgspec

from one_api import ir
from one_api.dialects.asked import question
from one_api.dialects.decoding import whole
from one_api.dialects.wholes import WholeDecoder
from one_api.lib import json

LANGUAGE: Final = "ZH"
ERROR: Final = "deepl_error"
"""What One API calls their errors, which have no type."""


def encode_request(request: ir.Request) -> ir.Encoded:
    """Raises Unrepresentable."""
    losses: list[str] = []
    text = question(request, losses)
    language = request.model.partition("-")[2] or LANGUAGE
    value = {"text": [text], "target_lang": language, "show_billed_characters": True}
    return ir.Encoded(json.encode(value), tuple(losses))


Count = Annotated[int, msgspec.Meta(ge=0)]


class _Translation(msgspec.Struct):
    text: str
    billed_characters: Count | None = None


class _Answer(msgspec.Struct):
    translations: list[_Translation] | None = None
    message: str | None = None


_answer = msgspec.json.Decoder(_Answer)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON."""
    found = whole(_answer, body)
    if not found.translations:
        return ir.Failed(ERROR, found.message or "the upstream gave no translation")
    blocks = tuple(ir.Text(each.text) for each in found.translations if each.text)
    return ir.Answer(id="", model="", blocks=blocks, usage=_counted(found.translations))


def _counted(translations: list[_Translation]) -> ir.Usage | None:
    counts = [each.billed_characters for each in translations]
    read = [count for count in counts if count is not None]
    return ir.Usage(input=sum(read)) if len(read) == len(counts) else None


def decoder() -> WholeDecoder:
    return WholeDecoder(decode_answer)
