"""The line of a call in each form of the log."""

import json
import shlex

import pytest

from one_api.edge.journal import line
from one_api.relay.record import Record

STAMP = "2026/01/02 - 03:04:05"
RECORD = Record(
    request_id="r1",
    caller_request_id="theirs-1",
    status=502,
    cause="overloaded",
    mode="chat",
    model="gpt-4o",
    user=2,
    token=3,
    ip="203.0.113.9",
    channel=4,
    tries=2,
    stream=True,
    ms=1500,
    first_ms=300,
    prompt_tokens=10,
    completion_tokens=20,
    quota=30,
)
PAIRS = (
    "caller_request_id=theirs-1 status=502 cause=overloaded mode=chat model=gpt-4o user=2 token=3 ip=203.0.113.9"
    " channel=4 tries=2 stream=true ms=1500 first_ms=300 prompt_tokens=10 completion_tokens=20 quota=30"
)


def test_a_line_has_the_form_that_is_wanted() -> None:
    assert line("logfmt")(STAMP, RECORD) == f'timestamp="{STAMP}" level=info event=call request_id=r1 {PAIRS}'
    assert line("one-api")(STAMP, RECORD) == f"[INFO] {STAMP} | r1 | call {PAIRS}"
    found = json.loads(line("json")(STAMP, RECORD))
    assert (found["timestamp"], found["event"], found["request_id"], found["quota"]) == (STAMP, "call", "r1", 30)
    assert found["stream"] is True


@pytest.mark.parametrize("model", ["two words", "two\nlines", 'a"quote', "x status=200", "\x00\x1b[31m", "名", ""])
@pytest.mark.parametrize("form", ["logfmt", "one-api", "json"])
def test_what_a_caller_calls_his_model_stays_within_its_field(form: str, model: str) -> None:
    made = line(form)(STAMP, Record(request_id="r1", model=model))
    assert len(made.splitlines()) == 1
    assert "\x1b" not in made
    if form == "json":
        assert json.loads(made)["model"] == model
    else:
        fields = dict(each.split("=", 1) for each in shlex.split(made) if "=" in each)
        assert fields["status"] == "200"
        assert fields["first_ms"] == "-1"
