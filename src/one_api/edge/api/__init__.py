"""The interface of the console under `/api`, and the console itself on every path nobody else has.

One file per resource, one function per endpoint: `ENDPOINTS` finds them by their decorators.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from one_api.edge.api import (
    balances,
    channel_batches,
    channel_tests,
    channels,
    description,
    logs,
    mails,
    me,
    models,
    oauth,
    options,
    redemptions,
    status,
    tokens,
    users,
)
from one_api.edge.api.description import Description
from one_api.edge.api.endpoint import Access, Endpoint
from one_api.edge.api.openapi import document
from one_api.edge.api.page import POLICY, page
from one_api.edge.api.parts import Parts, Quotas
from one_api.edge.middleware import Arrival, Compression, CrossOrigin
from one_api.edge.web import Console, Look
from one_api.lib import json

__all__ = ["ENDPOINTS", "Access", "Endpoint", "Parts", "Quotas", "build_api"]

_RESOURCES: Final = (
    *(status, me, mails, oauth, users, models, options, tokens),
    *(channels, channel_batches, channel_tests, balances, redemptions, logs, description),
)
# Paths with a variable part come last: /api/user/self is not the user named self.
ENDPOINTS: Final[tuple[Endpoint, ...]] = tuple(
    sorted(
        (found for resource in _RESOURCES for found in vars(resource).values() if isinstance(found, Endpoint)),
        key=lambda endpoint: endpoint.path.count("{"),
    )
)


def build_api(parts: Parts, routes: Sequence[BaseRoute] = (), *, console: Console | None = None) -> FastAPI:
    """The application: `routes` first, then the endpoints in both slash forms, then the console."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.parts = parts
    app.state.description = describe(parts.version)
    app.router.routes.extend(routes)
    for endpoint in ENDPOINTS:
        for path in _both(endpoint.path):
            app.router.add_route(path, _run(endpoint), methods=[endpoint.method])
    elsewhere = parts.config.frontend_base_url if parts.config.slave else ""
    files = console or Console.load(elsewhere=elsewhere)

    async def nobody(request: Request, _error: Exception) -> Response:
        # A page is many small files, and who has them does not ask again for a week.
        if not files.has(request) and not await parts.limits.allow(parts.limits.web, request.state.ip):
            return Response(status_code=429)
        options = parts.options.now
        return files.answer(request, Look(options.theme, turnstile=options.turnstile_check_enabled))

    app.add_exception_handler(HTTPException, nobody)
    app.add_middleware(Compression)
    app.add_middleware(CrossOrigin)
    app.add_middleware(Arrival, ids=parts.ids, client_ip=parts.client_ip)
    return app


@cache
def describe(version: str) -> Description:
    """The interface about itself. Making it takes longer than building the application."""
    found = document(ENDPOINTS, version=version)
    return Description(json.encode(found), page(found).encode(), POLICY)


def _both(path: str) -> tuple[str, str]:
    bare = path.rstrip("/")
    return bare, f"{bare}/"


def _run(endpoint: Endpoint) -> Any:
    async def run(request: Request) -> Response:
        if request.method != endpoint.method:  # Starlette lets HEAD in where GET is
            raise HTTPException(405)
        limits = request.app.state.parts.limits
        if not await limits.allow(limits.api, request.state.ip):
            return Response(status_code=429)
        return await endpoint(request)

    return run
