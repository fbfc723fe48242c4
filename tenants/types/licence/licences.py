"""What is known of a licence, and what it is worth at this moment."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from checkout_core.errors import NotFound
from tenants import entitlements
from tenants.db import TenantTx
from tenants.entitlements import Entitlement, Use
from tenants.keys import Keyring
from tenants.orders import release
from tenants.types.licence import keys
from tenants.vault.lookup import BY_FINGERPRINT

NAME: Final = "licence"

# As Keygen says them (https://keygen.sh/docs/api/licenses/#licenses-actions-validate-key), so that programs written for it feel at home.
Verdict = Literal[
    "VALID", "NOT_FOUND", "PRODUCT_SCOPE_MISMATCH", "REVOKED", "SUSPENDED", "EXPIRED", "TOO_MANY_MACHINES", "NO_MACHINES",
    "FINGERPRINT_SCOPE_MISMATCH",
]  # fmt: skip


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`days` it is good for from its delivery, or from its first activation; for ever without. `prefix` begins each key."""

    devices_max: Annotated[int, Meta(ge=1, le=1000)] = 1
    days: Annotated[int, Meta(ge=1, le=36_500)] | None = None
    starts: Literal["delivery", "activation"] = "delivery"
    prefix: Annotated[str, Meta(pattern=r"^[A-Z0-9]{0,12}$(?!\n)")] = ""


class Licence(msgspec.Struct, frozen=True):
    """A key that was delivered. `entitlement` is None before its first activation."""

    unit: int
    sku_id: UUID
    order_id: UUID
    config: Config
    is_sold: bool  # still: it was neither refunded nor taken out of the vault
    delivered_at: dt.datetime
    now: dt.datetime
    entitlement: Entitlement | None
    devices: Sequence[Use]

    @property
    def expires_at(self) -> dt.datetime | None:
        if self.entitlement is not None:
            return self.entitlement.valid_until
        return self.first_end(self.delivered_at) if self.config.starts == "delivery" else None

    def first_end(self, begins: dt.datetime) -> dt.datetime | None:
        return begins + dt.timedelta(days=self.config.days) if self.config.days is not None else None

    @property
    def is_suspended(self) -> bool:
        return self.entitlement is not None and "suspended" in self.entitlement.data

    def verdict(self, *, device: str | None = None, sku_id: UUID | None = None) -> Verdict:
        """Whether it is good, on `device` if one is named, for the product whose SKU is named. The gravest reason comes first."""
        names = {use.name for use in self.devices}
        reasons: list[tuple[bool, Verdict]] = [
            (sku_id is not None and sku_id != self.sku_id, "PRODUCT_SCOPE_MISMATCH"),
            (not self.is_sold or (self.entitlement is not None and self.entitlement.state == "revoked"), "REVOKED"),
            (self.is_suspended, "SUSPENDED"),
            (self.expires_at is not None and self.expires_at <= self.now, "EXPIRED"),
            (len(names) > self.config.devices_max, "TOO_MANY_MACHINES"),  # fewer are allowed than there were
            (device is not None and not names, "NO_MACHINES"),
            (device is not None and device not in names, "FINGERPRINT_SCOPE_MISMATCH"),
        ]
        return next((reason for applies, reason in reasons if applies), "VALID")


async def find(tx: TenantTx, keyring: Keyring, typed: str) -> Licence:
    """The licence of a key, however it was typed. Raises `NotFound`: also for a key that is in the vault and nobody's yet."""
    key = keys.read(typed)
    if key is None:
        raise NotFound("This is no licence key: look for a typing mistake.")
    unit = await tx.conn.fetchval(BY_FINGERPRINT, tx.tenant_id, (await keyring.of(tx)).fingerprints(key))
    return await of_unit(tx, unit) if unit is not None else _nobodys()


async def of_unit(tx: TenantTx, unit: int) -> Licence:
    """Raises `NotFound`, as for a unit that is not there for one that is no licence's or nobody's."""
    found = await of_units(tx, [unit])
    return found[0] if found else _nobodys()


def _nobodys() -> Any:
    raise NotFound("There is no such licence.")


async def of_order(tx: TenantTx, order_id: UUID) -> list[Licence]:
    """Those that an order was delivered, also after its refund."""
    # Unsorted: the index that has them in order is the whole table's.
    sql = "SELECT unit_id FROM delivery WHERE tenant_id = $1 AND order_id = $2"
    return await of_units(tx, [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, order_id)])


async def of_units(tx: TenantTx, units: Sequence[int]) -> list[Licence]:
    """Those of `units` that are licences and were delivered."""
    # Not joined: on a young database a join may read all of a tenant's units, and keeps its plan.
    sql = """SELECT d.unit_id, u.sku_id, d.order_id, k.config, u.state = 'sold', d.delivered_at, clock_timestamp()
             FROM unnest($2::bigint[]) AS given (id)
             CROSS JOIN LATERAL (SELECT unit_id, order_id, delivered_at FROM delivery
                                 WHERE tenant_id = $1 AND unit_id = given.id OFFSET 0) AS d
             CROSS JOIN LATERAL (SELECT sku_id, state FROM unit WHERE tenant_id = $1 AND id = given.id OFFSET 0) AS u
             CROSS JOIN LATERAL (SELECT type, config FROM sku WHERE tenant_id = $1 AND id = u.sku_id OFFSET 0) AS k
             WHERE k.type = $3 ORDER BY d.unit_id"""
    found = []
    for unit, sku_id, order_id, config, is_sold, delivered_at, now in await tx.conn.fetch(sql, tx.tenant_id, list(units), NAME):
        entitlement = await _entitlement(tx, unit)
        devices = await entitlements.uses(tx, entitlement.id) if entitlement else []
        about = (msgspec.json.decode(config, type=Config), is_sold, delivered_at, now)
        found.append(Licence(unit, sku_id, order_id, *about, entitlement, devices))
    return found


async def _entitlement(tx: TenantTx, unit: int) -> Entitlement | None:
    try:
        return await entitlements.of_unit(tx, unit)
    except NotFound:
        return None


async def begin(tx: TenantTx, licence: Licence) -> Licence:
    """The same licence as it is now that nobody else can change it: with an entitlement, whose row is locked."""
    if licence.entitlement is None:
        # Under the order's lock: after a refund there is nothing to begin, and a refund that comes later finds what was granted.
        order = await release.lock(tx, licence.order_id)
        licence = await of_unit(tx, licence.unit)
        if not licence.is_sold:
            return licence
        await entitlements.grant(
            tx, type=NAME, unit=licence.unit, order_id=licence.order_id, sku_id=licence.sku_id, shopper_id=order["shopper_id"],
            valid_from=licence.delivered_at, valid_until=licence.expires_at,
        )  # fmt: skip
    await entitlements.of_unit(tx, licence.unit, lock=True)
    return await of_unit(tx, licence.unit)
