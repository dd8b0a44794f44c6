"""What users point at is fetched from public addresses only, and from the address that was checked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest

from one_api.relay.addresses import is_public
from one_api.relay.direct import DirectTransport
from one_api.relay.fetch import HEAD_OF_IMAGE, Fetcher, FetchError, resolve_all
from tests.relay.peer import answering, peer, read_request

pytestmark = pytest.mark.anyio

PRIVATE = [
    *(f"{net}{rest}" for net in ("0.", "10.", "127.") for rest in ("0.0.1", "255.255.254", "1.2.3", "0.0.0")),
    *(f"172.{n}.0.1" for n in range(16, 32)),
    *(f"100.{n}.0.1" for n in (64, 65, 100, 127)),
    *(f"{n}.1.2.3" for n in range(224, 256)),
    *(f"198.{n}.0.1" for n in (18, 19)),
    *(f"fd{n:02x}::1" for n in range(0, 256, 8)),
    *(f"fc{n:02x}::1" for n in range(0, 256, 8)),
    *(f"fe{n:02x}::1" for n in range(128, 256, 4)),
    *(f"ff{n:02x}::1" for n in range(0, 256, 16)),
    *(f"::ffff:{v4}" for v4 in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "0.0.0.0", "100.64.0.1")),
    *(f"64:ff9b::{v4}" for v4 in ("7f00:1", "a00:1", "a9fe:a9fe", "c0a8:101")),
    *(f"2002:{v4}::1" for v4 in ("7f00:1", "a00:1", "a9fe:a9fe", "c0a8:101")),
    *("169.254.169.254", "169.254.0.1", "192.168.0.1", "192.168.255.255", "192.0.2.1", "192.0.0.170", "198.51.100.7"),
    *("203.0.113.9", "168.63.129.16", "255.255.255.255", "::", "::1", "::127.0.0.1", "::2", "2001:db8::1", "2001::1"),
    *(
        "2001:0:53aa:64c:1:2:3:4",
        "3fff::1",
        "100::1",
        "fe80::1%eth0",
        "fec0::1",
        "not an address",
        "",
        "1.2.3",
        "5f00::1",
    ),
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "172.15.0.1",
    "172.32.0.1",
    "100.63.0.1",
    "100.128.0.1",
    "2606:4700::1111",
]
# Spellings of addresses that a resolver understands and a filter of text does not.
SPELLINGS = [
    *("127.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "0177.0.0.1", "0", "localhost", "127.0.0.1."),
    *("0x7f.0x0.0x0.0x1", "127.000.000.001", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]"),
]


@asynccontextmanager
async def fetching(**more: object) -> AsyncIterator[Fetcher]:
    over = DirectTransport(asyncio.get_running_loop())
    try:
        yield Fetcher(over, timeout=5, **more)  # type: ignore[arg-type]  # keyword arguments of a test
    finally:
        await over.aclose()


@pytest.mark.parametrize("address", PRIVATE)
def test_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_internet_is_public(address: str) -> None:
    assert is_public(address)


def test_the_operator_may_allow_a_network() -> None:
    assert is_public("10.1.2.3", [ip_network("10.1.0.0/16")])
    assert not is_public("10.2.2.3", [ip_network("10.1.0.0/16")])


@pytest.mark.parametrize("host", SPELLINGS)
async def test_no_spelling_of_a_local_address_reaches_it(host: str) -> None:
    async with peer(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")) as there, fetching() as fetcher:
        with pytest.raises(FetchError):
            await fetcher.get(f"http://{host}:{there.port}/")
        assert there.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/",
        "file:///etc/passwd",
        "gopher://a/",
        "http://",
        "http://a:b@c/",
        "//a/",
        "data:,x",
        "http://a b/",
        "http://a\r\nx/",
        "",
    ],
)
async def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    async with fetching() as fetcher:
        with pytest.raises(FetchError):
            await fetcher.get(url)


async def test_a_name_is_resolved_once_and_the_checked_address_is_the_connected_one() -> None:
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    heads: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await read_request(reader))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: image/png; x=y\r\ncontent-length: 3\r\n\r\nPNG")
        await reader.read()

    async with peer(script) as there, fetching(allowed=[ip_network("127.0.0.0/8")], resolve=resolve) as fetcher:
        found = await fetcher.get(f"http://pictures.example:{there.port}/a.png?x=1")
    assert (found.content_type, found.body) == ("image/png", b"PNG")
    assert asked == ["pictures.example"]
    assert heads[0].startswith(b"GET /a.png?x=1 HTTP/1.1\r\nhost: pictures.example:")
    assert b"authorization" not in heads[0].lower()


async def test_one_private_address_among_public_ones_refuses_the_name() -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        return ["93.184.216.34", "127.0.0.1"]

    async with fetching(resolve=resolve) as fetcher:
        with pytest.raises(FetchError, match="not a public one"):
            await fetcher.get("http://rebinding.example/")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    answer = b"HTTP/1.1 %d X\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n" % status
    async with peer(answering(answer, answer)) as there, fetching(allowed=[ip_network("127.0.0.0/8")]) as fetcher:
        with pytest.raises(FetchError):
            await fetcher.get(f"http://127.0.0.1:{there.port}/")
        assert there.connections == 1


async def test_what_is_too_large_is_cut_off() -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 1_000_000
    async with peer(answering(answer)) as there, fetching(allowed=[ip_network("127.0.0.0/8")]) as fetcher:
        url = f"http://127.0.0.1:{there.port}/"
        with pytest.raises(FetchError, match="too large"):
            await fetcher.get(url, most=1000)
    async with peer(answering(answer)) as there, fetching(allowed=[ip_network("127.0.0.0/8")]) as fetcher:
        head = await fetcher.head_of_image(f"http://127.0.0.1:{there.port}/")
        assert head is not None
        assert len(head) == HEAD_OF_IMAGE


async def test_what_is_no_image_is_empty_and_what_is_not_there_is_nothing() -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi"
    async with peer(answering(answer)) as there, fetching(allowed=[ip_network("127.0.0.0/8")]) as fetcher:
        assert await fetcher.head_of_image(f"http://127.0.0.1:{there.port}/") == b""
    async with fetching(allowed=[ip_network("127.0.0.0/8")]) as fetcher:
        assert await fetcher.head_of_image(f"http://127.0.0.1:{there.port}/") is None
        assert await fetcher.head_of_image("http://no-such-name.invalid/") is None


async def test_the_system_resolves_names() -> None:
    assert "127.0.0.1" in await resolve_all("localhost", 80)
