"""What Google counts, and the reasons it gives for an end: https://ai.google.dev/api/generate-content."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from one_api import ir
from one_api.dialects.decoding import BROKEN

Count = Annotated[int, msgspec.Meta(ge=0)]

REASONS: Final[Mapping[str, ir.Reason]] = {
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
}
"""https://ai.google.dev/api/generate-content#FinishReason; every other one is an end like any other."""

FAILURES: Final = frozenset(
    (
        *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE"),
        *("MISSING_THOUGHT_SIGNATURE", "OTHER", "NO_IMAGE", "IMAGE_OTHER"),
    )
)
"""Where nothing was said, nothing was answered."""


class _Counted(msgspec.Struct, rename="camel"):
    modality: str = ""
    token_count: Count | None = None


class _Counts(msgspec.Struct, rename="camel"):
    prompt_token_count: Count | None = None
    tool_use_prompt_token_count: Count | None = None
    candidates_token_count: Count | None = None
    thoughts_token_count: Count | None = None
    cached_content_token_count: Count | None = None
    prompt_tokens_details: list[_Counted] | None = None
    candidates_tokens_details: list[_Counted] | None = None


_counts: msgspec.json.Decoder[_Counts | None] = msgspec.json.Decoder(_Counts | None)


def decode_usage(raw: msgspec.Raw) -> ir.Usage | None:
    """None without a report, and for counts that no meter shows.

    The prompt "includes the number of tokens in the cached content"; the total is that and what tools read, what was
    answered and what was thought: https://ai.google.dev/api/generate-content#UsageMetadata.
    """
    try:
        counts = _counts.decode(raw)
    except BROKEN:
        return None
    if counts is None or counts.prompt_token_count is None:
        return None
    read = counts.prompt_token_count + (counts.tool_use_prompt_token_count or 0)
    thought = counts.thoughts_token_count or 0
    said = counts.candidates_token_count or 0
    return ir.Usage(
        input=read,
        output=said + thought,
        cached=min(counts.cached_content_token_count or 0, read),
        reasoning=thought,
        audio_in=min(_heard(counts.prompt_tokens_details), read),
        audio_out=min(_heard(counts.candidates_tokens_details), said),
    )


def _heard(details: list[_Counted] | None) -> int:
    return sum(each.token_count or 0 for each in details or () if each.modality == "AUDIO")


def encode_usage(usage: ir.Usage) -> dict[str, Any]:
    """The same in Google's words."""
    value: dict[str, Any] = {
        "promptTokenCount": usage.input,
        "candidatesTokenCount": max(usage.output - usage.reasoning, 0),
        "totalTokenCount": usage.input + usage.output,
    }
    if usage.cached:
        value["cachedContentTokenCount"] = usage.cached
    if usage.reasoning:
        value["thoughtsTokenCount"] = usage.reasoning
    for name, heard, all_of_it in (
        ("promptTokensDetails", usage.audio_in, usage.input),
        ("candidatesTokensDetails", usage.audio_out, usage.output - usage.reasoning),
    ):
        if heard:
            rest = {"modality": "TEXT", "tokenCount": max(all_of_it - heard, 0)}
            value[name] = [rest, {"modality": "AUDIO", "tokenCount": heard}]
    return value
