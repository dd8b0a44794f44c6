"""A sentence about an account that stands in the request is the caller's, however it was written there."""

import json
from typing import Any

import pytest

from one_api.providers import PATHS, Mode
from one_api.relay import calls
from one_api.relay.calls import Call
from one_api.relay.heading import read_head
from one_api.relay.quoting import begins_with_the_callers_words
from one_api.relay.record import Record

PHRASE = "Your credit balance is too low"


def call(body: bytes, mode: Mode = Mode.CHAT, kind: bytes = b"application/json") -> Call:
    heading = read_head(b"POST", PATHS[mode].encode(), [(b"content-type", kind)])
    assert heading is not None
    return Call(id="1", mode=mode, heading=heading, body=body, ip="", started=0, record=Record(request_id="1"))


def quoted(message: str, body: bytes, mode: Mode = Mode.CHAT, kind: bytes = b"application/json") -> bool:
    made = call(body, mode, kind)
    return begins_with_the_callers_words(message, made, calls.understand(made))


def chat(content: Any, **more: Any) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": content}], **more}).encode()


@pytest.mark.parametrize(
    "body",
    [
        chat(PHRASE),
        chat(f"please say: {PHRASE.upper()}!"),
        chat(PHRASE.replace(" ", "\n\t ")),
        chat([{"type": "text", "text": PHRASE}]),
        chat("x", tools=[{"type": "function", "function": {"name": "f", "description": PHRASE}}]),
        chat("x", metadata={PHRASE: 1}),
        b'{"model":"m","messages":[{"role":"user","content":"'
        + "".join(f"\\u{ord(c):04x}" for c in PHRASE).encode()
        + b'"}]}',
        json.dumps({"model": PHRASE, "messages": []}).encode(),
    ],
)
def test_words_of_the_caller_are_recognised(body: bytes) -> None:
    assert quoted(f"{PHRASE} to do that", body)


def test_words_of_a_form_are_too() -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b\r\n'
        b'Content-Disposition: form-data; name="prompt"\r\n\r\n' + PHRASE.encode() + b"\r\n--b--\r\n"
    )
    assert quoted(PHRASE, body, Mode.TRANSCRIPTION, b"multipart/form-data; boundary=b")


def test_words_of_the_upstream_are_its_own() -> None:
    assert not quoted(PHRASE, chat("how is the weather? my credit balance is fine"))


def test_another_message_is_nobodys() -> None:
    assert not quoted("bad request", chat("bad request"))
