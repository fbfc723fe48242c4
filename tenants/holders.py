"""Who holds orders in a sale, in 8 bytes each: whom an API process may not turn away from memory.

Everybody once, and then those who came since; so what a second costs does not grow with the sale.
"""

import datetime as dt
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from uuid import UUID

from checkout_core.intents import SaleKey
from tenants.db import Pool, tenant_tx

CLOCK_STEP = dt.timedelta(seconds=5)  # Postgres' clock may have been set back by as much between two looks
_TAIL = "substring(uuid_send(shopper_id) FROM 9)"  # the last 8 bytes, which are random: `short`
EVERYBODY = f"""SELECT string_agg({_TAIL}, ''::bytea ORDER BY {_TAIL})
    FROM (SELECT DISTINCT shopper_id FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND shopper_id IS NOT NULL) AS holder"""
# Spelt so that no planner can turn it round: joined freely it read all orders of the tenant.
SINCE = """SELECT (SELECT shopper_id FROM orders o WHERE o.tenant_id = $1 AND o.id = l.order_id) FROM order_line l
    WHERE l.tenant_id = $1 AND l.sale_id = $2 AND l.created_at > $3"""


class Holders:
    """Those of the first look lie sorted in one piece of memory; those who came later, few, beside them."""

    __slots__ = ("_early", "_late")

    def __init__(self, packed: bytes = b"") -> None:
        """`packed` holds 8 bytes each, ascending."""
        self._early = array("Q", packed)
        if sys.byteorder == "little":
            self._early.byteswap()
        self._late: set[int] = set()

    def __contains__(self, shopper_id: UUID) -> bool:
        tail = short(shopper_id)
        at = bisect_left(self._early, tail)
        return (at < len(self._early) and self._early[at] == tail) or tail in self._late

    def add(self, shoppers: Iterable[UUID]) -> None:
        self._late.update(map(short, shoppers))


def short(shopper_id: UUID) -> int:
    return shopper_id.int & 0xFFFF_FFFF_FFFF_FFFF


async def now(pool: Pool, sale: SaleKey) -> dt.datetime:
    """Postgres' clock."""
    async with tenant_tx(pool, sale.tenant_id) as tx:
        moment: dt.datetime = await tx.conn.fetchval("SELECT clock_timestamp()")
    return moment


async def everybody(pool: Pool, sale: SaleKey) -> Holders:
    """Who holds units of the sale now."""
    async with tenant_tx(pool, sale.tenant_id) as tx:
        return Holders(await tx.conn.fetchval(EVERYBODY, *sale) or b"")


async def since(pool: Pool, sale: SaleKey, moment: dt.datetime) -> list[UUID]:
    """Who reserved in the sale in a transaction that began after `moment`, whatever became of his order."""
    async with tenant_tx(pool, sale.tenant_id) as tx:
        return [row[0] for row in await tx.conn.fetch(SINCE, *sale, moment - CLOCK_STEP)]
