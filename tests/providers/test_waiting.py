"""Ways of several steps, walked by hand: what is asked, with which secrets, until when."""

import json
from typing import Any

import pytest

from one_api.providers.flows import Flow, Query, Refused, Response, Wait
from one_api.providers.waiting import LONGEST, dashscope_images, replicate

BASE = "https://api.replicate.com/v1"
HEADERS = ((b"authorization", b"Bearer KEY"), (b"content-type", b"application/json"), (b"user-agent", b"one-api"))
EVENTS = (b"accept", b"text/event-stream")
KEPT = (HEADERS[0], HEADERS[2])
ASKED = Query(url=f"{BASE}/models/meta/m/predictions", headers=HEADERS, body=b"{}")


def response(value: Any, status: int = 200) -> Response:
    return Response(status, json.dumps(value).encode())


def steps(flow: Flow, *answers: Response) -> list[Any]:
    """What is yielded and, at last, returned, when queries are answered so."""
    found: list[Any] = []
    given, sent = iter(answers), None
    try:
        while True:
            found.append(flow.send(sent))
            sent = next(given) if isinstance(found[-1], Query) else None
    except StopIteration as done:
        return [*found, done.value]


def test_a_prediction_is_begun_and_asked_for_until_it_is_there() -> None:
    begun = response({"id": "p/1", "status": "starting", "urls": {"get": "https://evil.example/"}}, 201)
    taken = steps(replicate(ASKED, 0.0), begun, response({"status": "processing"}), response({"status": "succeeded"}))
    asked = Query(method="GET", url=f"{BASE}/predictions/p%2F1", headers=KEPT)
    assert [each for each in taken if not isinstance(each, Wait)] == [ASKED, asked, asked, asked]
    assert [each.seconds for each in taken if isinstance(each, Wait)] == [0.5, 1.0]


def test_one_that_is_there_at_once_is_not_waited_for() -> None:
    taken = steps(replicate(ASKED, 0.0), response({"id": "p1", "status": "succeeded"}, 201))
    assert taken == [ASKED, Query(method="GET", url=f"{BASE}/predictions/p1", headers=KEPT)]


@pytest.mark.parametrize(
    "url, fetched",
    [
        ("https://stream.replicate.com/v1/files/x", True),
        (f"{BASE}/streams/x", True),
        ("http://stream.replicate.com/x", False),
        ("https://replicate.com.evil.example/x", False),
        ("https://evil.example/.replicate.com", False),
        ("http://[::1", False),
        (7, False),
    ],
)
def test_a_stream_is_fetched_where_the_vendor_is_and_nowhere_else(url: Any, *, fetched: bool) -> None:
    query = Query(url=ASKED.url, headers=(*HEADERS, EVENTS))
    taken = steps(replicate(query, 0.0), response({"id": "p1", "status": "succeeded", "urls": {"stream": url}}, 201))
    expected = Query(method="GET", url=url, headers=(*KEPT, EVENTS)) if fetched else None
    assert taken[-1] == (expected or Query(method="GET", url=f"{BASE}/predictions/p1", headers=KEPT))


def test_who_wants_no_stream_is_given_none() -> None:
    begun = response({"id": "p1", "status": "succeeded", "urls": {"stream": "https://stream.replicate.com/x"}}, 201)
    assert steps(replicate(ASKED, 0.0), begun)[-1].url == f"{BASE}/predictions/p1"


def test_what_is_refused_is_told_as_it_was() -> None:
    with pytest.raises(Refused) as refused:
        steps(replicate(ASKED, 0.0), Response(402, b'{"detail":"no credit"}'))
    assert (refused.value.status, refused.value.body) == (402, b'{"detail":"no credit"}')


def test_what_has_no_number_cannot_be_asked_for() -> None:
    with pytest.raises(Refused, match="without a number"):
        steps(replicate(ASKED, 0.0), response({"status": "starting", "output": {}}))


DRAWING = Query(
    url="https://x.example/ali/api/v1/services/aigc/text2image/image-synthesis", headers=HEADERS, body=b"{}"
)


def task(status: str, **more: Any) -> Response:
    return response({"output": {"task_id": "t/1", "task_status": status, **more}})


def test_a_task_is_begun_and_asked_for_until_it_is_over() -> None:
    taken = steps(dashscope_images(DRAWING, 0.0), task("PENDING"), task("RUNNING"), task("FAILED"))
    asked = Query(method="GET", url="https://x.example/ali/api/v1/tasks/t%2F1", headers=KEPT)
    begun = DRAWING.carrying((b"x-dashscope-async", b"enable"))
    assert [each for each in taken if not isinstance(each, Wait)] == [begun, asked, asked, asked]
    assert [each.seconds for each in taken if isinstance(each, Wait)] == [0.5, 1.0]


def test_models_that_answer_at_once_are_not_asked_again() -> None:
    query = Query(url="https://x.example/api/v1/services/aigc/multimodal-generation/generation", headers=HEADERS)
    assert steps(dashscope_images(query, 0.0)) == [query]


@pytest.mark.parametrize("begun", [{}, {"output": None}, {"output": {"task_id": 7}}, []])
def test_a_task_without_a_number_cannot_be_asked_for(begun: Any) -> None:
    with pytest.raises(Refused, match="without a number"):
        steps(dashscope_images(DRAWING, 0.0), response(begun))


def test_a_task_that_is_not_begun_costs_no_question() -> None:
    with pytest.raises(Refused) as refused:
        steps(dashscope_images(DRAWING, 0.0), Response(400, b'{"code":"Arrearage"}'))
    assert (refused.value.status, refused.value.body) == (400, b'{"code":"Arrearage"}')


def test_nobody_waits_for_ever() -> None:
    pending = response({"id": "p1", "status": "starting"})
    waited: list[float] = []
    flow = replicate(ASKED, 0.0)
    with pytest.raises(Refused, match="not done in time"):
        walk(flow, pending, waited)
    assert LONGEST - 3 < sum(waited) <= LONGEST


def walk(flow: Flow, answer: Response, waited: list[float]) -> None:
    """Every query is answered so."""
    sent = None
    while True:
        step = flow.send(sent)
        sent = answer if isinstance(step, Query) else None
        if isinstance(step, Wait):
            waited.append(step.seconds)
