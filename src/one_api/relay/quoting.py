"""Whether an upstream's error repeats what the caller wrote. Only words of the upstream's own may disable a channel."""

from collections.abc import Iterator
from typing import Any

from one_api.relay.calls import Ask, Call
from one_api.routing.health import account_phrase


def begins_with_the_callers_words(message: str, call: Call, ask: Ask) -> bool:
    """Whether the sentence about an account that the message begins with, if it does, stands in the request too.

    Letters' case and the width of blanks do not matter: an upstream may have changed them.
    """
    phrase = account_phrase(message)
    if not phrase:
        return False
    return any(phrase in _plain(text) for text in _written(call, ask))


def _written(call: Call, ask: Ask) -> Iterator[str]:
    yield ask.model
    yield call.heading.content_type
    if ask.document:
        yield from _texts(ask.document)
    else:
        yield call.body.decode("utf-8", "replace")


def _texts(value: Any) -> Iterator[str]:
    """Every text of a decoded document, its keys too."""
    pending = [value]
    while pending:
        found = pending.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, dict):
            pending += [*found.keys(), *found.values()]
        elif isinstance(found, list):
            pending += found


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
