"""A code made by one process is good at another."""

import re
from typing import Any

import httpx2
import pytest

from tests.conftest import StartGateway
from tests.harness import smtp
from tests.harness.servers import Database

pytestmark = pytest.mark.anyio


async def until_email_verification_is_on(node: httpx2.AsyncClient) -> None:
    while not (await node.get("/api/status")).json()["data"]["email_verification"]:
        pass  # each question takes its time; the test's own limit ends it


async def put(root: httpx2.AsyncClient, key: str, value: str) -> None:
    assert (await root.put("/api/option/", json={"key": key, "value": value})).json()["success"]


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None
    return match[1]


async def test_codes_are_shared(gateway: StartGateway, postgres: Database) -> None:
    one, other = (gateway(postgres, GLOBAL_API_RATE_LIMIT="0") for _ in range(2))
    async with (
        smtp.serve() as mails,
        httpx2.AsyncClient(base_url=one.url, timeout=30) as first,
        httpx2.AsyncClient(base_url=other.url, timeout=30) as second,
    ):
        await first.post("/api/user/login", json={"username": "root", "password": "123456"})
        for key, value in (
            ("SMTPServer", "localhost"),
            ("SMTPPort", str(mails.port)),
            ("SMTPFrom", "noreply@gw.example"),
            ("EmailVerificationEnabled", "true"),
        ):
            await put(first, key, value)
        await until_email_verification_is_on(second)

        async def ask(node: httpx2.AsyncClient, method: str, path: str, body: Any = None) -> Any:
            answer = (await node.request(method, path, json=body)).json()
            assert answer["success"], answer
            return answer.get("data")

        await ask(second, "GET", "/api/verification?email=erin@gmail.com")
        code = found(r">([0-9a-f]{6})</p>", mails.mails.pop().body)
        form = {"username": "erin", "password": "erinpass12", "email": "erin@gmail.com"}
        # Whoever is signed in would have to ask himself.
        first.cookies.clear()
        await ask(first, "POST", "/api/user/register", form | {"verification_code": code})
        await ask(first, "GET", "/api/reset_password?email=erin@gmail.com")
        token = found(r"token=([0-9a-f]{32})", mails.mails.pop().body)
        password = await ask(second, "POST", "/api/user/reset", {"email": "erin@gmail.com", "token": token})
        await ask(first, "POST", "/api/user/login", {"username": "erin", "password": password})
