"""A store with a million units, written by SQL; and what its first sale costs."""

import json

import asyncpg

from checkout_core.ids import new_id
from checkout_core.intents import Intent, SaleKey
from tenants.db import Pool, tenant_tx
from tenants.orders import allot

UNITS = 1_000_000
SOLD = 100_000
SALES = 50

# A store with a million units in fifty sales, half of them in the first. The triggers of foreign keys are not what is tested.
FILL = """
    SET session_replication_role = replica;
    INSERT INTO sku (tenant_id, id, product_id, name, price_minor, currency) VALUES ({tenant}, {sku}, {sku}, '100', 9900, 'CNY');
    INSERT INTO vault_batch (tenant_id, id, sku_id, state, operator, loaded)
        VALUES ({tenant}, {sku}, {sku}, 'loaded', 'test', {units});
    INSERT INTO sale (tenant_id, id, sku_id, name, door, price_minor, currency, starts_at, limit_per_shopper, allotted)
        SELECT {tenant}, {sale}, {sku}, 'first', 'gate', 9900, 'CNY', now() - interval '1 h', 2, {units} / 2
        UNION ALL
        SELECT {tenant}, gen_random_uuid(), {sku}, 'another', 'gate', 9900, 'CNY', now(), 2, 0 FROM generate_series(2, {sales});
    INSERT INTO unit (tenant_id, id, rank, sku_id, batch_id, sale_id)
        SELECT {tenant}, n, n, {sku}, {sku}, CASE WHEN n <= {units} / 2 THEN {sale} ELSE others[1 + n % ({sales} - 1)] END
        FROM generate_series(1, {units}) AS n, (SELECT array_agg(id) AS others FROM sale WHERE name = 'another') AS o;
"""
SELL = """
    SET session_replication_role = replica;
    WITH made AS (
        INSERT INTO orders (tenant_id, id, intent_id, shopper_id, state, amount_minor, currency, body_hash, channel, hold_until,
                            next_try_at)
        SELECT {tenant}, id, id, id, 'awaiting', 9900, 'CNY', '', 'web', now() + interval '1 h', now() + interval '1 h'
        FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, {sold})) x RETURNING id),
    numbered AS (SELECT id, row_number() OVER () AS n FROM made)
    UPDATE unit SET state = 'held', order_id = numbered.id, shopper_id = numbered.id, slot = 1
    FROM numbered WHERE unit.tenant_id = {tenant} AND unit.id = numbered.n;
    UPDATE sale SET committed = {sold}, last_unit = {sold} WHERE tenant_id = {tenant} AND id = {sale};
"""


class Million:
    def __init__(self, pool: Pool, admin: asyncpg.Connection, units: int = UNITS) -> None:
        self.pool = pool
        self.units = units
        self.admin = admin
        self.tenant_id, self.sku_id, self.sale_id = new_id(), new_id(), new_id()

    @property
    def sale(self) -> SaleKey:
        return SaleKey(self.tenant_id, self.sale_id)

    async def run(self, script: str) -> None:
        ids = {"tenant": self.tenant_id, "sku": self.sku_id, "sale": self.sale_id}
        named = {name: f"'{value}'::uuid" for name, value in ids.items()}
        await self.admin.execute(script.format(**named, units=self.units, sales=SALES, sold=SOLD))

    async def wishes(self, count: int) -> list[Intent]:
        sql = "SELECT epoch FROM sale WHERE tenant_id = $1 AND id = $2"
        epoch = await self.admin.fetchval(sql, *self.sale)
        return [Intent(new_id(), new_id(), new_id(), 1, bytes(16), epoch) for _ in range(count)]

    async def pages_of_a_pick(self, last_unit: int) -> int:
        """Pages touched to find 512 units behind `last_unit`, besides the one of each unit that is locked."""
        async with tenant_tx(self.pool, self.tenant_id) as tx:
            sale = "unnest($2::uuid[], $3::bigint[], $4::bigint[]) AS s(id, mark, wanted)"
            sql = f"SELECT u.rank FROM {sale} CROSS JOIN LATERAL ({allot.NEXT_UNITS}) u"
            await tx.conn.execute(f"PREPARE picking AS {sql}")
            picking = f"EXECUTE picking ('{self.tenant_id}', ARRAY['{self.sale_id}'::uuid], ARRAY[{last_unit}], ARRAY[512])"
            [plan] = json.loads(await tx.conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {picking}"))
            await tx.conn.execute("DEALLOCATE picking")
        return int(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]) - 512
