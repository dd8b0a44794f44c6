"""Every route of the console and the billing dashboards as One API answers it, on each database."""

from collections.abc import Iterable, Iterator

import pytest

from tests.conftest import StartGateway
from tests.harness.replay_lines import Line, parse
from tests.harness.servers import Database
from tests.recorded.replaying import Recorded, Say, replay

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
    assert recorded.wrong(findings, say) == []
