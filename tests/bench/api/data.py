"""The data: merchants by the thousand, and orders by the million, written set by set as the product would have left them."""

import hashlib
import time
from typing import NamedTuple
from uuid import UUID

import asyncpg

from tenants.orders import index

DUE_LATER = "now() + interval '30 days'"


class Size(NamedTuple):
    tenants: tuple[int, ...]  # with so many the costs of merchants are compared
    orders: int  # of the large one
    others: int  # who have many too
    orders_each: int
    units: int  # of one SKU
    sign_ups: int
    starts: int  # of each process
    requests: int  # of each case in a round
    rounds: int


FULL = Size(
    tenants=(1, 100, 10_000),
    orders=1_000_000,
    others=50,
    orders_each=10_000,
    units=1_000_000,
    sign_ups=60,
    starts=3,
    requests=100,
    rounds=3,
)
SMOKE = Size(tenants=(1, 20), orders=3_000, others=2, orders_each=300, units=2_000, sign_ups=3, starts=1, requests=4, rounds=1)

# A merchant as signing up leaves him, with something to sell and an order whose hold lasts.
TENANTS = f"""
    CREATE TEMPORARY TABLE fresh AS
        SELECT gen_random_uuid() AS id, 'bench-' || n AS slug, gen_random_uuid() AS product FROM generate_series($1::integer, $2) AS n;
    INSERT INTO tenant (id, slug) SELECT id, slug FROM fresh;
    INSERT INTO store_host (host, tenant_id) SELECT slug || '.bench.test', id FROM fresh;
    INSERT INTO merchant_user (id, tenant_id, mail, password_hash, scopes) SELECT id, id, slug || '@bench.test', '!', '{{}}' FROM fresh;
    INSERT INTO membership (tenant_id, user_id, role) SELECT id, id, 'owner' FROM fresh;
    INSERT INTO store (tenant_id, slug, name) SELECT id, slug, slug FROM fresh;
    INSERT INTO api_key (tenant_id, id, name, key_hash, scopes) SELECT id, id, 'first', sha256(id::text::bytea), '{{}}' FROM fresh;
    INSERT INTO product (tenant_id, id, name) SELECT id, product, 'Steam 100' FROM fresh;
    INSERT INTO sku (tenant_id, id, product_id, name, price_minor, currency) SELECT id, product, product, '100', 9900, 'CNY' FROM fresh;
    INSERT INTO sale (tenant_id, id, sku_id, name, price_minor, currency, starts_at, limit_per_shopper)
        SELECT id, product, product, 'Launch', 9900, 'CNY', now(), 0 FROM fresh;
    INSERT INTO orders (tenant_id, id, intent_id, shopper_id, state, amount_minor, currency, body_hash, channel, hold_until, next_try_at)
        SELECT id, product, product, product, 'awaiting', 9900, 'CNY', '', 'web', {DUE_LATER}, {DUE_LATER} FROM fresh;
    INSERT INTO outbox (tenant_id, id, topic, payload, next_try_at) SELECT id, id, 'merchant.signed_up', '{{}}', NULL FROM fresh;
    DROP TABLE fresh"""

# A store's orders of a year, one every half minute of it: $1 tenant, $2 how many. Contacts of four in ten customers come again.
SALES = """
    INSERT INTO product (tenant_id, id, name) VALUES ({tenant}, {tenant}, 'Steam 充值卡') ON CONFLICT DO NOTHING;
    INSERT INTO sku (tenant_id, id, product_id, name, price_minor, currency)
        VALUES ({tenant}, {tenant}, {tenant}, '100 元', 9900, 'CNY') ON CONFLICT DO NOTHING;
    INSERT INTO sale (tenant_id, id, sku_id, name, price_minor, currency, starts_at, limit_per_shopper)
        SELECT {tenant}, md5('sale' || n || {tenant}::text)::uuid, {tenant},
               'Campaign ' || n || CASE WHEN n % 10 = 0 THEN ' 春节特惠' ELSE '' END,
               9900, 'CNY', now() - interval '1 year', 0 FROM generate_series(0, 199) AS n ON CONFLICT DO NOTHING;
    INSERT INTO search_text (tenant_id, kind, id, text)
        SELECT {tenant}, 'sale', s.id, lower(normalize(s.name || ' 100 元 Steam 充值卡', NFKC)) FROM sale s WHERE s.tenant_id = {tenant}
        ON CONFLICT DO NOTHING;
    INSERT INTO search_text (tenant_id, kind, id, text)
        VALUES ({tenant}, 'product', {tenant}, lower(normalize('Steam 充值卡 100 元', NFKC))) ON CONFLICT DO NOTHING;
    INSERT INTO search_gram (tenant_id, kind, gram, id)
        SELECT DISTINCT tenant_id, kind, substr(text, n, 3), id FROM search_text, generate_series(1, length(text)) AS n
        WHERE tenant_id = {tenant} AND kind <> 'contact' ON CONFLICT DO NOTHING"""
ORDERS = """
    CREATE TEMPORARY TABLE fresh AS
    SELECT md5('order' || n || {tenant}::text)::uuid AS id, date_trunc('minute', now()) - n * (interval '31536000 s' / {orders}) AS at,
           md5('shopper' || customer || {tenant}::text)::uuid AS shopper,
           CASE WHEN dice < 0.80 THEN 'delivered' WHEN dice < 0.92 THEN 'expired' WHEN dice < 0.97 THEN 'cancelled'
                WHEN dice < 0.98 THEN 'refunded' WHEN dice < 0.981 THEN 'awaiting' ELSE 'refused' END AS state,
           CASE WHEN dice2 < 0.60 THEN 'web' WHEN dice2 < 0.85 THEN 'h5' WHEN dice2 < 0.95 THEN 'api' ELSE 'live' END AS channel,
           CASE WHEN customer % 10 = 0 THEN NULL
                WHEN customer % 10 < 3 THEN '138' || lpad((customer::bigint * 7919 % 100000000)::text, 8, '0')
                ELSE (ARRAY['ann', 'bob', 'chen', 'dora', 'emil', 'fang', 'gustav', 'hui', 'ines', 'jun'])[1 + customer % 10] || '.'
                     || (ARRAY['lee', 'wang', 'smith', 'zhang', 'mueller', 'garcia', 'li', 'tanaka'])[1 + customer % 8] || customer / 80
                     || (ARRAY['@example.org', '@mail.example', '@qq.example', '@163.example'])[1 + customer % 4] END AS contact,
           md5('sale' || (200 * power(dice3, 2))::integer % 200 || {tenant}::text)::uuid AS sale
    FROM (SELECT n, (random() * {orders} * 0.3)::integer AS customer, random() AS dice, random() AS dice2, random() AS dice3
          FROM generate_series(1, {orders}) AS n) AS drawn;
    INSERT INTO orders (tenant_id, id, intent_id, shopper_id, state, refusal, amount_minor, currency, body_hash, contact, channel,
                        created_at, hold_until, next_try_at)
        SELECT {tenant}, id, id, shopper, state, CASE WHEN state = 'refused' THEN 2 END, 9900, 'CNY', '', contact, channel, at,
               CASE WHEN state = 'awaiting' THEN {later} END, CASE WHEN state = 'awaiting' THEN {later} END
        FROM fresh ORDER BY at;
    INSERT INTO order_line (tenant_id, order_id, sale_id, sku_id, quantity, unit_price_minor, created_at)
        SELECT {tenant}, id, sale, {tenant}, 1, 9900, at FROM fresh WHERE state <> 'refused' ORDER BY at"""
PAID = "state IN ('delivered', 'refunded')"
TAG = "md5('tag' || n || {tenant}::text)::uuid"
# What the duty of the notes would have made of them, half of the contacts having come in rushes of a thousand.
INDEXED = f"""
    INSERT INTO order_entry (tenant_id, at, order_id, state, contact)
        SELECT {{tenant}}, at, id, state, lower(normalize(contact, NFKC)) FROM fresh ORDER BY at, id;
    INSERT INTO order_posting (tenant_id, term, at, order_id)
        SELECT {{tenant}}, term, at, id FROM (
            SELECT {index.STATE.format(state="state")} AS term, at, id FROM fresh
            UNION ALL SELECT {index.CHANNEL.format(channel="channel")}, at, id FROM fresh
            UNION ALL SELECT {index.CONTACT.format(contact="contact")}, at, id FROM fresh WHERE contact IS NOT NULL
            UNION ALL SELECT sale, at, id FROM fresh WHERE state <> 'refused'
            UNION ALL SELECT {index.STATE_IN_SALE.format(state="state", sale="sale")}, at, id FROM fresh WHERE state <> 'refused') AS terms
        ORDER BY term, at, id;
    INSERT INTO search_text (tenant_id, kind, id, text, segment)
        SELECT {{tenant}}, 'contact', id, contact, CASE n % 2 WHEN 0 THEN md5('segment' || n / 2000)::uuid END FROM (
            SELECT {index.CONTACT.format(contact="contact")} AS id, contact, row_number() OVER () AS n FROM (
                SELECT DISTINCT contact FROM fresh WHERE contact IS NOT NULL) AS contacts) AS named
        ORDER BY id;
    INSERT INTO search_gram (tenant_id, kind, gram, id, ids, texts)
        SELECT {{tenant}}, 'contact', gram, CASE count(*) WHEN 1 THEN (array_agg(id))[1] ELSE segment END,
               CASE WHEN count(*) > 1 THEN array_agg(id) END, count(*)
        FROM (SELECT DISTINCT substr(text, n, 3) AS gram, id, segment FROM search_text, generate_series(1, length(text)) AS n
              WHERE tenant_id = {{tenant}} AND kind = 'contact') AS grams
        GROUP BY gram, segment, CASE WHEN segment IS NULL THEN id END ORDER BY gram;
    INSERT INTO tag (tenant_id, id, name) SELECT {{tenant}}, {TAG}, n FROM unnest(ARRAY['most', 'some', 'few', 'live']) AS n;
    CREATE TEMPORARY TABLE tagged AS
        SELECT {TAG} AS tag, at, id FROM (SELECT at, id, channel, random() AS dice FROM fresh) AS f CROSS JOIN LATERAL unnest(
            ARRAY[CASE WHEN dice < 0.60 THEN 'most' END, CASE WHEN dice < 0.02 THEN 'some' END, CASE WHEN dice < 0.0005 THEN 'few' END,
                  CASE WHEN channel = 'live' THEN 'live' END]) AS n WHERE n IS NOT NULL;
    INSERT INTO order_tag (tenant_id, order_id, tag_id) SELECT {{tenant}}, id, tag FROM tagged ORDER BY id, tag;
    INSERT INTO order_posting (tenant_id, term, at, order_id) SELECT {{tenant}}, tag, at, id FROM tagged ORDER BY tag, at, id;
    INSERT INTO order_minute (tenant_id, minute, currency, made, paid, paid_minor, delivered)
        SELECT {{tenant}}, date_trunc('minute', at), 'CNY', count(*) FILTER (WHERE state <> 'refused'), count(*) FILTER (WHERE {PAID}),
               9900 * count(*) FILTER (WHERE {PAID}), count(*) FILTER (WHERE {PAID}) FROM fresh GROUP BY 2;
    INSERT INTO sale_tally (tenant_id, sale_id, state, orders, units)
        SELECT {{tenant}}, sale, state, count(*), count(*) FROM fresh WHERE state <> 'refused' GROUP BY sale, state;
    DROP TABLE tagged;
    DROP TABLE fresh"""


def tag(tenant: UUID, name: str) -> UUID:
    """One that `most`, `some` or `few` orders have, or all of the channel `live`."""
    return UUID(hashlib.md5(f"tag{name}{tenant}".encode(), usedforsecurity=False).hexdigest())


async def writer(database_url: str) -> asyncpg.Connection:
    """A session that writes much: without the triggers of foreign keys, and without waiting for each commit."""
    settings = {"session_replication_role": "replica", "synchronous_commit": "off", "work_mem": "512MB", "maintenance_work_mem": "512MB"}
    return await asyncpg.connect(database_url, server_settings=settings, command_timeout=600)


async def tenants(database_url: str, count: int) -> float:
    """As many more merchants as make `count` of them; the seconds it took."""
    began = time.monotonic()
    conn = await writer(database_url)
    try:
        there = await conn.fetchval("SELECT count(*) FROM tenant")
        for statement in TENANTS.replace("$1::integer", str(there + 1)).replace("$2", str(count)).split(";\n"):
            await conn.execute(statement)
    finally:
        await conn.close()
    return time.monotonic() - began


async def orders(database_url: str, tenant: UUID, count: int) -> dict[str, float]:
    """A year of orders of a store; the seconds it took, for the orders and for their index."""
    conn = await writer(database_url)
    named = {"tenant": f"'{tenant}'::uuid", "orders": count, "later": DUE_LATER}
    took = {}
    try:
        for name, script in (("sales", SALES), ("orders", ORDERS), ("index", INDEXED)):
            began = time.monotonic()
            await conn.execute(script.format(**named))
            took[name] = round(time.monotonic() - began, 2)
    finally:
        await conn.close()
    return took
