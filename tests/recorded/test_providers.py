"""Where each type of channel sends its requests, and what it makes of them and of their answers."""

import pytest

from tests.conftest import StartGateway
from tests.harness.servers import Database
from tests.recorded.replaying import Recorded, Say, replay


@pytest.mark.anyio
async def test_providers(gateway: StartGateway, sqlite: Database, say: Say) -> None:
    recorded = Recorded.read("providers", "sqlite")
    # All channels first: a change between two calls has to wait until the first is written down.
    lines = sorted(recorded.lines, key=lambda line: not line.id.startswith("setup."))
    assert recorded.wrong(await replay(lines, gateway, sqlite), say) == []
