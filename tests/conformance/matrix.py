"""Every feature through every pair of a dialect that callers speak and one that channels do, by the real translators.

A cell says what becomes of a feature. Nothing of it is written by hand: requests and answers are translated and looked
at. What arrives in bytes of the caller's own dialect is forwarded as it is.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, Final

from msgspec.structs import replace

from one_api import ir
from one_api.dialects.inbound import INBOUND, MEASURED
from one_api.dialects.outbound import ENCLOSED, OUTBOUND, encode_request
from one_api.errors import OneAPIError
from one_api.relay.enclosed import addresses, enclose
from tests.conformance import answers, requests
from tests.conformance.answered import Answered, Answers
from tests.conformance.wishes import IMAGE, Document, Mark, Wish

CLIENTS: Final = ("openai", "responses", "anthropic", "gemini")
WIRES: Final = (
    *(wire for wire in ("openai", "responses", "anthropic", "bedrock", "vertex", "gemini", "converse")),
    *sorted(OUTBOUND.keys() - {"openai", "responses", "anthropic", "bedrock", "vertex", "gemini", "converse"}),
)
MODELS: Final[Mapping[str, tuple[str, ...]]] = {
    "openai": ("gpt-4o", "gpt-5.1"),
    "responses": ("gpt-4o", "gpt-5.1"),
    "anthropic": ("claude-3-5-sonnet-20241022", "claude-sonnet-4-5", "claude-opus-4-6"),
    "bedrock": ("claude-3-5-sonnet-20241022", "claude-sonnet-4-5", "claude-opus-4-6"),
    "vertex": ("claude-3-5-sonnet-20241022", "claude-sonnet-4-5", "claude-opus-4-6"),
    "gemini": ("gemini-2.0-flash", "gemini-2.5-flash", "gemini-3-flash"),
    "cohere": ("command-a-03-2025", "command-a-reasoning-08-2025"),
    "dashscope": ("qwen-plus", "qwen-vl-max"),
    "converse": ("amazon.nova-2-lite-v1:0", "openai.gpt-oss-120b-1:0", "anthropic.claude-sonnet-4-5-v1:0"),
}
"""Of what a wire serves, models that differ in what they can be told. A cell is of the one that can the most."""
_UNNAMED: Final = ("m",)


class Verdict(Enum):
    FORWARDED = "forwarded"
    CARRIED = "carried"
    LOST = "lost"
    REFUSED = "refused"
    SILENT = "dropped without a word"
    ABSENT = "not in that dialect"


_BEST: Final = (Verdict.CARRIED, Verdict.LOST, Verdict.REFUSED, Verdict.SILENT)


@dataclass(frozen=True, slots=True)
class Cell:
    """note: the names of what is lost, or the sentence of a refusal."""

    verdict: Verdict
    note: str = ""


ABSENT: Final = Cell(Verdict.ABSENT)
FORWARDED: Final = Cell(Verdict.FORWARDED)

# --- requests ---------------------------------------------------------------------------------------------------------


def asked(client: str, wire: str, feature: str) -> Cell:
    """What becomes of a feature of a request."""
    wish = requests.wishes(client, wire)[feature]
    if wish is None:
        return ABSENT
    if client == wire and feature != requests.FOREIGN:
        return _forwarded(client, wish)
    if client == wire:
        return _owned(client, wish)
    cells = [_judged(client, wire, wish, model) for model in MODELS.get(wire, _UNNAMED)]
    return min(cells, key=lambda cell: _BEST.index(cell.verdict))


def _forwarded(client: str, wish: Wish) -> Cell:
    """Whether nothing is changed on the way but the name of the model."""
    document = {"model": "m", **wish.asked}
    sent = INBOUND[client].patch(document, model="n", system_prompt="") or document
    kept = {name: value for name, value in sent.items() if name != "model"}
    return FORWARDED if kept == wish.asked else Cell(Verdict.SILENT)


def _owned(client: str, wish: Wish) -> Cell:
    """What another vendor thought is taken out, or is no vendor's own."""
    if client not in MEASURED:
        return FORWARDED
    sent = MEASURED[client].own(wish.asked, model=MODELS[client][-1], vendor=True)
    return Cell(Verdict.SILENT) if _found(sent, wish.marks) else Cell(Verdict.LOST, "thinking of another vendor")


def _judged(client: str, wire: str, wish: Wish, model: str) -> Cell:
    try:
        body, losses = _sent(client, wire, wish.asked, model)
    except ir.Unrepresentable as error:
        return Cell(Verdict.REFUSED, error.message)
    plain, before = _sent(client, wire, wish.plain, model)
    lost = ", ".join(name for name in losses if name not in before)
    if body != plain and _found(body, wish.marks):
        return Cell(Verdict.CARRIED, lost)
    lost = lost or ", ".join(before)  # with what it belongs to
    return Cell(Verdict.LOST, lost) if lost else Cell(Verdict.SILENT)


def _sent(client: str, wire: str, document: Document, model: str) -> tuple[Any, Sequence[str]]:
    """What is sent, what stands behind addresses enclosed as the relay does."""
    request = replace(INBOUND[client].decode_request(document, model=model), stream=True)
    wanted = ENCLOSED.get(wire)
    if wanted is not None:
        found = {
            each.url: replace(each, url="", media_type=_kind(each.url), data=IMAGE)
            for each in addresses(request, wanted)
        }
        request = enclose(request, found)
    encoded = encode_request(wire, OUTBOUND[wire], request)
    return json.loads(encoded.body), encoded.losses


def _kind(url: str) -> str:
    return "image/png" if url.endswith(".png") else "application/pdf"


def _found(body: Any, marks: Sequence[Mark]) -> bool:
    """Whether all marks stand there, in this order. An address stands for what was fetched from it."""
    rest = _leaves(body)
    return all(any(_is(mark, leaf) for leaf in rest) for mark in marks)


def _is(mark: Mark, leaf: Any) -> bool:
    if isinstance(mark, str):
        enclosed = mark.startswith("zebra.") and isinstance(leaf, str) and IMAGE in leaf
        return enclosed or (isinstance(leaf, str) and mark in leaf)
    return type(leaf) in (int, float) and leaf == mark


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


# --- answers ----------------------------------------------------------------------------------------------------------

_NO_WORD: Final[Mapping[str, tuple[str, ...]]] = {
    "openai": (),
    "responses": ("n", "usage: audio"),
    "anthropic": ("image", "logprobs", "n", "usage: audio"),
    "gemini": ("usage: cache writes",),
}
"""What the answers of a dialect cannot hold."""


@cache
def _answers(wire: str) -> Answers:
    return answers.answers(wire)


def told(client: str, wire: str, feature: str) -> tuple[Cell, Cell]:
    """What becomes of a feature of an answer: of a whole one, and of a stream."""
    answered = _answers(wire)[feature]
    if answered is None:
        return ABSENT, ABSENT
    if client == wire:
        return FORWARDED, FORWARDED
    return (
        _arrives(client, feature, answered, _whole(client, wire, answered.whole), stream=False)
        if answered.whole
        else ABSENT,
        _arrives(client, feature, answered, _stream(client, wire, answered.stream), stream=True)
        if answered.stream
        else ABSENT,
    )


def _whole(client: str, wire: str, body: bytes) -> bytes:
    answer = OUTBOUND[wire].decode_answer(body)
    if isinstance(answer, ir.Failed):
        return INBOUND[client].encode_error(OneAPIError(answer.message), "r")
    return INBOUND[client].encode_answer(answer, model="m", created=1, asked=_ASKED)


def _stream(client: str, wire: str, data: bytes) -> bytes:
    decoder = OUTBOUND[wire].decoder()
    events = [*decoder.feed(data), *decoder.close()]
    encoder = INBOUND[client].encoder(model="m", created=1, asked=_ASKED)
    written = b""
    for event in events:
        written += encoder.encode(event)
        if isinstance(event, ir.Failed):
            written += INBOUND[client].encode_error_event(OneAPIError(event.message), "r")
    return written


_ASKED: Final = {"stream_options": {"include_usage": True}}


def _arrives(client: str, feature: str, answered: Answered, written: bytes, *, stream: bool) -> Cell:
    if answered.reason is not None:
        arrived = _reason(client, written, stream=stream) == answered.reason
    else:
        arrived = all(_stands(mark, written) for mark in answered.marks)
    if arrived:
        return Cell(Verdict.CARRIED)
    return ABSENT if feature in _NO_WORD[client] else Cell(Verdict.LOST)


def _reason(client: str, written: bytes, *, stream: bool) -> ir.Reason | None:
    """Why the answer ended, as the client reads it."""
    if not stream:
        answer = INBOUND[client].decode_answer(written)
        return answer.reason if isinstance(answer, ir.Answer) else None
    decoder = INBOUND[client].decoder()
    events = [*decoder.feed(written), *decoder.close()]
    return next((event.reason for event in events if isinstance(event, ir.Finished)), None)


def _stands(mark: Mark, written: bytes) -> bool:
    """A signature of another vendor's may say whose it is, and be base64 of that."""
    if not isinstance(mark, str):
        return re.search(rb":%b[,}\]]" % str(mark).encode(), written) is not None
    sealed = (b64encode(f"{vendor}#{mark}".encode()) for vendor in set(requests.VENDORS.values()))
    return any(each in written for each in (json.dumps(mark, ensure_ascii=False)[1:-1].encode(), *sealed))
