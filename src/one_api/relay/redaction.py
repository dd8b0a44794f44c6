"""An upstream may quote the key it was given; whoever reads its answer must not see it."""

from one_api.errors import UpstreamError
from one_api.relay.client import Headers
from one_api.routing import Channel

HIDDEN = "***"
SHORTEST = 4  # shorter parts of a key are no secret, and would spoil every sentence


def without_key(error: UpstreamError, channel: Channel) -> UpstreamError:
    """The same error, the channel's key hidden wherever a caller would read it."""
    for secret in _secrets(channel):
        error.message = error.message.replace(secret, HIDDEN)
        error.type = error.type.replace(secret, HIDDEN)
        error.param = error.param.replace(secret, HIDDEN)
        error.code = _hidden(error.code, secret)
    return error


def body_without_key(body: bytes, channel: Channel) -> bytes:
    """For what is read in part: half a key would not be found any more."""
    for secret in _secrets(channel):
        body = body.replace(secret.encode(), HIDDEN.encode())
    return body


def headers_without_key(headers: Headers, channel: Channel) -> Headers:
    """The headers that do not hold the channel's key."""
    for secret in _secrets(channel):
        quoted = secret.encode()
        headers = [item for item in headers if quoted not in item[1]]
    return headers


def _secrets(channel: Channel) -> list[str]:
    """The key and, of those with several, its parts; the longest first."""
    key = channel.key
    if "|" not in key:
        return [key] if len(key) >= SHORTEST else []
    parts = {part for part in (key, *key.split("|")) if len(part) >= SHORTEST}
    return sorted(parts, key=len, reverse=True)


def _hidden(value: object, secret: str) -> object:
    match value:
        case str():
            return value.replace(secret, HIDDEN)
        case list():
            return [_hidden(item, secret) for item in value]
        case dict():
            return {_hidden(key, secret): _hidden(item, secret) for key, item in value.items()}
        case _:
            return value
