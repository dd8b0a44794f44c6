"""What an operator sets, defaults and deletes of a form's fields; all else arrives as it came."""

from typing import Any

import pytest

from one_api.relay import forms
from one_api.routing.parameters import Fields
from tests.harness.replay_lines import encode_form

KIND = "multipart/form-data; boundary=b0und"
PARTS: list[dict[str, Any]] = [
    {"name": "file", "filename": "a.wav", "type": "audio/wav", "value": "RI\r\nFF"},
    {"name": "model", "value": "whisper-1"},
    {"name": "language", "value": "de"},
    {"name": "timestamp_granularities[]", "value": "word"},
    {"name": "timestamp_granularities[]", "value": "segment"},
]
CAME = [(part["name"], part["value"]) for part in PARTS]


def after(**wanted: Any) -> list[tuple[str, str]]:
    fields = Fields(
        set=tuple((tuple(name.split(".")), value) for name, value in wanted.get("set", {}).items()),
        default=tuple((tuple(name.split(".")), value) for name, value in wanted.get("default", {}).items()),
        delete=tuple(tuple(name.split(".")) for name in wanted.get("delete", ())),
    )
    body = forms.parse(encode_form(PARTS, "b0und"), KIND).overridden(fields)
    found = forms.parse(body, KIND)
    return [(field.name, body[field.start : field.end].decode()) for field in found.fields]


@pytest.mark.parametrize(
    "wanted, added, gone",
    [
        ({}, [], ()),
        ({"set": {"language": "en"}}, [("language", "en")], ("language",)),
        ({"set": {"temperature": 0.2, "flag": True}}, [("temperature", "0.2"), ("flag", "true")], ()),
        ({"set": {"chunking_strategy": {"type": "x"}}}, [("chunking_strategy", '{"type":"x"}')], ()),
        ({"set": {"include": ["a", "b"]}}, [("include[]", "a"), ("include[]", "b")], ()),
        (
            {"set": {"timestamp_granularities": ["word"]}},
            [("timestamp_granularities[]", "word")],
            ("timestamp_granularities[]",),
        ),
        ({"set": {"language": None}}, [], ("language",)),
        ({"default": {"language": "en", "timestamp_granularities": ["x"], "seed": 1}}, [("seed", "1")], ()),
        ({"delete": ["language"], "default": {"language": "en"}}, [("language", "en")], ("language",)),
        ({"delete": ["timestamp_granularities", "absent"]}, [], ("timestamp_granularities[]",)),
        ({"set": {'a"b': "x"}}, [("a%22b", "x")], ()),
        # What is read here, files, and fields inside of fields stay.
        ({"set": {"model": "x", "file": "y", "response_format": "srt"}, "delete": ["model", "file"]}, [], ()),
        ({"set": {"a.b": 1}, "default": {"c.d": 1}, "delete": ["language.x"]}, [], ()),
    ],
)
def test_fields_are_the_operators(wanted: Any, added: list[tuple[str, str]], gone: tuple[str, ...]) -> None:
    assert after(**wanted) == [*added, *(each for each in CAME if each[0] not in gone)]
