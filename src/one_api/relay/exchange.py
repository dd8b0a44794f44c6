"""One request on its way through our own HTTP client, from `send` to its end."""

from typing import Protocol

import structlog

from one_api.relay.transport import HttpRequest, Origin, Sink, Timeouts, TransportError

log = structlog.get_logger(__name__)

Key = tuple[Origin, str]  # what a connection serves: an origin, and the address it has to be reached at if one is given


class Owner(Protocol):
    """The transport that was asked."""

    def now(self) -> float: ...
    def forget(self, exchange: "DirectExchange", /) -> None: ...


class Link(Protocol):
    """The connection that serves."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def drop(self) -> None: ...


class DirectExchange:
    """`phase` is connect, first_byte or idle; `phase_since` is when it began, by the loop's clock."""

    __slots__ = (
        "_owner",
        "connection",
        "fresh_only",
        "head",
        "paused",
        "phase",
        "phase_since",
        "request",
        "sink",
        "started",
        "timeouts",
    )

    def __init__(self, owner: Owner, request: HttpRequest, sink: Sink, timeouts: Timeouts, now: float) -> None:
        self._owner = owner
        self.request = request
        self.sink: Sink | None = sink
        self.timeouts = timeouts
        self.started = now
        self.phase = "connect"
        self.phase_since = now
        self.paused = False
        self.fresh_only = False
        self.head = b""
        self.connection: Link | None = None

    @property
    def key(self) -> Key:
        return self.request.origin, self.request.address

    def pause(self) -> None:
        self.paused = True
        if self.connection is not None:
            self.connection.pause()

    def resume(self) -> None:
        self.paused = False
        self.phase_since = self._owner.now()
        if self.connection is not None:
            self.connection.resume()

    def abort(self) -> None:
        self.sink = None
        self._owner.forget(self)
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.drop()

    def fail(self, error: TransportError) -> None:
        """Tell the sink, once, and let go of everything."""
        sink = self.sink
        self.abort()
        if sink is None:
            return
        try:
            sink.on_fail(error)
        except Exception:
            log.exception("an answer's sink failed")

    def overdue(self, now: float) -> bool:
        total = self.timeouts.total
        if total and now - self.started > total:
            return True
        limit = {"connect": self.timeouts.connect, "first_byte": self.timeouts.first_byte}.get(
            self.phase, self.timeouts.idle
        )
        return bool(limit) and not self.paused and now - self.phase_since > limit
