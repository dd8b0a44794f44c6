"""The heads of relayed answers: what of an upstream's headers a caller gets to see, and what is ours."""

from functools import lru_cache
from itertools import compress
from operator import itemgetter
from typing import Final

from one_api.relay.attempt import Answer
from one_api.relay.calls import Call
from one_api.relay.client import Client, Headers
from one_api.relay.heading import Heading
from one_api.relay.inflow import EVENTS
from one_api.relay.redaction import headers_without_key
from one_api.routing import Channel

MOST_NAMES: Final = 1024  # remembered

_NAME: Final = itemgetter(0)
_ALLOWED = frozenset((b"content-type", b"retry-after", b"openai-processing-ms", b"content-disposition"))
_ALLOWED_PREFIX = (b"x-ratelimit-", b"anthropic-ratelimit-")
_CORS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-credentials", b"true"),
)
_EVENT_STREAM = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    (b"connection", b"keep-alive"),
    (b"x-accel-buffering", b"no"),
)


def own_headers(request_id: str, heading: Heading) -> Headers:
    """What every relay answer carries: the request id, the caller's if he gave one, and where a page asks, leave for it
    to read the answer.
    """
    found = [(b"x-oneapi-request-id", request_id.encode())]
    if heading.caller_id:
        found.append((b"x-request-id", heading.caller_id.encode()))
    if heading.origin is not None:
        found += _CORS
    return found


def passed_on(headers: Headers, channel: Channel, also: tuple[str, ...] = ()) -> Headers:
    """The upstream's headers that mean something to a caller. Cookies, CORS and server names are not among them."""
    shown = compress(headers, map(_means_something, map(_NAME, headers)))
    return headers_without_key([*shown], channel, also)


@lru_cache(MOST_NAMES)
def _means_something(name: bytes) -> bool:
    return name in _ALLOWED or name.startswith(_ALLOWED_PREFIX)


def respond_whole(call: Call, answer: Answer, client: Client) -> None:
    head = answer.inflow.head
    status, headers = (
        (200, ()) if head is None else (head.status, passed_on(head.headers, answer.channel, answer.inflow.hidden))
    )
    client.respond(status, (*own_headers(call.id, call.heading), *headers), answer.inflow.body)


def start_stream(call: Call, answer: Answer, client: Client) -> None:
    head, own = answer.inflow.head, own_headers(call.id, call.heading)
    if answer.inflow.shape is EVENTS or head is None:
        client.start(200, (*own, *_EVENT_STREAM))
    else:
        client.start(head.status, (*own, *passed_on(head.headers, answer.channel, answer.inflow.hidden)))
