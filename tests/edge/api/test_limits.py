"""Who may ask how often."""

import asyncio

import httpx2
import pytest

from tests.edge.api.world import Person, World, world
from tests.harness import servers

pytestmark = pytest.mark.anyio

WRONG = {"username": "x", "password": "y"}


def at(here: World, address: str) -> Person:
    """Somebody at this address."""
    person = here.somebody()
    person.http = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=here.app, client=(address, 1)), base_url="http://gateway.test"
    )
    return person


async def statuses(person: Person, method: str, path: str, body: object = None, *, times: int) -> list[int]:
    return [(await person.ask(method, path, body)).status_code for _ in range(times)]


async def test_routes_that_invite_guessing_share_one_count(sqlite: servers.Database) -> None:
    async with world(sqlite, critical_rate_limit=20) as here:
        person = at(here, "203.0.113.9")
        assert await statuses(person, "POST", "/api/user/login", WRONG, times=10) == [200] * 10
        assert await statuses(person, "GET", "/api/verification?email=bad", times=10) == [200] * 10
        refused = await person.ask("POST", "/api/user/login", WRONG)
        assert (refused.status_code, refused.content, "content-type" in refused.headers) == (429, b"", False)
        for method, path in (
            ("GET", "/api/reset_password"),
            ("POST", "/api/user/reset"),
            ("POST", "/api/user/register"),
        ):
            assert (await person.ask(method, path)).status_code == 429
        assert (await person.ask("GET", "/api/notice")).status_code == 200
        assert (await at(here, "203.0.113.10").ask("POST", "/api/user/login", WRONG)).status_code == 200
        here.clock.now += 1199
        assert (await person.ask("POST", "/api/user/login", WRONG)).status_code == 429
        here.clock.now += 1  # refused requests did not count
        assert (await person.ask("POST", "/api/user/login", WRONG)).status_code == 200


async def test_a_network_counts_as_one_and_a_header_makes_no_other(sqlite: servers.Database) -> None:
    async with world(sqlite, global_api_rate_limit=5) as here:
        for number in range(5):
            assert (await at(here, f"2001:db8::{number}").ask("GET", "/api/status")).status_code == 200
        assert (await at(here, "2001:db8::99").ask("GET", "/api/status")).status_code == 429
        forged = {"X-Forwarded-For": "198.51.100.1", "X-Real-IP": "198.51.100.1"}
        assert (await at(here, "2001:db8::99").ask("GET", "/api/status", **forged)).status_code == 429
        assert (await at(here, "2001:db8:0:1::").ask("GET", "/api/status")).status_code == 200


async def test_interface_and_pages_are_counted_apart(sqlite: servers.Database) -> None:
    async with world(sqlite, global_api_rate_limit=5, global_web_rate_limit=3) as here:
        person = at(here, "203.0.113.9")
        assert await statuses(person, "GET", "/api/notice", times=7) == [200] * 5 + [429] * 2
        assert (await person.ask("GET", "/api/nope")).status_code == 404  # no route: a page
        assert await statuses(person, "GET", "/", times=3) == [200, 200, 429]
        assert (await person.ask("OPTIONS", "/", Origin="https://x")).status_code == 204
        here.clock.now += 180
        assert await statuses(person, "GET", "/", times=4) == [200] * 3 + [429]


async def test_a_password_is_guessed_no_faster_from_many_addresses(here: World) -> None:
    """By name and by mail address alike; and nobody learns by it whether there is such an account."""
    await here.user("erin")

    async def guess(number: int, name: str) -> int:
        person = at(here, f"10.0.{number >> 8}.{number & 255}")
        return (await person.ask("POST", "/api/user/login", {"username": name, "password": "z"})).status_code

    for name in ("erin", "nobody"):
        answers = await asyncio.gather(*(guess(number, name) for number in range(60)))
        assert sorted(answers) == [200] * 50 + [429] * 10
    assert (
        await here.somebody().ask("POST", "/api/user/login", {"username": "erin", "password": "password12"})
    ).status_code == 429
    here.clock.now += 1200
    assert (await here.somebody().login("erin"))["success"] is True


async def test_right_passwords_are_no_guesses(here: World) -> None:
    await here.user("erin")
    for _ in range(60):
        assert (await here.somebody().login("erin"))["success"] is True
