"""Thousands of interleaved requests of several stores over a pool of one connection, cut off in every way: nobody sees another's."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import msgspec
import pytest

from api.app import create_app
from api.process import open_process
from checkout_core.config import Settings
from tenants.db import watched
from tests.security.interleaved import Drill, Own
from tests.shop import PLATFORM_HOST, open_store

REQUESTS = int(os.environ.get("ISOLATION_REQUESTS", "1000"))  # `make isolation` asks for 10,000
STORES = 4
SEED = 20261123


@asynccontextmanager
async def drill(settings: Settings) -> AsyncIterator[Drill]:
    """An API of its own whose pool has one connection, and some stores."""
    settings = msgspec.structs.replace(settings, db_pool_size=1)
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        open_process(settings) as app.state.process,
        httpx.AsyncClient(transport=transport, base_url=f"http://{PLATFORM_HOST}", timeout=30) as client,
    ):
        assert app.state.process.app_pool.get_max_size() == 1
        owns = []
        for _ in range(STORES):
            store, word = await open_store(client, app.state.process), f"canary{uuid4().hex}"
            owns.append(Own(store, word, await store.product(word)))
        yield Drill(app.state.process, client, owns, SEED)


@pytest.mark.timeout(200)
async def test_no_request_sees_what_is_anothers(settings: Settings, record_property: Callable[[str, object], None]) -> None:
    async with drill(settings) as requests:
        await requests.run(REQUESTS)
    ended = requests.ended
    cut_off = sum(count for name, count in ended.items() if name.endswith("cancelled"))
    failed = REQUESTS - cut_off - sum(count for name, count in ended.items() if name.endswith("answered"))
    said = (
        f"{REQUESTS} requests over one connection, {cut_off} of them cancelled and {failed} failed, {ended['looked outside']} looks between"
    )
    record_property("isolation", f"{said}: {len(requests.leaks)} leaks")
    assert requests.leaks == []
    kinds = {name.partition(":")[0] for name in ended}
    assert {kind.__name__ for kind in requests.kinds} <= kinds
    assert cut_off > REQUESTS / 20, ended
    for error in ("raises: Broken", "divides_by_zero: DivisionByZeroError", "takes_too_long_for_us: TimeoutError", "lists: answered"):
        assert ended[error] > 0, ended
    assert ended["looked outside"] > REQUESTS / 2, ended


class ForTheSession(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """As if the tenant were set for the session, not for the transaction."""

    async def execute(self, query: str, *args: Any, **options: Any) -> Any:
        return await super().execute(query.replace("', true)", "', false)"), *args, **options)


async def test_a_tenant_set_for_the_session_is_found(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "connection_class", lambda: ForTheSession)
    async with drill(settings) as requests:
        await requests.run(100)
    assert any(leak.startswith("outside a transaction") for leak in requests.leaks)
