"""Prices of speech and transcriptions, and where transcriptions keep their text."""

from typing import Any

import pytest

from one_api.errors import BadRequest, OneAPIError
from one_api.options import Options
from one_api.pricing import audio
from one_api.pricing.ratios import Prices, Tariff
from tests.pricing import recorded

SRT = (
    b"1\r\n00:00:00,000 --> 00:00:01,000\r\nHello\r\n\r\n2\r\n00:00:01,000 --> 00:00:02,000\r\n there --> x\r\nlost\r\n"
)


@pytest.mark.parametrize("case", [case for case in recorded.vectors("estimates.json") if case["kind"] != "text"])
def test_vectors(case: dict[str, Any]) -> None:
    tariff = Prices(Options()).tariff(case["model"], 1, "default")
    if case["kind"] == "speech":
        assert audio.speech_charge(case["input"], tariff) == case["quota"]
    elif "estimate" in case:
        assert audio.transcription_estimate(tariff, pre_consumed=500) == case["estimate"]
    else:
        assert audio.transcription_charge(case["text_tokens"], tariff) == case["quota"]


def test_transcriptions_follow_the_groups_ratio() -> None:
    assert audio.transcription_charge(7, Tariff(15, 0, 0, 0)) == 0
    assert audio.transcription_charge(7, Tariff(15, 0.5, 0, 7.5)) == 53
    assert audio.transcription_charge(0, Tariff(15, 1, 0, 15)) == 0


def test_a_call_of_audio_may_have_a_price() -> None:
    tariff = Tariff(15, 1, 1, 15, call=70)
    assert audio.speech_charge("hello", tariff) == audio.transcription_charge(7, tariff) == 70
    assert audio.transcription_estimate(tariff, pre_consumed=500) == 70


def test_speech_is_limited_in_bytes() -> None:
    tariff = Tariff(1, 1, 1, 1)
    assert audio.speech_charge("x" * 4096, tariff) == 4096
    with pytest.raises(BadRequest) as refusal:
        audio.speech_charge("中" * 1366, tariff)
    assert (refusal.value.code, refusal.value.message) == (
        "text_too_long",
        "input is too long (over 4096 characters)",
    )


def test_the_text_to_speak_is_text() -> None:
    assert audio.speech_input({"input": "hi"}) == "hi"
    assert audio.speech_input({}) == ""
    with pytest.raises(BadRequest) as refusal:
        audio.speech_input({"input": 5})
    assert refusal.value.code == "invalid_json"
    assert refusal.value.message == (
        "json: cannot unmarshal number into Go struct field TextToSpeechRequest.input of type string"
    )


@pytest.mark.parametrize(
    "body, response_format, spoken",
    [
        (b'{"text": "Hello"}', "", "Hello"),
        (b'{"text": "Hello", "segments": []}', "json", "Hello"),
        (b'{"language": "english", "text": "Hi"}', "verbose_json", "Hi"),
        (b'{"text": null}', "json", ""),
        (b"[]", "json", ""),
        (b"Hello\n", "text", "Hello"),
        (b"Hello\n\n", "text", "Hello\n"),
        (b"\xff", "text", "\ufffd"),
        (SRT, "srt", "Hello there --> x"),
        (b"WEBVTT\n\n00:00.000 --> 00:01.000\nHi\n", "vtt", "Hi"),
        (b"WEBVTT\n\n00:00.000 --> 00:01.000", "vtt", ""),
    ],
)
def test_transcripts(body: bytes, response_format: str, spoken: str) -> None:
    assert audio.transcript(body, response_format) == spoken


@pytest.mark.parametrize(
    "body, response_format, code, message",
    [
        (b"{}", "xml", "unexpected_response_format", "unexpected_response_format"),
        (
            b"oops",
            "json",
            "get_text_from_body_err",
            "unmarshal_response_body_failed err :invalid character 'o' looking for beginning of value",
        ),
        (
            b'{"text": 5}',
            "json",
            "get_text_from_body_err",
            (
                "unmarshal_response_body_failed err :"
                "json: cannot unmarshal number into Go struct field WhisperJSONResponse.text of type string"
            ),
        ),
    ],
)
def test_unreadable_transcripts(body: bytes, response_format: str, code: str, message: str) -> None:
    with pytest.raises(OneAPIError) as refusal:
        audio.transcript(body, response_format)
    assert (refusal.value.status, refusal.value.code, refusal.value.message) == (500, code, message)


def test_a_transcript_only_our_reader_refuses_is_still_explained() -> None:
    with pytest.raises(OneAPIError, match=r"unmarshal_response_body_failed err :."):
        audio.transcript(b'{"text": "\xff"}', "json")
