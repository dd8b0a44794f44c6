"""A stream of events as one JSON array: Google's clients that did not ask for `alt=sse` read that.

https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from one_api.lib.sse import SSEReader
from one_api.relay.client import Client, Headers, Listener

_TYPE = (b"content-type", b"application/json; charset=utf-8")


class ArrayClient:
    """The client behind, who is written the `data` fields of events as elements. It is given whole events."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._reader = SSEReader()
        self._opened = False

    @property
    def gone(self) -> bool:
        return self._client.gone

    @property
    def started(self) -> bool:
        return self._client.started

    def listen(self, listener: Listener | None) -> None:
        self._client.listen(listener)

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        self._client.respond(status, headers, body)

    def start(self, status: int, headers: Headers) -> None:
        kept = [item for item in headers if item[0] != b"content-type"]
        self._client.start(status, (*kept, _TYPE))

    def write(self, data: bytes) -> None:
        elements = self._elements(data)
        if elements:
            self._client.write(elements)

    def finish(self, data: bytes = b"") -> None:
        self._client.finish(self._elements(data) + (b"]" if self._opened else b"[]"))

    def cut(self) -> None:
        self._client.cut()

    def _elements(self, data: bytes) -> bytes:
        found = []
        for _, element in self._reader.feed(data):
            if element is not None:
                found.append((b",\r\n" if self._opened else b"[") + element)
                self._opened = True
        return b"".join(found)
