"""Providers that are asked to begin, and then whether they are done: the ways to what they made. Pure.

What an upstream says about where to ask next is an address of its own choice, and the channel's key belongs to the
channel's address: it is asked there, by the number of what was begun.
"""

from collections.abc import Callable, Generator, Iterator
from typing import Any, Final
from urllib.parse import quote, urlsplit

from one_api.providers.flows import Flow, Headers, Query, Refused, Response, Wait

PAUSES: Final = (0.5, 1.0, 1.0, 2.0)
"""Seconds between questions; the last for all that follow."""
LONGEST: Final = 600.0
_KEPT: Final = frozenset((b"authorization", b"user-agent"))
_REPLICATES: Final = ".replicate.com"
_UNDER_WAY: Final = frozenset(("starting", "processing"))
_DASHSCOPE_UNDER_WAY: Final = frozenset(("PENDING", "SUSPENDED", "RUNNING"))


def replicate(query: Query, now: float) -> Flow:  # noqa: ARG001
    """https://replicate.com/docs/topics/predictions. Only who wants a stream is given the address of one."""
    begun = accepted((yield query))
    number, status, urls = begun.get("id"), begun.get("status"), begun.get("urls")
    if not isinstance(number, str) or not number:
        raise Refused(502, "the upstream began a prediction without a number")
    stream = urls.get("stream") if isinstance(urls, dict) else None
    if wants_events(query) and isinstance(stream, str) and theirs(stream, query):
        return Query(method="GET", url=stream, headers=(*kept(query), (b"accept", b"text/event-stream")))
    asked = Query(
        method="GET",
        url=f"{query.url.partition('/v1/models/')[0]}/v1/predictions/{quote(number, safe='')}",
        headers=kept(query),
    )
    yield from polled(asked, status, lambda found: found.get("status"), _UNDER_WAY)
    return asked


def dashscope_images(query: Query, now: float) -> Flow:  # noqa: ARG001
    """https://help.aliyun.com/zh/model-studio/text-to-image-v2-api-reference. Newer models answer at once."""
    base, found, _ = query.url.partition("/api/v1/services/aigc/text2image/")
    if not found:
        return query
    begun = accepted((yield query.carrying((b"x-dashscope-async", b"enable"))))
    number = _task(begun).get("task_id")
    if not isinstance(number, str) or not number:
        raise Refused(502, "the upstream began a task without a number")
    asked = Query(method="GET", url=f"{base}/api/v1/tasks/{quote(number, safe='')}", headers=kept(query))
    status = _task(begun).get("task_status")
    yield from polled(asked, status, lambda found: _task(found).get("task_status"), _DASHSCOPE_UNDER_WAY)
    return asked


def _task(answer: dict[str, Any]) -> dict[str, Any]:
    task = answer.get("output")
    return task if isinstance(task, dict) else {}


def polled(
    asked: Query, status: Any, read: Callable[[dict[str, Any]], Any], pending: frozenset[str]
) -> Generator[Query | Wait, Any, None]:
    """Asks until it is done, well or badly: what the answer says then is for the dialect to read."""
    waited = 0.0
    pauses = _pauses()
    while isinstance(status, str) and status in pending:
        seconds = next(pauses)
        waited += seconds
        if waited > LONGEST:
            raise Refused(504, "the upstream was not done in time")
        yield Wait(seconds)
        status = read(accepted((yield asked)))


def _pauses() -> Iterator[float]:
    yield from PAUSES
    while True:
        yield PAUSES[-1]


def accepted(response: Response) -> dict[str, Any]:
    """What a good answer holds. Raises Refused."""
    if response.status in (200, 201, 202):
        return response.members()
    status = response.status if response.status >= 400 else 502
    raise Refused(status, f"status code {response.status}", body=response.body)


def wants_events(query: Query) -> bool:
    return (b"accept", b"text/event-stream") in query.headers


def kept(query: Query) -> Headers:
    """Of a request's headers those that the questions after it carry too."""
    return tuple((name, value) for name, value in query.headers if name in _KEPT)


def theirs(url: str, query: Query) -> bool:
    """Whether an address is the vendor's or the channel's own, and no place where an upstream only sends us."""
    try:
        found, own = urlsplit(url), urlsplit(query.url)
        host = found.hostname or ""
    except ValueError:
        return False
    return (found.scheme, found.netloc) == (own.scheme, own.netloc) or (
        found.scheme == "https" and host.endswith(_REPLICATES)
    )
