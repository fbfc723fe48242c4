"""Lists of units read what a page needs: no table whole, no index from its beginning, whatever the state."""

import asyncio

import pytest

from checkout_core.ids import decode
from tenants.db import Pool, tenant_tx
from tenants.units import acts, find
from tests.plans import scans
from tests.shop import Store
from tests.tenants.units.stock import batch_of, order, rows


async def asked(store: Store, sku: str, unit: int) -> list[str]:
    """What all lists, a unit's page and a recall say to Postgres."""
    said: list[str] = []
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        batch = await batch_of(store, unit)
        with tx.conn.query_logger(lambda record: said.append(record.query)):
            for state in (None, *find.STATES):
                for batch_id in (None, batch):
                    await find.latest(tx, store.process.keyring, decode("sku", sku), batch_id=batch_id, state=state, limit=2)
            await find.history(tx, await find.get(tx, store.process.keyring, unit))
            await acts.recall(tx, batch, "locked", actor="test", reason="plans")
            await asyncio.sleep(0)  # the logger is told in the loop's next turn
    return [sql for sql in dict.fromkeys(said) if "unit" in sql and "SELECT" in sql]


class TestPlans:
    async def test_no_statement_reads_a_table_whole(self, acme: Store, young: Pool) -> None:
        sku = await acme.sku()
        units = await acme.load(sku, 6)
        await order(acme, await acme.sale(2, sku_id=sku), deliver=True)
        statements = await asked(acme, sku, units[0])
        assert len(statements) >= 8
        found = {sql: seen for sql in statements if (seen := await scans(young, acme.tenant_id, sql))}
        assert found == {}

    @pytest.mark.parametrize("state", find.ASIDE)
    async def test_units_aside_have_an_index_of_their_own(self, acme: Store, state: str) -> None:
        sql = f"SELECT indexdef FROM pg_indexes WHERE indexname = 'unit_aside' AND tablename <> $1::text AND indexdef LIKE '%''{state}''%'"
        [(made,)] = await acme.process.app_pool.fetch(sql, "")
        assert "(sku_id, state, batch_id, id)" in made

    async def test_a_page_looks_through_so_many_units_and_no_more(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """None of these is sold: each page says where the next begins, having looked at a hundred."""
        monkeypatch.setattr(find, "LOOK", 100)
        sku = await acme.sku()
        units = await acme.load(sku, 250)
        after, pages = None, 0
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            while pages == 0 or after is not None:
                found, after = await find.latest(tx, acme.process.keyring, decode("sku", sku), state="sold", limit=20, after=after)
                assert found == []
                pages += 1
                assert after is None or after[1] == units[-100 * pages]
        assert pages == 3
        assert await rows(acme, "SELECT count(*) FROM unit WHERE tenant_id = $1") == [(250,)]
