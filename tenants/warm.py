"""A session's first commit, made when it is opened.

What is new to a session is read from the catalogue and planned: 40 ms, for which the first shoppers of a sale would wait, with the sale's
row locked meanwhile.
"""

from uuid import UUID

from checkout_core.intents import SaleKey
from tenants.db import Connection, tenant_tx
from tenants.orders import allot, at_once
from tenants.orders.draft import Draft
from tenants.orders.survey import known, survey

_NOBODY = UUID(int=0)


async def warm(conn: Connection) -> None:
    """Send every statement of a commit once, for nobody and nothing."""
    await at_once.reserve(conn, SaleKey(_NOBODY, _NOBODY), [])
    async with tenant_tx(conn, _NOBODY) as tx:
        await allot.lock_sale(tx, _NOBODY)
        await allot.lock_free_sales(tx, [])
        await known(tx, [])
        await survey(tx, [], [])
        await Draft().write(tx)
