"""What an upstream's error means for its channel: whether it may be asked again, when, and by whom. Pure.

A channel is taken out of service when its account is finished, or too few of its calls succeed, and rests for as long
as an upstream that has too much to do asks for.

Only what an upstream says of itself counts: a status, a typed error, or a whole sentence that its message begins with.
No word that a caller can put into a request, and see quoted in an error, disables a channel.
"""

import re
from collections import deque
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Final

_STATUSES: Final = frozenset((401, 402))
_TYPES: Final = frozenset(
    ("insufficient_quota", "authentication_error", "permission_error", "billing_error", "forbidden")
)
_CODES: Final = frozenset(("invalid_api_key", "account_deactivated"))
_SENTENCES: Final = (
    "your access was terminated",
    "your credit balance is too low",
    "your account is not active",
    "your organization has been disabled",
    "your organization has been restricted",
    "this organization has been disabled",
    "this organization has been restricted",
    "organization has been disabled",
    "organization has been restricted",
    "api key not valid",
    "api key expired",
    "permission denied",
    "the security token included in the request is invalid",
    "the request signature we calculated does not match",
    "已欠费",
)
_UNPAID: Final = frozenset(("your credit balance is too low", "your account is not active", "已欠费"))
_BALANCE: Final = frozenset(("insufficient_quota", "billing_error"))
_BUSY: Final = frozenset((429, 529))
_OVERLOADED: Final = frozenset(("overloaded_error", "rate_limit_error", "rate_limit_exceeded"))
_LONG: Final = frozenset(("context_length_exceeded", "string_above_max_length", "request_too_large"))
_REFUSED: Final = frozenset(("content_filter", "content_policy_violation", "moderation_blocked"))
_SECONDS: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_RETRY_INFO: Final = re.compile(rb'"retryDelay"\s*:\s*"([0-9]{1,9}(?:\.[0-9]{1,9})?)s"')
# Statuses that are about the channel, and not about the request: those of a request any caller could repeat at will.
_OF_THE_CHANNEL: Final = frozenset((401, 402, 408, 429))


class Cause(Enum):
    """Why an upstream did not answer. All that follows from an error follows from this."""

    KEY = "bad key"
    BALANCE = "no balance"
    OVERLOADED = "overloaded"
    TOO_LONG = "too long"
    REFUSED = "content refused"
    REQUEST = "bad request"
    UNSUITED = "not on this channel"
    DOWN = "provider down"


OF_THE_ACCOUNT: Final = frozenset((Cause.KEY, Cause.BALANCE))


def cause_of(status: int, kind: str, code: object, message: str, *, quoted: bool = False) -> Cause:
    """The cause of an error. `quoted`: the message begins with words of the caller's, and so says nothing.

    https://platform.openai.com/docs/guides/error-codes, https://platform.claude.com/docs/en/api/errors.
    """
    name = code if isinstance(code, str) else ""
    phrase = "" if quoted else account_phrase(message)
    if is_typed(status, kind, code) or phrase:
        return Cause.BALANCE if status == 402 or {kind, name} & _BALANCE or phrase in _UNPAID else Cause.KEY
    if status in _BUSY or {kind, name} & _OVERLOADED:
        return Cause.OVERLOADED
    if status == 400:
        if {kind, name} & _LONG:
            return Cause.TOO_LONG
        return Cause.REFUSED if {kind, name} & _REFUSED else Cause.REQUEST
    return Cause.DOWN if status >= 500 or status == 408 else Cause.UNSUITED


def retry_after(headers: Iterable[tuple[bytes, bytes]], now: float) -> float:
    """Seconds until an upstream wants to hear of us again, 0 if it does not say; `now` is the time of day.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after; OpenAI's API knows milliseconds too.
    """
    found = dict(reversed([(name.lower(), value.decode("latin-1").strip()) for name, value in headers]))
    for name, unit in ((b"retry-after-ms", 1000), (b"retry-after", 1)):
        value = found.get(name, "")
        if _SECONDS.fullmatch(value):
            return float(value) / unit
    try:
        date = parsedate_to_datetime(found.get(b"retry-after", ""))
        return max(date.timestamp() - now, 0.0)
    except (ValueError, OverflowError, OSError):
        return 0.0


def retry_info(body: bytes) -> float:
    """Seconds by Google's own way to say so, in the details of an error: https://google.aip.dev/193#retryinfo.

    What a caller wrote stands in a text there, where its quotation marks are escaped.
    """
    found = _RETRY_INFO.search(body)
    return float(found[1]) if found is not None else 0.0


class Rests:
    """Channels, or single keys of theirs, that asked to be left alone, each for a model: limits are kept by model."""

    __slots__ = ("_until",)
    LONGEST: Final = 300.0
    """Seconds. A limit of a day may be lifted before."""
    MOST: Final = 10_000

    def __init__(self) -> None:
        self._until: dict[tuple[Hashable, str], float] = {}

    def begin(self, channel: Hashable, model: str, seconds: float, now: float) -> None:
        if len(self._until) >= self.MOST:
            self._until = {place: until for place, until in self._until.items() if until > now}
        if len(self._until) < self.MOST:
            self._until[channel, model] = now + min(seconds, self.LONGEST)

    def resting(self, channel: Hashable, model: str, now: float) -> bool:
        if not self._until:
            return False
        until = self._until.get((channel, model))
        if until is None:
            return False
        if until > now:
            return True
        del self._until[channel, model]
        return False


def is_typed(status: int, kind: str, code: object) -> bool:
    """Whether an error says by more than words that no further call on its channel can succeed."""
    return status in _STATUSES or kind in _TYPES or (isinstance(code, str) and code in _CODES)


def account_phrase(message: str) -> str:
    """The sentence about an account that a message begins with, in small letters; "" if it begins otherwise."""
    start = " ".join(message[:200].casefold().split())
    return next((sentence for sentence in _SENTENCES if start.startswith(sentence)), "")


def is_the_channels(status: int) -> bool:
    """Whether a failure counts against a channel's success rate."""
    return status in _OF_THE_CHANNEL or status >= 500


@dataclass(frozen=True, slots=True)
class Rate:
    """How a channel's last calls went."""

    calls: int
    successes: int

    @property
    def share(self) -> float:
        return self.successes / self.calls


class SuccessRates:
    """The last results of each channel, as this process saw them; one more than `size` at most."""

    def __init__(self, *, size: int, threshold: float) -> None:
        self.size = size
        self.threshold = threshold
        self._results: dict[int, deque[bool]] = {}

    def succeeded(self, channel_id: int) -> None:
        self._of(channel_id).append(True)

    def failed(self, channel_id: int) -> Rate | None:
        """The rate if it is too low by now; counting then begins anew."""
        results = self._of(channel_id)
        results.append(False)
        rate = Rate(len(results), sum(results))
        if rate.calls < self.size or rate.share >= self.threshold:
            return None
        del self._results[channel_id]
        return rate

    def keep(self, channel_ids: Collection[int]) -> None:
        """Forget all others: a channel that comes back starts with nothing held against it."""
        for gone in self._results.keys() - set(channel_ids):
            del self._results[gone]

    def _of(self, channel_id: int) -> deque[bool]:
        found = self._results.get(channel_id)
        if found is None:
            found = self._results[channel_id] = deque(maxlen=self.size + 1)
        return found


def may_eject(channel_id: int, places: Iterable[Collection[int]], in_use: Mapping[int, bool]) -> bool:
    """Whether a success rate may take this channel out: of each model at most half its channels, and never the last.

    places: for each model and group the channels that serve it. in_use: whether a channel is enabled; those that were
    disabled by hand, or are gone, are not in it and count for nothing.
    """
    for place in places:
        known = [each for each in place if each in in_use]
        out = sum(not in_use[each] or each == channel_id for each in known)
        if out * 2 > len(known) or out == len(known):
            return False
    return in_use.get(channel_id, False)
