"""Watches on stock: when a SKU has as few units left as its threshold says, the store is told once, until there are more again.

A duty looks twice a minute, and counts no further than it must: what sales have free is in their rows, and of the loose units at most one
more than the threshold is looked at. Selling pays nothing for it.
"""

import datetime as dt
from typing import Final
from uuid import UUID

import msgspec

from checkout_core.errors import NotFound
from checkout_core.ids import encode
from tenants import mails, roles
from tenants.db import OLDEST, Pool, TenantTx, tenant_tx

EVERY_S: Final = 30.0
PERMISSION: Final = "vault:write"  # who has it can fill the stock up, and is told
TOLD_MAX: Final = 100  # people


class Watch(msgspec.Struct, frozen=True):
    """`units` there were when it was looked at last: exact up to `low_stock_at`, beyond it at least so many. `low_since`: since when they
    are no more than `low_stock_at`."""

    id: UUID
    low_stock_at: int
    units: int | None
    low_since: dt.datetime | None
    looked_at: dt.datetime | None


_COLUMNS = ", ".join(Watch.__struct_fields__)
FREE: Final = "SELECT coalesce(sum(allotted - committed), 0)::bigint FROM sale WHERE tenant_id = $1 AND sku_id = $2 AND state <> 'ended'"
LOOSE: Final = """SELECT count(*) FROM (
    SELECT 1 FROM unit WHERE tenant_id = $1 AND sku_id = $2 AND state = 'available' AND sale_id IS NULL
        AND (SELECT b.state FROM vault_batch b WHERE b.tenant_id = $1 AND b.id = unit.batch_id) = 'loaded' LIMIT $3) AS loose"""


async def put(tx: TenantTx, sku_id: UUID, low_stock_at: int, *, actor: str) -> Watch:
    """Watch a SKU, or by another threshold; it is looked at anew, and told of if it is low. Raises `NotFound`."""
    await _sku(tx, sku_id)
    sql = f"""INSERT INTO stock_watch (tenant_id, id, low_stock_at) VALUES ($1, $2, $3)
              ON CONFLICT (tenant_id, id) DO UPDATE SET low_stock_at = $3, low_since = NULL, told = true, units = NULL, looked_at = NULL,
                  next_try_at = now() RETURNING {_COLUMNS}"""
    watch = Watch(*await tx.conn.fetchrow(sql, tx.tenant_id, sku_id, low_stock_at))
    await tx.audit(actor, "stock_watch.set", encode("sku", sku_id), low_stock_at=low_stock_at)
    return watch


async def delete(tx: TenantTx, sku_id: UUID, *, actor: str) -> None:
    """Watch it no longer. Raises `NotFound` when it is not."""
    sql = "DELETE FROM stock_watch WHERE tenant_id = $1 AND id = $2 RETURNING id"
    if await tx.conn.fetchval(sql, tx.tenant_id, sku_id) is None:
        raise NotFound("The stock of this SKU is not watched.")
    await tx.audit(actor, "stock_watch.removed", encode("sku", sku_id))


async def all_of(tx: TenantTx, *, low: bool | None, limit: int, after: UUID | None = None) -> list[Watch]:
    """At most `limit`, in the order of their SKUs' ids, beyond `after`; those that are low, or not, when that is asked."""
    narrowed = "" if low is None else f"AND low_since IS {'NOT NULL' if low else 'NULL'}"
    sql = f"SELECT {_COLUMNS} FROM stock_watch WHERE tenant_id = $1 AND id > $2 {narrowed} ORDER BY id LIMIT $3"
    return [Watch(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, after or OLDEST, limit)]


async def look(pool: Pool, platform: Pool | None, tenant_id: UUID, sku_id: UUID) -> None:
    """The duty: count, tell if it is low now and was not before, and come again. Mails need `platform`, whose role knows who works here."""
    async with tenant_tx(pool, tenant_id) as tx:
        sql = "SELECT low_stock_at, low_since, told FROM stock_watch WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
        watch = await tx.conn.fetchrow(sql, tenant_id, sku_id)
        if watch is None:
            return
        units = await left(tx, sku_id, watch["low_stock_at"])
        low = units <= watch["low_stock_at"]
        new = low and watch["low_since"] is None
        owed = low and (new or not watch["told"])
        sql = """UPDATE stock_watch SET units = $3, looked_at = now(), low_since = CASE WHEN $4 THEN coalesce(low_since, now()) END,
                        told = NOT $5, next_try_at = now() + $6::float8 * interval '1 second', tries = 0
                 WHERE tenant_id = $1 AND id = $2"""
        await tx.conn.execute(sql, tenant_id, sku_id, units, low, owed, EVERY_S)
        if new:
            await tx.emit("stock.low", {"sku_id": encode("sku", sku_id), "low_stock_at": watch["low_stock_at"], "units": units})
        name = await tx.conn.fetchval("SELECT name FROM sku WHERE tenant_id = $1 AND id = $2", tenant_id, sku_id) if owed else ""
    if owed and platform is not None:
        async with tenant_tx(platform, tenant_id) as tx:
            await _tell(tx, name, units, watch["low_stock_at"])
        # Should this process die before, the mails are written once more.
        async with tenant_tx(pool, tenant_id) as tx:
            await tx.conn.execute("UPDATE stock_watch SET told = true WHERE tenant_id = $1 AND id = $2", tenant_id, sku_id)


async def left(tx: TenantTx, sku_id: UUID, low_stock_at: int) -> int:
    """How many units can still be sold: what sales have free, and the loose ones; counted no further than one beyond the threshold."""
    free: int = await tx.conn.fetchval(FREE, tx.tenant_id, sku_id)
    if free > low_stock_at:
        return free
    loose: int = await tx.conn.fetchval(LOOSE, tx.tenant_id, sku_id, low_stock_at - free + 1)
    return free + loose


async def _tell(tx: TenantTx, sku: str, units: int, low_stock_at: int) -> None:
    """A mail to everybody who may load codes. Who works here only the platform's role may ask."""
    store = await tx.conn.fetchval("SELECT name FROM store WHERE tenant_id = $1", tx.tenant_id)
    sql = """SELECT u.mail, u.locale, m.role, r.permissions FROM membership m JOIN merchant_user u ON u.id = m.user_id
             LEFT JOIN staff_role r ON r.tenant_id = m.tenant_id AND r.id = m.role_id WHERE m.tenant_id = $1 ORDER BY u.id"""
    people = [row for row in await tx.conn.fetch(sql, tx.tenant_id) if PERMISSION in roles.scopes(row["role"], row["permissions"])]
    said = {"store": store or "", "sku": sku, "units": str(units), "low_stock_at": str(low_stock_at)}
    for mail, locale, *_ in people[:TOLD_MAX]:
        await mails.send(tx, mail, "stock_low", locale=locale, **said)


async def _sku(tx: TenantTx, sku_id: UUID) -> None:
    if not await tx.conn.fetchval("SELECT true FROM sku WHERE tenant_id = $1 AND id = $2", tx.tenant_id, sku_id):
        raise NotFound(f"There is no SKU {encode('sku', sku_id)}.")
