"""What translations share: a request written anew for a channel, its answer in one piece read and written anew."""

from collections.abc import Callable
from typing import Final

import structlog

from one_api import ir
from one_api.errors import UpstreamError
from one_api.lib import json
from one_api.relay.calls import Call
from one_api.relay.inflow import Cut, Inflow
from one_api.routing import Channel

UNREADABLE: Final = "the upstream's answer cannot be read"

log = structlog.get_logger(__name__)


def write_request(
    call: Call, channel: Channel, encode: Callable[[], ir.Encoded], *, code: str = "invalid_text_request"
) -> bytes:
    """The body for the upstream. Raises UpstreamError for content that this channel cannot be told; another may."""
    try:
        encoded = encode()
    except ir.Unrepresentable as error:
        raise refused(error, code) from None
    if encoded.losses:
        # Names of unknown fields are the caller's words: as many and as long as he likes.
        lost = [name[:64] for name in encoded.losses[:16]]
        log.info("lost in translation", request_id=call.id, channel=channel.id, losses=lost)
    return encoded.body


def refused(error: ir.Unrepresentable, code: str = "invalid_text_request") -> UpstreamError:
    return UpstreamError(error.message, status=400, code=code, kind="one_api_error", param=error.param, blame="caller")


def refusal(message: str, kind: str) -> UpstreamError:
    """An upstream will not answer this request, which no other channel mends."""
    error = UpstreamError(message, status=400, kind=kind, retry=False, blame="caller")
    error.code = None
    return error


def failure(found: ir.Failed) -> UpstreamError:
    """What an upstream says instead of an answer."""
    if found.refused:
        return refusal(found.message, found.type)
    error = UpstreamError(found.message, kind=found.type)
    error.code = None
    return error


def unreadable() -> UpstreamError:
    return UpstreamError(UNREADABLE, status=500, code="unmarshal_response_body_failed", kind="one_api_error")


class RewrittenInflow(Inflow):
    """An answer that is wanted in one piece, and looked at once it is there."""

    __slots__ = ()

    def on_end(self) -> None:
        if self.accepted:
            try:
                found = self.rewrite()
            except json.InvalidJSON:
                self._fail(unreadable(), Cut(UNREADABLE))
            else:
                if isinstance(found, ir.Failed):
                    self._fail(failure(found), Cut(found.message))
        super().on_end()

    def rewrite(self) -> ir.Failed | None:
        """Put the caller's answer in place of the upstream's, or say why there is none. Raises json.InvalidJSON.

        Each kind has its own. Not abstract: each call asks what kind its inflow is, which is slow of such classes.
        """
        raise NotImplementedError
