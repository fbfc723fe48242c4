"""What a store has behind it: a month of orders by the thousand and cases that wait for a person: as the product would have left them."""

import asyncpg

from tests.bench.api import data

ORDERS = 4_000
# More in the evening than at night, more this week than a month ago; contacts come again.
MADE = """
    CREATE TEMPORARY TABLE fresh AS
    SELECT gen_random_uuid() AS id, md5('shopper' || customer)::uuid AS shopper, channel, sale,
           date_trunc('second', now() - interval '1 hour' - (interval '30 days' * power(dice, 1.6))) AS at,
           CASE WHEN state < 0.84 THEN 'delivered' WHEN state < 0.93 THEN 'expired' WHEN state < 0.98 THEN 'cancelled'
                ELSE 'refunded' END AS state,
           CASE WHEN customer % 5 = 0 THEN NULL
                WHEN customer % 5 < 3 THEN '138' || lpad((customer::bigint * 7919 % 100000000)::text, 8, '0')
                ELSE (ARRAY['xiaoman', 'lin.yue', 'chen.bo', 'wang.qi', 'zhao.an'])[1 + customer % 5] || customer || '@mail.example'
           END AS contact
    FROM (SELECT random() AS dice, random() AS state, (random() * {orders} * 0.4)::integer AS customer,
                 (ARRAY['web', 'h5', 'h5', 'h5', 'api', 'douyin', 'live_room'])[1 + (random() * 6)::integer] AS channel,
                 (ARRAY[{sales}])[1 + (random() * {last})::integer] AS sale
          FROM generate_series(1, {orders})) AS drawn;
    INSERT INTO orders (tenant_id, id, intent_id, shopper_id, state, amount_minor, currency, body_hash, contact, channel, created_at,
                        paid_at, delivered_at, hold_until, next_try_at)
        SELECT {tenant}, f.id, f.id, f.shopper, f.state, s.price_minor, s.currency, '', f.contact, f.channel, f.at,
               CASE WHEN f.state IN ('delivered', 'refunded') THEN f.at + interval '40 s' END,
               CASE WHEN f.state IN ('delivered', 'refunded') THEN f.at + interval '41 s' END, NULL, NULL
        FROM fresh f JOIN sale s ON s.tenant_id = {tenant} AND s.id = f.sale ORDER BY f.at;
    INSERT INTO order_line (tenant_id, order_id, sale_id, sku_id, quantity, unit_price_minor, created_at)
        SELECT {tenant}, f.id, f.sale, s.sku_id, 1, s.price_minor, f.at
        FROM fresh f JOIN sale s ON s.tenant_id = {tenant} AND s.id = f.sale ORDER BY f.at"""
CASES = [
    ("payment_without_attempt", "4200002471202611230017", '{"amount_minor": 9900, "currency": "CNY"}'),
    ("fulfilment_overdue", "ful_9f3c", '{"due_at": "2026-11-23T08:00:00Z"}'),
    ("topup_unanswered", "ful_77ab", "{}"),
    ("refund_refused", "ref_51d0", '{"why": "余额不足"}'),
    ("webhook_endpoint_disabled", "https://erp.deer.example/hooks:2026-11-22", '{"because": "18 次连续失败"}'),
]
# Names of tags belong to the bench.
INDEXED = [statement for statement in data.INDEXED.split(";\n") if "tag" not in statement]


async def write(database_url: str, tenant: str, sales: list[str]) -> None:
    """`tenant` and `sales` as UUIDs in hex: constants of ours, no word of anybody's."""
    conn = await data.writer(database_url)
    named = {
        "tenant": f"'{tenant}'::uuid",
        "orders": ORDERS,
        "last": len(sales) - 1,
        "sales": ", ".join(f"'{each}'::uuid" for each in sales),
    }
    try:
        for statement in [*MADE.split(";\n"), *INDEXED]:
            await conn.execute(statement.format(**named))
        await _cases(conn, tenant)
    finally:
        await conn.close()


async def _cases(conn: asyncpg.Connection, tenant: str) -> None:
    sql = "INSERT INTO exception_case (tenant_id, id, kind, reference, detail) VALUES ($1::uuid, gen_random_uuid(), $2, $3, $4)"
    await conn.executemany(sql, [(tenant, *case) for case in CASES])
