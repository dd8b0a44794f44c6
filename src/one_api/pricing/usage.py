"""Reading what an upstream says it used. A report that cannot be true is no report: the caller then counts.

So no report makes a call cheaper than free or claims more than any model could do; `policy` bounds the cost.
"""

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Raw, Struct, ValidationError, convert
from msgspec.json import Decoder
from msgspec.structs import replace

from one_api.ir import Usage
from one_api.lib import json

MOST_BELIEVED: Final = 10_000_000
"""Tokens of one kind in one call: no model has a window this wide."""


class Report(Struct, frozen=True, gc=False):
    """A believable report. `missing`: it has no prompt count, or is a bare total, which `usage.output` then holds."""

    usage: Usage
    missing: Literal["nothing", "prompt", "parts"] = "nothing"

    @property
    def complete(self) -> bool:
        return self.missing == "nothing"

    def resolve(self, prompt: int) -> Usage:
        """The usage, with a counted `prompt` in its place or taken out of a bare total."""
        match self.missing:
            case "nothing":
                return self.usage
            case "prompt":
                return replace(self.usage, input=prompt)
            case "parts":
                return replace(self.usage, input=prompt, output=max(0, self.usage.output - prompt))


Count = Annotated[int, Meta(ge=0, le=MOST_BELIEVED)]


class _Details(Struct, frozen=True, gc=False):
    cached_tokens: Count = 0
    cache_write_tokens: Count = 0
    reasoning_tokens: Count = 0
    audio_tokens: Count = 0


class _Counts(Struct, frozen=True, gc=False):
    """Most reports, and all of OpenAI's: https://platform.openai.com/docs/api-reference/chat/object#usage."""

    prompt_tokens: Count
    completion_tokens: Count
    total_tokens: Count
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    prompt_cache_hit_tokens: Count = 0


_decoder: Final = Decoder(_Counts)


class _Unbelievable(ValueError):
    """A count that no meter shows."""


def read_usage(value: object) -> Usage | None:
    """The usage object of a whole answer, decoded or not, or None if it has to be counted: no total, or no parts."""
    read = _read(value)
    if read is None:
        return None
    usage, total = read
    return None if total == 0 or usage.input + usage.output == 0 else usage


def read_stream_usage(value: object) -> Report | None:
    """The usage object of a stream, or None if it has to be counted. Without a prompt count it is a bare total.

    A `Usage` is what a dialect made of an upstream's report: there the parts are known for what they are.
    """
    if isinstance(value, Usage):
        return _of_a_dialect(value)
    read = _read(value)
    if read is None:
        return None
    usage, total = read
    if total == 0:
        return None
    return Report(replace(usage, output=total), "parts") if usage.input == 0 else Report(usage)


def _of_a_dialect(usage: Usage) -> Report | None:
    if max(usage.input, usage.output) > MOST_BELIEVED or usage.input + usage.output + usage.searches == 0:
        return None
    return Report(usage, "nothing" if usage.input else "prompt")


def _read(value: object) -> tuple[Usage, int] | None:
    """The usage and the total, or None for anything but believable counts."""
    try:
        return _as_openai(_decoder.decode(value) if type(value) is Raw else convert(value, _Counts))
    except ValidationError:
        loose = json.decode(bytes(value)) if isinstance(value, Raw) else value
        return _read_loosely(loose) if isinstance(loose, dict) else None


def _as_openai(counts: "_Counts") -> tuple[Usage, int]:
    prompt, completion = counts.prompt_tokens, counts.completion_tokens
    before, after = counts.prompt_tokens_details, counts.completion_tokens_details
    if before is None and after is None and not counts.prompt_cache_hit_tokens:
        return Usage(input=prompt, output=completion), counts.total_tokens
    before, after = before or _NO_DETAILS, after or _NO_DETAILS
    usage = Usage(
        input=prompt,
        output=completion,
        cached=min(prompt, before.cached_tokens or counts.prompt_cache_hit_tokens),
        cache_write=min(prompt, before.cache_write_tokens),
        reasoning=min(completion, after.reasoning_tokens),
        audio_in=min(prompt, before.audio_tokens),
        audio_out=min(completion, after.audio_tokens),
    )
    return usage, counts.total_tokens


def _read_loosely(value: dict[Any, Any]) -> tuple[Usage, int] | None:
    """Other names, missing counts, whole numbers written as floats."""
    before = _details(value, "prompt_tokens_details", "input_tokens_details")
    after = _details(value, "completion_tokens_details", "output_tokens_details")
    try:
        prompt = _count(value, "prompt_tokens", "input_tokens")
        completion = _count(value, "completion_tokens", "output_tokens")
        total = _count(value, "total_tokens")
        if before is _NOTHING and after is _NOTHING and _DEEPSEEK_CACHED not in value:
            return Usage(input=prompt, output=completion), total
        cached = _count(before, "cached_tokens") or _count(value, _DEEPSEEK_CACHED)
        usage = Usage(
            input=prompt,
            output=completion,
            cached=min(prompt, cached),
            cache_write=min(prompt, _count(before, "cache_write_tokens")),
            reasoning=min(completion, _count(after, "reasoning_tokens")),
            audio_in=min(prompt, _count(before, "audio_tokens")),
            audio_out=min(completion, _count(after, "audio_tokens")),
        )
        return usage, total
    except _Unbelievable:
        return None


def _details(value: dict[Any, Any], *names: str) -> dict[Any, Any]:
    for name in names:
        found = value.get(name)
        if isinstance(found, dict):
            return found
    return _NOTHING


def _count(value: dict[Any, Any], name: str, other: str = "") -> int:
    """The count called `name` or else `other`; 0 if there is none. Some encoders write whole floats."""
    if value is _NOTHING:
        return 0
    found = value.get(name)
    if found is None and other:
        found = value.get(other)
    if type(found) is int and 0 <= found <= MOST_BELIEVED:
        return found
    if found is None:
        return 0
    if isinstance(found, float) and found.is_integer() and 0 <= found <= MOST_BELIEVED:
        return int(found)
    raise _Unbelievable(found)


_NOTHING: Final[dict[Any, Any]] = {}
_NO_DETAILS: Final = _Details()
_DEEPSEEK_CACHED: Final = "prompt_cache_hit_tokens"  # https://api-docs.deepseek.com/guides/kv_cache
