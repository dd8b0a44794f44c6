"""The caller's side of a relayed call, as the pipeline sees it; edge.protocol and edge.asgi provide it."""

from collections.abc import Sequence
from typing import Protocol

from one_api.relay.heading import Heading

Headers = Sequence[tuple[bytes, bytes]]


class Listener(Protocol):
    """Who wants to know what the caller's connection does."""

    def abandon(self) -> None:
        """The caller left."""

    def pause(self) -> None:
        """The caller reads more slowly than we write."""

    def resume(self) -> None:
        """He has caught up."""


class Client(Protocol):
    """One answer to one call: either `respond`, or `start`, any number of `write`, and `finish` or `cut`."""

    @property
    def gone(self) -> bool:
        """Whether the caller has left; what is written then goes nowhere."""

    @property
    def started(self) -> bool:
        """Whether the status line has gone out."""

    def listen(self, listener: Listener | None) -> None:
        """Tell `listener` of what happens from now on; at once if the caller is already gone or slow."""

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        """The whole answer in one piece."""

    def start(self, status: int, headers: Headers) -> None:
        """Begin an answer of unknown length."""

    def write(self, data: bytes) -> None:
        """A piece of it."""

    def finish(self, data: bytes = b"") -> None:
        """The last piece and the end."""

    def cut(self) -> None:
        """End a started answer so that the caller can tell that it is not complete."""


class Incoming(Client, Protocol):
    """A client with the request he sent, the body in the pieces it came in."""

    heading: Heading
    body: list[bytes]

    @property
    def ip(self) -> str:
        """The address at the other end of the connection."""
