"""The description of the interface: valid, complete, and readable without any other host."""

import re
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from openapi_spec_validator import validate
from starlette.responses import Response

from one_api.edge.api import ENDPOINTS, Access
from one_api.edge.api.declared import Bare
from one_api.edge.api.endpoint import Call, get, post
from one_api.edge.api.openapi import document
from one_api.edge.api.schemas import Schemas
from tests.edge.api.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    kind: Literal["a", "b"]
    above: "Leaf | None"


@get("/api/plain/{id}", Access.USER)
async def plain(_call: Call) -> Response:
    return Response()


@post("/api/plain", Access.ANYONE)
async def plainly(_call: Call) -> Response:
    return Response()


def test_the_document_is_valid_and_has_every_endpoint() -> None:
    found = document(ENDPOINTS, version="v1")
    validate(found)
    described = {(method.upper(), path) for path, methods in found["paths"].items() for method in methods}
    assert described == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}


def test_an_endpoint_that_declares_nothing_is_described_plainly() -> None:
    found = document([plain, plainly], version="v1")
    validate(found)
    answer = found["paths"]["/api/plain/{id}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer["oneOf"][0]["properties"]["data"] == {}
    body = found["paths"]["/api/plain"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"type": "object"}


def test_who_may_ask_stands_beside_each_operation() -> None:
    found = document(ENDPOINTS, version="v1")
    for endpoint in ENDPOINTS:
        operation = found["paths"][endpoint.path][endpoint.method.lower()]
        assert operation["x-access"] == endpoint.access.name.lower()
        assert bool(operation["security"]) is (endpoint.access > Access.ANYONE)
        assert ("403" in operation["responses"]) is endpoint.changes


@pytest.mark.parametrize(
    "kind, schema",
    [
        (str, {"type": "string"}),
        (list[int], {"type": "array", "items": {"type": "integer", "format": "int64"}}),
        (tuple[str, ...], {"type": "array", "items": {"type": "string"}}),
        (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (str | None, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (Any, {}),
        (Leaf, {"$ref": "#/components/schemas/test_openapi.Leaf"}),
    ],
)
def test_types_have_schemas(kind: Any, schema: dict[str, Any]) -> None:
    assert Schemas().answer(kind) == schema


def test_a_type_may_hold_itself() -> None:
    schemas = Schemas()
    schemas.answer(Leaf)
    above = schemas.named["test_openapi.Leaf"]["properties"]["above"]
    assert above["anyOf"][0] == {"$ref": "#/components/schemas/test_openapi.Leaf"}


@pytest.mark.parametrize("kind", [object(), bytes, Bare(str)])
def test_what_no_answer_can_be_is_refused(kind: Any) -> None:
    with pytest.raises(TypeError):
        Schemas().answer(kind)


@pytest.mark.anyio
async def test_the_page_needs_no_other_host_and_no_script(here: World) -> None:
    answer = await here.somebody().ask("GET", "/api/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.findall(r"https?://|//|<script|<img|<link|style=|\son\w+=", answer.text)
    for endpoint in ENDPOINTS:
        assert f"<code>{endpoint.path}</code>" in answer.text


@pytest.mark.anyio
async def test_the_document_is_served_to_anyone(here: World) -> None:
    answer = await here.somebody().ask("GET", "/api/openapi.json")
    assert answer.json() == document(ENDPOINTS, version="v0.0.0")
