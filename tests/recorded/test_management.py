"""Every route of the console and the billing dashboards as One API answers it, on each database."""

from collections.abc import Iterable, Iterator

import pytest

from tests.conftest import StartGateway
from tests.harness.replay_lines import Line, parse
from tests.harness.servers import Database
from tests.recorded.replaying import Recorded, Say, replay

# What is not built yet, by line ids. Deleting a pattern is all there is to do when it is.
WAITING: tuple[str, ...] = (
    # testing channels and asking for balances
    "auth.*.GET.api.channel.test.1",
    "auth.*.GET.api.channel.update_balance.1",
    "channel.test.*",
    "channel.test_all.*",
    "channel.balance.*",
    "channel.get.after_balance",
    "log.all.p1",
    "log.all.p2",
    "log.all.type5",
    "log.all.model",
    # mails and Turnstile
    "auth.anonymous.GET.api.oauth.email.bind",
    "verification.*",
    "register.email.ok",
    "login.by_email",
    "self.erin",
    "email_bind.*",
    "self.bob.after_bind",
    "self.bob.after_oidc_bind",
    "reset.*",
    "turnstile.*",
)

# One API ignores a quota of 0 (`user.update.quota_zero_ignored`). Here it is obeyed, and then this puts the balance
# back, so that all that follows starts where it started there.
OBEYED = "user.update.quota_zero_ignored"
PUT_BACK = parse(
    {
        "id": f"{OBEYED}.put_back",
        "request": {
            "method": "PUT",
            "path": "/api/user/",
            "session": "root",
            "body": {"id": {"$int": "{{id_alice}}"}, "quota": 123456},
        },
        "withheld": True,
    }
)


def with_balance(lines: Iterable[Line]) -> Iterator[Line]:
    for line in lines:
        yield line
        if line.id == OBEYED:
            yield PUT_BACK


@pytest.mark.anyio
async def test_management(gateway: StartGateway, database: Database, say: Say) -> None:
    recorded = Recorded.read("management", database.kind)
    findings = await replay(with_balance(recorded.lines), gateway, database)
    assert recorded.wrong(findings, say, WAITING) == []
