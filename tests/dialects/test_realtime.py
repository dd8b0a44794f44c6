"""Events of the Realtime API: what belongs to which response, and what nobody reports."""

import json
from typing import Any

from one_api.dialects.realtime import Done, Said, Session
from one_api.ir import Usage


def event(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})


def created(name: str) -> str:
    return event("response.created", response={"id": name})


def text(said: str, response: str) -> str:
    return event("response.output_text.delta", delta=said, response_id=response)


def test_responses_at_the_same_time_are_told_apart() -> None:
    session = Session()
    for each in (created("a"), created("b"), text("1", "a"), text("2", "b"), text("3", "a")):
        session.received(each)
    usage = {"input_tokens": 5, "output_tokens": 6}
    assert session.done(event("response.done", response={"id": "a", "usage": usage})) == Done(
        Usage(input=5, output=6), Said(["1", "3"])
    )
    assert (session.answering, session.left()) == (True, Said(["2"]))
    assert session.done(event("response.done", response={"id": "b"})) == Done(None, Said(["2"]))
    assert (session.answering, session.left()) == (False, Said())


def test_what_names_no_response_belongs_to_the_last() -> None:
    session = Session()
    session.received(created("a"))
    session.received(event("response.audio.delta", delta="AAAA"))
    assert session.left() == Said([], 4)
    assert session.done(event("response.done", response={})) == Done(None, Said([], 4))
    session.received(event("response.text.delta", delta="x"))
    assert session.answering
    assert session.done("no event") == Done(None, Said(["x"]))


def test_an_end_of_what_never_began_takes_nothing_from_another() -> None:
    session = Session()
    session.received(created("a"))
    session.received(text("1", "a"))
    assert session.done(event("response.done", response={"id": "z", "usage": 1})) == Done(None, Said())
    assert session.left() == Said(["1"])


def test_the_next_response_reads_all_that_was_said() -> None:
    session = Session()
    session.sent("x" * 40)
    session.settled(Usage(input=100, output=50))
    session.sent("x" * 40)
    session.sent(event("input_audio_buffer.append", audio="A" * 6400))
    assert session.estimate(Said(["hi"], 3200), 7) == Usage(input=150 + 10 + 1, output=7 + 1, audio_in=1, audio_out=1)
