"""What was counted, in the text form that Prometheus reads.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client.exposition import CONTENT_TYPE_LATEST as PLAIN
from prometheus_client.exposition import generate_latest as plain
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as OPENMETRICS
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.registry import Collector, CollectorRegistry

from one_api.metrics.meter import LAGS, SECONDS, Calls, Counted, Times

LABELS: Final = ("channel", "model")
# Sums of each call, by the field they are in.
SUMS: Final = (
    ("calls", "one_api_calls", "Calls that a channel answered"),
    ("streams", "one_api_streams", "Those of them that were streamed"),
    ("prompt_tokens", "one_api_prompt_tokens", "Tokens of input"),
    ("completion_tokens", "one_api_completion_tokens", "Tokens of output"),
    ("quota", "one_api_quota", "Quota that was charged"),
)
GAUGES: Final = {
    "calls_under_way": "Calls that are being answered",
    "connections": "Connections of clients of the relay",
    "upstream_connections": "Connections to upstreams",
    "upstream_connections_idle": "Those of them that wait for a call",
    "ledger_waiting": "Operations that wait for the ledger",
    "database_connections": "Connections to the database in use",
    "callers": "Callers that are remembered",
    "resident_bytes": "Memory of the processes",
}
TOTALS: Final = {
    "ledger_batches": "Transactions of the ledger",
    "cpu_seconds": "Processor time of the processes",
}


class Exposed(Collector):
    """What prometheus_client asks for families of metrics."""

    def __init__(self, counted: Counted, processes: int) -> None:
        self._counted = counted
        self._processes = processes

    def collect(self) -> Iterator[Metric]:
        counted = self._counted
        for field, name, about in SUMS:
            family = CounterMetricFamily(name, about, labels=LABELS)
            for row in counted.calls:
                family.add_metric(labels(row), getattr(row, field))
            yield family
        yield histogram("one_api_call_seconds", "From the request to an upstream to its end", counted.calls, "seconds")
        yield histogram("one_api_first_token_seconds", "To the first content", counted.calls, "first")
        yield from self._errors()
        lag = HistogramMetricFamily("one_api_loop_lag_seconds", "How late the event loop is", labels=())
        lag.add_metric((), buckets(counted.lag, LAGS), counted.lag.total)
        yield lag
        yield GaugeMetricFamily("one_api_processes", "Processes of this node", value=self._processes)
        for name, about in GAUGES.items():
            if name in counted.gauges:
                yield GaugeMetricFamily(f"one_api_{name}", about, value=counted.gauges[name])
        for name, about in TOTALS.items():
            if name in counted.totals:
                yield CounterMetricFamily(f"one_api_{name}", about, value=counted.totals[name])

    def _errors(self) -> Iterator[Metric]:
        failures = CounterMetricFamily(
            "one_api_upstream_errors", "Attempts that failed", labels=(*LABELS, "cause", "status")
        )
        refusals = CounterMetricFamily("one_api_errors", "Errors that callers were told", labels=("error", "status"))
        for row in self._counted.errors:
            if row.channel or row.model:
                failures.add_metric((str(row.channel), row.model, row.cause, str(row.status)), row.count)
            else:
                refusals.add_metric((row.cause, str(row.status)), row.count)
        yield failures
        yield refusals


def labels(row: Calls) -> tuple[str, str]:
    return str(row.channel), row.model


def histogram(name: str, about: str, rows: Sequence[Calls], field: str) -> Metric:
    family = HistogramMetricFamily(name, about, labels=LABELS)
    for row in rows:
        times: Times = getattr(row, field)
        family.add_metric(labels(row), buckets(times, SECONDS), times.total)
    return family


def buckets(times: Times, bounds: Sequence[float]) -> list[tuple[str, float]]:
    """How many were below each bound, counted up."""
    found: list[tuple[str, float]] = []
    below = 0
    for bound, count in zip((*bounds, float("inf")), times.counts, strict=True):
        below += count
        found.append(("+Inf" if bound == float("inf") else str(bound), below))
    return found


def exposed(counted: Counted, processes: int, accept: str) -> tuple[bytes, str]:
    """The page, and its type: the newer form for who asks for it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Exposed(counted, processes))
    if "application/openmetrics-text" in accept:
        return bytes(openmetrics(registry)), OPENMETRICS  # type: ignore[no-untyped-call]  # so it is made
    return plain(registry), PLAIN
