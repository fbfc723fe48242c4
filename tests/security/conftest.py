"""Two worlds that the tests of a file share, as long as they only look."""

from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar

from api.process import Process
from tests.security.world import World
from tests.shop import PLATFORM_HOST, open_store


@pytest.fixture(scope="module")
async def settled(app: Litestar, process: Process) -> AsyncIterator[tuple[World, World]]:
    """A and B. To make a world takes fifty times as long as to ask for something in it; whoever changes something makes his own."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=f"http://{PLATFORM_HOST}") as client:
        a, b = [await World.of(await open_store(client, process)) for _ in range(2)]
        yield a, b
