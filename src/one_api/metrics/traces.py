"""A span for each call, with OpenTelemetry's conventions for generative AI. Loaded only where an operator wants it.

A caller's `traceparent` makes it a child of his span. What was used is told by the ledger when it has written it; no
text of a prompt or an answer is in a span. https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from one_api import __version__
from one_api.errors import OneAPIError
from one_api.ledger.model import Facts, Settle
from one_api.providers import EMBEDDED, Mode, provider
from one_api.relay.calls import Call
from one_api.relay.client import Client
from one_api.routing import Routes

Run = Callable[[Call, Client], Awaitable[None]]

_OPERATIONS: Final[Mapping[Mode, str]] = MappingProxyType(
    {
        **dict.fromkeys(EMBEDDED, "embeddings"),
        Mode.COMPLETIONS: "text_completion",
        Mode.GENERATE: "generate_content",
        Mode.IMAGES: "generate_content",
        Mode.SPEECH: "generate_content",
    }
)
# Where the conventions have another name than we have.
_PROVIDERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Azure": "azure.ai.openai",
        "AwsClaude": "aws.bedrock",
        "Gemini": "gcp.gemini",
        "Mistral": "mistral_ai",
        "VertextAI": "gcp.vertex_ai",
        "XAI": "x_ai",
    }
)


class Traces:
    """`around` is put around the pipeline; `settled` is told of the ledger's batches before an answer ends."""

    def __init__(self, processor: SpanProcessor, routes: Callable[[], Routes]) -> None:
        found = Resource.create({"service.version": __version__})
        if str(found.attributes.get("service.name")).startswith("unknown_service"):
            found = found.merge(Resource({"service.name": "one-api"}))
        self._provider = TracerProvider(resource=found, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("one_api", __version__)
        self._routes = routes
        self._parent = TraceContextTextMapPropagator().extract
        self._open: dict[str, tuple[Span, str]] = {}

    def around(self, run: Run) -> Run:
        async def traced(call: Call, client: Client) -> None:
            operation = _OPERATIONS.get(call.mode, "chat")
            span = self._begin(call, operation)
            self._open[call.id] = (span, operation)
            try:
                await run(call, client)
            except OneAPIError as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(StatusCode.ERROR)
                raise
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                raise
            finally:
                del self._open[call.id]
                span.end()

        return traced

    def settled(self, operations: Sequence[Any]) -> None:
        for ticket in operations:
            settle = ticket[0]
            if type(settle) is Settle and (found := self._open.get(settle.hold.request_id)) is not None:
                self._used(*found, settle.facts, settle.cost)

    def close(self) -> None:
        """Send what is left. It may take a while, and is to be called beside the loop."""
        self._provider.shutdown()

    def _begin(self, call: Call, operation: str) -> Span:
        headers = call.heading.headers
        carrier = {
            name: value.decode("latin-1")
            for name in ("traceparent", "tracestate")
            if (value := headers.get(name.encode())) is not None
        }
        attributes = {"gen_ai.operation.name": operation, "one_api.request_id": call.id}
        context = self._parent(carrier) if carrier else None
        return self._tracer.start_span(operation, context=context, kind=SpanKind.CLIENT, attributes=attributes)

    def _used(self, span: Span, operation: str, facts: Facts, cost: int) -> None:
        if not facts.channel_id:
            return
        channel = self._routes().channel(facts.channel_id)
        key = "" if channel is None else provider(channel.type).key
        span.update_name(f"{operation} {facts.model_name}")
        span.set_attributes(
            {
                "gen_ai.provider.name": _PROVIDERS.get(key, key.lower()),
                "gen_ai.request.model": facts.model_name,
                "gen_ai.usage.input_tokens": facts.prompt_tokens,
                "gen_ai.usage.output_tokens": facts.completion_tokens,
                "one_api.channel": facts.channel_id,
                "one_api.quota": cost,
                "one_api.stream": facts.is_stream,
            }
        )


def exporting(routes: Callable[[], Routes]) -> Traces:
    """To where OTEL_EXPORTER_OTLP_ENDPOINT says; the exporter reads that and its other variables itself."""
    return Traces(BatchSpanProcessor(OTLPSpanExporter()), routes)
