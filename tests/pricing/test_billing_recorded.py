"""One API's own charges and reservations, to the unit, for every recorded call that has them."""

import base64
import json
from typing import Any

import pytest

from one_api.ir import Usage
from one_api.options import Options, parse
from one_api.pricing import audio, images, ratios, text
from one_api.pricing.ratios import Prices, Tariff
from one_api.pricing.tokens import Encoders, TokenCounter
from one_api.pricing.usage import read_usage
from tests.pricing import recorded

COUNTER = TokenCounter(Encoders(), ratios.MODEL)
CHANNEL_TYPE = 1

_UNBELIEVED = "a usage that cannot be true is counted here instead of being charged or losing the answer"
OURS = {"bill.usage.negative": (15 * 8, _UNBELIEVED)}
"""id: (quota, why we differ on purpose)"""


def options() -> Options:
    """The options the recording was made with."""
    bodies = (
        line["request"].get("body") for line in recorded.lines("billing.jsonl") if line["request"]["method"] == "PUT"
    )
    saved = {body["key"]: body["value"] for body in bodies if body and str(body.get("key")).endswith("Ratio")}
    parsed, rejected = parse(saved)
    assert rejected == {}
    return parsed


OPTIONS = options()
PRICES = Prices(OPTIONS)


def charged() -> list[dict[str, Any]]:
    """Calls that left a log row: it holds what they cost, and the answer what they used."""
    return [line for line in recorded.cases("billing.jsonl") if line["result"]["log"] is not None]


def path(line: dict[str, Any]) -> str:
    return str(line["request"]["path"])


def tariff(line: dict[str, Any]) -> Tariff:
    body = line["request"].get("body") or {}
    return PRICES.tariff(body.get("model", "whisper-1"), CHANNEL_TYPE, line["case"]["group"])


def used(line: dict[str, Any]) -> Usage:
    """What the call used: as reported where that can be believed, else as counted, for which the recording vouches."""
    log = line["result"]["log"]
    answer = line["upstream"][-1]["response"]
    usage = read_usage(answer["json"].get("usage")) if "json" in answer else None
    return usage or Usage(input=log["prompt_tokens"], output=log["completion_tokens"])


def ids(line: dict[str, Any]) -> str:
    return str(line["id"])


TEXT = [line for line in charged() if not path(line).startswith(("/v1/images", "/v1/audio"))]
IMAGES = [line for line in charged() if path(line).startswith("/v1/images")]
SPEECH = [line for line in charged() if path(line) == "/v1/audio/speech"]
WHISPER = [line for line in charged() if path(line) in ("/v1/audio/transcriptions", "/v1/audio/translations")]
COUNTS = [116, 19, 8, 7, 21]
RESERVED = [line for line in recorded.cases("billing.jsonl") if line["result"].get("preconsumed_user")]


def test_the_recording_covers_every_kind() -> None:
    assert [len(lines) for lines in (TEXT, IMAGES, SPEECH, WHISPER, RESERVED)] == COUNTS


@pytest.mark.parametrize("line", [line for line in TEXT if line["id"] not in OURS], ids=ids)
def test_text_costs_as_recorded(line: dict[str, Any]) -> None:
    log = line["result"]["log"]
    usage = used(line)
    assert (usage.input, usage.output) == (log["prompt_tokens"], log["completion_tokens"])
    assert text.charge(usage, tariff(line)) == log["quota"]
    assert tariff(line).description == log["content"]


def test_negative_usage_is_counted_instead() -> None:
    line = next(line for line in TEXT if line["id"] == "bill.usage.negative")
    body = line["request"]["body"]
    assert read_usage(line["upstream"][-1]["response"]["json"]["usage"]) is None
    counted = Usage(input=COUNTER.chat(body["model"], body))
    assert text.charge(counted, tariff(line)) == OURS[line["id"]][0] != line["result"]["log"]["quota"]


@pytest.mark.parametrize("line", IMAGES, ids=ids)
def test_images_cost_as_recorded(line: dict[str, Any]) -> None:
    log = line["result"]["log"]
    body = line["request"]["body"]
    order = images.read_order(body, body["model"])
    assert images.charge(order, tariff(line), CHANNEL_TYPE) == log["quota"]
    assert images.upstream_model(order.model) == log["model_name"]
    assert tariff(line).short_description == log["content"]


@pytest.mark.parametrize("line", SPEECH, ids=ids)
def test_speech_costs_as_recorded(line: dict[str, Any]) -> None:
    log = line["result"]["log"]
    assert audio.speech_charge(audio.speech_input(line["request"]["body"]), tariff(line)) == log["quota"]
    assert tariff(line).short_description == log["content"]


def content(answer: dict[str, Any]) -> bytes:
    if "json" in answer:
        return json.dumps(answer["json"]).encode()
    return base64.b64decode(answer["base64"]) if "base64" in answer else str(answer["text"]).encode()


@pytest.mark.parametrize("line", WHISPER, ids=ids)
def test_transcriptions_are_counted_as_recorded_and_cost_their_ratio(line: dict[str, Any]) -> None:
    form = {part["name"]: part.get("value", "") for part in line["request"]["multipart"]}
    spoken = audio.transcript(content(line["upstream"][0]["response"]), form.get("response_format", ""))
    tokens = COUNTER.text("whisper-1", spoken)
    assert tokens == line["result"]["log"]["quota"]
    assert audio.transcription_charge(tokens, tariff(line)) == -(-tokens * tariff(line).ratio // 1)


@pytest.mark.parametrize("line", RESERVED, ids=ids)
def test_the_least_hold_is_the_recorded_reservation(line: dict[str, Any]) -> None:
    pre_consumed = 0 if "preconsumed_0" in line["id"] else OPTIONS.pre_consumed_quota
    body = line["request"].get("body") or {}
    if path(line).startswith("/v1/audio/trans"):
        estimate = audio.transcription_estimate(tariff(line), pre_consumed=pre_consumed)
    elif path(line) == "/v1/audio/speech":
        estimate = audio.speech_charge(audio.speech_input(body), tariff(line))
    else:
        prompt = COUNTER.chat(body["model"], body)
        limit = body.get("max_tokens", 0)
        estimate = text.estimate(tariff(line), pre_consumed=pre_consumed, prompt=prompt, max_tokens=limit)
    assert estimate == line["result"]["preconsumed_user"]
