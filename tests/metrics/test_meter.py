"""What is counted of calls, how several processes make one answer, and how it is written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.testclient import TestClient

from one_api.errors import QuotaExceeded, UpstreamError
from one_api.ledger.model import Facts, Hold, HoldRequest, Settle
from one_api.metrics import Meter, Share, route
from one_api.metrics.exposition import GAUGES, TOTALS, exposed
from one_api.metrics.meter import OTHER, Calls, Counted
from one_api.routing import Channel

DASHBOARD = Path(__file__).parents[2] / "deploy/grafana/one-api.json"
HOLD = Hold(request_id="r", user_id=1, token_id=1, unlimited=True, quota=10)


def settle(cost: int = 7, **facts: object) -> tuple[object, None, int]:
    made = {"channel_id": 1, "model_name": "m", "prompt_tokens": 3, "completion_tokens": 4, **facts}
    return Settle(HOLD, cost, msgspec.convert(made, Facts)), None, 0


def samples(counted: Counted, processes: int = 1) -> dict[str, float]:
    page, _ = exposed(counted, processes, "")
    found = {}
    for family in text_string_to_metric_families(page.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_a_batch_of_the_ledger_is_added_up_by_channel_and_model() -> None:
    meter = Meter()
    request = HoldRequest(request_id="r", user_id=1, token_id=1, unlimited=True, least=1, most=1)
    released = (Settle(HOLD, 0, Facts(logged=False)), None, 0)
    meter.settled([settle(elapsed_ms=700, first_s=0.2, is_stream=True), (request, None, 0), released])
    meter.settled([settle(elapsed_ms=1000), settle(model_name="n", elapsed_ms=400_000)])
    found = samples(meter.sum_up())
    assert found["one_api_calls_total{channel=1,model=m}"] == 2
    assert found["one_api_streams_total{channel=1,model=m}"] == 1
    assert found["one_api_prompt_tokens_total{channel=1,model=m}"] == 6
    assert found["one_api_completion_tokens_total{channel=1,model=m}"] == 8
    assert found["one_api_quota_total{channel=1,model=m}"] == 14
    assert found["one_api_call_seconds_bucket{channel=1,le=0.5,model=m}"] == 0
    assert found["one_api_call_seconds_bucket{channel=1,le=1.0,model=m}"] == 2  # a bound belongs to its bucket
    assert found["one_api_call_seconds_sum{channel=1,model=m}"] == pytest.approx(1.7)
    assert found["one_api_call_seconds_bucket{channel=1,le=300.0,model=n}"] == 0
    assert found["one_api_call_seconds_bucket{channel=1,le=+Inf,model=n}"] == 1
    assert found["one_api_first_token_seconds_count{channel=1,model=m}"] == 1
    assert samples(meter.sum_up()) == found  # nothing is counted twice


def test_errors_are_counted_by_what_caused_them() -> None:
    meter = Meter()
    made = Channel(
        id=3, type=1, name="up", key="k", base_url="", models=(), groups=(), priority=0, weight=0, mapping={},
        system_prompt="", config={}, status=1,
    )  # fmt: skip
    meter.failed(made, UpstreamError("x", status=429), "m")
    meter.failed(made, UpstreamError("x", status=429), "m")
    meter.refused(QuotaExceeded())
    found = samples(meter.sum_up())
    assert found["one_api_upstream_errors_total{cause=overloaded,channel=3,model=m,status=429}"] == 2
    assert found["one_api_errors_total{error=QuotaExceeded,status=403}"] == 1


def test_the_dashboard_shows_what_there_is() -> None:
    meter = Meter()
    meter.settled([settle(elapsed_ms=700, first_s=0.2)])
    meter.refused(QuotaExceeded())
    counted = meter.sum_up()
    counted.gauges, counted.totals = dict.fromkeys(GAUGES, 1.0), dict.fromkeys(TOTALS, 1.0)
    known = {name.partition("{")[0] for name in samples(counted)} | {"one_api_upstream_errors_total"}
    shown = re.findall(r"one_api_\w+", DASHBOARD.read_text())
    assert shown
    assert set(shown) <= known


def test_however_many_models_there_are_the_series_are_bounded() -> None:
    meter = Meter(most=10)
    meter.settled([settle(model_name=f"m{number}", channel_id=number % 50 + 1) for number in range(1000)])
    counted = meter.sum_up()
    assert len(counted.calls) <= 2 * 10 + 1
    assert sum(row.calls for row in counted.calls) == 1000
    assert any(row.model == OTHER for row in counted.calls)


def test_each_process_of_a_node_answers_for_all(tmp_path: Path) -> None:
    meter = Meter()
    share = Share(meter, tmp_path, gauges=lambda: {"connections": 2}, totals=lambda: {"cpu_seconds": 1})
    meter.settled([settle()])
    share.publish()
    own = tmp_path / f"{os.getpid()}.json"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        own.rename(tmp_path / f"{other.pid}.json")
        counted, processes = share.node()
        assert processes == 2
        assert counted.calls[0].calls == 2
        assert (counted.gauges, counted.totals) == ({"connections": 4}, {"cpu_seconds": 2})
        other.communicate(b"\n")
    counted, processes = share.node()
    assert processes == 1
    assert counted.calls[0].calls == 2  # what has ended has counted
    assert (counted.gauges, counted.totals) == ({"connections": 2}, {"cpu_seconds": 2})


def test_the_page_is_for_who_shows_the_token() -> None:
    meter = Meter()
    share = Share(meter, None, gauges=lambda: {"connections": 2}, totals=dict)
    with TestClient(Starlette(routes=[route(share, "canary")])) as client:
        for headers in ({}, {"Authorization": "canary"}, {"Authorization": "Bearer other"}):
            assert client.get("/metrics", headers=headers).status_code == 401
        shown = client.get("/metrics", headers={"Authorization": "Bearer canary"})
        assert "one_api_connections 2.0" in shown.text
        assert shown.headers["content-type"].startswith("text/plain")
        accept = {"Authorization": "Bearer canary", "Accept": "application/openmetrics-text;version=1.0.0"}
        assert client.get("/metrics", headers=accept).text.endswith("# EOF\n")


def test_a_name_of_a_model_cannot_break_the_page() -> None:
    name = 'a"} 9\nevil{x="\\'
    (family,) = [
        each
        for each in text_string_to_metric_families(exposed(Counted([Calls(1, name, 5)]), 1, "")[0].decode())
        if each.name == "one_api_calls"
    ]
    assert [(sample.labels["model"], sample.value) for sample in family.samples] == [(name, 5)]
