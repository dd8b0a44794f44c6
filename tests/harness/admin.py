"""The gateway's own management API in the hands of its root user, for tests that need a channel and a key."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx2

PASSWORD = "123456"


class Admin:
    """Logged in as root on one gateway."""

    def __init__(self, url: str, name: str = "root", password: str = PASSWORD) -> None:
        self.url = url
        self._others: list[Admin] = []
        self._client = httpx2.Client(base_url=url, timeout=30, trust_env=False, verify=False)
        self.ask("POST", "/api/user/login", json={"username": name, "password": password})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        for other in self._others:
            other.__exit__(None, None, None)

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """`data` of a successful answer; anything else fails the test."""
        response = self._client.request(method, path, **more)
        body: Mapping[str, Any] = response.json()
        assert response.status_code == 200, (method, path, response.status_code, response.text)
        assert body["success"], (method, path, body)
        return body.get("data")

    def channel(self, base_url: str, models: str, **more: Any) -> int:
        """A channel of OpenAI's type, enabled, for the group `default`; gives its number."""
        body = {
            "type": 1,
            "name": "up",
            "key": "sk-upstream",
            "base_url": base_url,
            "models": models,
            "group": "default",
        }
        self.ask("POST", "/api/channel/", json={**body, **more})
        newest: list[dict[str, Any]] = self.ask("GET", "/api/channel/")
        return int(newest[0]["id"])

    def test(self, channel: int) -> bool:
        """Whether a test of a channel passed."""
        answer: Mapping[str, Any] = self._client.get(f"/api/channel/test/{channel}").json()
        return bool(answer["success"])

    def token(self, **more: Any) -> str:
        """A key of root's, without limits unless told otherwise."""
        body = {"name": "test", "expired_time": -1, "remain_quota": 0, "unlimited_quota": True, **more}
        return "sk-" + str(self.ask("POST", "/api/token/", json=body)["key"])

    def user(self, name: str, quota: int, **more: Any) -> "Admin":
        """An ordinary user with a balance, logged in."""
        self.ask("POST", "/api/user/", json={"username": name, "password": "password12", "display_name": name})
        found = next(
            user for user in self.ask("GET", "/api/user/search", params={"keyword": name}) if user["username"] == name
        )
        self.ask("PUT", "/api/user/", json={"id": found["id"], "quota": quota, **more})
        return self.login(name)

    def login(self, name: str) -> "Admin":
        """A user of `user` once more; logged out with this one."""
        other = Admin(self.url, name, "password12")
        self._others.append(other)
        return other

    def option(self, key: str, value: str) -> None:
        self.ask("PUT", "/api/option/", json={"key": key, "value": value})

    def session(self) -> str:
        """The value of the session's cookie."""
        return str(self._client.cookies["session"])

    def me(self) -> dict[str, Any]:
        """The user's own row: quota, used_quota, request_count."""
        found: dict[str, Any] = self.ask("GET", "/api/user/self")
        return found

    def tokens(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", "/api/token/")
        return found

    def logs(self) -> list[dict[str, Any]]:
        """The user's newest log rows of calls, newest first."""
        found: list[dict[str, Any]] = self.ask("GET", "/api/log/self", params={"type": 2})
        return found
