"""The sweep ends licences that ran out, of whichever tenant, and finds nothing to do again."""

from collections.abc import AsyncIterator

import pytest

from api.process import Process
from checkout_core.ids import new_id
from tenants import duties
from tenants.db import Pool, create_pool, dsn_for, tenant_tx
from tests.shop import Store
from workers.duties import Services
from workers.sweep import Sweep


@pytest.fixture
async def sweeper(process: Process) -> AsyncIterator[Pool]:
    async with await create_pool(dsn_for(process.settings, "tessera_sweeper"), size=1) as pool:
        yield pool


async def test_the_sweep_finds_it_and_ends_it(process: Process, sweeper: Pool, acme: Store, globex: Store) -> None:
    ids = {store.tenant_id: new_id() for store in (acme, globex)}
    for tenant_id, qualification_id in ids.items():
        async with tenant_tx(process.app_pool, tenant_id) as tx:
            sql = """INSERT INTO qualification (tenant_id, id, kind, state, particulars, key_id, valid_until, next_try_at)
                     VALUES ($1, $2, 'gift_cards', 'approved', '', 1, now(), now())"""
            await tx.conn.execute(sql, tenant_id, qualification_id)
    assert set(ids.values()) <= {each.id for each in await duties.due(sweeper, "qualification", 100)}
    services = Services(process.app_pool, process.providers, None, None, None, None, None, platform=process.platform_pool)  # type: ignore[arg-type]
    sweep = Sweep(services, sweeper)
    await sweep.once("qualification")
    assert not set(ids.values()) & {each.id for each in await duties.due(sweeper, "qualification", 100)}
    for tenant_id, qualification_id in ids.items():
        async with tenant_tx(process.app_pool, tenant_id) as tx:
            sql = "SELECT state FROM qualification WHERE tenant_id = $1 AND id = $2"
            assert await tx.conn.fetchval(sql, tenant_id, qualification_id) == "expired"
