"""Among a million units no statement of a commit reads a whole table.

And what is sold already costs nothing: the low-water mark leads past it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from checkout_core.config import Settings
from checkout_core.ids import new_id
from checkout_core.intents import Decision, Outcome
from tenants import holders
from tenants.db import TenantTx, create_pool, dsn_for, tenant_tx
from tenants.migrate import migrate
from tenants.orders import allot, commit, commit_batch, gates
from tenants.orders.at_once import reserve
from tenants.warm import warm
from tessera.embedded import Servers
from tests.plans import scans
from tests.tenants.orders.million import FILL, SELL, SOLD, Million

DATABASE = "plans"
LOOKED_UP = ("unit", "orders", "order_line", "sale", "give_back")


@pytest.fixture(scope="module")
def own_database(servers: Servers) -> Iterator[Settings]:
    """A database that ends with this module: a million rows are nobody else's business."""

    async def execute(statement: str) -> None:
        admin = await asyncpg.connect(servers.database_url)
        await admin.execute(statement)
        await admin.close()

    asyncio.run(execute(f"CREATE DATABASE {DATABASE}"))
    url = servers.database_url.replace("/postgres?", f"/{DATABASE}?")
    settings = Settings.from_env(servers.environment | {"DATABASE_URL": url, "TESSERA_ENV": "test", "TESSERA_SECRET": "5e" * 32})
    asyncio.run(migrate(settings))
    yield settings
    asyncio.run(execute(f"DROP DATABASE {DATABASE} WITH (FORCE)"))


@pytest.fixture(scope="module")
async def million(own_database: Settings) -> AsyncIterator[Million]:
    # Its sessions have planned a commit while there was nothing: such plans must be right for a million.
    pool = await create_pool(dsn_for(own_database, "tessera_app"), size=2, warm=warm)
    admin = await asyncpg.connect(own_database.database_url)
    million = Million(pool, admin)
    # After a vacuum each row that is locked touches the visibility map too, which has nothing to do with what is found how.
    await admin.execute("ALTER TABLE unit SET (autovacuum_enabled = off)")
    try:
        await million.run(FILL)
        yield million
    finally:
        await admin.close()
        await pool.close()


async def statements_of_a_commit(million: Million) -> list[str]:
    """All that a commit of 100 intents asks, refusals and a second admission among them."""
    wishes = await million.wishes(100)
    wishes += [wishes[0]._replace(intent_id=new_id()), wishes[1]._replace(order_id=new_id(), intent_id=new_id(), quantity=2)]
    await commit_batch(million.pool, million.sale, wishes[:3])
    asked: list[str] = []
    async with tenant_tx(million.pool, million.tenant_id) as tx:
        with tx.conn.query_logger(lambda record: asked.append(record.query)):
            decisions: list[Decision] = await commit.commit(tx, million.sale_id, wishes)
            sale = await allot.lock_sale(tx, million.sale_id)
            assert sale is not None
            await allot.take_back(tx, sale, wishes[0].order_id, wishes[0].shopper_id)
            await gates.returns_after(tx, million.sale_id, sale.epoch, 0, 512)
            await asyncio.sleep(0)  # the logger is told in the loop's next turn
    told = {decision.outcome for decision in decisions}
    assert told == {Outcome.RESERVED, Outcome.LIMIT}, told
    return list(dict.fromkeys(sql for sql in asked if any(table in sql for table in LOOKED_UP)))


FETCHED = """SELECT coalesce(sum(seq_tup_read), 0)::bigint AS one_by_one, coalesce(sum(idx_tup_fetch), 0)::bigint AS by_index
             FROM pg_stat_xact_user_tables WHERE schemaname = 'public'"""


async def fetched(tx: TenantTx) -> tuple[int, int]:
    """Rows that this transaction has read so far, (by scans of whole tables, by indexes), in the triggers of foreign keys too."""
    await tx.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    row = await tx.conn.fetchrow(FETCHED)
    return row["one_by_one"], row["by_index"]


@pytest.mark.timeout(180)
class TestAMillionUnits:
    @pytest.mark.parametrize("analysed", [False, True], ids=["as loaded", "analysed"])
    async def test_no_statement_of_a_commit_scans_a_table(self, million: Million, analysed: bool) -> None:
        if analysed:
            await million.admin.execute("ANALYZE")
        statements = await statements_of_a_commit(million)
        assert len(statements) >= 7
        scanned = {sql: found for sql in statements if (found := await scans(million.pool, million.tenant_id, sql))}
        assert scanned == {}

    @pytest.mark.parametrize("where", ["slot = $1", "sku_id = $1 AND state = 'held'", "id::text = $1"])
    async def test_a_scan_would_be_seen(self, million: Million, where: str) -> None:
        assert (
            await scans(million.pool, million.tenant_id, f"SELECT count(*) FROM unit WHERE tenant_id = '{million.tenant_id}' AND {where}")
            != []
        )

    async def test_who_came_since_is_found_by_time(self, million: Million) -> None:
        """Once a second in every process while units come back to a sale that is sold out: not all who ever ordered."""
        assert [await scans(million.pool, million.tenant_id, sql) for sql in (holders.EVERYBODY, holders.SINCE)] == [[], []]
        async with tenant_tx(million.pool, million.tenant_id) as tx:
            await tx.conn.execute(f"PREPARE since AS {holders.SINCE}")
            plan = await tx.conn.fetch(f"EXPLAIN EXECUTE since ('{million.tenant_id}', '{million.sale_id}', now())")
            await tx.conn.execute("DEALLOCATE since")
        lines = [row[0] for row in plan]
        [at] = [n for n, line in enumerate(lines) if "order_line_by_sale" in line]
        assert "created_at >" in lines[at + 1]

    @pytest.mark.parametrize("at_once", [False, True], ids=["in steps", "at once"])
    async def test_a_commit_reads_some_rows_for_each_order(self, million: Million, at_once: bool) -> None:
        """What the plans promise, counted: what foreign keys and functions do, whose plans nobody shows, is in it."""
        wishes = await million.wishes(400)
        async with tenant_tx(million.pool, million.tenant_id) as tx:
            before = await fetched(tx)  # by this session: what it did a moment ago may not be written off yet
            decided = await (reserve(tx.conn, million.sale, wishes) if at_once else commit.commit(tx, million.sale_id, wishes))
            assert isinstance(decided, list)
            after = await fetched(tx)
            await tx.conn.fetchval("SELECT count(*) FROM unit WHERE tenant_id = $1 AND slot = 99", million.tenant_id)
            with_a_scan = await fetched(tx)
        one_by_one, by_index = (now - then for now, then in zip(after, before, strict=True))
        assert one_by_one == 0
        assert 0 < by_index <= 10 * len(wishes)
        assert sum(with_a_scan) - sum(after) >= million.units, "a scan would be seen"

    async def test_what_is_sold_costs_nothing(self, million: Million) -> None:
        first = await million.pages_of_a_pick(0)
        await million.run(SELL)
        # Who comes by marks dead index entries for those behind him, once nobody can see them any more (an analysis of the table is such
        # a one): what they touch then is the cost of a commit.
        for _ in range(60):
            after = await million.pages_of_a_pick(SOLD)
            if after <= 4 * first:
                break
            await asyncio.sleep(0.5)
        assert after <= 4 * first
        without_the_mark = await million.pages_of_a_pick(0)
        assert without_the_mark > 4 * after
