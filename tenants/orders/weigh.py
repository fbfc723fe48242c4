"""What the lines of a cart cost, whether each can be had, and of which units: for an order under the locks of its sales, for a quote
without any.

A line that cannot be had says why, and nothing is raised for it: a quote tells all of them, an order refuses for the first.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from checkout_core import safeties
from checkout_core.decide import LIMIT, RESERVED, decide
from checkout_core.errors import AppError, Conflict, NotFound, Unprocessable
from checkout_core.ids import encode
from checkout_core.intents import Outcome
from tenants import picks, prices
from tenants.catalog.review import VISIBLE
from tenants.db import TenantTx
from tenants.orders import allot
from tenants.orders.cart import Wanted, split
from tenants.orders.sale import Sale
from tenants.orders.survey import Ask, Known, survey
from tenants.prices import Price

QUANTITY_MAX: Final = 1_000  # of a line, as `order_line` has it
ANY: Final = ""  # no pick is called so
E = TypeVar("E", bound=AppError)


class Buyer(NamedTuple):
    shopper_id: UUID
    channel: str


class Sku(NamedTuple):
    """A SKU that somebody wants, if shoppers may see it, and where it is on the shelf."""

    id: UUID
    name: str
    picked: bool
    sale_id: UUID | None


class Weighed(NamedTuple):
    """A line with what it costs, in minor units: `paid` for each unit, in the order of `units`, which an order gets; `last` is the highest
    of their ranks, 0 for units that were chosen. `free` are those that nobody has, of picks no more than are wanted."""

    wanted: Wanted
    name: str = ""
    sale: Sale | None = None
    price: Price | None = None
    paid: Sequence[int] = ()
    free: int = 0
    units: Sequence[int] = ()
    last: int = 0
    slots: Sequence[int] = ()
    problem: AppError | None = None

    @property
    def amount_minor(self) -> int:
        return sum(self.paid)

    @property
    def base_minor(self) -> int:
        """What it costs everybody; of a bundle's parts nothing else is known."""
        if self.price is None or self.wanted.amount_minor is not None:
            return self.amount_minor
        return self.amount_minor + (self.price.base_minor - self.price.unit_minor) * self.wanted.quantity

    @property
    def unit_minor(self) -> int:
        """Of a unit without a surcharge, or without a share of what does not divide."""
        assert self.price is not None
        return self.price.unit_minor if self.wanted.amount_minor is None else self.wanted.amount_minor // self.wanted.quantity


class Weighing(NamedTuple):
    lines: list[Weighed]
    names: dict[UUID, str]  # of SKUs and bundles that shoppers may see
    sales: dict[UUID, Sale]  # theirs, by SKU, as far as they are on the shelf
    known: Known | None  # the order, if it exists already
    waits: list[tuple[int, int]]  # the shopper's (unpaid, lapsed) orders, as each sale counts them


class Moved(Exception):
    """A SKU was taken off the shelf while its sale was being locked; a second look tells what there is now."""


async def weigh(
    tx: TenantTx, buyer: Buyer, lines: Sequence[Wanted], order_id: UUID | None = None, *, also: Sequence[UUID] = ()
) -> Weighing:
    """The lines, in their order, each SKU once; of the SKUs `also` the names. For an order the rows of the sales are locked, by id, and
    then the units that it gets.

    Raises `Moved`.
    """
    lock = order_id is not None
    bundles = {line.bundle_id for line in lines if line.bundle_id}
    skus = await _skus(tx, [*(line.sku_id for line in lines), *sorted(bundles), *also])
    rows = await allot.sales(tx, [sku.sale_id for sku in skus.values() if sku.sale_id], lock=lock)
    sales = {sale.sku_id: sale for sale in rows}
    if any(sale.state == "ended" for sale in rows):
        raise Moved
    # A bundle is on the shelf itself: it is paused and taken off without its parts.
    there = [line for line in lines if line.sku_id in sales and (line.bundle_id is None or line.bundle_id in sales)]
    there.sort(key=lambda line: sales[line.sku_id].id)
    asks = [Ask(sales[li.sku_id], min(li.quantity, QUANTITY_MAX) if lock and not li.picks else 0, {buyer.shopper_id}) for li in there]
    seen, known = await survey(tx, asks, [order_id] if order_id else [])
    chosen = await _of_picks(tx, [(sales[line.sku_id].id, line.picks) for line in there], lock=lock)
    costs = await prices.of(tx, buyer.shopper_id, buyer.channel, [prices.Ask(line.sku_id, line.quantity) for line in there])
    weighed = {}
    for line, own, price in zip(there, seen, costs, strict=True):
        sale = sales[line.sku_id]
        units = chosen[sale.id] if line.picks else {ANY: own.units} if lock else None
        taken = own.taken.get(buyer.shopper_id, 0)
        closed = (sales[line.bundle_id].closed_because() if line.bundle_id else None) or sale.closed_because()
        sku = skus[line.sku_id]
        found = await _weighed(tx, buyer, Weighed(line, sku.name, sale, price), sku.picked, closed, taken, units)
        weighed[line.sku_id] = found._replace(last=own.ranks[-1]) if own.ranks else found
    waits = [own.waits[buyer.shopper_id] for own in seen if buyer.shopper_id in own.waits]
    whole = [weighed.get(line.sku_id) or Weighed(line, problem=_not_there(line)) for line in lines]
    return Weighing(whole, {sku.id: sku.name for sku in skus.values()}, sales, known.get(order_id) if order_id else None, waits)


async def _weighed(
    tx: TenantTx, buyer: Buyer, line: Weighed, is_picked: bool, closed: Outcome | None, taken: int, units: dict[str, list[int]] | None
) -> Weighed:
    """`taken` are the slots that the shopper has in the sale, `units` those that the line may have, by pick; None when nobody looked."""
    wanted, sale, price = line.wanted, line.sale, line.price
    assert sale is not None
    assert price is not None
    line = line._replace(free=sale.allotted - sale.committed)
    if problem := _malformed(line, is_picked):
        return line._replace(problem=problem)
    try:
        line = line._replace(paid=await _paid(tx, wanted, price))
    except Conflict as problem:
        return line._replace(problem=problem)
    if closed:
        return line._replace(problem=_problem(wanted, closed.name.lower(), f"{line.name} is not sold just now. Nothing was reserved."))
    got: list[int] = []
    gone: list[str] = []
    if units is not None:
        for name in wanted.picks or (ANY,) * wanted.quantity:
            if left := units[name]:
                got.append(left.pop(0))
            else:
                gone.append(name)
    if wanted.picks:
        line = line._replace(free=len(got))
    limit = sale.limit_per_shopper if safeties.on("unique_slot") else 0
    wish = (buyer.shopper_id, wanted.quantity)
    [(outcome, slots)] = decide([wish], {buyer.shopper_id: taken}, limit, line.free if units is None else len(got))
    line = line._replace(units=got, slots=slots)
    if outcome == RESERVED:
        return line
    if outcome == LIMIT:
        detail = f"One shopper may have {limit} of {line.name}. Nothing was reserved."
        return line._replace(problem=_problem(wanted, "limit", detail, limit_per_shopper=limit))
    which = f"{gone[0]} of {line.name}" if wanted.picks else line.name
    more = {"picks": sorted(set(gone))} if wanted.picks else {"available": line.free}
    return line._replace(
        problem=_problem(wanted, "sold_out", f"Fewer of {which} are left than you asked for. Nothing was reserved.", **more)
    )


async def _paid(tx: TenantTx, wanted: Wanted, price: Price) -> list[int]:
    """What each unit costs. Surcharges are read under the lock of the sale that they are sold from. Raises `Conflict` (`not_offered`)."""
    if wanted.amount_minor is not None:
        return split(wanted.amount_minor, wanted.quantity)
    if not wanted.picks:
        return [price.unit_minor] * wanted.quantity
    try:
        chosen = await picks.choose(tx, wanted.sku_id, wanted.picks)
    except Conflict as error:
        raise _problem(wanted, error.code, error.detail, **error.extra) from None
    return [price.unit_minor + (chosen[name].surcharge_minor or 0) for name in wanted.picks]


def _malformed(line: Weighed, is_picked: bool) -> AppError | None:
    """What is wrong with the line, whatever there is of it."""
    wanted, which = line.wanted, encode("sku", line.wanted.sku_id)
    if wanted.quantity > QUANTITY_MAX:
        return Unprocessable(f"At most {QUANTITY_MAX:,} of {line.name} in an order. Nothing was reserved.", code="too_many", sku_id=which)
    if wanted.picks and not is_picked:
        return Unprocessable(
            f"Nobody chooses among units of {line.name}: name no picks. Nothing was reserved.", code="not_picked", sku_id=which
        )
    if is_picked and len(wanted.picks) != wanted.quantity:
        detail = f"Choose {wanted.quantity} of {line.name}: as many picks as units. Nothing was reserved."
        return Unprocessable(detail, code="picks_missing", sku_id=which)
    return None


def _not_there(line: Wanted) -> NotFound:
    return _named(line, NotFound("One of these is not for sale here, or no longer. Nothing was reserved.", code="not_on_the_shelf"))


def _problem(line: Wanted, code: str, detail: str, **more: object) -> Conflict:
    return _named(line, Conflict(detail, code=code), **more)


def _named(line: Wanted, problem: E, **more: object) -> E:
    """With what it is about."""
    within = {"bundle_id": encode("sku", line.bundle_id)} if line.bundle_id else {}
    problem.extra |= {"sku_id": encode("sku", line.sku_id)} | within | more
    return problem


# Each look-up is spelt so that no planner can turn it round.
_SKUS = f"""SELECT k.id, coalesce(s.name, k.name), k.picked, s.id FROM unnest($2::uuid[]) AS x(id)
            CROSS JOIN LATERAL (SELECT * FROM sku WHERE tenant_id = $1 AND id = x.id OFFSET 0) AS k
            CROSS JOIN LATERAL (SELECT * FROM product WHERE tenant_id = $1 AND id = k.product_id OFFSET 0) AS p
            LEFT JOIN LATERAL (SELECT id, name FROM sale WHERE tenant_id = $1 AND sku_id = k.id AND door = 'shelf' AND state <> 'ended'
                               OFFSET 0) AS s ON true
            WHERE {VISIBLE}"""


async def _skus(tx: TenantTx, sku_ids: Sequence[UUID]) -> dict[UUID, Sku]:
    """Those that shoppers may see."""
    return {row[0]: Sku(*row) for row in await tx.conn.fetch(_SKUS, tx.tenant_id, list(sku_ids))}


async def _of_picks(tx: TenantTx, wanted: Sequence[tuple[UUID, Sequence[str]]], *, lock: bool) -> dict[UUID, dict[str, list[int]]]:
    """Of each sale the units of each pick that are free, by rank, as many as are wanted; locked for an order."""
    asked = [(sale_id, name, names.count(name)) for sale_id, names in wanted for name in sorted(set(names))]
    if not asked:
        return {}
    sql = f"""SELECT p.n, u.id FROM unnest($2::uuid[], $3::text[], $4::bigint[]) WITH ORDINALITY AS p(sale_id, pick, wanted, n)
              CROSS JOIN LATERAL (
                  SELECT id FROM unit WHERE tenant_id = $1 AND sale_id = p.sale_id AND pick = p.pick AND state = 'available'
                  ORDER BY rank LIMIT p.wanted {allot.LOCK if lock else ""}) AS u"""
    found: dict[UUID, dict[str, list[int]]] = {}
    for sale_id, name, _ in asked:
        found.setdefault(sale_id, {})[name] = []
    for n, unit in await tx.conn.fetch(sql, tx.tenant_id, *map(list, zip(*asked, strict=True))):
        sale_id, name, _ = asked[n - 1]
        found[sale_id][name].append(unit)
    return found
