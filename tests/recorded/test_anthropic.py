"""Chat on a channel of Anthropic's type as One API answers it, but for what it loses on the way."""

import pytest

from tests.conftest import StartGateway
from tests.harness.servers import Database
from tests.recorded.replaying import Say, wrong


@pytest.mark.anyio
async def test_anthropic(gateway: StartGateway, sqlite: Database, say: Say) -> None:
    assert await wrong("anthropic", gateway, sqlite, say) == []
