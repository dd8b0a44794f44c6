"""What is said of a block beyond its content, as that it is worth keeping, arrives or is named among the losses."""

import itertools

import pytest

from one_api import ir
from one_api.dialects.outbound import MARKED, OUTBOUND, encode_request
from tests.conformance.matrix import MODELS

MARK = {"cache_control": {"type": "ephemeral"}}
PLACES = ("system", "text", "image", "call", "inner", "result", "said", "tool")
MODELS_OF = [(wire, model) for wire in OUTBOUND for model in MODELS.get(wire, ("m",))]


def asked(model: str, place: str) -> ir.Request:
    """A conversation with a mark at one place."""
    at = {each: MARK if each == place else {} for each in PLACES}
    result = ir.ToolResult("c1", (ir.Text("r", at["inner"]),), extra=at["result"])
    return ir.Request(
        model=model,
        system=(ir.Text("s", at["system"]),),
        turns=(
            ir.Turn("user", (ir.Text("q", at["text"]), ir.Image(media_type="image/png", data="AA", extra=at["image"]))),
            ir.Turn("assistant", (ir.Text("a", at["said"]), ir.ToolCall("c1", "f", "{}", at["call"]))),
            ir.Turn("user", (result,)),
        ),
        tools=(ir.Tool("f", schema={"type": "object", "properties": {}}, extra=at["tool"]),),
    )


@pytest.mark.parametrize("wire, model", MODELS_OF)
def test_no_mark_is_lost_without_a_word(wire: str, model: str) -> None:
    for place in PLACES:
        try:
            encoded = encode_request(wire, OUTBOUND[wire], asked(model, place))
        except ir.Unrepresentable:
            return  # without tools, or images
        carried = b"cache_control" in encoded.body or b"cachePoint" in encoded.body
        assert carried != ("cache_control" in encoded.losses), place
        assert not carried or wire in MARKED


@pytest.mark.parametrize(
    "place, model", list(itertools.product(("call", "result", "image", "tool"), ("claude", "nova")))
)
def test_amazons_marks_stand_behind_what_is_worth_keeping(place: str, model: str) -> None:
    body = encode_request("converse", OUTBOUND["converse"], asked(model, place)).body
    assert body.count(b"cachePoint") == (0 if (place, model) == ("tool", "nova") else 1)
