"""What nobody should send: it gets a clear refusal, costs nothing, reaches nobody, and hurts no one after it."""

import gzip
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from tests.conftest import GATEWAYS
from tests.e2e import wire
from tests.e2e.requests import BOUNDARY, FORM, FORM_PATHS, GOOD_FORM, JSON_ROUTES, MODELS, SOUND, Route, form, part
from tests.e2e.wire import Reply
from tests.e2e.world import START, World, open_world
from tests.harness import scripted, servers

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("bad_input")]

MIB = 2**20
LONG = b" " * MIB
LONG_CHUNK = b"100000\r\n" + LONG + b"\r\n"


@dataclass(frozen=True, slots=True)
class Case:
    """A request as bytes, and the status it has to be refused with. KEY stands for a good key.

    `more` follows the request, so many `times`.
    """

    name: str
    raw: bytes
    status: int = 400
    empty: bool = False
    more: bytes = b""
    times: int = 0


KEY = "sk-" + "K" * 48


# --- JSON: what two readers could read differently, or nobody can read ------------------------------------------------


def unreadable(route: Route) -> Iterator[tuple[str, bytes]]:
    good = route.body()
    nest = "[" * 100 + "]" * 100
    yield "not JSON", b"hello"
    yield "empty", b""
    yield "half", good[:-1]
    yield "trailing comma", good[:-1] + b",}"
    yield "data after the end", good + b"{}"
    yield "a comment", good[:-1] + b"/**/}"
    yield "single quotes", good.replace(b'"', b"'")
    yield "an array", b"[" + good + b"]"
    yield "a number", b"1"
    yield "a text", b'"model"'
    yield "a byte order mark", b"\xef\xbb\xbf" + good
    yield "UTF-16", good.decode().encode("utf-16")
    yield "bytes that are no UTF-8", route.with_raw("user", '"@"').replace(b"@", b"\xff")
    yield "a control character", route.with_raw("user", '"a\nb"')
    yield "half a surrogate pair", route.with_raw("user", r'"\ud83d"')
    yield "the wrong half", route.with_raw("user", r'"\udc00 x"')
    yield "a bad escape", route.with_raw("user", r'"\x41"')
    yield "100 levels", route.with_raw("user", nest)
    yield "100 levels of objects", route.with_raw("user", '{"a":' * 100 + "1" + "}" * 100)
    yield "100,000 levels", route.with_raw("user", "[" * 100_000)
    yield "a key twice", route.with_raw("user", '1,"user":1')
    yield "a key twice within", route.with_raw("metadata", '{"a":1,"b":{"c":1,"c":2}}')
    yield "a key twice, once escaped", route.with_raw("user", r'1,"us\u0065r":2')
    yield "a key twice, with a blank", route.with_raw("user", '1,"user" :2')
    yield "the model twice", route.with_raw("model", '"dall-e-2","model":"dall-e-3"')
    for number in ("NaN", "Infinity", "-Infinity", "1e400", "-1e999", "0x10", "01", "+1", ".5", "1.", "nan"):
        yield f"the number {number}", route.with_raw("user", number)


def look_alikes(route: Route) -> Iterator[tuple[str, bytes]]:
    for key in route.priced:
        yield f"{key} capitalised", route.with_raw(key.capitalize(), "1")
        yield f"{key} in capitals", route.with_raw(key.upper(), "1")
        if "s" in key:
            yield f"{key} with a long s", route.with_raw(key.replace("s", "\u017f", 1), "1")
        if "k" in key:
            yield f"{key} with a Kelvin sign", route.with_raw(key.replace("k", "\u212a", 1), "1")


# --- fields of the wrong type or size ---------------------------------------------------------------------------------

NOT_TEXT = ("1", "1.5", "true", "[]", "{}", '["a"]')
NOT_FLAG = ('"true"', "1", "0", "[]", "{}")
NOT_COUNT = (
    *('"1"', "true", "[]", "{}", "1.5", "1.0", "1e1", "-1"),
    *("9223372036854775808", "-9223372036854775809", "1" + "0" * 30, "1" + "0" * 5000),
)
MISTYPED: dict[str, dict[str, tuple[str, ...]]] = {
    "chat": {
        "model": NOT_TEXT,
        "stream": NOT_FLAG,
        "n": (*NOT_COUNT, "129"),
        "max_tokens": (*NOT_COUNT, "1073741824"),
        "max_completion_tokens": NOT_COUNT,
        "stream_options": ("1", '"x"', "[]", "true"),
        "temperature": ('"1"', "true", "[]", "{}"),
        "response_format": ('"json"', "[]"),
        "messages": (
            *("null", '""', "[]", "1", '"hello"', "{}", "true"),
            *("[1]", "[null]", '["hello"]', "[[]]"),
            *('[{"role":"user","content":1}]', '[{"role":"user","content":true}]', '[{"role":"user","content":{}}]'),
            *('[{"role":"user","content":[1]}]', '[{"role":"user","content":["x"]}]'),
            *('[{"role":"user","content":[null]}]', '[{"role":"user","content":[[]]}]'),
            *(
                f'[{{"role":"user","content":[{{"type":"image_url"{rest}}}]}}]'
                for rest in ("", ',"image_url":1', ',"image_url":{}', ',"image_url":{"url":1}', ',"image_url":null')
            ),
        ),
    },
    "completions": {
        "model": NOT_TEXT,
        "stream": NOT_FLAG,
        "n": NOT_COUNT,
        "max_tokens": NOT_COUNT,
        "prompt": ("null", '""', "[]"),
    },
    "embeddings": {"model": NOT_TEXT, "input": ("null", '""', "[]")},
    "engines": {"model": NOT_TEXT, "input": ("null", '""', "[]")},
    "moderations": {"model": NOT_TEXT, "input": ("null", '""', "[]")},
    "images": {
        "model": NOT_TEXT,
        "prompt": (*NOT_TEXT, "null", '""'),
        "n": (*NOT_COUNT, "11"),
        "size": (*NOT_TEXT, '"1x1"', '"1024X1024"', '"1024x1024 "'),
        "quality": ("1", "true", "[]"),
    },
    "edits": {"model": NOT_TEXT, "instruction": ("null", '""', "1", "[]"), "n": NOT_COUNT},
    "speech": {"model": NOT_TEXT, "input": ("1", "true", "[]", "{}", '"' + "x" * 4097 + '"')},
}


def json_cases() -> Iterator[Case]:
    for name, route in JSON_ROUTES.items():
        for defect, body in (*unreadable(route), *look_alikes(route)):
            yield Case(f"{name}: {defect}", route.request(KEY, body))
        for key, values in MISTYPED[name].items():
            for value in values:
                shown = value if len(value) < 80 else f"{value[:20]}.. ({len(value)})"
                yield Case(f"{name}: {key} is {shown}", route.request(KEY, route.with_raw(key, value)))
        for key in route.document:
            # Nothing of what a route needs may be missing, but for a model that has a default.
            if key == "model":
                status = {"moderations": 0, "images": 0, "speech": 503}.get(name, 503)
            else:
                status = (
                    0
                    if key in {"max_tokens", "voice", "input"} and name not in {"embeddings", "engines", "moderations"}
                    else 400
                )
            if status:
                yield Case(f"{name}: no {key}", route.request(KEY, route.body(**{key: ...})), status)
        yield from encodings(name, route.path, route.body(), "application/json")
        for kind in ("text/plain", "", "application/x-www-form-urlencoded", FORM, "APPLICATION/JSON", "text/json"):
            # One API reads no field of a body that is not declared as JSON: the model is then empty.
            status = 400 if name in {"images", "moderations", "engines"} else 503
            yield Case(f"{name}: declared as {kind or 'nothing'}", route.request(KEY, kind=kind), status)


def encodings(name: str, path: str, body: bytes, kind: str) -> Iterator[Case]:
    packed = gzip.compress(body, mtime=0)
    bomb = gzip.compress(body + b" " * (8 * MIB), mtime=0)
    double = gzip.compress(gzip.compress(b" " * (64 * MIB), mtime=0), mtime=0)
    spoiled = bytearray(packed)
    spoiled[-6] ^= 255
    damaged = {
        "is no gzip": body,
        "is empty": b"",
        "is half of it": packed[: len(packed) // 2],
        "has a wrong checksum": bytes(spoiled),
        "goes on after its end": packed + b"x",
        "is two of them": packed + packed,
        "is zlib": zlib.compress(body),
    }
    for defect, data in damaged.items():
        raw = wire.request(path, data, key=KEY, kind=kind, extra="content-encoding: gzip\r\n")
        yield Case(f"{name}: gzip that {defect}", raw, empty=True)
    for defect, data in {"a bomb": bomb, "a bomb in a bomb": double}.items():
        status = 413 if data is bomb else 400
        yield Case(
            f"{name}: gzip, {defect}",
            wire.request(path, data, key=KEY, kind=kind, extra="content-encoding: gzip\r\n"),
            status,
        )
    for coding in ("br", "zstd", "deflate", "gzip, gzip", "x"):
        raw = wire.request(path, packed, key=KEY, kind=kind, extra=f"content-encoding: {coding}\r\n")
        yield Case(f"{name}: encoded as {coding}", raw)


# --- forms ------------------------------------------------------------------------------------------------------------


def form_cases() -> Iterator[Case]:
    model = part("model", "whisper-1")
    other = part("model", "tts-1")
    bodies = {
        "empty": b"",
        "not a form": b"hello",
        "no end": model + SOUND,
        "cut in the file": GOOD_FORM[:-90],
        "cut in a header": GOOD_FORM[:40],
        "another boundary": GOOD_FORM.replace(BOUNDARY.encode(), b"b-boundary"),
        "two models": form(model, other, SOUND),
        "the same model twice": form(model, model, SOUND),
        "two files": form(model, SOUND, SOUND),
        "two formats": form(model, part("response_format", "text"), part("response_format", "json"), SOUND),
        "a model that is a file": form(part("model", "whisper-1", filename="m"), SOUND),
        "a nameless part": form(
            model, SOUND, b"--" + BOUNDARY.encode() + b"\r\nContent-Disposition: form-data\r\n\r\nx\r\n"
        ),
        "a part without headers": form(model, SOUND, b"--" + BOUNDARY.encode() + b"\r\n\r\nx\r\n"),
        "65 parts": form(*[part(f"a{n}", "b") for n in range(64)], model, SOUND),
        "two dispositions in a part": form(
            part("model", "whisper-1", extra='Content-Disposition: form-data; name="x"\r\n'), SOUND
        ),
        "two names in a part": form(model.replace(b'name="model"', b'name="model"; name="x"'), SOUND),
        "an encoded part": form(part("model", "whisper-1", extra="Content-Transfer-Encoding: base64\r\n"), SOUND),
        "a model of bytes": form(part("model", b"whisper-1\xff"), SOUND),
        "a part header with a bad byte": form(model.replace(b"Content-D", b"Content\x00D"), SOUND),
        "two ends": form(model, SOUND) + form(other),
    }
    for name, path in FORM_PATHS.items():
        for defect, body in bodies.items():
            yield Case(f"{name}: {defect}", wire.request(path, body, key=KEY, kind=FORM))
        for kind in ("multipart/form-data", "multipart/form-data; boundary=", f"{FORM}; boundary=b", f"{FORM}x"):
            yield Case(f"{name}: declared as {kind}", wire.request(path, GOOD_FORM, key=KEY, kind=kind))
        for kind in (
            "text/plain",
            "audio/mpeg",
            "",
            "application/x-www-form-urlencoded",
            "multipart/mixed; boundary=a",
        ):
            yield Case(f"{name}: declared as {kind or 'nothing'}", wire.request(path, GOOD_FORM, key=KEY, kind=kind))
        for defect, body in (("not JSON", b"hello"), ("the model twice", b'{"model":"whisper-1","model":"tts-1"}')):
            yield Case(f"{name}: as JSON, {defect}", wire.request(path, body, key=KEY))
        unread = form(part("model", "nowhere"), SOUND)
        yield Case(f"{name}: an unknown model", wire.request(path, unread, key=KEY, kind=FORM), 503)
        yield from encodings(name, path, GOOD_FORM, FORM)


PATHS = {name: route.path for name, route in JSON_ROUTES.items()} | dict(FORM_PATHS)


# --- HTTP -------------------------------------------------------------------------------------------------------------


def http_cases() -> Iterator[Case]:
    for name, path in PATHS.items():
        start, key = f"POST {path} HTTP/1.1\r\nhost: x\r\n", f"authorization: Bearer {KEY}\r\n"
        top = start + key + "content-type: application/json\r\n"
        yield from (
            Case(f"{name}: {defect}", text.encode("latin-1"), status)
            for defect, text, status in (
                ("two lengths", top + "content-length: 2\r\ncontent-length: 3\r\n\r\n{}", 400),
                ("two equal lengths", top + "content-length: 2\r\ncontent-length: 2\r\n\r\n{}", 400),
                ("a list of lengths", top + "content-length: 2, 2\r\n\r\n{}", 400),
                ("a length below zero", top + "content-length: -2\r\n\r\n{}", 400),
                ("a length with a sign", top + "content-length: +2\r\n\r\n{}", 400),
                ("a hexadecimal length", top + "content-length: 0x2\r\n\r\n{}", 400),
                ("an endless length", top + f"content-length: {'9' * 40}\r\n\r\n", 400),
                ("a length and chunks", top + "content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
                ("chunks and a length", top + "transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n", 400),
                ("chunks twice", top + "transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
                ("chunks not last", top + "transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
                ("another encoding", top + "transfer-encoding: gzip\r\n\r\n0\r\n\r\n", 400),
                ("a blank before the colon", top + "transfer-encoding : chunked\r\n\r\n0\r\n\r\n", 400),
                ("a size that is none", top + "transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400),
                ("a size below zero", top + "transfer-encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n", 400),
                ("a size too large", top + "transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}", 400),
                ("a chunk too long", top + "transfer-encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n", 400),
                ("chunks ended by a line feed", top + "transfer-encoding: chunked\r\n\r\n2\n{}\n0\n\n", 400),
                ("a folded header", top + "x: a\r\n b\r\ncontent-length: 2\r\n\r\n{}", 400),
                ("a folded length", top + "content-length:\r\n 2\r\n\r\n{}", 400),
                ("bare line feeds", top.replace("\r\n", "\n") + "content-length: 2\n\n{}", 400),
                ("a bare carriage return", top + "x: a\rb\r\ncontent-length: 2\r\n\r\n{}", 400),
                ("a null byte", top + "x: a\0b\r\ncontent-length: 2\r\n\r\n{}", 400),
                ("a null byte in a name", top + "x\0y: a\r\ncontent-length: 2\r\n\r\n{}", 400),
                ("a header without a colon", top + "nonsense\r\ncontent-length: 2\r\n\r\n{}", 400),
                ("a header without a name", top + ": x\r\ncontent-length: 2\r\n\r\n{}", 400),
                ("a blank in a name", top + "x y: a\r\ncontent-length: 2\r\n\r\n{}", 400),
                ("129 headers", top + "a: b\r\n" * 127 + "content-length: 2\r\n\r\n{}", 431),
                ("10,000 headers", top + "a: b\r\n" * 10_000, 431),
                ("a header of 40 KB", top + f"x: {'y' * 40_000}\r\ncontent-length: 2\r\n\r\n{{}}", 431),
                ("a name of 40 KB", top + f"{'y' * 40_000}: x\r\ncontent-length: 2\r\n\r\n{{}}", 431),
                ("a target of 40 KB", start.replace(path, f"{path}?{'y' * 40_000}") + key + "\r\n", 431),
                ("an absolute target", top.replace(path, f"http://x{path}") + "content-length: 2\r\n\r\n{}", 400),
                (
                    "another's host",
                    top.replace(path, f"https://evil.example{path}") + "content-length: 2\r\n\r\n{}",
                    400,
                ),
                (
                    "a host and a user",
                    top.replace(path, f"http://a@evil.example{path}") + "content-length: 0\r\n\r\n",
                    400,
                ),
                ("a tunnel", top.replace(f"POST {path}", "CONNECT evil.example:443") + "\r\n", 400),
                ("no version", f"POST {path}\r\n\r\n", 400),
                ("version 0.9", top.replace("HTTP/1.1", "HTTP/0.9") + "content-length: 2\r\n\r\n{}", 400),
                ("version 2.0", top.replace("HTTP/1.1", "HTTP/2.0") + "content-length: 2\r\n\r\n{}", 400),
                ("an unknown method", top.replace("POST", "SPEND") + "content-length: 2\r\n\r\n{}", 400),
                ("a method in small letters", top.replace("POST", "post") + "content-length: 2\r\n\r\n{}", 400),
                ("two keys", top + "authorization: Bearer sk-other\r\ncontent-length: 2\r\n\r\n{}", 400),
                ("two types", top + "content-type: text/plain\r\ncontent-length: 2\r\n\r\n{}", 400),
                ("GET", top.replace("POST", "GET") + "\r\n", 404),
                ("PUT", top.replace("POST", "PUT") + "content-length: 2\r\n\r\n{}", 404),
                ("DELETE", top.replace("POST", "DELETE") + "content-length: 0\r\n\r\n", 404),
                ("more path", top.replace(path, path + "/more") + "content-length: 2\r\n\r\n{}", 404),
                ("dots", top.replace(path, f"/v1/../v1{path[3:]}") + "content-length: 2\r\n\r\n{}", 404),
                ("a null byte in the path", top.replace(path, path + "%00") + "content-length: 2\r\n\r\n{}", 404),
                ("no key", start + "content-type: application/json\r\ncontent-length: 2\r\n\r\n{}", 401),
                ("an empty key", top.replace(KEY, "") + "content-length: 2\r\n\r\n{}", 401),
                ("an unknown key", top.replace(KEY, "sk-" + "x" * 48) + "content-length: 2\r\n\r\n{}", 401),
                ("a key of bytes", top.replace(KEY, "sk-\xff\xfe") + "content-length: 2\r\n\r\n{}", 401),
                ("a key of 20 KB", top.replace(KEY, "sk-" + "x" * 20_000) + "content-length: 2\r\n\r\n{}", 401),
                ("a key for SQL", top.replace(KEY, "sk-' OR 1=1 #") + "content-length: 2\r\n\r\n{}", 401),
            )
        )
        long = f"content-length: {50 * MIB}\r\n\r\n"
        yield Case(f"{name}: 50 MiB", (top + long).encode(), 413, more=LONG, times=50)
        framed = (top + "transfer-encoding: chunked\r\n\r\n").encode()
        yield Case(f"{name}: 50 MiB in chunks", framed, 413, more=LONG_CHUNK, times=50)
        yield Case(f"{name}: a header without an end", (top + "x: ").encode(), 431, more=LONG, times=4)
        yield Case(f"{name}: a target without an end", f"POST {path}?".encode(), 431, more=b"y" * MIB, times=4)
    yield Case("nonsense", b"nonsense\r\n\r\n")
    yield Case("TLS", bytes.fromhex("1603010200010001fc0303") + bytes(500))
    yield Case("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")


CASES = [*json_cases(), *form_cases(), *http_cases()]


@dataclass(frozen=True, slots=True)
class Site:
    """A world, and a key that can pay."""

    world: World
    key: str


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("bad-input")
    async with open_world(directory, servers.sqlite(directory)) as world:
        world.channel("up", MODELS)
        yield Site(world, world.root.user("alice", START).token())


@pytest.fixture(autouse=True)
def fresh(request: pytest.FixtureRequest, site: Site) -> None:
    request.node.stash[GATEWAYS] = [site.world.gateway]
    site.world.upstream.reset()
    site.world.upstream.scripts["up"] = scripted.replies(500, b"{}")


async def answer(site: Site, case: Case) -> Reply:
    """The answer to a request; whatever it was, the connection is usable after it, or closed."""
    async with wire.connect(site.world.port) as connection:
        await connection.flood(case.raw.replace(KEY.encode(), site.key.encode()))
        await connection.flood(*[case.more] * case.times)
        reply = await connection.reply()
        if reply.closes:
            assert await connection.closed()
        else:
            connection.send(wire.request("/v1/models", method="GET", key=site.key))
            assert (await connection.reply()).status == 200
        return reply


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_bad_requests_are_refused_and_cost_nothing(site: Site, case: Case) -> None:
    before = await site.world.books.fingerprint()
    reply = await answer(site, case)
    assert reply.status == case.status, (reply.status, reply.body[:300])
    if case.empty:
        assert reply.body == b""
    else:
        error = reply.error
        assert set(error) in ({"message", "type"}, {"message", "type", "param", "code"}), error
        assert error["message"]
        assert error["type"] in {"one_api_error", "invalid_request_error"}
    assert await site.world.books.fingerprint() == before
    assert not site.world.upstream.received
