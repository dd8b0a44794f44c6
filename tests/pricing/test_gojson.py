"""What Go's decoder says. Every sentence was seen in the original or follows from its source's tables."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from one_api.pricing import gojson
from one_api.pricing.gojson import DecodeError, numbers


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("", "unexpected end of JSON input"),
        ('{"default":', "unexpected end of JSON input"),
        ('{"a', "unexpected end of JSON input"),
        ('{"\\u12', "unexpected end of JSON input"),
        ('"\\', "unexpected end of JSON input"),
        ("tru", "unexpected end of JSON input"),
        ("[", "unexpected end of JSON input"),
        ("[1,", "unexpected end of JSON input"),
        ("-", "unexpected end of JSON input"),
        ("1.", "unexpected end of JSON input"),
        ("1e+", "unexpected end of JSON input"),
        ("nope", "invalid character 'o' in literal null (expecting 'u')"),
        ("x", "invalid character 'x' looking for beginning of value"),
        ("NaN", "invalid character 'N' looking for beginning of value"),
        ("'", "invalid character '\\'' looking for beginning of value"),
        ("中", "invalid character 'ä' looking for beginning of value"),
        ("\x7f", "invalid character '\\x7f' looking for beginning of value"),
        ("\x0b", "invalid character '\\v' looking for beginning of value"),
        ("\xa0", "invalid character 'Â' looking for beginning of value"),
        ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
        ('{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ("{} x", "invalid character 'x' after top-level value"),
        ("01", "invalid character '1' after top-level value"),
        ("-.5", "invalid character '.' in numeric literal"),
        ("1.e5", "invalid character 'e' after decimal point in numeric literal"),
        ("1e+x", "invalid character 'x' in exponent of numeric literal"),
        ("1.5.5", "invalid character '.' after top-level value"),
        ('{"a\x01":1}', "invalid character '\\x01' in string literal"),
        ('{"a\n":1}', "invalid character '\\n' in string literal"),
        ('{"\\q":1}', "invalid character 'q' in string escape code"),
        ('{"\\u12g":1}', "invalid character 'g' in \\u hexadecimal character escape"),
        ("[1]", "json: cannot unmarshal array into Go value of type map[string]float64"),
        ('"x"', "json: cannot unmarshal string into Go value of type map[string]float64"),
        ("5", "json: cannot unmarshal number into Go value of type map[string]float64"),
        ("null", "json: cannot unmarshal null into Go value of type map[string]float64"),
        ('{"a":"1"}', "json: cannot unmarshal string into Go value of type float64"),
        ('{"a":true}', "json: cannot unmarshal bool into Go value of type float64"),
        ('{"a":null}', "json: cannot unmarshal null into Go value of type float64"),
        ('{"a":{"b":[1,{"c":[]}]}}', "json: cannot unmarshal object into Go value of type float64"),
        ('{"a":1e400}', "json: cannot unmarshal number 1e400 into Go value of type float64"),
        ("[" * 100_000 + "]" * 100_000, "exceeded max depth"),
    ],
)
def test_refused(text: str, sentence: str) -> None:
    with pytest.raises(DecodeError) as refusal:
        numbers(text)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    "text, table",
    [
        ("{}", {}),
        (' { "a" : -1.5e3 ,\n"\\u4e2d\\n" : 0 }\t', {"a": -1500.0, "中\n": 0.0}),
        ('{"a":1,"a":2}', {"a": 2.0}),
    ],
)
def test_read(text: str, table: dict[str, float]) -> None:
    assert numbers(text) == table


def test_bytes_that_are_not_printable_are_quoted() -> None:
    assert gojson.complaint(b"\x80") == "invalid character '\\u0080' looking for beginning of value"
    assert gojson.complaint(b'{"a": [true, false, null, "\\u00e9"]}') is None


@pytest.mark.parametrize(
    "value, wanted, sentence",
    [
        ("1", "int", "json: cannot unmarshal string into Go struct field R.n of type int"),
        (5, "string", "json: cannot unmarshal number into Go struct field R.n of type string"),
        (1.5, "int", "json: cannot unmarshal number 1.5 into Go struct field R.n of type int"),
        (True, "int", "json: cannot unmarshal bool into Go struct field R.n of type int"),
        ({}, "string", "json: cannot unmarshal object into Go struct field R.n of type string"),
    ],
)
def test_mismatch(value: object, wanted: str, sentence: str) -> None:
    assert gojson.mismatch(value, "struct field R.n", wanted) == sentence


@given(st.text(alphabet='{}[]":,.0123456789eE+-truefalsn\\u \n') | st.text())
def test_it_complains_exactly_where_another_reader_does(text: str) -> None:
    def constant(name: str) -> None:
        raise ValueError(name)

    try:
        json.loads(text, parse_constant=constant)
    except ValueError:
        assert gojson.complaint(text.encode("utf-8", "surrogatepass")) is not None
    else:
        assert gojson.complaint(text.encode("utf-8", "surrogatepass")) is None
