"""Coupons of a store, the pieces its shoppers have, and how all of it stands."""

from typing import Any
from uuid import UUID

from checkout_core.errors import AppError
from checkout_core.ids import encode
from tenants.coupons import definitions, grants
from tenants.coupons.definitions import Coupon, Terms
from tenants.coupons.grants import Grant
from tenants.db import tenant_tx
from tenants.orders import Order
from tenants.payments import expire, refunds
from tests.shop import Store
from tests.tenants.orders.carts import Shelf
from tests.tenants.units.stock import rows


async def coupon(store: Store, *, start: bool = True, **terms: Any) -> Coupon:
    """By default 10.00 off anything."""
    if "kind" not in terms:
        terms |= {"kind": "fixed", "off_minor": terms.get("off_minor", 1000)}
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        made = await definitions.create(tx, Terms(**{"name": "Ten off", **terms}), actor="test")
        return await definitions.act(tx, made.id, "start", actor="test") if start else made


async def act(store: Store, coupon_id: UUID, what: str) -> Coupon:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        return await definitions.act(tx, coupon_id, what, actor="test")


async def look(store: Store, coupon_id: UUID) -> Coupon:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        return await definitions.get(tx, coupon_id)


async def figures(store: Store, coupon_id: UUID) -> tuple[int, int, int, int]:
    """Claimed, locked, used, spent."""
    found = await look(store, coupon_id)
    return found.claimed, found.locked, found.used, found.spent_minor


async def claim(store: Store, coupon_id: UUID, shopper_id: UUID) -> Grant:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        return await grants.claim(tx, coupon_id, shopper_id, "web")


async def told(store: Store, coupon_id: UUID, shopper_id: UUID) -> str:
    """`claimed`, or what a claim is refused for."""
    try:
        await claim(store, coupon_id, shopper_id)
    except AppError as error:
        return error.code
    return "claimed"


async def states(store: Store, table: str) -> list[str]:
    """Of all the store's pieces, or uses."""
    return sorted(row[0] for row in await rows(store, f"SELECT state FROM {table} WHERE tenant_id = $1"))


async def sweep(store: Store, coupon_id: UUID) -> int:
    return await grants.sweep(store.process.app_pool, store.tenant_id, coupon_id)


class Till:
    """What happens to an order."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.store = shelf.store

    async def cancel(self, order: Order) -> None:
        path = f"/v1/orders/{encode('ord', order.id)}/cancel"
        answer = await self.store.client.post(path, headers=self.store.merchant, json={})
        assert answer.status_code < 500, answer.text

    async def lapse(self, order: Order) -> None:
        pool, tenant_id = self.store.process.app_pool, self.store.tenant_id
        async with tenant_tx(pool, tenant_id) as tx:
            sql = "UPDATE orders SET hold_until = now() WHERE tenant_id = $1 AND id = $2 AND state = 'awaiting'"
            await tx.conn.execute(sql, tenant_id, order.id)
        await expire.expire(pool, self.store.process.providers, tenant_id, order.id)

    async def refund(self, order: Order) -> None:
        """Asked for, and the money back."""
        answer = await self.store.client.post(f"/v1/orders/{encode('ord', order.id)}/refund", headers=self.store.merchant)
        assert answer.status_code < 500, answer.text
        await self.money_back(order)

    async def money_back(self, order: Order) -> None:
        """Of all refunds that were asked for; told twice, as a provider may."""
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            sql = "SELECT out_refund_no FROM refund WHERE tenant_id = $1 AND order_id = $2"
            for row in [*await tx.conn.fetch(sql, tx.tenant_id, order.id)] * 2:
                await refunds.succeeded(tx, row[0])
