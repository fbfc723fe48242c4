"""What coupons ask of Postgres: no statement reads a whole table, by the plan that is made while there is nothing in it."""

import asyncio
from datetime import UTC, datetime

from api.process import Process
from checkout_core.ids import decode
from tenants.coupons import definitions, figures, grants, uses
from tenants.db import Pool, tenant_tx
from tenants.orders import place
from tests.plans import scans
from tests.shop import Store
from tests.tenants.coupons.pieces import coupon
from tests.tenants.orders.carts import Shelf


async def asked(process: Process, store: Store) -> list[str]:
    """The statements of a piece's whole life, each end of it once."""
    shelf = await Shelf.of(store, {"a": 3})
    ten = await coupon(store, scope="only", sku_ids=[decode("sku", shelf.skus["a"])], valid_until=datetime(2099, 1, 1, tzinfo=UTC))
    typed = await coupon(store, claim="code", code="SPRING", stack_group="more")
    wish = shelf.wish("ann", {"a": 1})
    ann = shelf.shopper("ann")
    found: list[str] = []
    async with tenant_tx(process.app_pool, store.tenant_id) as tx:
        with tx.conn.query_logger(lambda record: found.append(record.query)):
            piece = await grants.claim(tx, ten.id, ann, "web")
            await grants.by_code(tx, "spring", ann, "web")
            await grants.issue(tx, ten.id, [shelf.shopper("bob")], actor="test")
            await grants.mine(tx, ann)
            await grants.claimable(tx, ann, "web")
            await grants.held_of(tx, ten.id, limit=9)
            await place.quote(tx, wish.buyer, wish.lines)
            await place._placed(tx, wish)
            await place.quote(tx, wish.buyer, wish.lines, [piece.id])
            await uses.give_back(tx, wish.id)
            await uses.paid(tx, wish.id)
            await uses.refunded(tx, wish.id)
            await grants.void(tx, piece.id, actor="test")
            await definitions.act(tx, typed.id, "end", actor="test")
            await figures.of(tx, await definitions.get(tx, ten.id))
            await asyncio.sleep(0)  # the logger is told in the loop's next turn
    return [statement for statement in found if "SAVEPOINT" not in statement and "coupon" in statement]


async def test_nothing_is_read_whole(process: Process, young: Pool, acme: Store) -> None:
    statements = {" ".join(sql.split()): sql for sql in await asked(process, acme)}
    assert len(statements) > 20
    whole = {sql: found for sql in statements.values() if (found := await scans(young, acme.tenant_id, sql))}
    # There are a thousand coupons at most, and the claim centre asks all of them whether they may be had.
    assert {tuple(found) for sql, found in whole.items() if "claim = 'public'" not in sql} == set(), whole
