"""What modules ask for whose tests share a gateway, which is their own fixture `site`."""

from collections.abc import AsyncIterator
from typing import Protocol

import openai
import pytest

from tests.conftest import GATEWAYS
from tests.e2e.world import World


class Site(Protocol):
    @property
    def world(self) -> World: ...
    @property
    def key(self) -> str: ...


@pytest.fixture
def fresh(request: pytest.FixtureRequest, site: Site) -> None:
    """The upstream has no script and remembers no request; a failure shows the gateway's log."""
    request.node.stash[GATEWAYS] = [site.world.gateway]
    site.world.upstream.reset()


@pytest.fixture
async def client(site: Site) -> AsyncIterator[openai.AsyncOpenAI]:
    """OpenAI's, with the site's key."""
    url = f"{site.world.gateway.url}/v1"
    async with openai.AsyncOpenAI(api_key=site.key, base_url=url, max_retries=0) as made:
        yield made
