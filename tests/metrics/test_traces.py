"""Spans of calls: what they say, whose children they are, and that nothing of them is loaded unless it is wanted."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Any, cast

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from one_api.errors import QuotaExceeded
from one_api.ledger.model import Facts, Hold, Settle
from one_api.metrics.traces import _PROVIDERS, Traces
from one_api.providers import PROVIDERS, Mode
from one_api.relay.calls import Call
from one_api.relay.client import Client
from one_api.relay.heading import read_head
from one_api.relay.record import Record
from one_api.routing import Channel, Routes

pytestmark = pytest.mark.anyio

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CHANNEL = Channel(
    id=3, type=14, name="up", key="canary", base_url="", models=("claude",), groups=("default",), priority=0, weight=0,
    mapping={}, system_prompt="", config={}, status=1,
)  # fmt: skip
NOBODY = cast("Client", None)


def call(mode: Mode = Mode.CHAT, headers: Mapping[str, str] | None = None) -> Call:
    pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    heading = read_head(b"POST", b"/v1/chat/completions", pairs)
    assert heading is not None
    return Call(id="r1", mode=mode, heading=heading, body=b"canary", ip="", started=0.0, record=Record(request_id="r1"))


async def spans(mode: Mode, headers: Mapping[str, str] | None, error: BaseException | None) -> ReadableSpan:
    exporter = InMemorySpanExporter()
    traces = Traces(SimpleSpanProcessor(exporter), lambda: Routes.build((CHANNEL,), ()))

    async def run(_call: Call, _client: Client) -> None:
        if error is not None:
            raise error
        hold = Hold(request_id="r1", user_id=1, token_id=1, unlimited=True, quota=10)
        facts = Facts(channel_id=3, model_name="claude", prompt_tokens=5, completion_tokens=7, is_stream=True)
        traces.settled([(Settle(hold, 9, facts), None, 0)])

    traced = traces.around(run)
    if error is None:
        await traced(call(mode, headers), NOBODY)
    else:
        with pytest.raises(type(error)):
            await traced(call(mode, headers), NOBODY)
    (span,) = exporter.get_finished_spans()
    traces.close()
    return span


async def test_a_call_is_a_span_with_what_it_used() -> None:
    span = await spans(Mode.CHAT, {"traceparent": PARENT}, None)
    assert span.name == "chat claude"
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude",
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 7,
        "one_api.request_id": "r1",
        "one_api.channel": 3,
        "one_api.quota": 9,
        "one_api.stream": True,
    }
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == tuple(PARENT.split("-")[1:3])
    assert span.resource.attributes["service.name"] == "one-api"
    assert "canary" not in span.to_json()


@pytest.mark.parametrize("headers", [None, {"traceparent": "nonsense"}])
async def test_a_call_without_a_parent_begins_a_trace(headers: Any) -> None:
    span = await spans(Mode.EMBEDDINGS, headers, None)
    assert span.parent is None
    assert span.name == "embeddings claude"


async def test_an_error_is_told_by_its_kind() -> None:
    span = await spans(Mode.CHAT, None, QuotaExceeded("canary"))
    assert (span.attributes or {})["error.type"] == "QuotaExceeded"
    assert span.status.status_code is StatusCode.ERROR
    assert "canary" not in span.to_json()


def test_the_conventions_names_are_of_providers_there_are() -> None:
    assert set(_PROVIDERS) <= {each.key for each in PROVIDERS.values()}


def test_nothing_is_loaded_unless_it_is_wanted() -> None:
    code = """
import sys
import one_api.app, one_api.commands.serve
# The API alone may be loaded: a web framework looks for it.
unwanted = ("opentelemetry.sdk", "opentelemetry.exporter", "prometheus_client", "one_api.metrics.traces")
assert not [name for name in sys.modules if name.startswith(unwanted)]"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
