"""Prices of images and what may be asked for."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from one_api.errors import BadRequest
from one_api.options import Options
from one_api.pricing import images
from one_api.pricing.images import ImageOrder, read_order
from one_api.pricing.ratios import Prices, Tariff
from one_api.pricing.text import MOST_QUOTA
from tests.pricing import recorded

FLAT = Tariff(1, 1, 1, 1)


@pytest.mark.parametrize(
    "case", recorded.vectors("image_quota.json"), ids=lambda case: f"{case['model']}-{case['size']}"
)
def test_vectors(case: dict[str, Any]) -> None:
    tariff = Prices(Options()).tariff(case["model"], case["channel_type"], "default")
    body = {"prompt": "x", "n": case["n"], "size": case["size"], "quality": case["quality"]}
    assert images.charge(read_order(body, case["model"]), tariff, case["channel_type"]) == case["quota"]


@pytest.mark.parametrize(
    "body, order",
    [
        ({"prompt": "x"}, ImageOrder("dall-e-2", 1, "1024x1024", "")),
        ({"prompt": "x", "n": 0, "size": "", "quality": None}, ImageOrder("dall-e-2", 1, "1024x1024", "")),
        ({"prompt": "x", "n": None, "size": "256x256"}, ImageOrder("dall-e-2", 1, "256x256", "")),
        ({"prompt": "x" * 1000, "n": 10}, ImageOrder("dall-e-2", 10, "1024x1024", "")),
    ],
)
def test_defaults(body: dict[str, Any], order: ImageOrder) -> None:
    assert read_order(body, "dall-e-2") == order


@pytest.mark.parametrize(
    "model, body, code, message",
    [
        ("dall-e-2", {}, "prompt_missing", "prompt is required"),
        ("dall-e-2", {"prompt": None}, "prompt_missing", "prompt is required"),
        ("dall-e-3", {"prompt": "", "size": "1x1"}, "prompt_missing", "prompt is required"),
        (
            "dall-e-3",
            {"prompt": "x", "size": "256x256"},
            "size_not_supported",
            "size not supported for this image model",
        ),
        ("dall-e-2", {"prompt": "x" * 1001}, "prompt_too_long", "prompt is too long"),
        ("dall-e-2", {"prompt": "猫" * 334}, "prompt_too_long", "prompt is too long"),
        ("cogview-3", {"prompt": "x" * 834}, "prompt_too_long", "prompt is too long"),
        ("dall-e-3", {"prompt": "x", "n": 2}, "n_not_within_range", "invalid value of n"),
        ("dall-e-2", {"prompt": "x", "n": -1}, "n_not_within_range", "invalid value of n"),
        ("unheard-of", {"prompt": "x", "n": -1}, "n_not_within_range", "invalid value of n"),
        ("unheard-of", {"prompt": "x", "n": 10**30}, "n_not_within_range", "invalid value of n"),
        (
            "dall-e-2",
            {"prompt": "x", "n": "1"},
            "invalid_image_request",
            "json: cannot unmarshal string into Go struct field ImageRequest.n of type int",
        ),
        (
            "dall-e-2",
            {"prompt": "x", "n": True},
            "invalid_image_request",
            "json: cannot unmarshal bool into Go struct field ImageRequest.n of type int",
        ),
        (
            "dall-e-2",
            {"prompt": ["x"]},
            "invalid_image_request",
            "json: cannot unmarshal array into Go struct field ImageRequest.prompt of type string",
        ),
    ],
)
def test_refusals(model: str, body: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read_order(body, model)
    assert (refusal.value.status, refusal.value.code, refusal.value.message) == (400, code, message)


def test_models_without_a_table_take_any_size_and_cogview_too() -> None:
    assert read_order({"prompt": "x", "size": "9x9"}, "unheard-of").size == "9x9"
    assert read_order({"prompt": "x", "size": "9x9"}, "cogview-3").size == "9x9"


def test_only_dall_e_3_knows_hd() -> None:
    prices = {
        size: images.charge(ImageOrder("dall-e-3", 1, size, "hd"), FLAT, 1)
        for size in ("1024x1024", "1792x1024", "1024x1792")
    }
    assert prices == {"1024x1024": 2000, "1792x1024": 3000, "1024x1792": 3000}
    assert images.charge(ImageOrder("dall-e-2", 1, "1024x1024", "hd"), FLAT, 1) == 1250


def test_replicate_makes_one_image() -> None:
    assert images.charge(ImageOrder("m", 4, "1x1", ""), FLAT, 46) == 1000


@pytest.mark.parametrize("delivered, quota", [(0, 0), (1, 1000), (3, 3000), (7, 3000), (-1, 0)])
def test_images_are_charged_when_delivered(delivered: int, quota: int) -> None:
    assert images.charge(ImageOrder("m", 3, "1x1", ""), FLAT, 1, delivered=delivered) == quota


@pytest.mark.parametrize("delivered, quota", [(None, 210), (0, 0), (1, 70)])
def test_a_call_of_images_has_its_price_for_each(delivered: int | None, quota: int) -> None:
    tariff = Tariff(1, 1, 1, 1, call=70)
    assert images.charge(ImageOrder("dall-e-3", 3, "1024x1792", "hd"), tariff, 1, delivered) == quota


def test_a_renamed_model_keeps_its_price() -> None:
    assert images.upstream_model("ali-stable-diffusion-xl") == "stable-diffusion-xl"
    assert images.upstream_model("dall-e-3") == "dall-e-3"


@given(st.floats(), st.integers(1, 128), st.none() | st.integers())
def test_a_charge_is_finite_and_never_negative(ratio: float, n: int, delivered: int | None) -> None:
    cost = images.charge(ImageOrder("m", n, "1x1", ""), Tariff(ratio, 1, 1, ratio), 1, delivered)
    assert 0 <= cost <= MOST_QUOTA


@given(
    st.dictionaries(
        st.sampled_from(["prompt", "n", "size", "quality"]),
        st.none() | st.booleans() | st.text() | st.floats() | st.integers(),
    )
)
def test_an_order_is_read_or_refused(body: dict[str, Any]) -> None:
    with suppress(BadRequest):
        assert 1 <= read_order(body, "unheard-of").n <= 128
