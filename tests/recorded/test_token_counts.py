"""The tokens that are charged where the upstream reports none."""

import pytest

from tests.conftest import StartGateway
from tests.harness.servers import Database
from tests.recorded.replaying import Say, wrong


@pytest.mark.anyio
async def test_token_counts(gateway: StartGateway, database: Database, say: Say) -> None:
    assert await wrong("token_counts", gateway, database, say) == []
