"""The strict reader accepts what has one meaning and refuses what two readers could read differently."""

import json as stdlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from one_api.lib import json

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
# Below and above the length from which colons are looked for instead of counted.
FILLERS = st.sampled_from(["", ":", "x" * json.SHORT, "x:" * json.SHORT])


@given(value=DOCUMENTS, indent=st.sampled_from([None, 1]), ascii_only=st.booleans())
def test_every_unambiguous_document_is_read_as_others_read_it(
    *, value: object, indent: int | None, ascii_only: bool
) -> None:
    text = stdlib.dumps(value, indent=indent, ensure_ascii=ascii_only)
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        return
    if "\\ud" in text:
        return  # lone surrogates are refused, see below
    assert json.decode_strict(raw).value == value


@given(key=st.text(st.characters(codec="utf-8")), filler=st.text(st.characters(codec="utf-8")), nested=st.booleans())
def test_a_key_given_twice_is_refused_wherever_it_stands(*, key: str, filler: str, nested: bool) -> None:
    name, other = stdlib.dumps(key), stdlib.dumps(filler)
    document = f'{{{name}:1,"f":{other},{name}:2}}' if key != "f" else '{"f":1,"f":2}'
    if nested:
        document = f'[{{"a":[{document}]}}]'
    with pytest.raises(json.InvalidJSON):
        json.decode_strict(document.encode())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{bad",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e400}',
        b'{"a":"\\ud83d"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1}{"a":2}',
        b'{"a":"\xff"}',
        b'{"a" :1,"a":2}',
        b'{"a\\u0062":1,"ab":2}',
        b"[" * 100 + b"]" * 100,
        b"[" * 100_000,
        b'{"a":' * 65 + b"1" + b"}" * 65,
    ],
)
def test_ambiguous_or_broken_documents_are_refused(raw: bytes) -> None:
    with pytest.raises(json.InvalidJSON):
        json.decode_strict(raw)


def test_strings_that_look_like_keys_do_not_make_duplicates() -> None:
    document = {"a": '":', "b": [':"', '\\":'], "c": {"d": ":x", '":': ':"'}}
    assert json.decode_strict(stdlib.dumps(document).encode()).value == document


def test_text_is_measured_in_bytes_and_media_are_counted_apart() -> None:
    body = {
        "messages": [
            {
                "content": [
                    {"type": "text", "text": "你好"},
                    {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
                ]
            },
            {"content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}]},
        ]
    }
    document = json.decode_strict(stdlib.dumps(body).encode())
    assert document.media == 3  # two parts, of which one is inline
    assert 6 <= document.text < 200


def test_speech_is_a_medium() -> None:
    part = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    assert json.decode_strict(stdlib.dumps([part]).encode()).media == 1


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"b":"\\u003a","a":2}',
        b'{"a":1,"b":"\\u003A:","a":2}',
        b'{"x\\u003a":1,"a":1,"a":2}',
        b'{"a":":::","a":""}',
        b'{"a" : 1, "b": ":", "a" : 2}',
        b'{"a":{"b":1,"b":2},"c":"\\u003a"}',
    ],
)
def test_escaped_and_dropped_colons_hide_no_duplicate(raw: bytes) -> None:
    with pytest.raises(json.InvalidJSON, match="given twice"):
        json.decode_strict(raw)


@given(
    pairs=st.lists(st.tuples(st.sampled_from("ab:"), st.sampled_from(["1", '":"', '"\\u003a"', '{":":":"}', "[]"]))),
    more=FILLERS,
)
def test_duplicates_are_found_exactly_where_there_are_some(pairs: list[tuple[str, str]], more: str) -> None:
    pairs = [*pairs, ("more", f'"{more}"')]
    raw = "{" + ",".join(f'"{key}":{value}' for key, value in pairs) + "}"
    twice = len({key for key, _ in pairs}) != len(pairs)
    try:
        json.decode_strict(raw.encode())
    except json.InvalidJSON:
        assert twice
    else:
        assert not twice
