"""Request ids in One API's form: local time, nanoseconds within the second (not padded), eight random digits."""

import re
import time
from collections.abc import Callable
from random import SystemRandom

RANDOM_DIGITS = 10**8

_named = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}").fullmatch


def callers_id(text: bytes | None) -> str:
    """What a caller names his request in `X-Request-Id`, to be said in the answer and in the log and nowhere else.

    Empty for what is no such name: it is long, or would be read as something else there.
    """
    return text.decode() if text is not None and _named(text) else ""


class RequestIds:
    """Makes ids that grow with time, so that a unique index over them grows at its end."""

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._now_ns = now_ns
        self._random = SystemRandom()
        self._second = 0  # in nanoseconds
        self._prefix = ""
        # One draw from the system a thousand ids: a counter from a random start is as unique and costs nothing.
        self._tail = 0
        self._left = 0

    def next(self) -> str:
        nanos = self._now_ns() - self._second
        if not 0 <= nanos < 1_000_000_000 or not self._prefix:
            second, nanos = divmod(nanos + self._second, 1_000_000_000)
            self._second = second * 1_000_000_000
            self._prefix = time.strftime("%Y%m%d%H%M%S", time.localtime(second))
        if self._left == 0:
            self._tail = self._random.randrange(RANDOM_DIGITS)
            self._left = 1000
        self._left -= 1
        self._tail = (self._tail + 7368787) % RANDOM_DIGITS
        return f"{self._prefix}{nanos}{self._tail:08d}"
