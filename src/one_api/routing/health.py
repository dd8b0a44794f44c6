"""When a channel is taken out of service: its account is finished, or too few of its calls succeed. Pure.

Only what an upstream says of itself counts: a status, a typed error, or a whole sentence that its message begins with.
No word that a caller can put into a request, and see quoted in an error, disables a channel.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
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
# Statuses that are about the channel, and not about the request: those of a request any caller could repeat at will.
_OF_THE_CHANNEL: Final = frozenset((401, 402, 408, 429))


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
