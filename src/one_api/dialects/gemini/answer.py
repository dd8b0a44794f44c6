"""A whole answer of the Gemini API, read into the neutral model: https://ai.google.dev/api/generate-content."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import msgspec

from one_api import ir
from one_api.dialects.decoding import BROKEN, REPORTED
from one_api.dialects.gemini import notes, parts
from one_api.dialects.gemini.models import version_of
from one_api.dialects.gemini.parts import NAME
from one_api.dialects.gemini.usage import FAILURES, REASONS, decode_usage
from one_api.lib import json


class _Content(msgspec.Struct):
    parts: list[msgspec.Raw] | None = None


class Candidate(msgspec.Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    index: int = 0
    grounding_metadata: notes.Grounding | None = None
    logprobs_result: notes.Likely | None = None

    @property
    def parts(self) -> list[msgspec.Raw]:
        return (self.content.parts or []) if self.content is not None else []


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None
    block_reason_message: str | None = None


class Fault(msgspec.Struct):
    """https://google.aip.dev/193. The code is the HTTP status, the status its name."""

    status: str = ""
    message: str = ""


class Response(msgspec.Struct, rename="camel"):
    """A whole answer, or a piece of a stream."""

    candidates: list[Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: msgspec.Raw = msgspec.Raw(b"null")
    model_version: str = ""
    response_id: str = ""
    error: Fault | None = None

    @property
    def first(self) -> Candidate | None:
        return next((each for each in self.candidates or () if each.index == 0), None)

    @property
    def others(self) -> list[Candidate]:
        """If more than one was asked for."""
        return [each for each in self.candidates or () if each.index > 0]


_response = msgspec.json.Decoder(Response)


def decode_response(data: bytes) -> Response:
    """Raises what BROKEN names."""
    return _response.decode(data)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON for what is no answer."""
    try:
        found = decode_response(body)
        failed = failure(found)
        if failed is not None:
            return failed
        candidate = found.first or Candidate()
        number = found.response_id or new_id()
        answer = _choice(candidate, number)
        others = tuple(_choice(each, f"{number}_{each.index}") for each in found.others)
    except BROKEN as error:
        raise json.InvalidJSON(str(error)) from None
    if not (answer.blocks or others) and candidate.finish_reason in FAILURES:
        return nothing_said(candidate)
    return ir.Answer(
        id=number,
        model=found.model_version,
        blocks=answer.blocks,
        reason=answer.reason,
        usage=counted(found, searches(candidate, found.model_version)),
        others=others,
    )


def _choice(candidate: Candidate, number: str) -> ir.Choice:
    blocks = tuple(_noted(_merged(_blocks(candidate, number)), candidate))
    called = any(isinstance(block, ir.ToolCall) for block in blocks)
    return ir.Choice(blocks, reason_of(candidate.finish_reason, called=called))


def searches(candidate: Candidate, model: str) -> int:
    """How often Google searched the web: it has a price for each query, and for models before Gemini 3 for all of them.

    https://ai.google.dev/gemini-api/docs/google-search#pricing
    """
    grounding = candidate.grounding_metadata
    queries = len(grounding.web_search_queries or ()) if grounding is not None else 0
    version = version_of(model)
    return queries if version is None or version >= (3, 0) else min(queries, 1)


def counted(response: Response, ran: int) -> ir.Usage | None:
    usage = decode_usage(response.usage_metadata)
    return usage if usage is None or not ran else msgspec.structs.replace(usage, tools=(("web_search", ran),))


def new_id() -> str:
    """For an answer without a name of its own; the calls in it need names that no other answer's have."""
    return uuid4().hex


def failure(found: Response) -> ir.Failed | None:
    """What stands where an answer should."""
    if found.error is not None:
        return ir.Failed(found.error.status, found.error.message or REPORTED)
    if found.candidates:
        return None
    feedback = found.prompt_feedback
    if feedback is not None and feedback.block_reason:
        told = f"{feedback.block_reason}: {feedback.block_reason_message or ''}".rstrip(": ")
        return ir.Failed("content_filter", f"No candidates returned: the prompt was blocked ({told})", refused=True)
    return ir.Failed("server_error", "No candidates returned")


def nothing_said(candidate: Candidate) -> ir.Failed:
    told = f"{candidate.finish_reason}: {candidate.finish_message or ''}".rstrip(": ")
    return ir.Failed("server_error", f"the model gave no answer ({told})")


def reason_of(reason: str | None, *, called: bool) -> ir.Reason:
    """Theirs has no word for an end that waits for a tool."""
    found = REASONS.get(reason or "", "stop")
    return "tool_calls" if called and found == "stop" else found


def call_id(called: parts.Called, number: str, place: int) -> str:
    """Older models name no calls; results are brought back by name there."""
    return called.id or f"call_{number}_{place}"


def _blocks(candidate: Candidate, number: str) -> Iterator[ir.Said]:
    calls = 0
    for raw in candidate.parts:
        part = parts.decode(raw)
        if part.function_call is not None:
            if part.thought_signature:
                yield ir.Redacted(part.thought_signature, NAME)
            called = part.function_call
            yield ir.ToolCall(call_id(called, number, calls), called.name, parts.arguments(called))
            calls += 1
            continue
        if part.thought:
            yield ir.Thinking(part.text or "", part.thought_signature, NAME)
            continue
        if part.text is not None:
            yield ir.Text(part.text)
        elif part.inline_data is not None:
            yield inline(part.inline_data)
        else:
            value: Any = json.decode(bytes(raw))
            yield ir.Opaque(NAME, value)
            continue
        if part.thought_signature:
            yield ir.Redacted(part.thought_signature, NAME)


def _noted(blocks: list[ir.Said], candidate: Candidate) -> list[ir.Said]:
    """Sources and likelihoods are those of the whole text: they go with the last piece of it."""
    texts = [index for index, block in enumerate(blocks) if isinstance(block, ir.Text)]
    if not texts or (candidate.grounding_metadata is None and candidate.logprobs_result is None):
        return blocks
    said = "".join(block.text for block in blocks if isinstance(block, ir.Text))
    cited, tokens = notes.citations(candidate.grounding_metadata, said), notes.tokens(candidate.logprobs_result)
    last = blocks[texts[-1]]
    if isinstance(last, ir.Text):
        blocks[texts[-1]] = ir.Text(last.text, citations=cited, tokens=tokens)
    return blocks


def inline(blob: parts.Blob) -> ir.Image | ir.File:
    if blob.mime_type.startswith("image/"):
        return ir.Image(media_type=blob.mime_type, data=blob.data)
    return ir.File(media_type=blob.mime_type, data=blob.data)


def _merged(blocks: Iterator[ir.Said]) -> list[ir.Said]:
    """Texts that follow each other are one, and so are thoughts up to a signature; empty ones are none."""
    found: list[ir.Said] = []
    for block in blocks:
        last = found[-1] if found else None
        if isinstance(block, ir.Text):
            if isinstance(last, ir.Text):
                found[-1] = ir.Text(last.text + block.text)
            elif block.text:
                found.append(block)
        elif isinstance(block, ir.Thinking) and isinstance(last, ir.Thinking) and not last.signature:
            found[-1] = ir.Thinking(last.text + block.text, block.signature, NAME)
        elif not isinstance(block, ir.Thinking) or block.text or block.signature:
            found.append(block)
    return found
