"""Images of Replicate's models, each with a schema of its own: https://replicate.com/docs/reference/http.

The names are those that most of the models have which One API lists, as
https://replicate.com/black-forest-labs/flux-1.1-pro/api/schema. A prediction makes one image, and is paid as one.
"""

import math
import re
from typing import Any, Final

from one_api import ir
from one_api.dialects import drawing, turns
from one_api.dialects.drawing import Asked, Picture
from one_api.dialects.replicate.answer import decode_prediction
from one_api.lib import json

_SIZE: Final = re.compile(r"([1-9]\d{1,4})x([1-9]\d{1,4})")
_SHAPES: Final = ("1:1", "16:9", "3:2", "4:3", "5:4", "4:5", "3:4", "2:3", "9:16")
_KNOWN: Final = {
    "seed": turns.is_whole,
    "aspect_ratio": lambda value: isinstance(value, str),
    "guidance": turns.is_number,
    "negative_prompt": lambda value: isinstance(value, str),
    "output_format": lambda value: isinstance(value, str),
    "output_quality": turns.is_whole,
    "prompt_upsampling": lambda value: type(value) is bool,
}
_FORMATS: Final = {"jpeg": "jpg"}


def encode_request(asked: Asked, *, model: str) -> ir.Encoded:  # noqa: ARG001
    """The model is part of the address. Raises Unrepresentable for more than one image."""
    if asked.n > 1:
        raise ir.Unrepresentable("on this channel a call makes one image")
    wishes, lost = drawing.granted(asked, _KNOWN)
    if "output_format" in wishes:
        wishes["output_format"] = _FORMATS.get(wishes["output_format"], wishes["output_format"])
    value: dict[str, Any] = {"prompt": asked.prompt, **_shape(asked.size), **wishes}
    return ir.Encoded(json.encode({"input": value}), lost)


def _shape(size: str) -> dict[str, str]:
    """The nearest of the shapes that models have."""
    found = _SIZE.fullmatch(size)
    if found is None:
        return {}
    wanted = math.log(int(found[1]) / int(found[2]))
    return {"aspect_ratio": min(_SHAPES, key=lambda shape: abs(_slope(shape) - wanted))}


def _slope(shape: str) -> float:
    wide, _, high = shape.partition(":")
    return math.log(int(wide) / int(high))


def decode_answer(body: bytes) -> tuple[Picture, ...] | ir.Failed:
    """Raises json.InvalidJSON."""
    found = decode_prediction(body)
    if isinstance(found, ir.Failed):
        return found
    listed = found.output if isinstance(found.output, list) else [found.output]
    pictures = tuple(drawing.located(each) for each in listed if isinstance(each, str) and each)
    return pictures or ir.Failed("upstream_error", drawing.NONE)
