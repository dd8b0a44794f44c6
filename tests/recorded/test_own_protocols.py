"""Providers with a protocol of their own as One API answers from them, but for what it loses or what is gone."""

import pytest

from tests.conftest import StartGateway
from tests.harness.servers import Database
from tests.recorded.replaying import Say, wrong


@pytest.mark.anyio
async def test_own_protocols(gateway: StartGateway, sqlite: Database, say: Say) -> None:
    assert await wrong("own_protocols", gateway, sqlite, say) == []
