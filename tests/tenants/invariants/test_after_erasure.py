"""A healthy store stays healthy when its shoppers are erased: the checker finds nothing, the provider's books agree."""

from typing import Any

from tenants.db import create_pool, dsn_for, tenant_tx
from tenants.invariants.report import as_text
from tenants.keys import Keyring
from tenants.privacy import duty, erase
from tests.tenants.invariants.conftest import Bench, violated


async def test_the_checker_finds_nothing(bench: Bench, books: dict[str, Any]) -> None:
    tenant_id, keyring = bench.store.ids["tenant"], Keyring(bench.settings.secret)
    async with await create_pool(dsn_for(bench.settings, "tessera_app"), size=2) as pool:
        for name in ("delivered", "doubled", "late", "refunded", "cancelled", "refused"):
            async with tenant_tx(pool, tenant_id) as tx:
                request = await erase.ask(tx, bench.store.ids[f"shopper_{name}"], actor="usr_1")
            for _ in range(2):
                await duty.carry_out(pool, keyring, tenant_id, request.id)
                await bench.conn.execute("UPDATE data_request SET next_try_at = now() WHERE id = $1 AND state = 'running'", request.id)
    assert await bench.conn.fetchval("SELECT count(*) FROM data_request WHERE state = 'done'") == 6
    report = await bench.check(at_rest=True)
    assert violated(report) - {"I17"} == set(), as_text(report)
