"""An upstream may quote the key it was given; whoever reads its answer must not see it.

`also`: secrets of one request, as a token its key was exchanged for.
"""

import re
from functools import lru_cache
from operator import itemgetter
from typing import Final
from urllib.parse import quote

from one_api.errors import UpstreamError
from one_api.relay.client import Headers
from one_api.routing import Channel

HIDDEN: Final = "***"
_VALUE: Final = itemgetter(1)
MOST_KEYS: Final = 1024  # whose parts are remembered
SHORTEST: Final = 4  # shorter parts of a key are no secret, and would spoil every sentence
SETTINGS: Final = ("ak", "sk", "vertex_ai_adc")  # of a channel, and as secret as its key
_PLAIN: Final = re.compile(r"[0-9A-Za-z_.~-]+")  # the same in an address


def without_key(error: UpstreamError, channel: Channel, also: tuple[str, ...] = ()) -> UpstreamError:
    """The same error, the channel's key hidden wherever a caller would read it."""
    for secret in (*_secrets(channel), *also):
        error.message = error.message.replace(secret, HIDDEN)
        error.type = error.type.replace(secret, HIDDEN)
        error.param = error.param.replace(secret, HIDDEN)
        error.code = _hidden(error.code, secret)
    return error


def text_without_key(text: str, channel: Channel) -> str:
    for secret in _secrets(channel):
        text = text.replace(secret, HIDDEN)
    return text


def body_without_key(body: bytes, channel: Channel, also: tuple[str, ...] = ()) -> bytes:
    """For what is read in part: half a key would not be found any more."""
    for secret in (*_secrets(channel), *also):
        body = body.replace(secret.encode(), HIDDEN.encode())
    return body


def headers_without_key(headers: Headers, channel: Channel, also: tuple[str, ...] = ()) -> Headers:
    """The headers that do not hold the channel's key."""
    for secret in (*_secrets(channel), *also):
        quoted = secret.encode()  # looked for by `find`: `in` tries it as a number first
        if b"\n".join(map(_VALUE, headers)).find(quoted) >= 0:
            headers = [item for item in headers if item[1].find(quoted) < 0]
    return headers


def _secrets(channel: Channel) -> tuple[str, ...]:
    config = channel.config
    return _spelled(channel.key, *[config.get(name, "") for name in SETTINGS]) if config else _spelled(channel.key)


@lru_cache(MOST_KEYS)
def _spelled(key: str, *settings: str) -> tuple[str, ...]:
    """The key, its parts where it has several, and what of them an address would show; the longest first."""
    if not settings and _PLAIN.fullmatch(key):
        return (key,) if len(key) >= SHORTEST else ()
    parts = {key, *key.split("|"), *settings}
    parts |= {line for part in parts for line in _lines_of_a_private_key(part)}
    found = {part for part in (*parts, *(quote(part, safe="") for part in parts)) if len(part) >= SHORTEST}
    return tuple(sorted(found, key=len, reverse=True))


def _lines_of_a_private_key(part: str) -> tuple[str, ...]:
    """Of a service account's credentials the private key, by its lines: as JSON writes it, and as it is."""
    if "PRIVATE KEY" not in part:
        return ()
    return tuple(line for line in re.findall(r"[0-9A-Za-z+/=]{32,}", part.replace("\\n", "\n")))


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
