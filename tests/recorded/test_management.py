"""Every route of the console and the billing dashboards as One API answers it, on each database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import pytest

from tests.conftest import StartGateway
from tests.harness.replay_lines import Json, Line, parse
from tests.harness.servers import Database
from tests.recorded.replaying import Recorded, Say, replay

# One API ignores a quota of 0 (`user.update.quota_zero_ignored`). Here it is obeyed, and then this puts the balance
# back, so that all that follows starts where it started there.
PUT_BACK = ("/api/user/", {"id": {"$int": "{{id_alice}}"}, "quota": 123456})
# One API asks nobody for balances (`channel.balance.all`). Here the channels without an address would ask OpenAI.
ADDRESSED = [("/api/channel/", {"id": number, "base_url": "{{upstream}}"}) for number in (5, 6, 8)]
BEFORE: Mapping[str, Sequence[tuple[str, Json]]] = {
    "user.get.alice.after": [PUT_BACK],
    "channel.balance.all": ADDRESSED,
}


def prepared(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, and what has to be done before some of them."""
    for line in lines:
        for path, body in BEFORE.get(line.id, ()):
            request = {"method": "PUT", "path": path, "session": "root", "body": body}
            yield parse({"id": f"before {line.id}", "request": request, "withheld": True})
        yield line


@pytest.mark.anyio
async def test_management(gateway: StartGateway, database: Database, say: Say) -> None:
    recorded = Recorded.read("management", database.kind)
    findings = await replay(prepared(recorded.lines), gateway, database)
    assert recorded.wrong(findings, say) == []
