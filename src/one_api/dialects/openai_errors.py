"""Errors on OpenAI's wire: ours for the caller, and what an upstream's answer says went wrong."""

from dataclasses import dataclass
from typing import Any

from one_api.dialects.decoding import REPORTED
from one_api.dialects.reading import text_of
from one_api.errors import OneAPIError
from one_api.lib import json

EXCERPT = 200


def encode_error(error: OneAPIError, request_id: str) -> bytes:
    """The error object a caller gets; every message ends with the request id, as One API's do."""
    detail: dict[str, Any] = {"message": f"{error.message} (request id: {request_id})", "type": error.type}
    if not error.bare:
        detail |= {"param": error.param, "code": error.code}
    return json.encode({"error": detail})


def encode_error_event(error: OneAPIError, request_id: str, *, number: int = 0) -> bytes:  # noqa: ARG001
    """The same as the last event of a stream that cannot be completed."""
    return b"data: " + encode_error(error, request_id) + b"\n\n"


@dataclass(frozen=True, slots=True)
class Reported:
    """What an upstream reported: One API's rules for finding the message, and the fields of an error object."""

    message: str
    type: str = "upstream_error"
    param: str = ""
    code: object = "bad_response_status_code"


def decode_error(status: int, body: bytes) -> Reported:
    """Read an upstream's error answer of any shape.

    An error object in OpenAI's form is taken over whole. Otherwise the first text found where providers put theirs.
    A body that is no JSON gives a message with the status and a short printable excerpt.
    """
    try:
        value = json.decode(body)
    except json.InvalidJSON:
        return Reported(_excerpt(status, body), param=str(status))
    if isinstance(value, list) and len(value) == 1:
        value = value[0]  # Google's form where a stream was asked for
    if not isinstance(value, dict):
        return Reported(_excerpt(status, body), param=str(status))
    error = value.get("error")
    if isinstance(error, dict) and isinstance(error.get("message"), str) and error["message"]:
        return from_object(error)
    message = _first_text(value) or text_of(error) or f"bad response status code {status}"
    return Reported(message, param=str(status))


def from_object(error: Any) -> Reported:
    """An error object as found in an answer or a stream event."""
    if not isinstance(error, dict):
        return Reported(text_of(error) or REPORTED)
    message = error.get("message")
    return Reported(
        text_of(message) or REPORTED,
        type=text_of(error.get("type")),
        param=text_of(error.get("param")),
        code=error.get("code"),
    )


def _first_text(value: dict[str, Any]) -> str:
    header, response, errors = value.get("header"), value.get("response"), value.get("errors")
    inner = response.get("error") if isinstance(response, dict) else None
    places = (
        *(value.get(key) for key in ("message", "msg", "err", "error_msg")),
        header.get("message") if isinstance(header, dict) else None,
        inner.get("message") if isinstance(inner, dict) else None,
        *(each.get("message") for each in (errors if isinstance(errors, list) else ()) if isinstance(each, dict)),
    )
    return next((text for text in places if isinstance(text, str) and text), "")


def _excerpt(status: int, body: bytes) -> str:
    text = "".join(c for c in body[: EXCERPT * 2].decode("utf-8", "replace") if c.isprintable())[:EXCERPT].strip()
    return f"bad response status code {status}" + (f": {text}" if text else "")
