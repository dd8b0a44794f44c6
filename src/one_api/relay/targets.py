"""Where the calls to a channel go, worked out once for as long as the channel stays as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from one_api import providers
from one_api.dialects.openai_errors import decode_error
from one_api.dialects.outbound import CONFIGURED, OUTBOUND, Outbound
from one_api.errors import UpstreamError
from one_api.providers.flows import Way
from one_api.relay.calls import SPEECH, Ask
from one_api.relay.inflow import BYTES, EVENTS, WHOLE, Shape
from one_api.relay.transport import Origin
from one_api.routing import Channel

MAX_ENDPOINTS = 10_000
USER_AGENT = (b"user-agent", b"one-api")
EVENT_STREAM = (b"accept", b"text/event-stream")


_EMBEDDING: Final = {"bedrock-cohere": "converse", "predict": "gemini", "titan": "converse"}
"""Wires on which nobody talks (relay.embedded has their words), and what their provider speaks else."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a channel's requests of one kind go, ready for the transport.

    dialect: the channel's, None where caller and channel both speak OpenAI's. wire: its name. translated: whether the
    caller speaks another. callers: headers a caller may set himself. way: what it takes more than sending it to `url`.
    """

    origin: Origin
    path: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    dialect: Outbound | None = None
    wire: str = "openai"
    translated: bool = False
    callers: providers.Callers = ()
    faults: providers.Reader = decode_error
    url: str = ""
    way: Way | None = None


class Targets:
    """Parsed endpoints, remembered for as long as their channel is the same object of the same snapshot.

    outbound: the dialects of channels, as the operator wants them spoken. version: see providers.endpoint.
    """

    def __init__(self, outbound: Mapping[str, Outbound] = OUTBOUND, *, version: str = "v1") -> None:
        self._outbound = outbound
        self._version = version
        self._known: dict[tuple[int, int, providers.Mode, str, str, bool], tuple[Channel, Target]] = {}

    def apart(self) -> "Targets":
        """The same for a channel that is another object than the one that calls know."""
        return Targets(self._outbound, version=self._version)

    def find(self, channel: Channel, mode: providers.Mode, model: str, engine: str, *, stream: bool) -> Target:
        """Raises UpstreamError where the provider has no such mode."""
        key = (channel.id, channel.number, mode, model, engine, stream)
        known = self._known.get(key)
        if known is not None and known[0] is channel:
            return known[1]
        try:
            row = providers.provider(channel.type)
            asked = providers.SPOKEN.get(mode) or providers.EMBEDDED.get(mode)
            ranked = mode is providers.Mode.RERANK
            wire = (channel.config.get("ranking") or row.ranking or "openai") if ranked else row.wires[0]
            wire = wire if asked is None else providers.wire(channel, asked, model)
            translated = asked is not None and asked != wire
            there = _translated(mode, wire) if translated else mode
            endpoint = providers.endpoint(
                channel, there, model, engine="" if translated else engine, stream=stream, version=self._version
            )
            origin, path = Origin.parse(endpoint.url)
        except (providers.Unsupported, ValueError) as error:
            reason = str(error)
            raise UpstreamError(
                reason, status=500, code="do_request_failed", kind="one_api_error", blame="nobody"
            ) from None
        target = Target(
            origin,
            path.encode("latin-1"),
            endpoint.headers,
            self._dialect("openai" if ranked else wire, channel) if translated or ranked or wire != "openai" else None,
            wire=wire,
            translated=translated,
            callers=row.callers,
            faults=row.faults,
            url=endpoint.url,
            way=endpoint.way,
        )
        if len(self._known) >= MAX_ENDPOINTS:
            self._known.clear()
        self._known[key] = (channel, target)
        return target

    def _dialect(self, wire: str, channel: Channel) -> Outbound | None:
        make = CONFIGURED.get(wire)
        return self._outbound.get(_EMBEDDING.get(wire, wire)) if make is None else make(channel.config)


def _translated(mode: providers.Mode, wire: str) -> providers.Mode:
    """What the same is called on another wire."""
    if mode in providers.EMBEDDED:
        return providers.Mode.EMBEDDINGS
    return providers.CONVERSATION.get(wire, providers.Mode.CHAT)


def shape(ask: Ask) -> Shape:
    """The shape of a good answer."""
    if ask.mode is SPEECH:
        return BYTES
    return EVENTS if ask.stream else WHOLE
