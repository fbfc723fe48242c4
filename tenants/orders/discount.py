"""What coupons take off an order: its lines and units cost that much less from the beginning, so that payment, parts of it that are
refunded, and the books go by what is paid."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from tenants.coupons import held, reckon
from tenants.coupons.held import Line, Taken
from tenants.db import TenantTx
from tenants.orders.weigh import Buyer, Weighed, Weighing


class Reduced(NamedTuple):
    """`wholes` is what each line, by its sale, costs without any coupon."""

    weighing: Weighing
    taken: Taken
    wholes: dict[UUID, int]


async def reckoned(tx: TenantTx, buyer: Buyer, lines: Sequence[Weighed], named: Collection[UUID] | None) -> Taken:
    """What is taken off those lines that can be had."""
    goods = [_line(line) for line in lines if line.sale and line.paid and not line.problem]
    currency = next((line.sale.currency for line in lines if line.sale), "")
    return await held.take(tx, buyer.shopper_id, buyer.channel, currency, goods, named)


async def reduce(tx: TenantTx, buyer: Buyer, weighing: Weighing, named: Collection[UUID] | None) -> Reduced:
    """The same lines at what they cost with coupons. Raises `Conflict` (`coupon_unusable`) for one that is named and takes nothing off."""
    taken = await reckoned(tx, buyer, weighing.lines, named)
    if named:
        held.need_all(taken, named)
    wholes = {line.sale.id: line.amount_minor for line in weighing.lines if line.sale}
    if not taken.shares:
        return Reduced(weighing, taken, wholes)
    lines = [line._replace(paid=reckon.units(taken.after(_line(line)), line.paid)) for line in weighing.lines]
    return Reduced(weighing._replace(lines=lines), taken, wholes)


def _line(line: Weighed) -> Line:
    """A part of a bundle counts as that: a scope that names the SKU means what is sold by itself."""
    assert line.sale is not None
    return Line(line.sale.id, line.wanted.bundle_id or line.wanted.sku_id, line.wanted.quantity, line.amount_minor)
