"""What speech and transcriptions cost, and where a transcription keeps its text."""

import math
from collections.abc import Mapping
from typing import Any, Final

from one_api.errors import BadRequest, OneAPIError
from one_api.ir import Usage
from one_api.lib import json
from one_api.pricing import gojson, text
from one_api.pricing.ratios import Tariff

MOST_SPEECH_BYTES: Final = 4096


def speech_input(body: Mapping[str, Any]) -> str:
    """The text to speak; nothing is the empty text. Raises BadRequest."""
    spoken = body.get("input")
    if spoken is None:
        return ""
    if not isinstance(spoken, str):
        sentence = gojson.mismatch(spoken, "struct field TextToSpeechRequest.input", "string")
        raise BadRequest(sentence, code="invalid_json")
    return spoken


def speech_charge(spoken: str, tariff: Tariff) -> int:
    """The quota of speaking a text, known before the call: ratio times its UTF-8 bytes. Raises BadRequest."""
    size = text.size(spoken)
    if size > MOST_SPEECH_BYTES:
        raise BadRequest("input is too long (over 4096 characters)", code="text_too_long")
    return text.whole(size * tariff.ratio, math.trunc) if tariff.call is None else text.calls_charge(tariff.call, 1)


def transcription_estimate(tariff: Tariff, *, pre_consumed: int) -> int:
    if tariff.call is not None:
        return text.calls_charge(tariff.call, 1)
    return text.estimate(tariff, pre_consumed=pre_consumed, prompt=0, max_tokens=0)


def transcription_charge(tokens: int, tariff: Tariff) -> int:
    """The quota of a transcribed text of so many tokens. One API forgot the ratio here."""
    return text.charge(Usage(input=tokens), tariff)


def transcript(body: bytes, response_format: str) -> str:
    """The text in a transcription, for counting. Raises OneAPIError if it cannot be found."""
    match response_format:
        case "" | "json" | "verbose_json":
            return _member(body)
        case "text":
            return body.decode("utf-8", "replace").removesuffix("\n")
        case "srt" | "vtt":
            return _subtitles(body.decode("utf-8", "replace"))
        case _:
            raise OneAPIError("unexpected_response_format", status=500, code="unexpected_response_format")


def _member(body: bytes) -> str:
    try:
        value = json.decode(body)
    except json.InvalidJSON as error:
        raise _unreadable(gojson.complaint(body) or str(error)) from None
    found = value.get("text") if isinstance(value, dict) else None
    if found is not None and not isinstance(found, str):
        raise _unreadable(gojson.mismatch(found, "struct field WhisperJSONResponse.text", "string"))
    return found or ""


def _unreadable(why: str) -> OneAPIError:
    return OneAPIError(f"unmarshal_response_body_failed err :{why}", status=500, code="get_text_from_body_err")


def _subtitles(body: str) -> str:
    """The line after each line with an arrow, as One API counts subtitles."""
    lines = [line.removesuffix("\r") for line in body.split("\n")]
    spoken: list[str] = []
    after_arrow = False
    for line in lines:
        if after_arrow:
            spoken.append(line)
            after_arrow = False
        elif "-->" in line:
            after_arrow = True
    return "".join(spoken)
