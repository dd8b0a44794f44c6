"""`/metrics`, for who shows the token of the operator. docs/decisions/0009 says why it is on the gateway's own port."""

import asyncio
import hmac

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from one_api.metrics.share import Share


def route(share: Share, token: str) -> Route:
    async def metrics(request: Request) -> Response:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        from one_api.metrics.exposition import exposed  # noqa: PLC0415  # loaded by who is asked

        counted, processes = share.node()
        page, kind = await asyncio.to_thread(exposed, counted, processes, request.headers.get("accept", ""))
        return Response(page, headers={"Content-Type": kind, "Cache-Control": "no-store"})

    return Route("/metrics", metrics, methods=["GET"])
