"""DeepL, as a model that translates what it is told: https://developers.deepl.com/api-reference/translate.

The model's name says into which language: `deepl-en`. It does not stream and counts no tokens.
"""

from typing import Final

import msgspec

from one_api import ir
from one_api.dialects.asked import question
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
    return ir.Encoded(json.encode({"text": [text], "target_lang": language}), tuple(losses))


class _Translation(msgspec.Struct):
    text: str


class _Answer(msgspec.Struct):
    translations: list[_Translation] | None = None
    message: str | None = None


_answer = msgspec.json.Decoder(_Answer)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON."""
    try:
        found = _answer.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise json.InvalidJSON(str(error)) from None
    if not found.translations:
        return ir.Failed(ERROR, found.message or "the upstream gave no translation")
    blocks = tuple(ir.Text(each.text) for each in found.translations if each.text)
    return ir.Answer(id="", model="", blocks=blocks)


def decoder() -> WholeDecoder:
    return WholeDecoder(decode_answer)
