"""The shelf: goods without a rush. A SKU has one sale there that is not over, and orders with a cart buy of it (`tenants.orders.place`)."""

from uuid import UUID

from checkout_core.errors import Conflict, NotFound
from tenants import catalog, sales
from tenants.db import TenantTx
from tenants.orders import bundles
from tenants.sales import NotEnoughStock, Sale
from tenants.units import shelving

DOOR = "shelf"


async def put(
    tx: TenantTx, sku_id: UUID, *, units: int | None, limit_per_shopper: int, hold_s: int, takes_new_stock: bool, actor: str
) -> Sale:
    """Have the SKU on the shelf with at least `units` that are free, or with all its loose stock when None.

    One that is there already gets these settings, and the units that are missing: asked again, nothing changes any more.
    A bundle has no units: all that its parts have, which must be there (`parts_missing`), is all it can be said to have.
    Raises `NotFound`, `NotEnoughStock`, `CapabilityMissing`, `Unavailable`, `Conflict` (`stock_is_parts`) for units of a bundle.
    """
    if await bundles.need_parts(tx, sku_id):
        if units is not None:
            raise Conflict('A bundle has what its parts have: say "all". Nothing was changed.', code="stock_is_parts")
        takes_new_stock = True  # there is nothing to begin with, and no stock but the parts'
    sale_id = await shelving.sale_of(tx, sku_id, lock=True)
    if sale_id is None:
        sku = await catalog.get_sku(tx, sku_id)
        product = await catalog.get_product(tx, sku.product_id)
        return await sales.create(
            tx, sku_id=sku_id, name=_name(product.name, sku.name), units=units, limit_per_shopper=limit_per_shopper, price_minor=None,
            starts_at=None, ends_at=None, hold_s=hold_s, actor=actor, door=DOOR, takes_new_stock=takes_new_stock,
        )  # fmt: skip
    sale = await sales.get(tx, sale_id)
    if limit_per_shopper != sale.limit_per_shopper:
        sale = await sales.set_limit(tx, sale_id, limit_per_shopper, actor=actor)
    if (hold_s, takes_new_stock) != (sale.hold_s, sale.takes_new_stock):
        sale = await sales.change(tx, sale, "hold_s = $3, takes_new_stock = $4", hold_s, takes_new_stock)
        await sales.announce(tx, sale, "sale.shelf_changed", actor, hold_s=hold_s, takes_new_stock=takes_new_stock)
    missing = None if units is None else units - (sale.allotted - sale.committed)
    if missing is not None and missing <= 0:
        return sale
    try:
        return await sales.add_stock(tx, sale_id, missing, actor=actor)
    except NotEnoughStock:
        if missing is not None:
            raise
        return sale  # all that is loose is nothing


async def take_off(tx: TenantTx, sku_id: UUID, *, actor: str) -> Sale:
    """End the SKU's sale on the shelf: what nobody holds is loose stock again. Raises `NotFound` when it has none."""
    sale_id = await shelving.sale_of(tx, sku_id)
    if sale_id is None:
        raise NotFound("This SKU is not on the shelf.")
    return await sales.end(tx, sale_id, actor=actor)


def _name(product: str, sku: str) -> str:
    return product if product == sku else f"{product} {sku}"[:200]
