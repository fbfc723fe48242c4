"""What a merchant may do by what he has shown of himself. All limits are in this file, and are checked where the act happens.

Whoever takes no real money needs to show nothing: a store whose only provider is the sandbox may publish what it likes. With real money
come the limits. An approved qualification that is in force grants what its kind does; every other state grants nothing.
"""

from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from checkout_core.errors import Forbidden
from checkout_core.ids import encode
from tenants.db import TenantTx

SANDBOX: Final = "sandbox"  # the provider without money
GENERAL: Final = "general"  # what takes no licence to sell
CATEGORIES: Final = (GENERAL, "game_topup", "gift_cards")


class Grant(NamedTuple):
    live_providers: bool = False
    sale_units_max: int = 0
    categories: tuple[str, ...] = ()


GRANTING: Final = "approved"
GRANTS: Final[dict[str, Grant]] = {
    "individual": Grant(live_providers=True, sale_units_max=1_000),
    "sole_trader": Grant(live_providers=True, sale_units_max=20_000),
    "company": Grant(live_providers=True, sale_units_max=10_000_000),
    "game_topup": Grant(categories=("game_topup",)),
    "gift_cards": Grant(categories=("gift_cards",)),
}


class Capabilities(msgspec.Struct, frozen=True):
    """`live`: an account at a provider with real money is connected, and the other three apply to sales. `qualifications` are in force."""

    live: bool
    live_providers: bool
    sale_units_max: int
    categories: list[str]
    qualifications: list[str]


class CapabilityMissing(Forbidden):
    code = "capability_missing"


async def of(tx: TenantTx) -> Capabilities:
    """As of this moment: a licence that has run out grants nothing, whether or not the sweep has been by."""
    sql = """SELECT EXISTS (SELECT 1 FROM provider_account WHERE tenant_id = $1 AND provider <> $2 AND state = 'active') AS live,
                    ARRAY(SELECT DISTINCT kind FROM qualification
                          WHERE tenant_id = $1 AND state = $3 AND (valid_until IS NULL OR valid_until > now()) ORDER BY kind) AS kinds"""
    row = await tx.conn.fetchrow(sql, tx.tenant_id, SANDBOX, GRANTING)
    grants = [GRANTS[kind] for kind in row["kinds"]]
    return Capabilities(
        live=row["live"],
        live_providers=any(grant.live_providers for grant in grants),
        sale_units_max=max((grant.sale_units_max for grant in grants), default=0),
        categories=[GENERAL, *(category for grant in grants for category in grant.categories)],
        qualifications=row["kinds"],
    )


async def may_take_money(tx: TenantTx, provider: str) -> bool:
    """Whether a payment may be begun at this provider now."""
    return provider == SANDBOX or (await of(tx)).live_providers


async def need_provider(tx: TenantTx, provider: str) -> None:
    """Before an account is connected at `provider`. Raises `CapabilityMissing`, also for a running sale that real money would not allow."""
    if provider == SANDBOX:
        return
    await _in_turn(tx)
    held = await of(tx)
    if not held.live_providers:
        needs = [kind for kind, grant in GRANTS.items() if grant.live_providers]
        raise _missing("live_providers", needs, "Real payments need a merchant whom we know.")
    sql = """SELECT s.id, s.allotted, p.category FROM sale s
             JOIN sku k ON k.tenant_id = s.tenant_id AND k.id = s.sku_id JOIN product p ON p.tenant_id = k.tenant_id AND p.id = k.product_id
             WHERE s.tenant_id = $1 AND s.state <> 'ended' AND (s.allotted > $2 OR p.category <> ALL ($3)) ORDER BY s.id LIMIT 1"""
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, held.sale_units_max, held.categories):
        _check_sale(held, row["allotted"], row["category"], running=encode("sal", row["id"]))


async def need_sale(tx: TenantTx, sku_id: UUID, units: int) -> None:
    """Before `units` of the SKU are on sale. Raises `CapabilityMissing`."""
    await _in_turn(tx)
    held = await of(tx)
    if not held.live:
        return
    sql = """SELECT p.category FROM sku k JOIN product p ON p.tenant_id = k.tenant_id AND p.id = k.product_id
             WHERE k.tenant_id = $1 AND k.id = $2"""
    _check_sale(held, units, await tx.conn.fetchval(sql, tx.tenant_id, sku_id))


async def _in_turn(tx: TenantTx) -> None:
    """Until the commit nobody else connects an account or puts units on sale: each would find the other's not there yet."""
    await tx.conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{tx.tenant_id}:capabilities")


def _check_sale(held: Capabilities, units: int, category: str, **more: str) -> None:
    if category not in held.categories:
        needs = [kind for kind, grant in GRANTS.items() if category in grant.categories]
        raise _missing(f"sell:{category}", needs, f"Selling {category} takes a licence.", **more)
    if units > held.sale_units_max:
        needs = [kind for kind, grant in GRANTS.items() if grant.sale_units_max >= units]
        detail = f"A sale of yours may have {held.sale_units_max} units; this one has {units}."
        raise _missing("sale_units", needs, detail, sale_units_max=held.sale_units_max, **more)


def _missing(capability: str, needs: list[str], detail: str, **more: Any) -> CapabilityMissing:
    ways = f"Qualify as {' or '.join(needs)} at POST /v1/qualifications." if needs else "No qualification allows it."
    return CapabilityMissing(f"{detail} {ways}", capability=capability, qualifications=needs, **more)
