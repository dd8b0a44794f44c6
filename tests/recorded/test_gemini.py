"""Chat and embeddings on a channel of Google's type as One API answers them, but for what it loses on the way."""

import pytest

from tests.conftest import StartGateway
from tests.harness.servers import Database
from tests.recorded.replaying import Say, wrong


@pytest.mark.anyio
async def test_gemini(gateway: StartGateway, sqlite: Database, say: Say) -> None:
    assert await wrong("gemini", gateway, sqlite, say) == []
