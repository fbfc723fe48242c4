"""What is on a shelf to try carts on, and the orders of shoppers who have names."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from checkout_core.errors import AppError
from checkout_core.ids import decode, new_id
from tenants.db import tenant_tx
from tenants.orders import Order, place
from tenants.orders.cart import Wanted
from tenants.orders.place import NewOrder
from tenants.orders.weigh import Buyer
from tests.shop import Store
from tests.tenants.types import picked
from tests.tenants.units.stock import figures, rows

Lines = Mapping[str, int | Sequence[str]]
"""By the name of a SKU: how many, or which."""


async def shelve(store: Store, sku: str, units: int | str = "all", **changes: Any) -> str:
    """The SKU on the shelf; its sale."""
    sale = await store.ask("PUT", f"/v1/skus/{sku}/shelf", store.merchant, {"units": units, **changes})
    return str(sale["id"])


class Shelf:
    """SKUs on a store's shelf, by name."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.skus: dict[str, str] = {}
        self.sales: dict[str, str] = {}
        self.shoppers: dict[str, UUID] = {}

    @classmethod
    async def of(cls, store: Store, units: Mapping[str, int], **changes: Any) -> "Shelf":
        shelf = cls(store)
        for name, count in units.items():
            await shelf.add(name, await store.sku(count, name=name), **changes)
        return shelf

    async def add(self, name: str, sku: str, units: int | str = "all", **changes: Any) -> None:
        self.skus[name], self.sales[name] = sku, await shelve(self.store, sku, units, **changes)

    async def hall(self, name: str, picks: Mapping[str, tuple[int, int]], **changes: Any) -> None:
        """A ticket by session: of each pick how many, and its surcharge."""
        classes = [{"id": each, "label": each} for each in sorted({pick.partition(".")[2] for pick in picks})]
        sku = await self.store.sku(type="ticket", config={"venue": "Old Theatre", "classes": classes}, name=name)
        for pick, (count, surcharge) in picks.items():
            await picked.make(self.store, sku, count, picks=[picked.session(pick, surcharge_minor=surcharge)])
        await self.add(name, sku, **changes)

    def shopper(self, name: str) -> UUID:
        return self.shoppers.setdefault(name, new_id())

    def wish(self, who: str, lines: Lines, *, order: UUID | None = None, said: bytes = bytes(16)) -> NewOrder:
        wanted = []
        for name, want in lines.items():
            many, picks = (want, ()) if isinstance(want, int) else (len(want), tuple(want))
            wanted.append(Wanted(decode("sku", self.skus[name]), many, picks))
        return NewOrder(order or new_id(), Buyer(self.shopper(who), "web"), wanted, said)

    async def place(self, wish: NewOrder) -> Order:
        return await place.place(self.store.process.app_pool, self.store.tenant_id, wish)

    async def told(self, wish: NewOrder) -> str:
        """`reserved`, or what it is refused for and of which SKU."""
        try:
            await self.place(wish)
        except AppError as error:
            names = {sku: name for name, sku in self.skus.items()}
            return " ".join(filter(None, [error.code, names.get(str(error.extra.get("sku_id")))]))
        return "reserved"

    async def left(self) -> dict[str, int]:
        """What is free of each; and that every sale's figures are what its units say."""
        found = {}
        for name, sale in self.sales.items():
            allotted, committed = await figures(self.store, sale)
            found[name] = allotted - committed
        return found

    async def lines(self) -> list[tuple[Any, ...]]:
        """Of every order its lines: quantity, unit price, amount, and what its units are paid."""
        sql = """SELECT l.quantity, l.unit_price_minor, l.amount_minor, ARRAY(
                     SELECT coalesce(u.paid_minor, l.unit_price_minor) FROM unit u
                     WHERE u.tenant_id = $1 AND u.order_id = l.order_id AND u.sale_id = l.sale_id ORDER BY u.id)
                 FROM order_line l WHERE l.tenant_id = $1 ORDER BY l.created_at, l.order_id, l.sku_id"""
        return await rows(self.store, sql)

    async def orders(self) -> int:
        return len(await rows(self.store, "SELECT id FROM orders WHERE tenant_id = $1"))


async def sql(store: Store, statement: str, *values: Any) -> None:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        await tx.conn.execute(statement, tx.tenant_id, *values)


def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}
