"""Stock of SKUs whose units come from no file."""

from collections.abc import Sequence
from uuid import UUID

from checkout_core.errors import Conflict
from tenants import picking, types, vault
from tenants.catalog.skus import get_sku
from tenants.db import TenantTx
from tenants.keys import Keyring
from tenants.picking import Span
from tenants.picks import Pick
from tenants.units import shelving


async def make_units(
    tx: TenantTx,
    keyring: Keyring,
    sku_id: UUID,
    count: int,
    *,
    actor: str,
    note: str = "",
    cost_minor: int | None = None,
    picks: Sequence[Pick] = (),
    span: Span | None = None,
) -> UUID:
    """Make stock of a SKU whose units come from no file; the batch they are. Of a picked type `count` units of each pick.

    It is loose, unless the SKU's sale on the shelf takes it.

    Raises `NotFound`; `Conflict` (`stock_is_imported`) where they do, (`stock_is_parts`) for a bundle, (`pick_taken`) for a second unit of
    a pick that has one; `Unprocessable` for picks where there are none (`not_picked`), none where there must be (`picks_missing`), and as
    the type does.
    """
    shelf = await shelving.that_takes(tx, sku_id)  # and nobody puts it on the shelf, or makes the same picks, before this is done
    sku = await get_sku(tx, sku_id)
    type_ = types.of(sku.type)
    if type_.stock == "parts":
        raise Conflict("A bundle has no units of its own: stock its parts. Nothing was made.", code="stock_is_parts")
    if type_.stock != "made":
        raise Conflict("Stock of this SKU comes from files of codes: import one.", code="stock_is_imported")
    config = types.configured(type_, sku.config)
    contents = (lambda units: type_.contents(config, units)) if type_.sealed else None
    names = await picking.prepare(tx, type_, types.Sku(sku.id, sku.name, sku.currency, sku.price_minor, config), count, picks, span)
    units, chosen = (len(names), names) if type_.picked else (count, None)
    batch_id = await vault.make(
        tx, sku_id, units, actor=actor, note=note, cost_minor=cost_minor, picks=chosen, keyring=keyring, contents=contents
    )
    if shelf is not None:
        await shelving.fill(tx, sku_id, shelf, batch_id, actor=actor)
    return batch_id
