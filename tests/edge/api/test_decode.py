import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from one_api.edge.api.decode import Int64, Uint, atoi, atoi_strict, decode
from one_api.pricing.gojson import DecodeError

VECTORS = Path(__file__).parents[2] / "data/vectors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    name: str = ""
    remain_quota: Int64 = 0
    unlimited_quota: bool = False
    balance: float = 0
    weight: Uint | None = None
    models: str | None = None


def read(body: str | bytes) -> Form:
    return decode(Form, body.encode() if isinstance(body, str) else body, name="Token")


@pytest.mark.parametrize(
    "body, wanted",
    [
        ("{}", Form()),
        ("null", Form()),
        ('{"name":"a"}', Form(name="a")),
        ('{"NAME":"a","Remain_Quota":5}', Form(name="a", remain_quota=5)),
        ('{"name":"a","name":"b"}', Form(name="b")),
        ('{"name":null,"models":null,"remain_quota":null}', Form()),
        ('{"unknown":{"deep":[1]},"name":"a"}', Form(name="a")),
        ('{"name":"a"} trailing', Form(name="a")),
        (' \r\n\t{"weight":3,"models":""}', Form(weight=3, models="")),
        ('{"balance":1.5}', Form(balance=1.5)),
        ('{"balance":2}', Form(balance=2.0)),
        ('{"remain_quota":-9223372036854775808}', Form(remain_quota=-(2**63))),
        ('{"unlimited_quota":true}', Form(unlimited_quota=True)),
        ('{"name":"\\ud83d\\ude00"}', Form(name="😀")),
        ('{"name":"\\ud83d"}', Form(name="\ufffd")),
        (b'{"name":"\xff"}', Form(name="\ufffd")),
    ],
)
def test_a_body_is_read_as_leniently_as_go_reads_it(body: str | bytes, wanted: Form) -> None:
    assert read(body) == wanted


@pytest.mark.parametrize(
    "body, complaint",
    [
        ("", "EOF"),
        (" \n", "EOF"),
        ("{", "unexpected EOF"),
        ('{"name":', "unexpected EOF"),
        ("{]", "invalid character ']' looking for beginning of object key string"),
        ("?", "invalid character '?' looking for beginning of value"),
        ("nope", "invalid character 'o' in literal null (expecting 'u')"),
        ('{"balance":NaN}', "invalid character 'N' looking for beginning of value"),
        ('{"balance":Infinity}', "invalid character 'I' looking for beginning of value"),
        ("[1]", "json: cannot unmarshal array into Go value of type Token"),
        ('"x"', "json: cannot unmarshal string into Go value of type Token"),
        ('{"name":5}', "json: cannot unmarshal number into Go struct field Token.name of type string"),
        ('{"name":true}', "json: cannot unmarshal bool into Go struct field Token.name of type string"),
        ('{"name":{}}', "json: cannot unmarshal object into Go struct field Token.name of type string"),
        (
            '{"remain_quota":"15"}',
            "json: cannot unmarshal string into Go struct field Token.remain_quota of type int64",
        ),
        (
            '{"remain_quota":1.5}',
            "json: cannot unmarshal number 1.5 into Go struct field Token.remain_quota of type int64",
        ),
        (
            '{"remain_quota":1e3}',
            "json: cannot unmarshal number 1e3 into Go struct field Token.remain_quota of type int64",
        ),
        (
            '{"remain_quota":9223372036854775808}',
            "json: cannot unmarshal number 9223372036854775808 into Go struct field Token.remain_quota of type int64",
        ),
        ('{"weight":-1}', "json: cannot unmarshal number -1 into Go struct field Token.weight of type uint"),
        ('{"balance":"1"}', "json: cannot unmarshal string into Go struct field Token.balance of type float64"),
        ('{"balance":1e999}', "json: cannot unmarshal number 1e999 into Go struct field Token.balance of type float64"),
        (
            '{"unlimited_quota":1}',
            "json: cannot unmarshal number into Go struct field Token.unlimited_quota of type bool",
        ),
        ("[" * 200_000, "exceeded max depth"),
    ],
)  # fmt: skip
def test_what_go_refuses_is_refused_in_its_words(body: str, complaint: str) -> None:
    with pytest.raises(DecodeError) as refused:
        read(body)
    assert str(refused.value) == complaint


def test_a_nul_is_no_text_for_a_database() -> None:
    with pytest.raises(DecodeError):
        read('{"name":"a\\u0000b"}')


@given(st.dictionaries(st.sampled_from([*Form.__dataclass_fields__, "x"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=3
)))  # fmt: skip
def test_any_json_is_read_or_refused(value: dict[str, Any]) -> None:
    try:
        form = read(json.dumps(value))
    except DecodeError:
        return
    assert isinstance(form.name, str)
    assert isinstance(form.remain_quota, int)
    assert form.weight is None or form.weight >= 0


@given(st.binary(max_size=50))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(DecodeError):
        assert isinstance(read(body), Form)


@pytest.mark.parametrize(
    "case",
    [case for case in json.loads((VECTORS / "query_numbers.json").read_text())["cases"] if "name" not in case],
    ids=lambda case: case["text"] or "empty",
)
def test_what_is_no_number_in_a_query_is_0(case: dict[str, Any]) -> None:
    assert atoi(case["text"]) == case["value"]


@pytest.mark.parametrize(
    "text, number",
    [("-3", -3), ("+7", 7), ("9" * 40, 2**63 - 1), ("-" + "9" * 40, -(2**63)), ("１２", 0), (" 1", 0), ("1_000", 0)],
)
def test_a_number_out_of_range_is_the_last_in_range(text: str, number: int) -> None:
    assert atoi(text) == number


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("abc", 'strconv.Atoi: parsing "abc": invalid syntax'),
        ("99999999999999999999", 'strconv.Atoi: parsing "99999999999999999999": value out of range'),
        ("1.5", 'strconv.Atoi: parsing "1.5": invalid syntax'),
    ],
)
def test_a_number_in_a_path_is_complained_about(text: str, complaint: str) -> None:
    with pytest.raises(DecodeError) as refused:
        atoi_strict(text)
    assert str(refused.value) == complaint


def test_leading_zeros_hide_nothing() -> None:
    assert atoi_strict("0" * 40 + "12") == 12
    assert atoi("0" * 40 + "9" * 30) == 2**63 - 1
    with pytest.raises(DecodeError, match="out of range"):
        atoi_strict("-" + "0" * 40 + "9" * 30)
