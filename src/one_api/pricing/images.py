"""What images cost: a price for each image, by size and quality, and what may be asked for."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from one_api.errors import BadRequest
from one_api.pricing import gojson, ratios
from one_api.pricing.ratios import Tariff
from one_api.pricing.text import MOST_QUOTA, calls_charge, size, whole

_TOKENS_PER_IMAGE: Final = 1000  # a ratio counts thousandths of an image
_MOST_IMAGES: Final = 128  # of a model without a limit of its own
_ANY_SIZE: Final = "cogview-3"  # its table of sizes was never enforced
_REPLICATE: Final = 46  # always makes one image

_SIZES: Final[Mapping[str, Mapping[str, float]]] = ratios.DATA["image_size"]
_COUNTS: Final[Mapping[str, tuple[int, int]]] = ratios.DATA["image_n"]
_PROMPT_BYTES: Final[Mapping[str, int]] = ratios.DATA["image_prompt_bytes"]
_UPSTREAM_NAMES: Final[Mapping[str, str]] = ratios.DATA["image_upstream_name"]


@dataclass(frozen=True, slots=True)
class ImageOrder:
    """A request for images that may be served. `model` is the mapped name, before `upstream_model`."""

    model: str
    n: int
    size: str
    quality: str


def read_order(body: Mapping[str, Any], model: str, *, prompted: bool = True) -> ImageOrder:
    """What `body` asks of `model`. `prompted`: in words. Raises BadRequest with One API's codes."""
    prompt = _text(body, "prompt")
    order = ImageOrder(model, _count(body), _text(body, "size") or "1024x1024", _text(body, "quality"))
    sizes = _SIZES.get(model)
    if prompted and prompt == "":
        raise BadRequest("prompt is required", code="prompt_missing")
    if sizes is not None and model != _ANY_SIZE and order.size not in sizes:
        raise BadRequest("size not supported for this image model", code="size_not_supported")
    if size(prompt) > _PROMPT_BYTES.get(model, math.inf):
        raise BadRequest("prompt is too long", code="prompt_too_long")
    fewest, most = _COUNTS.get(model, (1, _MOST_IMAGES))
    if not fewest <= order.n <= most:
        raise BadRequest("invalid value of n", code="n_not_within_range")
    return order


def charge(order: ImageOrder, tariff: Tariff, channel_type: int, delivered: int | None = None) -> int:
    """The quota of an order, or of the part of it that was `delivered`."""
    n = 1 if channel_type == _REPLICATE else order.n
    if delivered is not None:
        n = max(0, min(n, delivered))
    if tariff.call is not None:
        return calls_charge(tariff.call, n) if n else 0
    each = whole(tariff.ratio * _cost_ratio(order) * _TOKENS_PER_IMAGE, math.trunc)
    return min(each * n, MOST_QUOTA)


def by_tokens(model: str) -> bool:
    """Whether OpenAI sells a model's images by the token: https://platform.openai.com/docs/pricing#image-tokens."""
    return model.rpartition("/")[2].startswith(("gpt-image-", "chatgpt-image-"))


def tokens(order: ImageOrder) -> int:
    """Output tokens of one image: https://platform.openai.com/docs/guides/image-generation#cost-and-latency."""
    square, other = _TOKENS.get(order.quality, _TOKENS["high"])
    return square if order.size == "1024x1024" else other


PREVIEW_TOKENS: Final = 100
"""Output tokens of a partial image: https://platform.openai.com/docs/guides/image-generation#partial-images-cost."""
MOST_PREVIEWS: Final = 3

_TOKENS: Final[Mapping[str, tuple[int, int]]] = {"low": (272, 408), "medium": (1056, 1584), "high": (4160, 6240)}


def upstream_model(model: str) -> str:
    """The name a priced model has upstream and in the log."""
    return _UPSTREAM_NAMES.get(model, model)


def _cost_ratio(order: ImageOrder) -> float:
    ratio = float(_SIZES.get(order.model, {}).get(order.size, 1))
    if order.model == "dall-e-3" and order.quality == "hd":
        ratio *= 2 if order.size == "1024x1024" else 1.5
    return ratio


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _mistyped(value, name, "string")
    return value


def _count(body: Mapping[str, Any]) -> int:
    """How many images: absent, null and 0 mean one."""
    value = body.get("n")
    if value is None:
        return 1
    if isinstance(value, bool) or not isinstance(value, int):
        raise _mistyped(value, "n", "int")
    return value or 1


def _mistyped(value: object, name: str, wanted: str) -> BadRequest:
    sentence = gojson.mismatch(value, f"struct field ImageRequest.{name}", wanted)
    return BadRequest(sentence, code="invalid_image_request")
