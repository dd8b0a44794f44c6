"""A call is read once and strictly: what has two meanings, or the wrong type, is refused before it costs anything."""

import json
from typing import Any

import pytest

from one_api.errors import BadRequest, OneAPIError
from one_api.providers import Mode
from one_api.relay import calls, forms
from one_api.relay.calls import Ask, Call, understand, validate
from one_api.relay.heading import read_head
from one_api.relay.record import Record

MESSAGES = [{"role": "user", "content": "hi"}]


def call(body: bytes | dict[str, Any], path: str = "/v1/chat/completions", kind: str = "application/json") -> Call:
    heading = read_head(b"POST", path.encode(), [(b"Content-Type", kind.encode())])
    assert heading is not None
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Call(
        id="r1", mode=heading.mode, heading=heading, body=raw, ip="", started=0.0, record=Record(request_id="r1")
    )


def read(*args: Any, **kwargs: Any) -> Ask:
    ask = understand(call(*args, **kwargs))
    validate(ask)
    return ask


@pytest.mark.parametrize(
    "path, mode",
    [
        ("/v1/chat/completions", Mode.CHAT),
        ("/v1/audio/translations", Mode.TRANSLATION),
        ("/v1/engines/text-embedding-ada-002/embeddings", Mode.EMBEDDINGS),
        ("/v1/oneapi/proxy/3/anything", Mode.PROXY),
    ],
)
def test_relayed_paths_have_a_mode(path: str, mode: Mode) -> None:
    heading = read_head(b"POST", path.encode(), [])
    assert heading is not None
    assert heading.mode is mode


@pytest.mark.parametrize(
    "path", ["/v1/foo", "/v1/engines//embeddings", "/v1/engines/a/b/embeddings", "/v1/chat", "/v2/chat/completions"]
)
def test_other_paths_are_not_relayed(path: str) -> None:
    assert read_head(b"POST", path.encode(), []) is None


def test_a_chat_call_is_understood() -> None:
    ask = read(
        {"model": "m", "messages": MESSAGES, "stream": True, "n": 3, "max_tokens": 5, "max_completion_tokens": 9}
    )
    assert (ask.model, ask.stream, ask.n, ask.limit) == ("m", True, 3, 9)
    assert ask.text >= 2


@pytest.mark.parametrize(
    "change",
    [
        {"messages": []},
        {"messages": None},
        {"messages": "hi"},
        {"messages": ["hi"]},
        {"messages": [{"role": "user", "content": 5}]},
        {"messages": [{"role": "user", "content": ["text"]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": 5}]}]},
        {"model": ""},
        {"max_tokens": -1},
        {"max_tokens": 2_000_000_000},
        {"max_tokens": 1.5},
        {"max_tokens": True},
        {"max_tokens": "10"},
        {"max_completion_tokens": -3},
        {"n": -1},
        {"n": 1_000_000},
        {"n": "2"},
        {"stream": "yes"},
        {"temperature": "hot"},
        {"stream_options": []},
    ],
)
def test_wrong_or_missing_fields_are_refused_in_the_text_shape(change: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as caught:
        read({"model": "m", "messages": MESSAGES, **change})
    assert (caught.value.status, caught.value.code, caught.value.bare) == (400, "invalid_text_request", False)


@pytest.mark.parametrize(
    "body", [b"{bad", b"", b"[1]", b"5", b'{"model":5}', b'{"model":"a","model":"b"}', b'{"model":"a","n":NaN}']
)
def test_an_unreadable_chat_body_is_refused_in_the_shape_of_authentication_errors(body: bytes) -> None:
    with pytest.raises(OneAPIError) as caught:
        read(body)
    assert caught.value.status == 400
    assert caught.value.bare
    assert caught.value.message.startswith("common.UnmarshalBodyReusable failed: ")


@pytest.mark.parametrize("key", ["Model", "MAX_TOKENS", "N", "Stream", "Messages", "max_Completion_tokens"])
def test_a_key_that_differs_only_in_case_from_a_priced_one_is_refused(key: str) -> None:
    with pytest.raises(OneAPIError, match="differs only in case"):
        read({"model": "m", "messages": MESSAGES, key: 1})


def test_unknown_keys_are_kept_whatever_their_case() -> None:
    body = {"model": "m", "messages": MESSAGES, "Thinking": {"a": 1}, "extra": [1]}
    assert read(body).document == body


@pytest.mark.parametrize(
    "path, model",
    [("/v1/moderations", "text-moderation-latest"), ("/v1/engines/ada/embeddings", "ada")],
)
def test_a_missing_model_has_its_default(path: str, model: str) -> None:
    assert read({"input": "x"}, path=path).model == model


def test_another_content_type_names_no_model() -> None:
    ask = understand(call({"model": "m", "messages": MESSAGES}, kind="text/plain"))
    assert ask.model == ""
    with pytest.raises(BadRequest, match="model is required"):
        validate(ask)


def multipart(*parts: tuple[str, bytes, str | None], boundary: str = "b0") -> bytes:
    made = b""
    for name, value, filename in parts:
        extra = f'; filename="{filename}"' if filename else ""
        made += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() + value + b"\r\n"
        )
    return made + f"--{boundary}--\r\n".encode()


FORM = "multipart/form-data; boundary=b0"


def test_the_model_of_a_form_counts_and_can_be_replaced_in_place() -> None:
    audio = b"\x00\r\n--b\xff--b0x" * 50
    body = multipart(("file", audio, "a.mp3"), ("model", b"whisper-large", None), ("response_format", b"text", None))
    ask = read(body, path="/v1/audio/transcriptions", kind=FORM)
    assert ask.model == "whisper-large"
    assert ask.form is not None
    assert ask.form.value("response_format") == "text"
    changed = multipart(("file", audio, "a.mp3"), ("model", b"w2", None), ("response_format", b"text", None))
    assert ask.form.replace("model", "w2") == changed


def test_a_form_without_a_model_gets_one_in_front_when_it_is_renamed() -> None:
    form = forms.parse(multipart(("file", b"ID3", "a.mp3")), FORM)
    assert forms.parse(form.replace("model", "other"), FORM).value("model") == "other"
    assert form.replace("model", "other").endswith(form.body)


@pytest.mark.parametrize(
    "body, kind",
    [
        (multipart(("model", b"a", None), ("model", b"b", None)), FORM),
        (multipart(("model", b"a", None))[:-6], FORM),
        (b"no form at all", FORM),
        (multipart(("model", b"a", None)), "multipart/form-data"),
        (multipart(*((f"f{i}", b"", None) for i in range(100))), FORM),
    ],
)
def test_a_broken_or_ambiguous_form_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(OneAPIError) as caught:
        read(body, path="/v1/audio/transcriptions", kind=kind)
    assert caught.value.status == 400


def test_a_form_without_a_model_asks_for_whisper() -> None:
    assert read(multipart(("file", b"x", "a.mp3")), path="/v1/audio/translations", kind=FORM).model == "whisper-1"


def test_a_long_body_is_not_read_twice_to_say_what_is_wrong() -> None:
    short, long = (b'{"model":"' + b"x" * size for size in (100, calls.LONG))
    with pytest.raises(OneAPIError, match="unexpected end of JSON input"):
        understand(call(short))
    with pytest.raises(OneAPIError, match="truncated"):
        understand(call(long))
