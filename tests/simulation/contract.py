"""What the functions of `tenants.orders` promise, once more and as plainly as possible, one wish after another, on the double's rows.

`test_double.py` holds this against the real SQL, row for row.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import asyncpg

from checkout_core import safeties
from checkout_core.admission import Count
from checkout_core.errors import NotFound
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from tenants import sales
from tenants.db import TenantTx, tenant_tx
from tenants.orders import allot, answers, at_once, commit, gates
from tenants.orders.at_once import Left
from tenants.orders.gates import Return
from tenants.orders.sale import Sale
from tenants.orders.survey import Known
from tests.simulation.desk import Desk
from tests.simulation.postgres import Connection, Row

REFUSED_FOR_NOW = (Outcome.UNPAID_CAP, Outcome.COOL_DOWN)


async def lock_sale(tx: TenantTx, sale_id: UUID) -> Sale | None:
    conn: Connection = tx.conn
    await conn.trip()
    return await _locked(tx, sale_id) if conn.get("sale", (tx.tenant_id, sale_id)) else None


async def known(tx: TenantTx, order_ids: Sequence[UUID]) -> dict[UUID, Known]:
    await tx.conn.trip()
    rows = ((order_id, tx.conn.get("orders", (tx.tenant_id, order_id))) for order_id in order_ids)
    return {order_id: _known(row) for order_id, row in rows if row is not None}


def _known(row: Row) -> Known:
    return Known(**{name: row[name] for name in Known._fields})


async def decide(tx: TenantTx, parts: Sequence[Any]) -> list[list[Decision]]:
    """The contract of `commit._commit`: the parts are of several sales, whose rows are locked."""
    conn: Connection = tx.conn
    rows = await known(tx, [i.order_id for part in parts for i in part.intents])
    desks = [Desk(tx, part.sale) for part in parts]
    drafts: list[Row] = []
    for part, desk in zip(parts, desks, strict=True):
        through_gate = part.sale.door == "gate"
        part.valid = [i for i in part.intents if not safeties.on("epoch") or i.epoch == (part.sale.epoch if through_gate else None)]
        # Of two wishes for one order the later one is decided; the other was admitted for nothing.
        fresh = {i.order_id: i for i in part.valid if i.order_id not in rows}
        for order_id in sorted(fresh) if part.sale.closed_because(admitted=through_gate) is None else ():
            row = desk.decide(fresh[order_id])
            rows[order_id] = _known(row)
            drafts.append(row)
    await conn.trip()
    for row in drafts:
        if await conn.lock("orders", (tx.tenant_id, row["id"])):
            raise asyncpg.UniqueViolationError("an order of this batch was committed through another sale a moment ago")
    for desk in desks:
        await desk.write()
    for part in parts:
        if part.sale.door == "gate":
            await _return_what_was_not_needed(tx, part.sale, part.valid, rows)
    return [part.answers(rows) for part in parts]


async def reserve(source: Any, sale: SaleKey, intents: Sequence[Intent]) -> list[Decision] | Left:
    """The contract of `at_once.reserve`: all of it or nothing."""
    if at_once.columns_of(intents) is None or not all(map(safeties.on, at_once.SAFETIES)):
        return Left.CONTESTED
    if isinstance(source, Connection):
        return await _reserve(TenantTx(source, sale.tenant_id), sale.sale_id, intents)
    async with tenant_tx(source, sale.tenant_id) as tx:
        return await _reserve(tx, sale.sale_id, intents)


async def _reserve(tx: TenantTx, sale_id: UUID, intents: Sequence[Intent]) -> list[Decision] | Left:
    conn: Connection = tx.conn
    free = await lock_free_sales(tx, [sale_id])
    if not free:
        return Left.TAKEN
    [sale] = free
    through_gate, ordered = sale.door == "gate", sorted(intents)
    if sale.closed_because(admitted=through_gate) is not None or any(i.epoch != (sale.epoch if through_gate else None) for i in ordered):
        return Left.CONTESTED
    desk = Desk(tx, sale)
    has_some = {shopper for shopper, slots in desk.slots.items() if slots}
    if any(conn.get("orders", (tx.tenant_id, i.order_id)) for i in ordered) or any(i.shopper_id in has_some for i in ordered):
        return Left.CONTESTED
    rows = {i.order_id: desk.decide(i) for i in ordered}
    if any(row["refusal"] is not None for row in rows.values()):
        return Left.CONTESTED
    for order_id in rows:
        if await conn.lock("orders", (tx.tenant_id, order_id)):
            raise asyncpg.UniqueViolationError("an order of this batch was committed through another sale a moment ago")
    await desk.write()
    return [commit.answer(i, _known(rows[i.order_id])) for i in intents]


async def lock_free_sales(tx: TenantTx, sale_ids: Sequence[UUID]) -> list[Sale]:
    conn: Connection = tx.conn
    await conn.trip()
    free = [
        sale_id
        for sale_id in sorted(set(sale_ids))
        if not safeties.on("row_lock") or conn.db.locks.get(("sale", tx.tenant_id, sale_id), conn) is conn
    ]
    return [await _locked(tx, sale_id) for sale_id in free if conn.get("sale", (tx.tenant_id, sale_id))]


async def _locked(tx: TenantTx, sale_id: UUID) -> Sale:
    conn, key = tx.conn, (tx.tenant_id, sale_id)
    row = await conn.lock("sale", key) if safeties.on("row_lock") else conn.get("sale", key)
    return Sale(**{name: row[name] for name in Sale._fields if name != "now"}, now=conn.db.now())


async def _return_what_was_not_needed(tx: TenantTx, sale: Sale, intents: list[Intent], rows: dict[UUID, Known]) -> None:
    own = [(i, rows.get(i.order_id)) for i in intents]
    if any(row and row.refusal == Outcome.SOLD_OUT and row.intent_id == i.intent_id for i, row in own):
        await bump(tx, sale.id)
        return
    idle = [i for i, row in own if row is None or row.refusal is not None or row.intent_id != i.intent_id]
    await give_back(tx, sale, [Return(f"intent:{i.intent_id.hex}", i.shopper_id, i.quantity, i.quantity) for i in idle])


async def give_back(tx: TenantTx, sale: Sale, returns: Sequence[Return]) -> None:
    if sale.door != "gate" or not returns:
        return
    conn: Connection = tx.conn
    await conn.trip()
    key = (tx.tenant_id, sale.id)
    row = await conn.lock("sale", key)
    assert row is not None
    seq = row["give_seq"]
    for each in sorted(returns):
        name = (tx.tenant_id, sale.id, each.reason)
        if conn.get("give_back", name) is None:
            seq += 1
            about = {"tenant_id": tx.tenant_id, "sale_id": sale.id, "epoch": row["epoch"], "seq": seq}
            conn.put("give_back", name, about | each._asdict())
    conn.put("sale", key, row | {"give_seq": seq, "next_try_at": conn.begun})


async def bump(tx: TenantTx, sale_id: UUID) -> None:
    conn: Connection = tx.conn
    await conn.trip()
    row = await conn.lock("sale", (tx.tenant_id, sale_id))
    assert row is not None
    conn.put("sale", (tx.tenant_id, sale_id), row | {"epoch": row["epoch"] + 1, "next_try_at": conn.begun})


async def count(tx: TenantTx, sale: Sale) -> tuple[Count, list[tuple[UUID, int]]]:
    await tx.conn.trip()
    held: dict[UUID, int] = {}
    for unit in tx.conn.select("unit", lambda u: u["sale_id"] == sale.id and u["shopper_id"] is not None):
        held[unit["shopper_id"]] = held.get(unit["shopper_id"], 0) + 1
    starts_ms, ends_ms = (int(at.timestamp() * 1000) if at else None for at in (sale.starts_at, sale.ends_at))
    avail = sale.allotted - sale.committed
    return Count(sale.epoch, sale.state, avail, sale.limit_per_shopper, sale.give_seq, starts_ms, ends_ms), list(held.items())  # type: ignore[arg-type]


async def read(
    tx: TenantTx, sale_id: UUID, order_ids: Sequence[UUID], shoppers: Collection[UUID]
) -> tuple[int, int, dict[UUID, Known], dict[UUID, int]]:
    rows = await known(tx, order_ids)
    sale = tx.conn.get("sale", (tx.tenant_id, sale_id))  # without a trip between: all of it is of one moment
    if sale is None:
        return 0, 0, {}, {}
    units = tx.conn.select("unit", lambda u: u["sale_id"] == sale_id and u["shopper_id"] in shoppers)
    return sale["epoch"], sale["limit_per_shopper"], rows, dict(Counter(u["shopper_id"] for u in units))


async def returns_after(tx: TenantTx, sale_id: UUID, epoch: int, given: int, limit: int) -> list[tuple[int, UUID, int, int]]:
    await tx.conn.trip()
    rows = tx.conn.select("give_back", lambda g: g["sale_id"] == sale_id and g["epoch"] == epoch and g["seq"] > given)
    return sorted((g["seq"], g["shopper_id"], g["units"], g["slots"]) for g in rows)[:limit]


async def take_back(tx: TenantTx, sale: Sale, order_id: UUID, shopper_id: UUID) -> int:
    conn: Connection = tx.conn
    await conn.trip()
    units = conn.select("unit", lambda u: u["sale_id"] == sale.id and u["order_id"] == order_id and u["state"] == "held")
    if not units:
        return 0
    ended = sale.state == "ended"
    for unit in units:
        free = {"state": "available", "order_id": None, "shopper_id": None, "slot": None, "sale_id": None if ended else sale.id}
        conn.put("unit", (tx.tenant_id, unit["id"]), unit | free)
    row = await conn.lock("sale", (tx.tenant_id, sale.id))
    assert row is not None
    mark = min(row["last_unit"], min(u["rank"] for u in units) - 1)
    changes = {"committed": row["committed"] - len(units), "allotted": row["allotted"] - (len(units) if ended else 0), "last_unit": mark}
    conn.put("sale", (tx.tenant_id, sale.id), row | changes)
    await give_back(tx, sale, [Return(f"order:{order_id.hex}", shopper_id, 0 if ended else len(units), len(units))])
    return len(units)


async def allot_more(tx: TenantTx, sale: sales.Sale, units: int | None, *, epoch_step: int) -> sales.Sale:
    await tx.conn.trip()
    loose = sorted(
        tx.conn.select("unit", lambda u: u["sku_id"] == sale.sku_id and u["sale_id"] is None and u["state"] == "available"),
        key=lambda u: u["id"],
    )[:units]
    if len(loose) < (units or 1):
        raise sales.NotEnoughStock("not enough")
    for unit in loose:
        tx.conn.put("unit", (tx.tenant_id, unit["id"]), unit | {"sale_id": sale.id, "rank": unit["id"]})
    mark = "$4" if sale.allotted == 0 else "least(last_unit, $4)"
    changes = f"allotted = allotted + $3, last_unit = {mark}"
    return await sales.change(tx, sale, changes, len(loose), loose[0]["id"] - 1, epoch_step=epoch_step)


async def loosen(tx: TenantTx, sale: sales.Sale, units: int | None) -> int:
    await tx.conn.trip()
    free = sorted(tx.conn.select("unit", lambda u: u["sale_id"] == sale.id and u["state"] == "available"), key=lambda u: -u["rank"])[:units]
    for unit in free:
        tx.conn.put("unit", (tx.tenant_id, unit["id"]), unit | {"sale_id": None})
    return len(free)


async def close_ranks(tx: TenantTx, sale: sales.Sale) -> None:
    await tx.conn.trip()
    held = tx.conn.select("unit", lambda u: u["sale_id"] == sale.id and u["shopper_id"] is not None)
    ranks: dict[UUID, list[Row]] = {}
    for unit in sorted(held, key=lambda u: (u["slot"] is None, u["slot"], u["id"])):
        ranks.setdefault(unit["shopper_id"], []).append(unit)
    moving = [(unit, n) for units in ranks.values() for n, unit in enumerate(units, 1) if unit["slot"] != n]
    for empty in (True, False):
        for unit, n in moving:
            await _change_unit(tx, unit["id"], {"slot": None if empty else n})


async def settle(tx: TenantTx, order_id: UUID) -> str:
    """Paid: held units are sold, in one step; what the drills look at in detail. The order's state then."""
    conn: Connection = tx.conn
    await conn.trip()
    order = await conn.lock("orders", (tx.tenant_id, order_id))
    if order is None:
        raise NotFound("There is no such order.")
    if order["state"] not in ("awaiting", "closing"):
        return str(order["state"])
    now = conn.db.now()
    conn.put("orders", (tx.tenant_id, order_id), order | {"state": "delivered", "paid_at": now, "delivered_at": now, "next_try_at": None})
    for unit in conn.select("unit", lambda u: u["order_id"] == order_id and u["state"] == "held"):
        await _change_unit(tx, unit["id"], {"state": "sold"})
    return "delivered"


async def _change_unit(tx: TenantTx, unit_id: int, columns: Row) -> None:
    """Of a unit that another transaction may be changing too: a payment does not lock the sale, and Postgres would keep its column."""
    unit = await tx.conn.lock("unit", (tx.tenant_id, unit_id))
    assert unit is not None, "units are never deleted"
    tx.conn.put("unit", (tx.tenant_id, unit_id), unit | columns)


async def _no_sku(tx: TenantTx, sku_id: UUID, *, lock: bool = False) -> None: ...


async def _any_sale(tx: TenantTx, sku_id: UUID, units: int) -> None: ...


DOUBLES: list[tuple[Any, str, Callable[..., Any]]] = [
    (commit, "_commit", decide), (at_once, "reserve", reserve), (answers, "_read", read), (allot, "lock_free_sales", lock_free_sales),
    (allot, "lock_sale", lock_sale), (allot, "take_back", take_back),
    (gates, "give_back", give_back), (gates, "bump", bump), (gates, "count", count), (gates, "returns_after", returns_after),
    (sales, "_allot", allot_more), (sales, "_loosen", loosen), (sales, "_close_ranks", close_ranks), (sales.catalog, "get_sku", _no_sku),
    (sales.capabilities, "need_sale", _any_sale),
]  # fmt: skip


@contextmanager
def doubled() -> Iterator[None]:
    """The product's functions on the double, until the end."""
    before = [(module, name, getattr(module, name)) for module, name, _ in DOUBLES]
    for module, name, double in DOUBLES:
        setattr(module, name, double)
    try:
        yield
    finally:
        for module, name, original in before:
            setattr(module, name, original)
