"""HTTP that is refused, and HTTP that is odd but has one reading, on every relayed route."""

import gzip
from collections.abc import Iterator

from tests.e2e.bad_bodies import KEY, MIB, Case
from tests.e2e.requests import FORM_PATHS, JSON_ROUTES

LONG = b" " * MIB
LONG_CHUNK = b"100000\r\n" + LONG + b"\r\n"
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


def odd(key: str) -> dict[str, bytes]:
    body = JSON_ROUTES["chat"].body()
    head = f"authorization: Bearer {key}\r\ncontent-type: application/json\r\n"
    top = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n{head}"
    size = f"content-length: {len(body)}\r\n\r\n"
    pieces = b"".join(b"1;ext=%d\r\n%c\r\n" % (at, byte) for at, byte in enumerate(body)) + b"0\r\n"
    packed = gzip.compress(body)
    upgrade = "connection: upgrade, http2-settings\r\nhttp2-settings: AA\r\nupgrade: "
    chunked = "transfer-encoding: chunked\r\n\r\n"
    loud = top.replace("host:", "HOST:").replace("authorization:", "AUTHORIZATION:").replace("content-", "CONTENT-")
    texts = {
        "a trailing slash": top.replace("completions ", "completions/ ") + size,
        "a query": top.replace("completions ", "completions?api-version=1&x=http://evil ") + size,
        "another host": top.replace("host: x", "host: evil.example:1") + size,
        "names in capitals": loud + size.upper(),
        "no space after the colon": top.replace(": ", ":") + size,
        "an expectation": top + "expect: 100-continue\r\n" + size,
        "an offer of HTTP/2": top + upgrade + "h2c\r\n" + size,
        "an offer of a socket": top + upgrade + "websocket\r\n" + size,
        "a blank line before": "\r\n" + top + size,
        "a parameter of the type": top.replace("/json", "/json; charset=utf-8") + size,
        "the old version": top.replace("HTTP/1.1", "HTTP/1.0") + size,
        "a wish to close": top + "connection: close\r\n" + size,
        "a host before ours": top + "x-forwarded-host: evil.example\r\nx-forwarded-for: 10.0.0.1\r\n" + size,
    }
    return {
        **{name: text.encode() + body for name, text in texts.items()},
        "chunks with extensions": (top + chunked).encode() + pieces + b"\r\n",
        "trailers": (top + chunked).encode() + pieces + b"content-type: text/plain\r\n\r\n",
        "an offer in chunks": (top + upgrade + "h2c\r\n" + chunked).encode() + pieces + b"\r\n",
        "gzip": f"{top}content-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n".encode() + packed,
    }
