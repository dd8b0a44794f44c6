"""The proxies that HTTP_PROXY and HTTPS_PROXY name, for whom NO_PROXY does not except: as Go's client reads them.

https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
"""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from one_api.relay.transport import Exchange, HttpRequest, Origin, Sink, Timeouts, Transport


@dataclass(frozen=True, slots=True)
class Proxies:
    """Addresses of proxies, "" for none, and the list of whom they do not serve."""

    plain: str = ""
    tls: str = ""
    excepted: str = ""

    def __bool__(self) -> bool:
        return bool(self.plain or self.tls)

    def of(self, origin: Origin) -> str:
        """The proxy towards this origin, "" for none."""
        proxy = self.tls if origin.secure else self.plain
        if not proxy or _local(origin.host) or any(_covers(item, origin) for item in self.excepted.split(",")):
            return ""
        return proxy if "://" in proxy else f"http://{proxy}"


class ByEnvironment:
    """A transport that asks for each request which one takes it."""

    def __init__(self, proxies: Proxies, *, direct: Transport, proxied: Callable[[str], Transport]) -> None:
        self._proxies = proxies
        self._direct = direct
        self._proxied = proxied

    def send(self, request: HttpRequest, sink: Sink, timeouts: Timeouts) -> Exchange:
        proxy = self._proxies.of(request.origin)
        return (self._proxied(proxy) if proxy else self._direct).send(request, sink, timeouts)

    async def aclose(self) -> None:
        """The transports are somebody else's."""


def _local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _covers(item: str, origin: Origin) -> bool:
    """One item of NO_PROXY: `*`, an address, a network, a domain with what is below it, or `.domain` for that alone.

    It may end in a port, which then has to be the origin's.
    """
    item = item.strip().lower()
    if item == "*":
        return True
    try:
        return ip_address(origin.host) in ip_network(item, strict=False)
    except ValueError:
        pass
    name, colon, port = item.rpartition(":")
    if colon and port.isdecimal() and "]" not in port:
        if int(port) != origin.port:
            return False
        item = name
    item = item.strip("[]").removeprefix("*")
    if not item:
        return False
    return origin.host.endswith(item) if item.startswith(".") else _is_or_below(origin.host, item)


def _is_or_below(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")
