"""An order of a cart: all its lines are reserved in one transaction, or none.

Locks are taken in the order of everybody: the rows of the sales by id, then their units; last the pieces of coupons, and the coupons. The
order's own row is new, and whoever places the same one at the same moment waits for it there, or behind the sales. So a cart stands in line
with commits, pauses and ends, and no two wait for each other.
"""

import datetime as dt
import logging
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from checkout_core import safeties
from checkout_core.errors import AppError, Conflict, TooMany, Unavailable
from checkout_core.ids import new_id
from tenants.coupons import uses
from tenants.coupons.held import Told
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.orders import allot, bundles, discount, hoarding, index, read
from tenants.orders.cart import Wanted, summed
from tenants.orders.discount import Reduced
from tenants.orders.read import Order
from tenants.orders.survey import Known, known
from tenants.orders.weigh import Buyer, Moved, Weighed, weigh

log = logging.getLogger(__name__)

TRIES = 4
_RACED = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)
_ORDER = """INSERT INTO orders (tenant_id, id, intent_id, shopper_id, state, amount_minor, currency, body_hash, contact, lookup_hash,
                                channel, created_at, hold_until, next_try_at)
            VALUES ($1, $2, $3, $4, 'awaiting', $5, $6, $7, $8, $9, $10, $11, $12, $12) ON CONFLICT DO NOTHING RETURNING id"""
_LINES = """INSERT INTO order_line (tenant_id, order_id, sale_id, sku_id, quantity, unit_price_minor, amount_minor, bundle_id,
                                   bundle_quantity, price_id)
            SELECT $1, $2, * FROM unnest($3::uuid[], $4::uuid[], $5::integer[], $6::bigint[], $7::bigint[], $8::uuid[], $9::integer[],
                                         $10::uuid[])"""


class NewOrder(NamedTuple):
    """What a shopper asks for. Its id follows from his key, so that asking again finds it; `body_hash` tells whether he asks the same.

    `coupons` are the pieces that he names; None stands for those that together take off most.
    """

    id: UUID
    buyer: Buyer
    lines: Sequence[Wanted]
    body_hash: bytes
    contact: str | None = None
    lookup_hash: bytes | None = None
    coupons: Collection[UUID] | None = None


class Quoted(NamedTuple):
    """A line as a shopper sees it, a bundle as one line; amounts in minor units, None for what has no price here.

    `base_minor` is what everybody is asked for it, `available` how many could be had, of picks no more than are wanted.
    """

    wanted: Wanted
    name: str
    amount_minor: int | None
    base_minor: int | None
    available: int
    problem: AppError | None


class Quotation(NamedTuple):
    """`coupons` are the pieces that the shopper holds, or has named, those that take something off first; `discount_minor` is what they
    take off those lines that can be had."""

    lines: list[Quoted]
    discount_minor: int
    coupons: list[Told]


class _Again(Exception):
    """The order was made by somebody else a moment ago, or a coupon went; a second look sees it."""


async def place(pool: Pool, tenant_id: UUID, order: NewOrder) -> Order:
    """Reserve all that is wanted, durably. Asked again the same order is answered, as it is by then.

    A refusal reserves and keeps nothing: the same key may succeed when the reason has passed. Raises what `weigh` finds wrong with a line,
    `TooMany` (`unpaid_cap`, `cool_down`), `Conflict` (`idempotency_conflict`, `coupon_unusable`), `Unavailable` when the outcome is
    unknown.
    """
    for _ in range(TRIES):
        try:
            async with tenant_tx(pool, tenant_id) as tx:
                return await _placed(tx, order)
        except (_Again, Moved, *_RACED) as error:
            log.info("order %s is tried again: %s", order.id, type(error).__name__)
    raise Unavailable("What you want is contended. Nothing was reserved; ask again with the same key.", code="contended")


async def quote(tx: TenantTx, buyer: Buyer, lines: Sequence[Wanted], coupons: Collection[UUID] | None = None) -> Quotation:
    """What `place` would say at this moment of the lines, one for each SKU. Nothing is reserved or locked.

    Raises `Unavailable`, and what is wrong with the lines as a whole.
    """
    asked = summed(lines)
    meant = await bundles.expand(tx, asked, buyer.shopper_id, buyer.channel)
    try:
        weighing = await weigh(tx, buyer, meant.lines, also=list(meant.problems))
    except Moved:
        raise Unavailable("One of these is being taken off the shelf. Nothing was reserved; ask again.", code="contended") from None
    problems = meant.problems | await bundles.too_many(tx, buyer.shopper_id, asked, meant, weighing.sales)
    quoted = []
    for line in asked:
        parts = [w for w in weighing.lines if line.sku_id == _of(w)]
        is_priced = bool(parts) and all(w.paid for w in parts)
        amount, base = sum(w.amount_minor for w in parts), sum(w.base_minor for w in parts)
        if of_bundle := meant.prices.get(line.sku_id):
            base = of_bundle.base_minor * line.quantity
        available = min((w.free * line.quantity // w.wanted.quantity for w in parts), default=0)
        problem = problems.get(line.sku_id) or next((w.problem for w in parts if w.problem), None)
        name, costs = weighing.names.get(line.sku_id, ""), (amount, base) if is_priced else (None, None)
        quoted.append(Quoted(line, name, costs[0], costs[1], available, problem))
    fine = {each.wanted.sku_id for each in quoted if each.problem is None}
    taken = await discount.reckoned(tx, buyer, [w for w in weighing.lines if _of(w) in fine], coupons)
    return Quotation(quoted, taken.discount_minor, taken.told)


async def _placed(tx: TenantTx, order: NewOrder) -> Order:
    if row := (await known(tx, [order.id])).get(order.id):
        return await _the_same(tx, order, row)
    asked = summed(order.lines)
    meant = await bundles.expand(tx, asked, order.buyer.shopper_id, order.buyer.channel)
    if meant.problems:
        raise next(iter(meant.problems.values()))
    weighing = await weigh(tx, order.buyer, meant.lines, order.id)
    if weighing.known:
        return await _the_same(tx, order, weighing.known)
    above = await bundles.too_many(tx, order.buyer.shopper_id, asked, meant, weighing.sales)
    if problem := next((line.problem for line in weighing.lines if line.problem), None) or next(iter(above.values()), None):
        raise problem
    if waiting := _too_many(weighing.waits):
        raise waiting
    await _write(tx, order, await discount.reduce(tx, order.buyer, weighing, order.coupons))
    return await read.get(tx, order.id)


async def _the_same(tx: TenantTx, order: NewOrder, row: Known) -> Order:
    if row.body_hash != order.body_hash and safeties.on("body_hash"):
        raise Conflict("This Idempotency-Key was used for another wish. Use a new one.", code="idempotency_conflict")
    return await read.get(tx, order.id)


def _too_many(waits: Sequence[tuple[int, int]]) -> AppError | None:
    """The rules of `hoarding`, as every sale of the order counts."""
    if any(lapsed >= hoarding.LAPSED_MAX for _, lapsed in waits):
        return TooMany("Several of your reservations ran out unpaid. Please wait a while.", code="cool_down", retry_after_s=300)
    if any(unpaid >= hoarding.UNPAID_MAX for unpaid, _ in waits):
        return TooMany("You have too many unpaid orders. Pay or cancel one first.", code="unpaid_cap", retry_after_s=60)
    return None


async def _write(tx: TenantTx, order: NewOrder, reduced: Reduced) -> None:
    """The order with its lines, its units held, and its coupons locked. Raises `_Again` when the order exists, or a coupon does no more."""
    shopper_id, channel = order.buyer
    weighing = reduced.weighing
    given, rows = allot.Given(), list[tuple[Any, ...]]()
    lines, sales = weighing.lines, list(weighing.sales.values())
    for line in sorted(lines, key=_sale_id):
        sale, price, amount = line.sale, line.price, line.amount_minor
        assert sale is not None
        assert price is not None
        given.begin(sale)
        given.add(line.units, line.last, order.id, shopper_id, line.slots)
        plain = line.unit_minor * line.wanted.quantity
        priced_by = price.price_id if line.wanted.amount_minor is None else line.wanted.price_id
        bundle = (line.wanted.bundle_id, line.wanted.bundle_quantity)
        rows.append((
            sale.id, sale.sku_id, line.wanted.quantity, line.unit_minor, amount if amount != plain else None, *bundle, priced_by,
        ))  # fmt: skip
    now = max(sale.now for sale in sales)
    until = now + dt.timedelta(seconds=min(sale.hold_s for sale in sales))
    made = await tx.conn.fetchval(
        _ORDER, tx.tenant_id, order.id, new_id(), shopper_id, sum(line.amount_minor for line in lines), sales[0].currency, order.body_hash,
        order.contact, order.lookup_hash, channel, now, until,
    )  # fmt: skip
    if made is None:
        raise _Again
    await allot.give(tx, given)
    await tx.conn.execute(_LINES, tx.tenant_id, order.id, *map(list, zip(*rows, strict=True)))
    units = [(unit, paid, line.unit_minor) for line in lines for unit, paid in zip(line.units, line.paid, strict=True)]
    await allot.price(tx, [(unit, paid) for unit, paid, usual in units if paid != usual])
    if not await uses.lock(tx, order.id, reduced.taken.shares, reduced.wholes):
        raise _Again
    await index.note(tx, [order.id])


def _of(line: Weighed) -> UUID:
    """The SKU that was asked for."""
    return line.wanted.bundle_id or line.wanted.sku_id


def _sale_id(line: Weighed) -> UUID:
    assert line.sale is not None
    return line.sale.id
