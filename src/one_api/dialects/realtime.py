"""Events of OpenAI's Realtime API, as far as a gateway has to understand them. Pure.

https://platform.openai.com/docs/api-reference/realtime. Both its versions are read: the older one names some events
differently.
"""

from typing import Annotated, Final

import msgspec

from one_api.errors import OneAPIError
from one_api.ir import Usage
from one_api.lib import json

MOST: Final = 10_000_000  # tokens that are believed
MOST_BYTES_OF_A_MESSAGE: Final = 16 * 1024 * 1024  # OpenAI takes 15 MB of sound
# Tokens of sound: https://platform.openai.com/docs/guides/realtime-costs. It comes as 16 bits 24,000 times a second,
# in base64; compressed forms are smaller, and counted as less.
_BYTES_IN: Final = 2 * 24_000 // 10
_BYTES_OUT: Final = 2 * 24_000 // 20
_BYTES_OF_TEXT: Final = 4
_SOUND: Final = frozenset(("response.output_audio.delta", "response.audio.delta"))
_TEXT: Final = frozenset(
    (
        "response.output_text.delta", "response.text.delta", "response.output_audio_transcript.delta",
        "response.audio_transcript.delta", "response.function_call_arguments.delta",
    )
)  # fmt: skip

TRANSCRIBED: Final = "conversation.item.input_audio_transcription.completed"
_SESSIONS: Final = frozenset(("session.created", "session.updated", "transcription_session.updated"))

Count = Annotated[int, msgspec.Meta(ge=0, le=MOST)]


class _Details(msgspec.Struct):
    cached_tokens: Count | None = None
    audio_tokens: Count | None = None


class _Usage(msgspec.Struct):
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    input_token_details: _Details | None = None
    output_token_details: _Details | None = None


class _Transcribing(msgspec.Struct):
    model: str | None = None


class _Input(msgspec.Struct):
    transcription: _Transcribing | None = None


class _Audio(msgspec.Struct):
    input: _Input | None = None


class _Configured(msgspec.Struct):
    """Of a session, by its newer or its older name, who writes down what the caller says."""

    audio: _Audio | None = None
    input_audio_transcription: _Transcribing | None = None

    @property
    def model(self) -> str:
        newer = self.audio.input.transcription if self.audio is not None and self.audio.input is not None else None
        found = newer or self.input_audio_transcription
        return (found.model or "") if found is not None else ""


class _Response(msgspec.Struct):
    id: str = ""
    usage: msgspec.Raw = msgspec.Raw(b"null")


class _Event(msgspec.Struct):
    type: str = ""
    delta: msgspec.Raw = msgspec.Raw(b"null")
    response: msgspec.Raw = msgspec.Raw(b"null")
    response_id: str = ""
    audio: msgspec.Raw = msgspec.Raw(b"null")
    usage: msgspec.Raw = msgspec.Raw(b"null")
    session: msgspec.Raw = msgspec.Raw(b"null")
    transcript: msgspec.Raw = msgspec.Raw(b"null")


_event = msgspec.json.Decoder(_Event)
_response = msgspec.json.Decoder(_Response)
_usage = msgspec.json.Decoder(_Usage | None)
_configured = msgspec.json.Decoder(_Configured)


class Said(msgspec.Struct):
    """What has come of a response: text, and bytes of sound in base64."""

    pieces: list[str] = msgspec.field(default_factory=list)
    sound: int = 0


class Done(msgspec.Struct, frozen=True):
    """A response that is over: its usage, None where it has none that can be believed, and what came of it."""

    usage: Usage | None
    said: Said


class Session:
    """What was said and heard since the last report, so that a response without one can be counted.

    Responses may be under way at the same time. scribe: the model that writes down what the caller says, "" if nobody
    said which.
    """

    __slots__ = ("_context", "_heard", "_responses", "_said", "scribe")

    def __init__(self) -> None:
        self._context = 0  # tokens that the model reads again with each response
        self._said = 0  # tokens of text and of sound the caller sent since
        self._heard = 0
        self._responses: dict[str, Said] = {}
        self.scribe = ""

    def sent(self, message: str) -> None:
        """The caller's event. What cannot be read is the upstream's to refuse."""
        event = _read(message)
        if event is not None and event.type == "input_audio_buffer.append":
            self._heard += _length(event.audio) * 3 // 4 // _BYTES_IN
        else:
            self._said += len(message) // _BYTES_OF_TEXT

    def received(self, message: str) -> str:
        """The upstream's event: its type."""
        event = _read(message)
        if event is None:
            return ""
        if event.type in _SOUND:
            self._under_way(event.response_id).sound += _length(event.delta)
        elif event.type in _TEXT:
            self._under_way(event.response_id).pieces.append(_text(event.delta))
        elif event.type == "response.created":
            self._responses.setdefault(_about(event).id, Said())
        elif event.type in _SESSIONS:
            self.scribe = _scribe(event.session) or self.scribe
        return event.type

    def _under_way(self, name: str) -> Said:
        """The response of this name, or the last one for who does not say."""
        return self._responses.setdefault(name or next(reversed(self._responses), ""), Said())

    def done(self, message: str) -> Done:
        """A response is over."""
        event = _read(message)
        found = _Response() if event is None else _about(event)
        name = found.id
        if name not in self._responses:
            name = "" if name else next(iter(self._responses), "")
        return Done(_reported(found.usage), self._responses.pop(name, Said()))

    def transcribed(self, message: str) -> tuple[Usage | None, str]:
        """What was written down of the caller's words, and its usage; None if that was no count of tokens."""
        event = _read(message)
        return (None, "") if event is None else (_reported(event.usage), _text(event.transcript))

    @property
    def answering(self) -> bool:
        """Whether a response is under way."""
        return bool(self._responses)

    def left(self) -> Said:
        """What the caller got of responses that are not over."""
        under_way = self._responses.values()
        return Said([piece for each in under_way for piece in each.pieces], sum(each.sound for each in under_way))

    def estimate(self, said: Said, text: int) -> Usage:
        """The usage of a response that nobody reports; `text` are the tokens of its pieces."""
        sound = said.sound * 3 // 4 // _BYTES_OUT
        read = self._context + self._said + self._heard
        return Usage(input=read, output=text + sound, audio_in=self._heard, audio_out=sound)

    def settled(self, usage: Usage) -> None:
        """A response is paid; the next one begins with all that was said."""
        self._context = usage.input + usage.output
        self._said = self._heard = 0


def encode_error(error: OneAPIError, request_id: str) -> str:
    """An error as an event: https://platform.openai.com/docs/api-reference/realtime-server-events/error."""
    detail = {
        "type": error.type,
        "code": error.code,
        "message": f"{error.message} (request id: {request_id})",
        "param": None,
        "event_id": None,
    }
    return json.encode({"type": "error", "event_id": f"event_{request_id}", "error": detail}).decode()


def _read(message: str) -> _Event | None:
    try:
        return _event.decode(message)
    except msgspec.MsgspecError:
        return None


def _about(event: _Event) -> _Response:
    """The response of an event."""
    try:
        return _response.decode(event.response)
    except msgspec.MsgspecError:
        return _Response()


def _reported(raw: msgspec.Raw) -> Usage | None:
    try:
        usage = _usage.decode(raw)
    except msgspec.MsgspecError:
        return None
    if usage is None or not (usage.input_tokens or usage.output_tokens):
        return None
    read, written = usage.input_tokens or 0, usage.output_tokens or 0
    before, after = usage.input_token_details or _Details(), usage.output_token_details or _Details()
    return Usage(
        input=read,
        output=written,
        cached=min(before.cached_tokens or 0, read),
        audio_in=min(before.audio_tokens or 0, read),
        audio_out=min(after.audio_tokens or 0, written),
    )


def _scribe(session: msgspec.Raw) -> str:
    try:
        return _configured.decode(session).model
    except msgspec.MsgspecError:
        return ""


def _length(value: msgspec.Raw) -> int:
    return max(0, len(bytes(value)) - 2)  # without its quotation marks


def _text(value: msgspec.Raw) -> str:
    found = json.decode(bytes(value))
    return found if isinstance(found, str) else ""
