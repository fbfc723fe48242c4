"""Entitlements: what a delivered unit entitles to, for as long as it does; and each use that was made of it.

Types write and read them (`tenants.types`); nothing here knows one type from another.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import NotFound
from checkout_core.ids import new_id
from tenants.db import NEWEST, TenantTx

STATES: Final = ("active", "expired", "revoked")

_encode = msgspec.json.Encoder().encode


class Entitlement(msgspec.Struct, frozen=True):
    """`data` is the type's own."""

    id: UUID
    unit_id: int
    order_id: UUID
    sku_id: UUID
    shopper_id: UUID
    type: str
    state: str
    valid_from: dt.datetime
    valid_until: dt.datetime | None
    data: dict[str, Any]


class Use(msgspec.Struct, frozen=True):
    name: str
    used_at: dt.datetime
    ended_at: dt.datetime | None


_COLUMNS = ", ".join(Entitlement.__struct_fields__)


async def grant(
    tx: TenantTx,
    *,
    type: str,
    unit: int,
    order_id: UUID,
    sku_id: UUID,
    shopper_id: UUID,
    valid_from: dt.datetime | None = None,
    valid_until: dt.datetime | None = None,
    next_try_at: dt.datetime | None = None,
    data: dict[str, Any] | None = None,
) -> UUID:
    """The unit's entitlement; granted again, it stays as it is. `next_try_at` is when its type wants to be asked (`tend`)."""
    due = min((at for at in (next_try_at, valid_until) if at is not None), default=None)
    sql = """INSERT INTO entitlement (tenant_id, id, unit_id, order_id, sku_id, shopper_id, type, valid_from, valid_until, data,
                                      next_try_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8, now()), $9, $10, $11)
             ON CONFLICT (unit_id, tenant_id) DO UPDATE SET unit_id = excluded.unit_id RETURNING id"""
    row = (tx.tenant_id, new_id(), unit, order_id, sku_id, shopper_id, type, valid_from, valid_until, _encode(data or {}).decode(), due)
    found: UUID = await tx.conn.fetchval(sql, *row)
    return found


async def of_unit(
    tx: TenantTx, unit: int, *, type: str | None = None, shopper_id: UUID | None = None, lock: bool = False
) -> Entitlement:  # fmt: skip
    """The unit's; with `type` and `shopper_id` only if it is of that and his. Raises `NotFound`, alike for all of these."""
    sql = f"SELECT {_COLUMNS} FROM entitlement WHERE tenant_id = $1 AND unit_id = $2 {'FOR UPDATE' if lock else ''}"
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, unit):
        found = _read(row)
        if type in (None, found.type) and shopper_id in (None, found.shopper_id):
            return found
    raise NotFound("Nothing was granted with this.")


async def get(tx: TenantTx, entitlement_id: UUID, *, lock: bool = False) -> Entitlement:
    """Raises `NotFound`."""
    sql = f"SELECT {_COLUMNS} FROM entitlement WHERE tenant_id = $1 AND id = $2 {'FOR UPDATE' if lock else ''}"
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, entitlement_id):
        return _read(row)
    raise NotFound("There is no such entitlement.")


async def latest(
    tx: TenantTx,
    *,
    type: str | None = None,
    state: str | None = None,
    shopper_id: UUID | None = None,
    order_id: UUID | None = None,
    limit: int,
    before: UUID | None = None,
) -> list[Entitlement]:
    """At most `limit`, newest first, older than `before`. Of a state only those of one type: their list is kept together."""
    args = [tx.tenant_id, before or NEWEST, limit, type, state, shopper_id, order_id]
    if shopper_id is None and order_id is None and type is not None:
        # A range for each state: ids are in order within one.
        one = f"""(SELECT {_COLUMNS} FROM entitlement WHERE tenant_id = $1 AND type = $4 AND state = '{{}}' AND id < $2
                   ORDER BY id DESC LIMIT $3)"""
        parts = " UNION ALL ".join(one.format(each) for each in STATES if state in (None, each))
        rows = await tx.conn.fetch(f"SELECT * FROM ({parts}) AS found ORDER BY id DESC LIMIT $3", *args[:4])
    else:
        sql = f"""SELECT {_COLUMNS} FROM entitlement WHERE tenant_id = $1 AND id < $2 {"AND shopper_id = $6" if shopper_id else ""}
                    {"AND order_id = $7" if order_id else ""} AND ($4::text IS NULL OR type = $4) AND ($5::text IS NULL OR state = $5)
                    AND ($6::uuid IS NULL OR shopper_id = $6) AND ($7::uuid IS NULL OR order_id = $7)
                  ORDER BY id DESC LIMIT $3"""
        rows = await tx.conn.fetch(sql, *args)
    return [_read(row) for row in rows]


async def of_shopper(tx: TenantTx, shopper_id: UUID, sku_id: UUID) -> list[Entitlement]:
    """Those of a SKU, the one that ends last first."""
    sql = f"""SELECT {_COLUMNS} FROM entitlement WHERE tenant_id = $1 AND shopper_id = $2 AND sku_id = $3
              ORDER BY valid_until DESC NULLS FIRST, id DESC LIMIT 100"""
    return [_read(row) for row in await tx.conn.fetch(sql, tx.tenant_id, shopper_id, sku_id)]


async def of_shopper_all(tx: TenantTx, shopper_id: UUID) -> list[Entitlement]:
    """All that a shopper was granted, what ends last first; at most 100."""
    sql = f"""SELECT {_COLUMNS} FROM entitlement WHERE tenant_id = $1 AND shopper_id = $2
              ORDER BY valid_until DESC NULLS FIRST, id DESC LIMIT 100"""
    return [_read(row) for row in await tx.conn.fetch(sql, tx.tenant_id, shopper_id)]


async def holdings(tx: TenantTx, shopper_id: UUID, type: str, sku_id: UUID | None = None, *, lock: bool = False) -> list[Entitlement]:
    """What a shopper has of a type, or of one SKU of it, the one that ends last first; what was revoked is not his. At most 1,000."""
    sql = f"""SELECT {_COLUMNS} FROM entitlement WHERE tenant_id = $1 AND shopper_id = $2 AND type = $3 AND state <> 'revoked'
                {"AND sku_id = $4" if sku_id else ""} ORDER BY valid_until DESC NULLS FIRST, id DESC LIMIT 1000
              {"FOR UPDATE" if lock else ""}"""
    return [_read(row) for row in await tx.conn.fetch(sql, tx.tenant_id, shopper_id, type, *([sku_id] if sku_id else []))]


async def save(tx: TenantTx, entitlement: Entitlement, *, next_try_at: dt.datetime | None = None) -> None:
    """Keep the dates and the `data` of `entitlement`, whose row is locked by the caller; `next_try_at` as in `grant`."""
    due = min((at for at in (next_try_at, entitlement.valid_until) if at is not None), default=None)
    sql = """UPDATE entitlement SET valid_from = $3, valid_until = $4, data = $5,
                                    next_try_at = CASE WHEN state = 'active' THEN $6::timestamptz END
             WHERE tenant_id = $1 AND id = $2"""
    dates = (entitlement.valid_from, entitlement.valid_until)
    await tx.conn.execute(sql, tx.tenant_id, entitlement.id, *dates, _encode(entitlement.data).decode(), due)


async def prolong(tx: TenantTx, entitlement: Entitlement, *, next_try_at: dt.datetime | None = None) -> None:
    """As `save`, of one that lasts longer now: what had expired goes on if its new end is ahead."""
    sql = "UPDATE entitlement SET state = 'active' WHERE tenant_id = $1 AND id = $2 AND state = 'expired' AND $3::timestamptz > now()"
    await tx.conn.execute(sql, tx.tenant_id, entitlement.id, entitlement.valid_until)
    await save(tx, entitlement, next_try_at=next_try_at)


async def of_order(tx: TenantTx, order_id: UUID, sku_id: UUID) -> list[Entitlement]:
    """Those of a line of an order, what begins first on top."""
    sql = f"""SELECT {_COLUMNS} FROM entitlement WHERE tenant_id = $1 AND order_id = $2 AND sku_id = $3
              ORDER BY valid_from, unit_id LIMIT 1000"""
    return [_read(row) for row in await tx.conn.fetch(sql, tx.tenant_id, order_id, sku_id)]


async def revoke(tx: TenantTx, units: Sequence[int]) -> None:
    """End what the units entitle to, for good: also of what has expired."""
    sql = """UPDATE entitlement SET state = 'revoked', next_try_at = NULL
             WHERE tenant_id = $1 AND unit_id = ANY($2) AND state <> 'revoked'"""
    await tx.conn.execute(sql, tx.tenant_id, list(units))


async def use(tx: TenantTx, entitlement_id: UUID, name: str, *, actor: str, most: int | None = None) -> bool:
    """Use it on `name`; whether it was possible: False when `most` other uses go on. Used again on the same, it stays the one use.

    The entitlement's row is locked by the caller.
    """
    sql = "SELECT ended_at IS NULL FROM entitlement_use WHERE tenant_id = $1 AND entitlement_id = $2 AND name = $3"
    if await tx.conn.fetchval(sql, tx.tenant_id, entitlement_id, name):
        return True
    if most is not None and len(await uses(tx, entitlement_id)) >= most:
        return False
    sql = """INSERT INTO entitlement_use (tenant_id, entitlement_id, name, actor) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant_id, entitlement_id, name) DO UPDATE SET used_at = now(), ended_at = NULL, actor = excluded.actor"""
    await tx.conn.execute(sql, tx.tenant_id, entitlement_id, name, actor)
    return True


async def give_back(tx: TenantTx, entitlement_id: UUID, name: str) -> bool:
    """End a use; whether there was one."""
    sql = """UPDATE entitlement_use SET ended_at = now()
             WHERE tenant_id = $1 AND entitlement_id = $2 AND name = $3 AND ended_at IS NULL"""
    return bool(await tx.conn.execute(sql, tx.tenant_id, entitlement_id, name) == "UPDATE 1")


async def uses(tx: TenantTx, entitlement_id: UUID) -> list[Use]:
    """Those that go on, oldest first; at most 1,000."""
    sql = """SELECT name, used_at, ended_at FROM entitlement_use
             WHERE tenant_id = $1 AND entitlement_id = $2 AND ended_at IS NULL ORDER BY used_at, name LIMIT 1000"""
    return [Use(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, entitlement_id)]


def _read(row: asyncpg.Record) -> Entitlement:
    return Entitlement(**{**row, "data": msgspec.json.decode(row["data"])})
