"""What people do with points: a shopper signs in for the day, one of the store's gives some or takes some."""

from uuid import UUID

from checkout_core.errors import Conflict
from checkout_core.ids import encode
from tenants import stores
from tenants.db import TenantTx
from tenants.points import lots, program, read
from tenants.points.lots import Why
from tenants.points.read import Entry


async def sign_in(tx: TenantTx, shopper_id: UUID) -> int:
    """Today's points, once in a day of the store's zone; how many came of it, none when he was there today already.

    Raises `Conflict` (`no_sign_in_points`) where the store gives none.
    """
    rules = (await program.get(tx)).rules
    if not rules.enabled or not rules.sign_in_points:
        raise Conflict("This store gives no points for signing in.", code="no_sign_in_points")
    account = await lots.lock(tx, shopper_id)
    zone = await stores.zone(tx)
    once = read.sign_in_of(account.now, zone)
    if await lots.happened(tx, account, once):
        await lots.save(tx, account)
        return 0
    over = program.expires_at(rules, account.now, zone)
    await lots.give(tx, account, rules.sign_in_points, Why("sign_in", once=once), expires_at=over)
    await lots.save(tx, account)
    return rules.sign_in_points


async def adjust(tx: TenantTx, shopper_id: UUID, amount: int, note: str, *, actor: str) -> Entry:
    """Give so many, or take what he may spend: both on record, and in his statement with the reason.

    Raises `NotFound`, and `Conflict`: `points_off` where the store has no points, `points_short`, `shopper_erased`.
    """
    assert amount
    await read.known(tx, shopper_id)
    said = await program.get(tx)
    if not said.rules.enabled:
        raise Conflict("The store has no points. Switch the program on first; nothing was changed.", code="points_off")
    if await tx.conn.fetchval("SELECT 1 FROM erased_shopper WHERE tenant_id = $1 AND shopper_id = $2", tx.tenant_id, shopper_id):
        raise Conflict("This shopper was erased: nothing more is kept of him.", code="shopper_erased")
    account = await lots.lock(tx, shopper_id)
    why = Why("staff", note=note)
    if amount > 0:
        over = program.expires_at(said.rules, account.now, await stores.zone(tx))
        seq = await lots.give(tx, account, amount, why, expires_at=over)
    else:
        if (there := await lots.available(tx, account)) < -amount:
            raise Conflict(f"He may spend {there} points, not {-amount}. None were taken.", code="points_short", available=there)
        await lots.take(tx, account, -amount, why)
        seq = account.entries
    await lots.save(tx, account)
    await tx.audit(actor, "points.adjusted", encode("shp", shopper_id), amount=amount, entry=seq)
    return await read.entry(tx, shopper_id, seq)
