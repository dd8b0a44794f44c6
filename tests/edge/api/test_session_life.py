"""Whatever happens to a user, in any order: his sessions and access token open what they should, at every process."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from one_api.accounts import users
from one_api.edge.api import build_api
from one_api.store import schema
from tests.edge.api.world import Person, World, made

pytestmark = pytest.mark.anyio


@dataclass(slots=True)
class Life:
    """A user and what should be: his sessions by their cookies, and his access tokens, of which the last one works."""

    here: World
    id: int
    name: str
    enabled: bool = True
    role: int = 1
    open: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def end(self, but: str = "") -> None:
        self.closed += [cookie for cookie in self.open if cookie != but]
        self.open = [cookie for cookie in self.open if cookie == but]

    def browser(self, cookie: str) -> Person:
        return self.here.somebody(Cookie=f"session={cookie}")

    async def sign_in(self) -> None:
        if self.enabled:
            self.open.append((await self.here.with_session(self.id)).http.cookies["session"])

    async def sign_out(self) -> None:
        if self.open:
            await self.browser(self.open[0]).get("/api/user/logout")
            self.closed.append(self.open.pop(0))

    async def rotate_the_token(self) -> None:
        self.tokens.append(await users.rotate_access_token(self.here.database, self.id))

    async def change_the_password(self) -> None:
        if self.open:
            assert (await self.browser(self.open[-1]).put("/api/user/self", {"password": "newpass123"}))["success"]
            self.end(but=self.open[-1])

    async def change_the_shown_name(self) -> None:
        if self.open:
            body = {"display_name": f"x{len(self.closed)}"}
            assert (await self.browser(self.open[-1]).put("/api/user/self", body))["success"]

    async def get_a_new_password(self) -> None:
        root = await self.here.with_session(1)
        assert (await root.put("/api/user/", {"id": self.id, "password": "newpass456"}))["success"]
        self.end()

    async def be_disabled(self) -> None:
        await self._manage("disable", changes=self.enabled)
        self.enabled = False

    async def be_enabled(self) -> None:
        await self._manage("enable", changes=not self.enabled)
        self.enabled = True

    async def be_promoted(self) -> None:
        await self._manage("promote", changes=self.role == 1)
        self.role = 10

    async def be_demoted(self) -> None:
        await self._manage("demote", changes=self.role == 10)
        self.role = 1

    async def see_a_restart(self) -> None:
        here = self.here
        config, logs = here.parts.config, here.parts.logs
        parts = await made(config, here.database, logs, here.ledger, here.clock, here.web, here.after)
        here.app = build_api(parts)

    async def _manage(self, action: str, *, changes: bool) -> None:
        root = await self.here.with_session(1)
        await root.post("/api/user/manage", {"username": self.name, "action": action})
        if changes:
            self.end()

    async def check(self) -> None:
        for cookie in self.open + self.closed:
            good = (await self.browser(cookie).get("/api/user/self"))["success"]
            assert good is (self.enabled and cookie in self.open)
        for token in self.tokens:
            script = self.here.somebody(Authorization=token)
            good = (await script.get("/api/user/self"))["success"]
            assert good is (self.enabled and token == self.tokens[-1])
            assert (await script.get("/api/channel/"))["success"] is (good and self.role >= 10)


STEPS = (
    Life.sign_in, Life.sign_in, Life.sign_out, Life.rotate_the_token, Life.change_the_password,
    Life.change_the_shown_name, Life.get_a_new_password, Life.be_disabled, Life.be_enabled, Life.be_promoted,
    Life.be_demoted, Life.see_a_restart,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(STEPS), max_size=9))
async def test_rights_end_when_they_should_and_no_sooner(here: World, steps: list[Callable[[Life], Any]]) -> None:
    name = f"u{len(await here.rows(select(schema.users.c.id)))}"
    life = Life(here, await here.user(name), name)
    for step in steps:
        await step(life)
        await life.check()
    for person in here.people:
        await person.http.aclose()
    here.people.clear()
