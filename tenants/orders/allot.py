"""Units to orders and back, under the lock of the sale's row. Nobody else changes `unit.order_id` or `sale.committed`."""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any
from uuid import UUID

from checkout_core import safeties
from tenants.db import TenantTx
from tenants.orders import gates
from tenants.orders.sale import Sale
from tenants.units import aside, expiry

LOCK = "FOR UPDATE" if safeties.on("row_lock") else ""
_SALES = f"""SELECT {", ".join(Sale._fields[:-1])}, clock_timestamp() AS now
             FROM sale WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id"""
_LOCKED = f"{_SALES} {LOCK}"
# Available units of sale s, locked, by rank: $1 tenant, s.mark the low-water mark, s.wanted how many.
NEXT_UNITS = f"""SELECT id, rank FROM unit WHERE tenant_id = $1 AND sale_id = s.id AND state = 'available' AND rank > s.mark
                 ORDER BY rank LIMIT s.wanted {LOCK}"""
# Units to orders, and the sales' counters moved: $1 tenant; $2 sales, $3 how many units of each, $4 the rank of the last of them; $5 units,
# sorted, $6 orders, $7 shoppers, $8 slots, or $9 the slot of them all (`own`). The counters move by what was taken, never to a number read
# earlier: the CHECK (committed ≤ allotted) then judges the sum of all commits. What a unit is given is not joined with it but looked up by
# its place: of many tenants' units a planner expects one row here, and would compare each unit with each order (2.8 ms for 100). The sales'
# ids are named twice, for a session that planned this while there were few would read all of them.
_GIVE = """
    given AS (
        UPDATE unit SET state = 'held', order_id = ($6::uuid[])[width_bucket(id, $5::bigint[])],
                        shopper_id = ($7::uuid[])[width_bucket(id, $5::bigint[])],
                        slot = coalesce(($8::integer[])[width_bucket(id, $5::bigint[])], $9)
        WHERE tenant_id = $1 AND id = ANY($5)),
    counted AS (
        UPDATE sale SET committed = committed + x.taken, last_unit = greatest(last_unit, x.last)
        FROM unnest($2::uuid[], $3::bigint[], $4::bigint[]) AS x(id, taken, last)
        WHERE sale.tenant_id = $1 AND sale.id = ANY($2) AND sale.id = x.id AND x.taken > 0)"""


class Given:
    """Units that orders get, sale by sale, in the order in which they were locked; as columns."""

    def __init__(self) -> None:
        self.sales: list[UUID] = []
        self.taken: list[int] = []
        self.last: list[int] = []
        self.units: list[int] = []
        self.orders: list[UUID] = []
        self.shoppers: list[UUID] = []
        self.slots: list[int | None] = []
        self._committed: list[int] = []

    def begin(self, sale: Sale) -> None:
        self.sales.append(sale.id)
        self.taken.append(0)
        self.last.append(0)
        self._committed.append(sale.committed)

    def add(self, units: Sequence[int], last: int, order_id: UUID, shopper_id: UUID, slots: Sequence[int]) -> None:
        """Units of the sale that was begun last, `last` the highest of their ranks; `slots` is empty when it has no limit."""
        count = len(units)
        self.taken[-1] += count
        self.last[-1] = last
        self.units += units
        self.orders += [order_id] * count
        self.shoppers += [shopper_id] * count
        self.slots += slots or [None] * count

    @property
    def columns(self) -> tuple[Any, ...]:
        """$2 to $9 of the statement that `statement` begins."""
        # Those of one sale may be sorted already, but they were taken by rank, and a later sale may have older ones.
        given = sorted(zip(self.units, self.orders, self.shoppers, self.slots, strict=True), key=itemgetter(0))
        units, orders, shoppers, slots = zip(*given, strict=True) if given else ((),) * 4
        return self.sales, self.taken, self.last, units, orders, shoppers, *own(slots)

    @property
    def statement(self) -> str:
        """Parts of a WITH that give the units; more parts and a SELECT follow."""
        if safeties.on("allotment"):
            return f"WITH {_GIVE}"
        earlier = ", ".join(f"('{sale}'::uuid, {count})" for sale, count in zip(self.sales, self._committed, strict=True))
        return f"WITH earlier(id, committed) AS (VALUES {earlier}), " + _GIVE.replace(
            "committed = committed +", "committed = (SELECT e.committed FROM earlier e WHERE e.id = x.id) +"
        )


def own(column: Sequence[Any]) -> tuple[Sequence[Any], Any]:
    """A column, or what all of it say, beside an empty one, which unnest makes as long as the others with nulls.

    To encode an array costs 0.3 µs an element: asyncpg asks of each whether it is an array too.
    """
    first = column[0] if column else None
    return ((), first) if column.count(first) == len(column) else (column, None)


async def lock_sale(tx: TenantTx, sale_id: UUID) -> Sale | None:
    """Lock the sale's row: fence, allotment and low-water mark in one."""
    row = await tx.conn.fetchrow(_LOCKED, tx.tenant_id, [sale_id])
    return Sale(*row) if row else None


async def sales(tx: TenantTx, sale_ids: Sequence[UUID], *, lock: bool) -> list[Sale]:
    """Those that there are, by id; with `lock` their rows locked in that order, as everybody locks several of them."""
    sql = _LOCKED if lock else _SALES
    return [Sale(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, sale_ids)]


async def lock_free_sales(tx: TenantTx, sale_ids: Sequence[UUID]) -> list[Sale]:
    """Those of the sales whose rows nobody else holds: many sales in one commit wait for none of them."""
    sql = f"{_LOCKED} {'SKIP LOCKED' if LOCK else ''}"
    return [Sale(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, sale_ids)]


def masks(slots: Iterable[tuple[UUID, int]]) -> dict[UUID, int]:
    """Bit masks of the slots that each shopper holds."""
    found: dict[UUID, int] = {}
    for shopper, slot in slots if safeties.on("unique_slot") else ():
        found[shopper] = found.get(shopper, 0) | 1 << (slot - 1)
    return found


async def give(tx: TenantTx, given: Given) -> None:
    """Units → held by orders."""
    await tx.conn.execute(f"{given.statement} SELECT", tx.tenant_id, *given.columns)


async def price(tx: TenantTx, paid: Sequence[tuple[int, int]]) -> None:
    """What an order pays for those of its units that cost something else than the line's unit price, just after they were given."""
    if paid:
        sql = """UPDATE unit SET paid_minor = x.paid FROM unnest($2::bigint[], $3::bigint[]) AS x(id, paid)
                 WHERE unit.tenant_id = $1 AND unit.id = ANY($2) AND unit.id = x.id"""
        await tx.conn.execute(sql, tx.tenant_id, *map(list, zip(*paid, strict=True)))


async def take_back(tx: TenantTx, sale: Sale, order_id: UUID, shopper_id: UUID) -> int:
    """The held units of an order return to its sale, or to the shelf if the sale has ended; how many they were.

    One that ended meanwhile, or whose batch was recalled, is set aside at once: nobody else gets it.
    """
    ended = sale.state == "ended"
    sql = f"""UPDATE unit SET state = 'available', order_id = NULL, shopper_id = NULL, slot = NULL,
                              paid_minor = NULL{", sale_id = NULL" if ended else ""}
              WHERE tenant_id = $1 AND sale_id = $2 AND shopper_id = $3 AND order_id = $4 AND state = 'held'
              RETURNING rank, id, {expiry.FATE} AS fate"""
    rows = await tx.conn.fetch(sql, tx.tenant_id, sale.id, shopper_id, order_id)
    if rows:
        gone = len(rows) if ended else 0
        mark = min(row["rank"] for row in rows) - 1
        sql = """UPDATE sale SET committed = committed - $3, allotted = allotted - $4, last_unit = least(last_unit, $5)
                 WHERE tenant_id = $1 AND id = $2"""
        await tx.conn.execute(sql, tx.tenant_id, sale.id, len(rows), gone, mark)
        await gates.give_back(tx, sale, [gates.Return(f"order:{order_id.hex}", shopper_id, 0 if ended else len(rows), len(rows))])
        for fate in sorted({row["fate"] for row in rows} - {None}):
            await aside.move(tx, fate, [row["id"] for row in rows if row["fate"] == fate], actor=expiry.ACTOR)
    return len(rows)


async def quarantine(tx: TenantTx, sale: Sale, order_id: UUID, shopper_id: UUID, units: Sequence[int], *, reason: str) -> int:
    """Those of `units` that the order has bought leave the sale for good: they may have been seen, and are never offered again.

    `reason` is why the gate of a flash sale gets the shopper's slots back, once for ever: an order may be refunded in several parts.
    """
    sql = """UPDATE unit SET state = 'quarantined', order_id = NULL, shopper_id = NULL, slot = NULL, sale_id = NULL, paid_minor = NULL
             WHERE tenant_id = $1 AND sale_id = $2 AND shopper_id = $3 AND order_id = $4 AND state = 'sold' AND id = ANY($5) RETURNING id"""
    count = len(await tx.conn.fetch(sql, tx.tenant_id, sale.id, shopper_id, order_id, list(units)))
    sql = "UPDATE sale SET committed = committed - $3, allotted = allotted - $3 WHERE tenant_id = $1 AND id = $2"
    await tx.conn.execute(sql, tx.tenant_id, sale.id, count)
    await gates.give_back(tx, sale, [gates.Return(reason, shopper_id, 0, count)])
    return count
