"""A caller who is told how he stands with his limits, with each answer."""

from one_api.limits.limiter import Headers as Told
from one_api.relay.client import Client, Headers, Listener

PREFIX = b"x-ratelimit-"


class LimitedClient:
    """The caller's side of a call; the upstream's own limits are none of his here."""

    def __init__(self, client: Client, told: Told) -> None:
        self._client = client
        self._told = told
        self.write = client.write  # as many times as there are pieces
        self.finish = client.finish
        self.cut = client.cut

    @property
    def gone(self) -> bool:
        return self._client.gone

    @property
    def started(self) -> bool:
        return self._client.started

    def listen(self, listener: Listener | None) -> None:
        self._client.listen(listener)

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        self._client.respond(status, self._with(headers), body)

    def start(self, status: int, headers: Headers) -> None:
        self._client.start(status, self._with(headers))

    def _with(self, headers: Headers) -> Headers:
        return (*(item for item in headers if not item[0].startswith(PREFIX)), *self._told)
