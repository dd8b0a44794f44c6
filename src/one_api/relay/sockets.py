"""WebSockets to upstreams. A handshake that is refused is an error like that of any call."""

import ssl
from dataclasses import replace
from functools import cache
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus

from one_api.dialects.realtime import MOST_BYTES_OF_A_MESSAGE
from one_api.errors import UpstreamError
from one_api.providers.flows import Headers
from one_api.relay.attempt import refused
from one_api.relay.direct import default_tls
from one_api.relay.redaction import body_without_key
from one_api.relay.targets import Target
from one_api.relay.transport import Timeouts
from one_api.routing import Channel

MOST_WAITING: Final = 4  # messages that nobody has read yet; then the upstream waits
HEARTBEAT_S: Final = 20.0
_CLOSING_S: Final = 5.0


class _Connect(connect):
    """Goes where it is told, and nowhere that an answer points to: the key would go there too."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def open_socket(
    target: Target, channel: Channel, headers: Headers, *, proxy: str, timeouts: Timeouts
) -> ClientConnection:
    """Raises UpstreamError."""
    if target.way is not None or not target.url.startswith(("http://", "https://")):
        raise UpstreamError("the channel has no sessions", status=500, code="do_request_failed", blame="nobody")
    secure = target.url.startswith("https://")
    if channel.parameters is not None:
        headers = channel.parameters.head(headers, channel.key)
        timeouts = replace(timeouts, **channel.parameters.timeouts)
    try:
        return await _Connect(
            "ws" + target.url.removeprefix("http"),
            additional_headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers],
            user_agent_header=None,
            compression=None,
            proxy=channel.proxy or proxy or None,
            ssl=_tls() if secure else None,
            open_timeout=timeouts.connect or None,
            close_timeout=_CLOSING_S,
            ping_interval=HEARTBEAT_S,
            ping_timeout=HEARTBEAT_S,
            max_size=MOST_BYTES_OF_A_MESSAGE,
            max_queue=MOST_WAITING,
        )
    except InvalidStatus as error:
        status, body = error.response.status_code, bytes(error.response.body or b"")
        raise refused(status, body_without_key(body, channel), channel) from None
    except (OSError, TimeoutError, InvalidHandshake, ValueError, ImportError) as error:
        reason = f"do request failed: {type(error).__name__}"
        raise UpstreamError(reason, status=500, code="do_request_failed", retry=True, blame="channel") from None


@cache
def _tls() -> ssl.SSLContext:
    return default_tls()
