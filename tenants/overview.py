"""A store at a glance, for the people who run it: what there is to sell, what is on sale, and how far it has sold."""

import datetime as dt
from uuid import UUID

import msgspec

from checkout_core.errors import NotFound
from tenants.db import TenantTx

ROWS_MAX = 100


class Shelf(msgspec.Struct, frozen=True):
    """A SKU and its units by state; `unallotted` is the part of `available` that no sale has and a new one may take."""

    sku_id: UUID
    product: str
    name: str
    price_minor: int
    currency: str
    available: int
    held: int
    sold: int
    unallotted: int


class Running(msgspec.Struct, frozen=True):
    """A sale and its units by state."""

    sale_id: UUID
    name: str
    state: str
    price_minor: int
    currency: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    available: int
    held: int
    sold: int


class StoreCard(msgspec.Struct, frozen=True):
    slug: str
    name: str
    currency: str
    zone: str


async def store(tx: TenantTx) -> StoreCard:
    """Raises `NotFound`."""
    if row := await tx.conn.fetchrow("SELECT slug, name, currency, zone FROM store WHERE tenant_id = $1", tx.tenant_id):
        return StoreCard(*row)
    raise NotFound("There is no such store.")


async def shelves(tx: TenantTx) -> list[Shelf]:
    """The newest SKUs, at most ROWS_MAX. Loose units count once their import is complete."""
    sql = """WITH shown AS (SELECT k.id, p.name AS product, k.name, k.price_minor, k.currency
                            FROM sku k JOIN product p ON p.tenant_id = k.tenant_id AND p.id = k.product_id
                            WHERE k.tenant_id = $1 ORDER BY k.id DESC LIMIT $2),
                  counted AS (SELECT u.sku_id, u.state, u.sale_id IS NULL AS loose, count(*) AS n
                              FROM unit u JOIN vault_batch b ON b.tenant_id = u.tenant_id AND b.id = u.batch_id AND b.state = 'loaded'
                              WHERE u.tenant_id = $1 AND u.sku_id IN (SELECT id FROM shown) GROUP BY 1, 2, 3)
             SELECT s.*, coalesce(sum(n) FILTER (WHERE state = 'available'), 0)::bigint,
                    coalesce(sum(n) FILTER (WHERE state = 'held'), 0)::bigint, coalesce(sum(n) FILTER (WHERE state = 'sold'), 0)::bigint,
                    coalesce(sum(n) FILTER (WHERE state = 'available' AND loose), 0)::bigint
             FROM shown s LEFT JOIN counted c ON c.sku_id = s.id
             GROUP BY s.id, s.product, s.name, s.price_minor, s.currency ORDER BY s.id DESC"""
    return [Shelf(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, ROWS_MAX)]


async def running(tx: TenantTx) -> list[Running]:
    """The newest sales, ended ones too, at most ROWS_MAX."""
    sql = """WITH shown AS (SELECT id, name, state, price_minor, currency, starts_at, ends_at, allotted, committed
                            FROM sale WHERE tenant_id = $1 ORDER BY id DESC LIMIT $2),
                  held AS (SELECT sale_id, count(*) AS n FROM unit
                           WHERE tenant_id = $1 AND state = 'held' AND sale_id IN (SELECT id FROM shown) GROUP BY sale_id)
             SELECT s.id, s.name, s.state, s.price_minor, s.currency, s.starts_at, s.ends_at,
                    s.allotted - s.committed, coalesce(h.n, 0), s.committed - coalesce(h.n, 0)
             FROM shown s LEFT JOIN held h ON h.sale_id = s.id ORDER BY s.id DESC"""
    return [Running(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, ROWS_MAX)]


async def held(tx: TenantTx, sale_id: UUID) -> bool:
    """Whether shoppers hold units of the sale that they have not paid: then what is gone may come back.

    Reads the whole sale when nobody does, so ask seldom.
    """
    sql = "SELECT EXISTS (SELECT 1 FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND state = 'held')"
    return bool(await tx.conn.fetchval(sql, tx.tenant_id, sale_id))
