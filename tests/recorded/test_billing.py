"""What calls cost: models, groups, usages, images and audio; what is reserved before a call and given back after it."""

import pytest

from tests.conftest import StartGateway
from tests.harness.servers import Database
from tests.recorded.replaying import Say, wrong


@pytest.mark.anyio
async def test_billing(gateway: StartGateway, database: Database, say: Say) -> None:
    assert await wrong("billing", gateway, database, say) == []
