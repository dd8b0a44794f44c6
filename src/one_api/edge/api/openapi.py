"""The description of everything under `/api`, as OpenAPI 3.1, made from what the endpoints declare. Pure."""

import inspect
import re
from collections.abc import Sequence
from typing import Any, Final

from one_api.edge.api.declared import UNSAID, Bare
from one_api.edge.api.endpoint import Access, Endpoint
from one_api.edge.api.schemas import Schema, Schemas

COOKIE: Final = "session"
ACCESS_TOKEN: Final = "accessToken"  # noqa: S105  # a name
_ABOUT: Final = (
    "The management interface of a gateway. Refusals have HTTP status 200 and `success: false`, but for those that are "
    "listed with another status. Bodies are JSON whatever their Content-Type says; names of members are matched in any "
    "case, unknown members are ignored. A path is served with and without its last slash."
)
_TEXT: Final[Schema] = {"type": "string"}
_REFUSED: Final[Schema] = {
    "type": "object",
    "required": ["success", "message"],
    "properties": {"success": {"const": False}, "message": _TEXT},
}
_REFUSAL: Final[Schema] = {"$ref": "#/components/schemas/Refused"}
_REASONS: Final = {
    400: "The body cannot be read.",
    401: "Neither signed in nor an access token.",
    403: "A page of another origin asked.",
    413: "The body is too large.",
}


def document(endpoints: Sequence[Endpoint], *, version: str) -> dict[str, Any]:
    """Paths in the order of the endpoints. Raises TypeError for a declared type that no document can have."""
    schemas = Schemas()
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "one-api", "version": version, "description": _ABOUT, "license": {"name": "MIT"}},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in sorted({resource(endpoint) for endpoint in endpoints})],
        "paths": paths,
        "components": {
            "securitySchemes": {
                COOKIE: {"type": "apiKey", "in": "cookie", "name": "session"},
                ACCESS_TOKEN: {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "A user's access token, with or without `Bearer ` before it.",
                },
            },
            "schemas": {"Refused": _REFUSED, **{name: schemas.named[name] for name in sorted(schemas.named)}},
        },
    }


def resource(endpoint: Endpoint) -> str:
    """The module an endpoint is in."""
    return str(getattr(endpoint.run, "__module__", "")).rpartition(".")[2]


def name(endpoint: Endpoint) -> str:
    return str(getattr(endpoint.run, "__name__", endpoint.path))


def _operation(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    about = inspect.getdoc(endpoint.run)
    found: dict[str, Any] = {
        "operationId": f"{resource(endpoint)}.{name(endpoint)}",
        "tags": [resource(endpoint)],
        "summary": name(endpoint).replace("_", " ").capitalize(),
        **({"description": about} if about else {}),
        "x-access": endpoint.access.name.lower(),
        "security": [{COOKIE: []}, {ACCESS_TOKEN: []}] if endpoint.access > Access.ANYONE else [],
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.method in ("POST", "PUT"):
        form = endpoint.declared.form
        schema = {"type": "object"} if form is None else schemas.form(form)
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return found


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    number = {"type": "integer", "format": "int64"}
    kinds: dict[str, Schema] = {"string": _TEXT, "integer": number}
    in_path = [
        {"name": each, "in": "path", "required": True, "schema": number if each.endswith("id") else _TEXT}
        for each in re.findall(r"{(\w+)}", endpoint.path)
    ]
    in_query = [
        {
            "name": each.name,
            "in": "query",
            "schema": kinds[each.kind],
            **({"description": each.about} if each.about else {}),
        }
        for each in endpoint.declared.query
    ]
    return in_path + in_query


def _responses(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    shared = {
        401: endpoint.access > Access.ANYONE,
        403: endpoint.changes,
        413: endpoint.method != "GET",
    }
    statuses = sorted({*endpoint.declared.statuses, *(status for status, given in shared.items() if given)})
    refusals = {
        str(status): {"description": _REASONS.get(status, "Refused."), "content": _json(_REFUSAL)}
        for status in statuses
    }
    return {
        "200": _answer(endpoint.declared.answers, schemas),
        **refusals,
        "429": {"description": "Too many requests."},
    }


def _answer(kind: Any, schemas: Schemas) -> dict[str, Any]:
    if isinstance(kind, Bare):
        schema = schemas.answer(kind.kind)
        if kind.media != "application/json":
            refused = _json(_REFUSAL) if kind.refused else {}
            return {"description": "The document.", "content": {kind.media: {"schema": schema}, **refused}}
        return {"description": "Without the envelope.", "content": _json({"anyOf": [schema, _REFUSAL]})}
    envelope: Schema = {
        "type": "object",
        "required": ["success", "message"],
        "properties": {"success": {"const": True}, "message": _TEXT},
    }
    if kind is UNSAID:
        envelope["properties"]["data"] = {}
    elif kind is not None:
        envelope["required"].append("data")
        envelope["properties"]["data"] = schemas.answer(kind)
    return {"description": "Done, or refused.", "content": _json({"oneOf": [envelope, _REFUSAL]})}


def _json(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
