"""The API with a real provider to talk to, and a store whose orders can be paid."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from litestar import Litestar

from api.app import create_app
from api.process import open_process
from checkout_core.config import Settings
from tests.provider import Merchant, Sandbox
from tests.shop import Store


@pytest.fixture(scope="module")
async def app(settings: Settings, sandbox_process: Sandbox) -> AsyncIterator[Litestar]:
    """The API with a provider to talk to."""
    with_provider = msgspec.structs.replace(settings, provider_url=sandbox_process.url, provider_token=sandbox_process.admin_token)
    app = create_app(with_provider)
    async with open_process(with_provider) as app.state.process:
        yield app


@pytest.fixture(scope="module")
def process(app: Litestar) -> Any:
    return app.state.process


@pytest.fixture
async def till(acme: Store, sandbox: Sandbox) -> Merchant:
    """Acme's account at the provider, connected through the API."""
    merchant = await asyncio.to_thread(sandbox.register)
    await acme.ask("POST", "/v1/provider-accounts", acme.merchant, {"provider": "sandbox"} | merchant.credentials)
    return merchant
