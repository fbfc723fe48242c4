"""Sales: an offer of a SKU at a price between two instants, with units allotted to it.

Whatever changes a running sale locks its row, changes it and adds one to its epoch: whatever was admitted or given back under an older
epoch is void. Units are locked after the row, by rank.
"""

import datetime as dt
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, NotFound, Unprocessable
from checkout_core.ids import encode, new_id
from tenants import capabilities, catalog, search, types
from tenants.db import NEWEST, TenantTx
from tenants.units import issue
from tenants.units.issue import CHUNK
from tenants.webhooks import reservations


class Sale(msgspec.Struct, frozen=True):
    id: UUID
    sku_id: UUID
    name: str
    door: str
    state: str
    price_minor: int
    currency: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    limit_per_shopper: int
    hold_s: int
    fallback_per_s: int
    epoch: int
    allotted: int
    committed: int
    created_at: dt.datetime
    takes_new_stock: bool
    waiting_room: str  # off · line · draw: before the start by lot, then in the order of arrival


class SaleChanged(msgspec.Struct, frozen=True):
    """Event `sale.changed`: what a process remembers of this sale is out of date."""

    sale_id: str
    epoch: int
    state: str
    action: str  # as the audit calls it


class NotEnoughStock(Conflict):
    code = "not_enough_stock"


_COLUMNS = ", ".join(Sale.__struct_fields__)


async def create(
    tx: TenantTx,
    *,
    sku_id: UUID,
    name: str,
    units: int | None,
    limit_per_shopper: int,
    price_minor: int | None,
    starts_at: dt.datetime | None,
    ends_at: dt.datetime | None,
    hold_s: int,
    actor: str,
    door: str = "direct",
    fallback_per_s: int = 0,
    takes_new_stock: bool = False,
    waiting_room: str = "off",
) -> Sale:
    """Open a sale with `units` of the SKU's loose stock, or with all there is when None. Price and currency default to the SKU's.

    All there is may be nothing, when it takes new stock. Raises `NotFound` for an unknown SKU, `NotEnoughStock`, `Unprocessable`
    when it would end before it starts, `CapabilityMissing`, `Conflict` (`stock_is_parts`) for a bundle that is not for the shelf.
    """
    sku = await catalog.get_sku(tx, sku_id, lock=True)
    if door != "shelf" and types.of(sku.type).stock == "parts":
        raise Conflict("A bundle is sold on the shelf, and nowhere else. No sale was made.", code="stock_is_parts")
    if waiting_room != "off" and door != "gate":
        raise Unprocessable("A waiting room stands before the door `gate`. No sale was made.", code="no_gate")
    now = await tx.conn.fetchval("SELECT now()")
    starts_at = starts_at or now
    if ends_at is not None and ends_at <= max(starts_at, now):
        raise Unprocessable("The sale would end before it starts, or has ended already.", code="ends_too_early")
    sql = f"""INSERT INTO sale (tenant_id, id, sku_id, name, door, price_minor, currency, starts_at, ends_at, limit_per_shopper, hold_s,
                                fallback_per_s, takes_new_stock, waiting_room)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING {_COLUMNS}"""
    sale = Sale(
        *await tx.conn.fetchrow(
            sql, tx.tenant_id, new_id(), sku_id, name, door, sku.price_minor if price_minor is None else price_minor, sku.currency,
            starts_at, ends_at, limit_per_shopper, hold_s, fallback_per_s, takes_new_stock, waiting_room,
        )
    )  # fmt: skip
    sale = await _allot(tx, sale, units, epoch_step=0)
    await capabilities.need_sale(tx, sale.sku_id, sale.allotted)
    product = await catalog.get_product(tx, sku.product_id)
    await search.keep(tx, "sale", [(sale.id, f"{name} {sku.name} {product.name}")])
    await announce(tx, sale, "sale.created", actor, units=sale.allotted, price_minor=sale.price_minor)
    return sale


async def get(tx: TenantTx, sale_id: UUID) -> Sale:
    """Raises `NotFound`."""
    if row := await tx.conn.fetchrow(f"SELECT {_COLUMNS} FROM sale WHERE tenant_id = $1 AND id = $2", tx.tenant_id, sale_id):
        return Sale(*row)
    raise NotFound("There is no such sale.")


async def latest(
    tx: TenantTx, *, state: str | None = None, sku_id: UUID | None = None, limit: int, before: UUID | None = None
) -> list[Sale]:
    """At most `limit` sales, newest first, older than `before`; with `state` or `sku_id` only such."""
    sql = f"""SELECT {_COLUMNS} FROM sale WHERE tenant_id = $1 AND id < $2
              AND ($4::text IS NULL OR state = $4) AND ($5::uuid IS NULL OR sku_id = $5) ORDER BY id DESC LIMIT $3"""
    return [Sale(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, before or NEWEST, limit, state, sku_id)]


async def pause(tx: TenantTx, sale_id: UUID, *, actor: str) -> Sale:
    """Take no more orders for now; those that hold units keep them. Pausing a paused sale changes nothing."""
    return await _turn(tx, sale_id, "paused", actor)


async def resume(tx: TenantTx, sale_id: UUID, *, actor: str) -> Sale:
    """Go on selling. Raises `CapabilityMissing` when meanwhile the merchant may not."""
    return await _turn(tx, sale_id, "open", actor)


async def end(tx: TenantTx, sale_id: UUID, *, actor: str) -> Sale:
    """End for good: units nobody holds return to the SKU's loose stock, held ones follow when their orders end unpaid."""
    sale = await _lock(tx, sale_id)
    if sale.state == "ended":
        return sale
    await _loosen(tx, sale, None)
    sale = await change(tx, sale, "state = 'ended', allotted = committed")
    await announce(tx, sale, "sale.ended", actor)
    return sale


async def add_stock(tx: TenantTx, sale_id: UUID, units: int | None, *, actor: str) -> Sale:
    """Allot `units` more of the SKU's loose stock, or all of it when None.

    Raises `NotFound`, `NotEnoughStock`, `CapabilityMissing`, `Conflict` when ended.
    """
    sale = await _lock_running(tx, sale_id)
    await catalog.get_sku(tx, sale.sku_id, lock=True)
    changed = await _allot(tx, sale, units, epoch_step=1)
    await capabilities.need_sale(tx, sale.sku_id, changed.allotted)
    await announce(tx, changed, "sale.stock_added", actor, units=changed.allotted - sale.allotted)
    return changed


async def withdraw_stock(tx: TenantTx, sale_id: UUID, units: int, *, actor: str) -> Sale:
    """Return `units` nobody holds to the SKU's loose stock, first those that would be sold last. Raises as `add_stock`."""
    sale = await _lock_running(tx, sale_id)
    withdrawn = await _loosen(tx, sale, units)
    if withdrawn < units:
        raise NotEnoughStock(f"Only {withdrawn} units of this sale are free. Nothing was withdrawn.", available=withdrawn)
    changed = await change(tx, sale, "allotted = allotted - $3", units)
    await announce(tx, changed, "sale.stock_withdrawn", actor, units=units)
    return changed


async def set_limit(tx: TenantTx, sale_id: UUID, limit_per_shopper: int, *, actor: str) -> Sale:
    """Change how many units a shopper may have, 0 for no limit; what shoppers hold already stays theirs, and counts."""
    sale = await _lock_running(tx, sale_id)
    if limit_per_shopper:
        await _close_ranks(tx, sale)
    changed = await change(tx, sale, "limit_per_shopper = $3, limit_since = clock_timestamp()", limit_per_shopper)
    await announce(tx, changed, "sale.limit_changed", actor, limit_per_shopper=limit_per_shopper)
    return changed


async def _close_ranks(tx: TenantTx, sale: Sale) -> None:
    """A shopper's units fill his slots from the first on: one above a new limit, or without a slot, would not count against it."""
    # Emptied first, filled then: the index of slots looks at each row by itself.
    sql = """SELECT id, n FROM (
                 SELECT id, slot, row_number() OVER (PARTITION BY shopper_id ORDER BY slot, id) AS n FROM unit
                 WHERE tenant_id = $1 AND sale_id = $2 AND shopper_id IS NOT NULL) AS held
             WHERE slot IS DISTINCT FROM n AND n <= 1000 ORDER BY id"""
    moving = [tuple(row) for row in await tx.conn.fetch(sql, tx.tenant_id, sale.id)]
    for fill in ("NULL", "x.n"):
        sql = f"""UPDATE unit SET slot = {fill} FROM unnest($2::bigint[], $3::integer[]) AS x(id, n)
                  WHERE unit.tenant_id = $1 AND unit.id = x.id"""
        if len(moving) > CHUNK:
            await tx.unhurried()
        for start in range(0, len(moving), CHUNK):
            await tx.conn.execute(sql, tx.tenant_id, *map(list, zip(*moving[start : start + CHUNK], strict=True)))


async def _allot(tx: TenantTx, sale: Sale, units: int | None, *, epoch_step: int) -> Sale:
    """Give the sale loose units of its SKU, in the SKU's order. The SKU's row is locked: no other sale is taking any now."""
    ranks = await issue.take(tx, await issue.order_of(tx, sale.sku_id), sale.sku_id, sale.id, units)
    taken = len(ranks)
    if taken < (units if units is not None else not sale.takes_new_stock):
        raise NotEnoughStock(f"Only {taken} units of this SKU are loose. Import more, or allot fewer.", available=taken)
    if not ranks:
        return sale
    # No available unit of the sale has a rank up to last_unit: a new sale's mark lies just below its first.
    mark = "$4" if sale.allotted == 0 else "least(last_unit, $4)"
    return await change(tx, sale, f"allotted = allotted + $3, last_unit = {mark}", taken, min(ranks) - 1, epoch_step=epoch_step)


async def _loosen(tx: TenantTx, sale: Sale, units: int | None) -> int:
    """Return up to `units` free units of the sale, or all, to the loose stock, those that would go last first; how many they were."""
    sql = """WITH picked AS MATERIALIZED (
                 SELECT id FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND state = 'available' ORDER BY rank DESC LIMIT $3 FOR UPDATE)
             UPDATE unit SET sale_id = NULL FROM picked WHERE unit.tenant_id = $1 AND unit.id = picked.id"""
    done = 0
    while units is None or done < units:
        wanted = CHUNK if units is None else min(CHUNK, units - done)
        tag = await tx.conn.execute(sql, tx.tenant_id, sale.id, wanted)
        done += int(tag.rpartition(" ")[2])  # "UPDATE 12"
        if not tag.endswith(f" {wanted}"):
            break
        if done == CHUNK:
            await tx.unhurried()
    return done


async def _turn(tx: TenantTx, sale_id: UUID, state: str, actor: str) -> Sale:
    sale = await _lock_running(tx, sale_id)
    if sale.state == state:
        return sale
    if state == "open":
        await capabilities.need_sale(tx, sale.sku_id, sale.allotted)
    sale = await change(tx, sale, "state = $3", state)
    await announce(tx, sale, f"sale.{'paused' if state == 'paused' else 'resumed'}", actor)
    return sale


async def _lock(tx: TenantTx, sale_id: UUID) -> Sale:
    if row := await tx.conn.fetchrow(f"SELECT {_COLUMNS} FROM sale WHERE tenant_id = $1 AND id = $2 FOR UPDATE", tx.tenant_id, sale_id):
        return Sale(*row)
    raise NotFound("There is no such sale.")


async def _lock_running(tx: TenantTx, sale_id: UUID) -> Sale:
    sale = await _lock(tx, sale_id)
    if sale.state == "ended":
        raise Conflict("The sale has ended. Open a new one.", code="ended")
    return sale


async def change(tx: TenantTx, sale: Sale, assignments: str, *values: object, epoch_step: int = 1) -> Sale:
    # A gate is loaded anew by the worker; until then it is closed, since its epoch is not the row's.
    sql = f"""UPDATE sale SET {assignments}, epoch = epoch + {epoch_step},
             next_try_at = CASE WHEN door = 'gate' THEN now() END WHERE tenant_id = $1 AND id = $2 RETURNING {_COLUMNS}"""
    return Sale(*await tx.conn.fetchrow(sql, tx.tenant_id, sale.id, *values))


async def announce(tx: TenantTx, sale: Sale, action: str, actor: str, **detail: object) -> None:
    await tx.emit("sale.changed", SaleChanged(encode("sal", sale.id), sale.epoch, sale.state, action))
    if sale.state == "open":
        await reservations.wake(tx)
    await tx.audit(actor, action, encode("sal", sale.id), epoch=sale.epoch, **detail)
