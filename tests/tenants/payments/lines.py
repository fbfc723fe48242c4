"""Orders of several lines, and of units that do not all cost the same, as a cart leaves them: through the checkout's own steps."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from checkout_core import tokens
from checkout_core.decide import decide
from checkout_core.ids import decode, encode, new_id
from checkout_core.intents import Outcome
from tenants.db import TenantTx, tenant_tx
from tenants.orders import allot, index
from tenants.orders.survey import Ask, survey
from tests.shop import Store


class Want(NamedTuple):
    """Of one sale; `paid` says what each unit costs where they do not all cost the sale's price."""

    sale: str
    quantity: int = 1
    paid: Sequence[int] = ()


class Bought(NamedTuple):
    order: str
    who: dict[str, str]
    lines: list[list[int]]  # the units of each want, in the order in which they were given

    @property
    def order_id(self) -> UUID:
        return decode("ord", self.order)


async def order(store: Store, *wants: Want, who: dict[str, str] | None = None) -> Bought:
    """An order that holds what is wanted, unpaid."""
    who = who or await store.guest()
    shopper = tokens.verify(store.process.keys.shoppers, who["Authorization"].removeprefix("Bearer ")).id
    order_id, units = new_id(), {}
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        amount = 0
        sql = """INSERT INTO orders (tenant_id, id, intent_id, shopper_id, state, amount_minor, currency, body_hash, channel, hold_until,
                                     next_try_at)
                 VALUES ($1, $2, $3, $4, 'awaiting', 0, 'CNY', '', 'api', now() + interval '15 min', now() + interval '15 min')"""
        await tx.conn.execute(sql, tx.tenant_id, order_id, new_id(), shopper)
        for want in sorted(wants, key=lambda want: decode("sal", want.sale)):
            units[want.sale], paid = await _hold(tx, order_id, shopper, want)
            amount += paid
        sql = "UPDATE orders SET amount_minor = $3 WHERE tenant_id = $1 AND id = $2"
        await tx.conn.execute(sql, tx.tenant_id, order_id, amount)
        await index.note(tx, [order_id])
    return Bought(encode("ord", order_id), who, [units[want.sale] for want in wants])


async def _hold(tx: TenantTx, order_id: UUID, shopper: UUID, want: Want) -> tuple[list[int], int]:
    sale = await allot.lock_sale(tx, decode("sal", want.sale))
    assert sale is not None
    [seen], _ = await survey(tx, [Ask(sale, want.quantity, [shopper])], [])
    [(outcome, slots)] = decide([(shopper, want.quantity)], seen.taken, sale.limit_per_shopper, len(seen.units))
    assert outcome == Outcome.RESERVED
    given = allot.Given()
    given.begin(sale)
    given.add(seen.units, seen.ranks[-1], order_id, shopper, slots)
    await allot.give(tx, given)
    sql = """INSERT INTO order_line (tenant_id, order_id, sale_id, sku_id, quantity, unit_price_minor, amount_minor)
             VALUES ($1, $2, $3, $4, $5, $6, $7)"""
    line = (sale.id, sale.sku_id, want.quantity, sale.price_minor, sum(want.paid) or None)
    await tx.conn.execute(sql, tx.tenant_id, order_id, *line)
    if want.paid:
        sql = """UPDATE unit SET paid_minor = said.paid FROM unnest($2::bigint[], $3::bigint[]) AS said (id, paid)
                 WHERE tenant_id = $1 AND unit.id = said.id"""
        await tx.conn.execute(sql, tx.tenant_id, seen.units, list(want.paid))
    return seen.units, sum(want.paid) or want.quantity * sale.price_minor
