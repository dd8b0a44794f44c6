"""A call as it came in, and what it asks for: read once, strictly, before anything is held or sent.

What is priced here is what is sent: a document with two readings is refused (see lib.json), and so is a key that
differs only in case from one that has a price, because some upstreams match keys without regard to case.
"""

from collections.abc import Mapping
from itertools import filterfalse
from types import MappingProxyType
from typing import Any, Final

import msgspec

from one_api.dialects import reranking
from one_api.dialects.gemini import embeddings
from one_api.errors import BadRequest, OneAPIError
from one_api.ir import Unrepresentable
from one_api.lib import json
from one_api.pricing import gojson
from one_api.providers import ACTIONS, DRAWN, EMBEDDED, Mode
from one_api.relay import forms
from one_api.relay.heading import Heading
from one_api.relay.record import Record
from one_api.relay.spoken import MEASURED_MODES

MAX_TOKENS = 1_073_741_823
MAX_CHOICES = 128
LONG = 256 * 1024  # bytes; a longer body is read beside the loop

CHAT: Final = Mode.CHAT  # what each call is asked for, see relay.inflow
SPEECH: Final = Mode.SPEECH
RERANK: Final = Mode.RERANK
TEXT_MODES = frozenset(
    (Mode.CHAT, Mode.COMPLETIONS, *EMBEDDED, Mode.MODERATIONS, Mode.EDITS, Mode.RERANK, *MEASURED_MODES)
)
HEARD_MODES = frozenset((Mode.TRANSCRIPTION, Mode.TRANSLATION))
NO_FORM = "the body has to be a multipart form"
_FORMS_ONLY = frozenset((Mode.IMAGE_EDITS, Mode.IMAGE_VARIATIONS))
FORM_MODES = HEARD_MODES | _FORMS_ONLY
# Where One API refuses an unreadable body while it authenticates, in the shape of those errors.
REFUSED_EARLY = frozenset((Mode.CHAT, Mode.COMPLETIONS, Mode.IMAGES, Mode.SPEECH, Mode.TRANSCRIPTION, Mode.TRANSLATION))

_NAMED_BY_PATH = frozenset(ACTIONS.values())
_DEFAULT_MODELS = {
    Mode.MODERATIONS: "text-moderation-latest",
    Mode.IMAGES: "dall-e-2",
    Mode.IMAGE_EDITS: "dall-e-2",
    Mode.IMAGE_VARIATIONS: "dall-e-2",
    Mode.TRANSCRIPTION: "whisper-1",
    Mode.TRANSLATION: "whisper-1",
}


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One client request. `started` is the loop's clock; `record` is what will be said of it."""

    id: str
    mode: Mode
    heading: Heading
    body: bytes
    ip: str
    started: float
    record: Record


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a call asks for, in the terms that routing and pricing need.

    text: bytes of text in the request; media: images and audio in it; limit: the most output tokens the caller allows
    for one choice, None when he named none. kept: the field that stands for what a vendor keeps from an earlier call;
    unseen: whether the model reads more than is here. tools: those that the vendor runs and has a price for.
    """

    mode: Mode
    model: str
    stream: bool = False
    n: int = 1
    limit: int | None = None
    text: int = 0
    media: int = 0
    kept: str = ""
    unseen: bool = False
    tools: tuple[str, ...] = ()
    document: Mapping[str, Any] = msgspec.field(default_factory=dict)
    form: forms.Form | None = None


def understand(call: Call) -> Ask:
    """Read the body. Raises BadRequest with the code One API gives for that kind of call."""
    heading = call.heading
    if heading.is_json and call.mode in _FORMS_ONLY:
        raise unreadable(call.mode, NO_FORM)
    if not heading.is_json:
        if call.mode in FORM_MODES:
            return _understand_form(call, heading.content_type)
        # One API fills no field from any other type of content; for its clients the model is then empty.
        return Ask(mode=call.mode, model=heading.engine or _DEFAULT_MODELS.get(call.mode, ""))
    try:
        document = json.decode_strict(call.body)
        value = _object(document.value)
        named = value.get("model")
        if type(named) is not str:
            named = _optional(value, "model", str, struct="ModelRequest")
    except json.InvalidJSON as error:
        raise unreadable(call.mode, _complaint(call.body) or str(error)) from None
    except BadRequest as error:
        raise unreadable(call.mode, error.message) from None
    model = named or heading.engine or _DEFAULT_MODELS.get(call.mode, "")
    try:
        if call.mode in _NAMED_BY_PATH:
            model = _named_by_path(heading.engine, value)
        stream = value.get("stream") is True or _optional(value, "stream", bool) or False
        if call.mode in MEASURED_MODES:
            return _measured(call, document, model, stream=stream)
        return Ask(
            mode=call.mode,
            model=model,
            stream=stream,
            n=1 if call.mode in DRAWN else _choices(value),
            limit=_limit(value),
            text=document.text + (reranking.repeated(value) if call.mode is RERANK else 0),
            media=document.media,
            document=value,
        )
    except BadRequest as error:
        error.code = _code(call.mode)
        raise


def _named_by_path(engine: str, document: Mapping[str, Any]) -> str:
    """The body may name the model too, but no other."""
    try:
        others = embeddings.names(document) - {engine}
    except Unrepresentable as error:
        raise BadRequest(error.message) from None
    if others:
        raise BadRequest("the path and the body name two different models")
    return engine


def _measured(call: Call, document: json.Document, model: str, *, stream: bool) -> Ask:
    """A request in a dialect of its own; its path may name the model and say whether it is a stream."""
    measure = MEASURED_MODES[call.mode].measure(document.value)
    if measure.limit is not None and measure.limit > MAX_TOKENS:
        raise BadRequest("max_tokens is invalid")
    if measure.n > MAX_CHOICES:
        raise BadRequest("n is invalid")
    return Ask(
        mode=call.mode,
        model=model,
        stream=stream if call.heading.stream is None else call.heading.stream,
        n=measure.n,
        limit=measure.limit,
        text=max(document.text - measure.inline, 0),
        media=measure.media,
        kept=measure.kept,
        unseen=measure.unseen,
        tools=measure.tools,
        document=document.value,
    )


def validate(ask: Ask) -> None:
    """Refuse what lacks a required field or has one of the wrong type. Raises BadRequest."""
    if ask.mode in TEXT_MODES:
        try:
            _validate_text(ask)
        except BadRequest as error:
            error.code = _code(ask.mode)
            raise


def unreadable(mode: Mode, reason: str) -> OneAPIError:
    if mode in REFUSED_EARLY:
        error = BadRequest(f"common.UnmarshalBodyReusable failed: {reason}")
        error.bare = True
        return error
    return BadRequest(reason, code=_code(mode))


def _complaint(body: bytes) -> str | None:
    """One API's words for what is wrong, found byte by byte: of a long body that would hold everybody up."""
    return gojson.complaint(body) if len(body) <= LONG else None


def _code(mode: Mode) -> str:
    if mode in TEXT_MODES:
        return "invalid_text_request"
    if mode in DRAWN:
        return "invalid_image_request"
    return "invalid_json" if mode is Mode.SPEECH else "invalid_audio_request"


def _understand_form(call: Call, content_type: str) -> Ask:
    if content_type.partition(";")[0].strip().lower() != "multipart/form-data":
        raise unreadable(call.mode, NO_FORM)
    try:
        form = forms.parse(call.body, content_type)
    except forms.InvalidForm as error:
        raise unreadable(call.mode, str(error)) from None
    model = form.value("model") or _DEFAULT_MODELS[call.mode]
    if call.mode in HEARD_MODES:
        return Ask(mode=call.mode, model=model, form=form)
    try:
        return Ask(
            mode=call.mode,
            model=model,
            stream=form.value("stream") == "true",
            document=_order(form),
            media=len(form.files()),
            form=form,
        )
    except BadRequest as error:
        error.code = _code(call.mode)
        raise


def _order(form: forms.Form) -> dict[str, Any]:
    """What an image is priced by, as the JSON of a generation would say it. Raises BadRequest."""
    if form.value("stream") not in ("", "false", "true"):
        raise BadRequest("stream has to be true or false")
    found: dict[str, Any] = {name: value for name in ("prompt", "size", "quality") if (value := form.value(name))}
    n = form.value("n")
    if n:
        if not (n.isascii() and n.isdecimal() and len(n) < 4):
            raise BadRequest("invalid value of n")
        found["n"] = int(n)
    return found


_PRICED = frozenset().union(*(dialect.PRICED for dialect in MEASURED_MODES.values())) | frozenset(
    (
        "model",
        "stream",
        "stream_options",
        "n",
        "max_tokens",
        "max_completion_tokens",
        "messages",
        "prompt",
        "input",
        "instruction",
        "query",
        "documents",
        "size",
        "quality",
    )
)


def _object(value: Any) -> dict[str, Any]:
    """The body's object, if it is one, and no key looks like another that has a price."""
    if not isinstance(value, dict):
        raise BadRequest(gojson.mismatch(value, "value", "middleware.ModelRequest"))
    for key in filterfalse(_PRICED.__contains__, value):
        # Folded, not lowered: a long s and a Kelvin sign are letters of "messages" and "tokens" to readers in Go.
        if key.casefold() in _PRICED:
            raise BadRequest(f"the key {key!r} differs only in case from {key.casefold()!r}")
    return value


_SCALARS: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        "temperature": (float, int),
        "top_p": (float, int),
        "frequency_penalty": (float, int),
        "presence_penalty": (float, int),
        "seed": (float, int),
        "top_logprobs": (int,),
        "stream_options": (dict,),
        "response_format": (dict,),
        "instruction": (str,),
    }
)
_REQUIRED = {
    **{mode: dialect.REQUIRED for mode, dialect in MEASURED_MODES.items()},
    Mode.CHAT: ("messages",),
    Mode.COMPLETIONS: ("prompt",),
    Mode.EMBEDDINGS: ("input",),
    Mode.EMBED: ("content",),
    Mode.BATCH_EMBED: ("requests",),
    Mode.GENERATE_COUNT: (),
    Mode.MODERATIONS: ("input",),
    Mode.EDITS: ("instruction",),
    Mode.RERANK: ("query", "documents"),
}


def _validate_text(ask: Ask) -> None:
    if not ask.model:
        raise BadRequest("model is required")
    for key in filter(_SCALARS.__contains__, ask.document):
        if type(ask.document[key]) not in _SCALARS[key]:
            _optional(ask.document, key, *_SCALARS[key])
    for key in _REQUIRED[ask.mode]:
        if ask.document.get(key) in (None, "", []):
            raise BadRequest(f"field {key} is required")
    if ask.mode is CHAT:
        _messages(ask.document["messages"])


def _messages(messages: Any) -> None:
    if not isinstance(messages, list):
        raise BadRequest(gojson.mismatch(messages, "struct field GeneralOpenAIRequest.messages", "[]model.Message"))
    for position, message in enumerate(messages):
        if not isinstance(message, dict):
            raise BadRequest(f"messages[{position}] must be an object, not {_name(message)}")
        content = message.get("content")
        if content is None or isinstance(content, str):
            continue
        if not isinstance(content, list):
            raise BadRequest(f"messages[{position}].content must be a string or an array, not {_name(content)}")
        for number, part in enumerate(content):
            _part(part, f"messages[{position}].content[{number}]")


def _part(part: Any, place: str) -> None:
    if not isinstance(part, dict):
        raise BadRequest(f"{place} must be an object, not {_name(part)}")
    image = part.get("image_url")
    if part.get("type") != "image_url" or isinstance(image, str):  # some upstreams take the address alone
        return
    if not isinstance(image, dict) or not isinstance(image.get("url"), str):
        raise BadRequest(f"{place}.image_url.url is required")


def _limit(value: Mapping[str, Any]) -> int | None:
    # Zero is One API's "not given". With both given the larger one bounds what the upstream may produce.
    most = 0
    for key in ("max_tokens", "max_completion_tokens"):
        if value.get(key) is not None:
            limit: int = _optional(value, key, int)
            if limit < 0 or limit > MAX_TOKENS:
                raise BadRequest("max_tokens is invalid")
            most = max(most, limit)
    return most or None


def _choices(value: Mapping[str, Any]) -> int:
    if value.get("n") is None:
        return 1
    n: int = _optional(value, "n", int)
    if n < 0 or n > MAX_CHOICES:
        raise BadRequest("n is invalid")
    return n or 1


def _optional(value: Mapping[str, Any], key: str, *kinds: type, struct: str = "GeneralOpenAIRequest") -> Any:
    """A field of one of these types, None when absent or null. The refusal is worded as One API's decoder does."""
    found = value.get(key)
    if found is None:
        return None
    if isinstance(found, kinds) and not (isinstance(found, bool) and bool not in kinds):
        return found
    wanted = _GO_TYPES.get(key) or _GO_KINDS[kinds[0]]
    raise BadRequest(gojson.mismatch(found, f"struct field {struct}.{key}", wanted))


_GO_KINDS: Mapping[type, str] = {str: "string", bool: "bool", int: "int", float: "float64"}
_GO_TYPES = {"stream_options": "model.StreamOptions", "response_format": "model.ResponseFormat"}


def _name(value: object) -> str:
    names: Mapping[type, str] = {str: "a string", bool: "true or false", int: "a number", float: "a number"}
    return "null" if value is None else names.get(type(value), "an object" if isinstance(value, dict) else "an array")
