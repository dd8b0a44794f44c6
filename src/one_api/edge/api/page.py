"""The description of the interface as one page for people: no script, no image, no other host. Pure."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

_STYLE: Final = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 0 auto; padding: 1rem }
summary { cursor: pointer; padding: .3rem 0 }
details details { margin-left: 1rem }
code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere }
table { border-collapse: collapse; margin: .3rem 0 }
th, td { text-align: left; vertical-align: top; padding: .15rem .8rem .15rem 0; border-bottom: 1px solid #8884 }
.method { display: inline-block; min-width: 4.2rem; font-weight: 700 }
.who { opacity: .7; float: right }
.operation { padding: 0 0 .6rem 1rem }
"""
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
Node = Mapping[str, Any]


def page(document: Node) -> str:
    """HTML of an OpenAPI document as `openapi.document` makes it."""
    info = document["info"]
    return "".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style><body>",
            f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1><p>{escape(info['description'])}</p>",
            '<p>For programs: <a href="/api/openapi.json">openapi.json</a>.</p>',
            *(_resource(document, tag["name"]) for tag in document["tags"]),
            "<h2>Types</h2>",
            *(_type(name, schema) for name, schema in document["components"]["schemas"].items()),
            "</body></html>",
        ]
    )


def _resource(document: Node, tag: str) -> str:
    operations = (
        _operation(path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if tag in operation["tags"]
    )
    return f"<h2>{escape(tag.replace('_', ' ').capitalize())}</h2>{''.join(operations)}"


def _operation(path: str, method: str, operation: Node) -> str:
    body = operation.get("requestBody")
    answers = [
        (status, f"{escape(answer['description'])} {_content(answer)}")
        for status, answer in operation["responses"].items()
    ]
    parts = [
        f"<p>{escape(operation.get('description', operation['summary']))}</p>",
        _table(("Parameter", "in", "", ""), _parameters(operation)),
        f"<p>Body: {_content(body)}</p>" if body else "",
        _table(("Answer", ""), answers),
    ]
    return (
        f'<details><summary><span class="method">{method.upper()}</span> <code>{escape(path)}</code>'
        f' <span class="who">{escape(operation["x-access"])}</span></summary>'
        f'<div class="operation">{"".join(parts)}</div></details>'
    )


def _parameters(operation: Node) -> Iterator[tuple[str, ...]]:
    for each in operation["parameters"]:
        yield (
            f"<code>{escape(each['name'])}</code>",
            each["in"],
            _kind(each["schema"]),
            escape(each.get("description", "")),
        )


def _content(answer: Node) -> str:
    return ", ".join(_kind(content["schema"]) for content in answer.get("content", {}).values())


def _type(name: str, schema: Node) -> str:
    members = [(f"<code>{escape(member)}</code>", _kind(kind)) for member, kind in schema["properties"].items()]
    return f'<h3 id="{escape(name)}">{escape(name)}</h3>{_table(("", ""), members)}'


def _kind(schema: Node) -> str:
    """A type in a few words, with a link where it has a name."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return " or ".join(_kind(each) for each in schema[choice])
    for constant in ("const", "enum"):
        if constant in schema:
            return f"<code>{escape(str(schema[constant]))}</code>"
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_kind(schema['items'])}"
    if kind == "object":
        return _object(schema)
    return escape(" or ".join(kind) if isinstance(kind, list) else kind)


def _object(schema: Node) -> str:
    if "properties" in schema:
        members = (f"<code>{escape(name)}</code>: {_kind(kind)}" for name, kind in schema["properties"].items())
        return f"{{ {', '.join(members)} }}"
    return f"object of {_kind(schema['additionalProperties'])}" if "additionalProperties" in schema else "object"


def _table(head: tuple[str, ...], rows: Any) -> str:
    made = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    if not made:
        return ""
    titles = "".join(f"<th>{escape(title)}</th>" for title in head) if any(head) else ""
    return f"<table>{f'<tr>{titles}</tr>' if titles else ''}{made}</table>"
