"""Every relay route as One API answers it: keys, routing, chat, streams, errors, retries, images, audio, proxy."""

import pytest

from tests.conftest import StartGateway
from tests.harness.servers import Database
from tests.recorded.replaying import Say, wrong


@pytest.mark.anyio
async def test_relay(gateway: StartGateway, database: Database, say: Say) -> None:
    assert await wrong("relay", gateway, database, say) == []


@pytest.mark.anyio
async def test_upstreams_slower_than_the_timeout(gateway: StartGateway, database: Database, say: Say) -> None:
    assert await wrong("relay_timeout", gateway, database, say, RELAY_TIMEOUT="1") == []
