"""The sandbox provider and the tiny shop for the tests of this folder."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from loadtests.loader.http import Target
from tests.loadtests.tiny_shop import TinyShop
from tests.provider import merchant, other_merchant, sandbox, sandbox_process, sink

__all__ = ["merchant", "other_merchant", "sandbox", "sandbox_process", "sink"]

Opened = Callable[..., Awaitable[tuple[TinyShop, Target]]]


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """Opens a tiny shop; it closes with the test."""
    shops: list[TinyShop] = []

    async def open_shop(**how: Any) -> tuple[TinyShop, Target]:
        shop = TinyShop(**how)
        await shop.start()
        shops.append(shop)
        return shop, Target.parse(f"http://127.0.0.1:{shop.port}")

    yield open_shop
    for shop in shops:
        await shop.close()
