"""Lets calls in by the rules, tells callers how they stand, and gives back what they did not use."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from one_api.errors import OneAPIError
from one_api.limits.counts import SLOT_S, Counts, Exceeded, Standing
from one_api.routing.limits import CallLimits, Want
from one_api.store.engine import FAILURES

log = logging.getLogger(__name__)

Headers = tuple[tuple[bytes, bytes], ...]
RENEW_S: Final = SLOT_S / 4
_WORDS: Final = {"requests": "requests per minute", "tokens": "tokens per minute", "parallel": "calls at the same time"}


class RateLimited(OneAPIError):
    """Too much of something, by a rule of the operator's. `headers` say how the caller stands and when to come back."""

    status = 429
    type = "requests"
    code = "rate_limit_exceeded"

    def __init__(self, message: str, headers: Headers) -> None:
        super().__init__(message)
        self.headers = headers


@dataclass(slots=True)
class Entry:
    """A call that was let in. `used` are its tokens, once they are known."""

    call: str
    wants: tuple[Want, ...]
    standing: Standing
    used: int = 0

    @property
    def headers(self) -> Headers:
        """The tightest rule of each kind, in OpenAI's words.

        https://platform.openai.com/docs/guides/rate-limits
        """
        pairs = list(zip(self.wants, self.standing.used, strict=True))
        requests = [(want.rule.requests - used[0], want.rule.requests) for want, used in pairs if want.rule.requests]
        tokens = [(want.rule.tokens - used[1], want.rule.tokens) for want, used in pairs if want.rule.tokens]
        found: list[tuple[bytes, bytes]] = []
        for what, stands in ((b"requests", requests), (b"tokens", tokens)):
            if stands:
                left, most = min(stands)
                found += _told(what, most, left, self.standing.left_s)
        return tuple(found)


class Limiter:
    """`enter` and `leave` around each call that has limits; `renew` is to be called every RENEW_S."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._running: dict[str, Entry] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    async def enter(
        self, limits: CallLimits, call: str, *, user: int, token: int, group: str, model: str, tokens: int
    ) -> Entry | None:
        """None if no rule is about this call. Raises RateLimited, and Unavailable where the database counts."""
        wants = limits.wants(user=user, token=token, group=group, model=model, tokens=tokens)
        if not wants:
            return None
        found = await self._counts.enter(wants, call)
        if isinstance(found, Exceeded):
            raise _refusal(found, wants[found.place])
        entry = self._running[call] = Entry(call, wants, found)
        return entry

    def leave(self, entry: Entry) -> None:
        """The call is over. Nobody waits for it to be written down."""
        del self._running[entry.call]
        task = asyncio.get_running_loop().create_task(self._leave(entry), name="leave limits")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def renew(self) -> None:
        """Hold the slots of calls that run on."""
        slots = [
            (want.key, entry.call) for entry in self._running.values() for want in entry.wants if want.rule.parallel
        ]
        if slots:
            await self._counts.renew(sorted(slots))

    async def drain(self) -> None:
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def _leave(self, entry: Entry) -> None:
        try:
            await self._counts.leave(entry.wants, entry.call, minute=entry.standing.minute, tokens=entry.used)
        except FAILURES as error:
            log.warning("A call's limits are given back when they end by themselves: %s", error)


def _refusal(found: Exceeded, want: Want) -> RateLimited:
    most = getattr(want.rule, found.what)
    later = (b"retry-after", b"%d" % max(1, found.left_s))
    message = f"rate limit reached: {most} {_WORDS[found.what]} for this {_about(want)}, try again in {found.left_s} s"
    if found.what == "parallel":
        return RateLimited(message, (later,))
    told = _told(found.what.encode(), most, most - found.used, found.left_s)
    error = RateLimited(message, (later, *told))
    error.type = found.what
    return error


def _about(want: Want) -> str:
    return "installation" if want.rule.per == "all" else want.rule.per


def _told(what: bytes, most: int, left: int, reset_s: int) -> Headers:
    return (
        (b"x-ratelimit-limit-" + what, b"%d" % most),
        (b"x-ratelimit-remaining-" + what, b"%d" % max(0, left)),
        (b"x-ratelimit-reset-" + what, b"%ds" % reset_s),
    )
