"""A real gateway against a certified OpenID provider: its pages, its PKCE, its signed tokens."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import pytest

from tests.conftest import StartGateway
from tests.harness import servers

CONSOLE = "http://console.test"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not (servers.UPSTREAMS / "node_modules").is_dir():
        pytest.skip("make tests/upstreams/node_modules/.package-lock.json")
    with servers.openid(f"{CONSOLE}/oauth/oidc", tmp_path_factory.mktemp("openid") / "log") as url:
        yield url


def configured(gateway: servers.Gateway, issuer: str, client: str) -> None:
    with httpx2.Client(base_url=gateway.url, timeout=30) as root:
        assert root.post("/api/user/login", json={"username": "root", "password": "123456"}).json()["success"]
        options = {
            "ServerAddress": CONSOLE,
            "OidcEnabled": "true",
            "OidcClientId": client,
            "OidcClientSecret": f"{client}-secret",
            "OidcWellKnown": f"{issuer}/.well-known/openid-configuration",
        }
        for key, value in options.items():
            assert root.put("/api/option/", json={"key": key, "value": value}).json()["success"]


def agreed(issuer: str, start: str, name: str) -> dict[str, str]:
    """What the provider's last redirect has in its query, after somebody signed in there and agreed."""
    with httpx2.Client(timeout=30) as browser:
        answer = browser.get(start)
        for _ in range(10):
            place = urljoin(str(answer.url), answer.headers["location"])
            if place.startswith(CONSOLE):
                return {key: values[0] for key, values in parse_qs(urlsplit(place).query).items()}
            assert place.startswith(issuer), place
            answer = browser.get(place)
            if answer.status_code == 200:
                prompt = "consent" if 'value="consent"' in answer.text else "login"
                answer = browser.post(place, data={"prompt": prompt, "login": name, "password": "x"})
    raise AssertionError("the provider never sent the browser back")


def signed_in(gateway: servers.Gateway, issuer: str, name: str) -> Any:
    with httpx2.Client(base_url=gateway.url, timeout=30) as person:
        begun = person.get("/api/oauth/state?provider=oidc").json()
        back = agreed(issuer, begun["url"], name)
        assert back["state"] == begun["data"]
        answer = person.get("/api/oauth/oidc", params=back).json()
        assert answer["success"], answer
        assert person.get("/api/oauth/oidc", params=back).status_code == 403
        return person.get("/api/user/self").json()["data"]


@pytest.mark.parametrize("client", ["post", "basic"])
def test_somebody_signs_in_and_is_found_again(gateway: StartGateway, issuer: str, client: str) -> None:
    started = gateway()
    configured(started, issuer, client)
    alice = signed_in(started, issuer, "alice")
    assert (alice["oidc_id"], alice["username"], alice["email"]) == ("alice", "alice", "alice@corp.example")
    assert alice["display_name"] == "Name of alice"
    assert signed_in(started, issuer, "alice")["id"] == alice["id"]
    mallory = signed_in(started, issuer, "mallory")
    assert (mallory["id"] != alice["id"], mallory["email"]) == (True, "")
    assert f"{client}-secret" not in started.output()
