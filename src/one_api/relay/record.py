"""What became of one call, for its line in the log: whoever knows something of it writes it down."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from one_api.providers import Mode

ABSENT: Final = -1
NAMES: Final[Mapping[Mode, str]] = MappingProxyType({mode: mode.name.lower() for mode in Mode})


class Record(msgspec.Struct, kw_only=True):
    """The names are those of the line. No text of a prompt or an answer and no key is among them.

    caller_request_id: what the caller names his request. tries: channels that were asked; `channel` was the last.
    status: what he was told, 499 if he left before. cause: why it is no success, or why a stream broke off.
    first_ms: until the first content, of an answer in one piece until all of it; -1 if there was none.
    """

    request_id: str
    caller_request_id: str = ""
    status: int = 200
    cause: str = ""
    mode: str = ""
    model: str = ""
    user: int = 0
    token: int = 0
    ip: str = ""
    channel: int = 0
    tries: int = 0
    stream: bool = False
    ms: int = 0
    first_ms: int = ABSENT
    prompt_tokens: int = 0
    completion_tokens: int = 0
    quota: int = 0
