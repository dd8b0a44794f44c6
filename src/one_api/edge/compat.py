"""What lives under `/v1` and is not relayed: model list, billing dashboards, and the routes OpenAI has and we do not.

Every answer of these needs a key; errors have OpenAI's shape. One function per endpoint.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from one_api import providers
from one_api.accounts import rules
from one_api.accounts.cache import Accounts, Caller
from one_api.dialects import anthropic, gemini
from one_api.dialects.inbound import OPENAI, Measured
from one_api.edge.limits import Limits
from one_api.errors import BadRequest, NotImplementedRoute, OneAPIError
from one_api.options import Options
from one_api.relay.heading import TWO_KEYS
from one_api.routing import Routes

CREATED = 1626777600  # One API says this of every model
NO_LIMIT = 100_000_000
_PERMISSION = {
    "id": "modelperm-LwHkVFn8AcMItP432fKKDIKJ",
    "object": "model_permission",
    "created": CREATED,
    "allow_create_engine": True,
    "allow_sampling": True,
    "allow_logprobs": True,
    "allow_search_indices": False,
    "allow_view": True,
    "allow_fine_tuning": False,
    "organization": "*",
    "group": None,
    "is_blocking": False,
}

# https://platform.openai.com/docs/api-reference: known there, not served here.
_NOT_IMPLEMENTED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("/v1/files", ("GET", "POST")),
    ("/v1/files/{id}", ("GET", "DELETE")),
    ("/v1/files/{id}/content", ("GET",)),
    ("/v1/fine_tuning/jobs", ("GET", "POST")),
    ("/v1/fine_tuning/jobs/{id}", ("GET",)),
    ("/v1/fine_tuning/jobs/{id}/events", ("GET",)),
    ("/v1/fine_tuning/jobs/{id}/cancel", ("POST",)),
    ("/v1/models/{model:path}", ("DELETE",)),
    ("/v1/assistants", ("GET", "POST")),
    ("/v1/assistants/{id}", ("GET", "POST", "DELETE")),
    ("/v1/assistants/{id}/files", ("GET", "POST")),
    ("/v1/assistants/{id}/files/{file}", ("GET", "DELETE")),
    ("/v1/threads", ("POST",)),
    ("/v1/threads/{id}", ("GET", "POST", "DELETE")),
    ("/v1/threads/{id}/messages", ("POST",)),
    ("/v1/threads/{id}/messages/{message}", ("GET", "POST")),
    ("/v1/threads/{id}/messages/{message}/files", ("GET",)),
    ("/v1/threads/{id}/messages/{message}/files/{file}", ("GET",)),
    ("/v1/threads/{id}/runs", ("GET", "POST")),
    ("/v1/threads/{id}/runs/{run}", ("GET", "POST")),
    ("/v1/threads/{id}/runs/{run}/submit_tool_outputs", ("POST",)),
    ("/v1/threads/{id}/runs/{run}/cancel", ("POST",)),
    ("/v1/threads/{id}/runs/{run}/steps", ("GET",)),
    ("/v1/threads/{id}/runs/{run}/steps/{step}", ("GET",)),
)

# What a channel's account keeps belongs to all who use the channel, so none of them is shown it.
_NOT_KEPT: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("/v1/responses/{id}", ("GET", "DELETE")),
    ("/v1/responses/{id}/cancel", ("POST",)),
    ("/v1/responses/{id}/input_items", ("GET",)),
    ("/v1/conversations", ("POST",)),
    ("/v1/conversations/{id}", ("GET", "POST", "DELETE")),
    ("/v1/conversations/{id}/items", ("GET", "POST")),
    ("/v1/conversations/{id}/items/{item}", ("GET", "DELETE")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compat:
    """The parts these endpoints use."""

    accounts: Accounts
    options: Callable[[], Options]
    routes: Callable[[], Routes]
    now: Callable[[], int]
    client_ip: Callable[[str, Mapping[bytes, bytes]], str]
    limits: Limits


Endpoint: TypeAlias = Callable[[Compat, Caller, Request], Awaitable[Response]]


def routes(parts: Compat) -> list[Route]:
    """The routes, to be mounted before any catch-all."""
    made: list[Route] = []
    for row in TABLE:
        handler = _with_key(parts, row.endpoint)
        if row.endpoint in (subscription, usage):
            handler = _limited(parts, handler)
        forms = (row.path,) if row.path.endswith("{model:path}") else (row.path, row.path + "/")
        for form in forms:
            route = Route(form, handler, methods=list(row.methods))
            route.methods = set(row.methods)  # Starlette adds HEAD, which One API never routed
            made.append(route)
    return made


def _with_key(parts: Compat, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        request_id = str(request.scope.get("state", {}).get("request_id", ""))
        try:
            caller = await _caller(parts, request)
            return await endpoint(parts, caller, request)
        except OneAPIError as error:
            body = (_other(request) or OPENAI).encode_error(error, request_id)
            return Response(body, status_code=error.status, media_type="application/json; charset=utf-8")

    return handle


def _limited(
    parts: Compat, handle: Callable[[Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    """These count as requests to the console's interface, whatever the key."""

    async def handle_some(request: Request) -> Response:
        if not await parts.limits.allow(parts.limits.api, _ip(parts, request)):
            return Response(status_code=429)
        return await handle(request)

    return handle_some


def _ip(parts: Compat, request: Request) -> str:
    peer = request.client.host if request.client else ""
    return parts.client_ip(peer, dict(request.scope["headers"]))


async def _caller(parts: Compat, request: Request) -> Caller:
    credentials = rules.require_key(_credentials(request))
    caller = parts.accounts.known(credentials.key)
    if caller is None:
        caller = await parts.accounts.find(credentials.key, parts.now())
    rules.permit_address(caller, _ip(parts, request))
    return caller


def _credentials(request: Request) -> rules.Credentials | None:
    """Of the places where clients of a dialect have their key; those of Google's may have it in the query too."""
    dialect = _other(request)
    given = [_single(request, "authorization")]
    if dialect is not None:
        given.append(_single(request, dialect.KEY.decode()))
    if dialect is gemini:
        given.extend(request.query_params.getlist("key"))
    found = {each for text in given if (each := rules.read_key(text.strip())) is not None}
    if len(found) > 1:
        raise BadRequest(TWO_KEYS)
    return next(iter(found), None)


def _single(request: Request, name: str) -> str:
    found = request.headers.getlist(name)
    if len(found) > 1:  # who looked at the request before may have taken another
        raise BadRequest(f"the header {name!r} is given twice")
    return "".join(found).strip()


class Lister(Measured, Protocol):
    """A dialect that lists models in a form of its own."""

    def encode_models(self, names: Sequence[str], query: Mapping[str, str], /) -> bytes:
        """Raises BadRequest."""

    def encode_model(self, name: str, /) -> bytes: ...


def _other(request: Request) -> Lister | None:
    """The client's dialect if it is not OpenAI's.

    All clients of Anthropic's name the version of the API they were made for, and Google's have addresses of their own,
    or share those of models and have another place for the key: https://platform.claude.com/docs/en/api/versioning,
    https://ai.google.dev/api#auth.
    """
    if "anthropic-version" in request.headers:
        return anthropic
    path = request.url.path
    shared = path.startswith("/v1/models") and gemini.KEY.decode() in request.headers
    return gemini if shared or path.startswith("/v1beta/") else None


async def list_models(parts: Compat, caller: Caller, request: Request) -> Response:
    """The models this key may use, in One API's order: the catalogue's, then names nobody knows."""
    dialect, names = _other(request), _ordered(_allowed(parts, caller))
    if dialect is not None:
        return _raw(dialect.encode_models(names, request.query_params))
    return _json({"object": "list", "data": [_model(name) for name in names]})


async def get_model(parts: Compat, caller: Caller, request: Request) -> Response:
    """One model this key may use; its name may hold slashes."""
    name, dialect = request.path_params["model"], _other(request)
    if name in _allowed(parts, caller):
        return _json(_model(name)) if dialect is None else _raw(dialect.encode_model(name))
    if dialect is not None:
        raise BadRequest(f"the model {name!r} does not exist", status=404)
    error = {
        "message": f"The model '{name}' does not exist",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }
    return _json({"error": error}, status=404)


async def subscription(parts: Compat, caller: Caller, _request: Request) -> Response:
    """The dashboard's limits: of the key or of its user, as an option says."""
    options = parts.options()
    money = await parts.accounts.balance(caller)
    by_key = options.display_token_stat_enabled
    left, used = (money.token_remain, money.token_used) if by_key else (money.user_quota, money.user_used)
    amount: float = left + used
    if options.display_in_currency_enabled:
        amount /= options.quota_per_unit
    if by_key and caller.unlimited:
        amount = NO_LIMIT
    return _json(
        {
            "object": "billing_subscription",
            "has_payment_method": True,
            "soft_limit_usd": _number(amount),
            "hard_limit_usd": _number(amount),
            "system_hard_limit_usd": _number(amount),
            "access_until": max(caller.expires, 0) if by_key else 0,
        }
    )


async def usage(parts: Compat, caller: Caller, _request: Request) -> Response:
    """What was used, in hundredths of a dollar, or of a unit where quota is not shown as money."""
    options = parts.options()
    money = await parts.accounts.balance(caller)
    used: float = money.token_used if options.display_token_stat_enabled else money.user_used
    if options.display_in_currency_enabled:
        used /= options.quota_per_unit
    return _json({"object": "list", "total_usage": _number(used * 100)})


async def not_implemented(_parts: Compat, _caller: Caller, _request: Request) -> Response:
    error = {
        "message": "API not implemented",
        "type": "one_api_error",
        "param": "",
        "code": NotImplementedRoute.code,
    }
    return _json({"error": error}, status=NotImplementedRoute.status)


async def not_kept(_parts: Compat, _caller: Caller, request: Request) -> Response:
    kind = "conversations" if request.url.path.startswith("/v1/conversations") else "responses"
    raise NotImplementedRoute(f"{kind} are not kept here: send the items themselves with each request")


async def not_compacted(_parts: Compat, _caller: Caller, _request: Request) -> Response:
    raise NotImplementedRoute("conversations are not compacted here: leave out the items that are not needed")


@dataclass(frozen=True, slots=True)
class Row:
    path: str
    methods: tuple[str, ...]
    endpoint: Endpoint


TABLE: Final = (
    Row("/v1/models", ("GET",), list_models),
    Row("/v1/models/{model:path}", ("GET",), get_model),
    Row("/v1beta/models", ("GET",), list_models),
    Row("/v1beta/models/{model:path}", ("GET",), get_model),
    *(
        Row(f"{prefix}/dashboard/billing/{name}", ("GET",), endpoint)
        for prefix in ("", "/v1")
        for name, endpoint in (("subscription", subscription), ("usage", usage))
    ),
    *(Row(path, methods, not_implemented) for path, methods in _NOT_IMPLEMENTED),
    Row("/v1/responses/compact", ("POST",), not_compacted),
    *(Row(path, methods, not_kept) for path, methods in _NOT_KEPT),
)


def _allowed(parts: Compat, caller: Caller) -> tuple[str, ...]:
    return caller.models if caller.models is not None else parts.routes().models(caller.group)


def _ordered(names: tuple[str, ...]) -> list[str]:
    wanted = dict.fromkeys(name for name in names if name)
    known = dict.fromkeys(name for name, _owner in providers.CATALOGUE if name in wanted)
    return [*known, *sorted(name for name in wanted if name not in known)]


def _model(name: str) -> dict[str, Any]:
    owner = providers.owner(name)
    return {
        "id": name,
        "object": "model",
        "created": CREATED,
        "owned_by": owner or "custom",
        "permission": [_PERMISSION] if owner else None,
        "root": name,
        "parent": None,
    }


def _number(amount: float) -> float:
    """Whole amounts print without a decimal point, as Go prints them."""
    return int(amount) if float(amount).is_integer() else amount


def _raw(body: bytes) -> Response:
    return Response(body, media_type="application/json; charset=utf-8")


def _json(value: object, status: int = 200) -> Response:
    return JSONResponse(value, status_code=status, media_type="application/json; charset=utf-8")
