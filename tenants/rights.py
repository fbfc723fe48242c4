"""What the store's people do with an entitlement: have it last longer, or end it. No money moves."""

from uuid import UUID

from checkout_core.errors import Conflict
from checkout_core.ids import encode
from tenants import entitlements, types
from tenants.db import TenantTx
from tenants.entitlements import Entitlement
from tenants.orders import release


async def prolong(tx: TenantTx, entitlement_id: UUID, days: int, why: str, *, actor: str) -> Entitlement:
    """It ends so many days later; of a membership, the last of its periods does.

    Raises `NotFound`, `Conflict` (`revoked`, `no_end`).
    """
    found = await _locked(tx, entitlement_id)
    await types.of(found.type).prolong(tx, found, days)
    await tx.audit(actor, "entitlement.prolonged", encode("ent", found.id), order=encode("ord", found.order_id), days=days, reason=why)
    return await entitlements.get(tx, entitlement_id)


async def revoke(tx: TenantTx, entitlement_id: UUID, why: str, *, actor: str) -> Entitlement:
    """It ends now, for good; what was paid stays paid. Raises `NotFound`, `Conflict` (`revoked`)."""
    found = await _locked(tx, entitlement_id)
    await types.of(found.type).revoke(tx, found.order_id, [found.unit_id])
    await tx.audit(actor, "entitlement.revoked", encode("ent", found.id), order=encode("ord", found.order_id), reason=why)
    return await entitlements.get(tx, entitlement_id)


async def _locked(tx: TenantTx, entitlement_id: UUID) -> Entitlement:
    """The order first, as whoever refunds it does; then its row, which is what it was only now."""
    seen = await entitlements.get(tx, entitlement_id)
    await release.lock(tx, seen.order_id)
    found = await entitlements.get(tx, entitlement_id, lock=True)
    if found.state == "revoked":
        raise Conflict("This was revoked already. Nothing was changed.", code="revoked")
    return found
