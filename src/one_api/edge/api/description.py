"""The interface about itself: its description for programs, and a page of it for people."""

from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from one_api.edge.api.answers import JSON
from one_api.edge.api.declared import Bare
from one_api.edge.api.endpoint import Access, Call, get

HTML: Final = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Description:
    """Both forms as they are sent; `policy` is the page's Content-Security-Policy."""

    openapi: bytes
    page: bytes
    policy: str


@get("/api/openapi.json", Access.ANYONE, answers=Bare(dict[str, Any]))
async def openapi(call: Call) -> Response:
    return Response(_of(call).openapi, media_type=JSON)


@get("/api/docs", Access.ANYONE, answers=Bare(str, media="text/html"))
async def docs(call: Call) -> Response:
    """Needs no other host, nor a script."""
    described = _of(call)
    headers = {
        "Content-Security-Policy": described.policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(described.page, media_type=HTML, headers=headers)


def _of(call: Call) -> Description:
    found: Description = call.request.app.state.description
    return found
