"""AI Proxy's libraries of documents, asked one question at a time: `POST /api/library/ask`, as One API knows it.

Nothing marks the end of its streams, so that a broken one would look complete: it is asked for answers in one piece.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from one_api import ir
from one_api.dialects.asked import question
from one_api.dialects.decoding import whole
from one_api.dialects.wholes import WholeDecoder
from one_api.lib import json


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`library` is the number of the documents to ask."""

    library: str = ""

    def encode_request(self, asked: ir.Request, /) -> ir.Encoded:
        """Raises Unrepresentable."""
        losses: list[str] = []
        query = question(asked, losses)
        value = {"model": asked.model, "query": query, "libraryId": self.library, "stream": False}
        return ir.Encoded(json.encode(value), tuple(losses))

    def decode_answer(self, body: bytes, /) -> ir.Answer | ir.Failed:
        """Raises json.InvalidJSON."""
        return decode_answer(body)

    def decoder(self) -> WholeDecoder:
        return WholeDecoder(decode_answer)


def configured(settings: Mapping[str, str]) -> Outgoing:
    """`library_id` of the channel's settings, as One API has it."""
    return Outgoing(settings.get("library_id", ""))


class _Document(msgspec.Struct):
    title: str = ""
    url: str = ""


class _Answer(msgspec.Struct, rename="camel"):
    answer: str | None = None
    documents: list[_Document] | None = None
    err_code: int = 0
    message: str | None = None


_answer = msgspec.json.Decoder(_Answer)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON."""
    found = whole(_answer, body)
    if found.err_code or found.answer is None:
        return ir.Failed(str(found.err_code or ""), found.message or "the upstream gave no answer")
    text = found.answer + _listed(found.documents or [])
    return ir.Answer(id="", model="", blocks=(ir.Text(text),) if text else ())


def _listed(documents: list[_Document]) -> str:
    """What was read for it, below the answer as One API puts it."""
    if not documents:
        return ""
    lines = (f"{number}. [{each.title}]({each.url})\n" for number, each in enumerate(documents, 1))
    return "\n\n参考文档：\n" + "".join(lines)
