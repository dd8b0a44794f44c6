"""Where the calls of one kind to a channel go, in which dialect, and what comes back: found once for each channel."""

from dataclasses import dataclass

from one_api import providers
from one_api.dialects.outbound import OUTBOUND, Outbound
from one_api.errors import UpstreamError
from one_api.relay.calls import Ask
from one_api.relay.inflow import Shape
from one_api.relay.transport import Origin
from one_api.routing import Channel

MAX_ENDPOINTS = 10_000
USER_AGENT = (b"user-agent", b"one-api")
EVENT_STREAM = (b"accept", b"text/event-stream")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a channel's requests of one kind go, ready for the transport.

    dialect: the channel's, None where caller and channel both speak OpenAI's. translated: whether the caller speaks
    another. callers: headers a caller may set himself.
    """

    origin: Origin
    path: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    dialect: Outbound | None = None
    translated: bool = False
    callers: providers.Callers = ()


class Targets:
    """Parsed endpoints, remembered for as long as their channel is the same object of the same snapshot."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, providers.Mode, str, str, bool], tuple[Channel, Target]] = {}

    def find(self, channel: Channel, mode: providers.Mode, model: str, engine: str, *, stream: bool) -> Target:
        """Raises UpstreamError where the provider has no such mode."""
        key = (channel.id, mode, model, engine, stream)
        known = self._known.get(key)
        if known is not None and known[0] is channel:
            return known[1]
        try:
            row = providers.provider(channel.type)
            asked = providers.SPOKEN.get(mode)
            wire = row.wire(asked or "openai")
            translated = asked is not None and asked != wire
            there = providers.CONVERSATION.get(wire, providers.Mode.CHAT) if translated else mode
            endpoint = providers.endpoint(channel, there, model, engine=engine, stream=stream)
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
            OUTBOUND.get(wire) if translated or wire != "openai" else None,
            translated=translated,
            callers=row.callers,
        )
        if len(self._known) >= MAX_ENDPOINTS:
            self._known.clear()
        self._known[key] = (channel, target)
        return target


def shape(ask: Ask) -> Shape:
    """The shape of a good answer."""
    if ask.mode is providers.Mode.SPEECH:
        return Shape.BYTES
    return Shape.EVENTS if ask.stream else Shape.WHOLE
