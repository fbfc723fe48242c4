"""Licence keys (授权码) that are made here: a program asks whether a key is good, and on how many devices it runs.

The key is delivered by the payment itself. What is known of it beyond that, its devices and its end, is an entitlement that begins with the
first activation; until then a key costs no row but its own.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict
from tenants import entitlements, vault
from tenants.db import TenantTx
from tenants.entitlements import Entitlement
from tenants.keys import Keyring
from tenants.types.base import ProductType, Shown, Stock
from tenants.types.licence import acts, keys, licences
from tenants.types.licence.licences import Config
from tenants.vault import Content


class Licence(ProductType):
    name = "licence"
    label: ClassVar = {"zh-CN": "软件授权码", "en": "Licence key"}
    summary: ClassVar = {
        "zh-CN": "系统生成的授权码，可激活、验证、解绑设备，付款后立即发出。",
        "en": "Keys made here and delivered the moment they are paid. Your program activates, validates and deactivates them.",
    }
    Config = Config
    stock: ClassVar[Stock] = "made"
    sealed = True
    at_once = True
    acts = acts.ACTS

    def contents(self, config: Any, units: Sequence[int]) -> Sequence[Content]:
        return [Content(keys.make(config.prefix)) for _ in units]

    async def revoke(self, tx: TenantTx, order_id: UUID, units: Sequence[int]) -> None:
        # Said although it is what every type does: of those that deliver at once, only who says so is asked.
        await super().revoke(tx, order_id, units)

    async def prolong(self, tx: TenantTx, entitlement: Entitlement, days: int) -> None:
        if entitlement.valid_until is None:
            raise Conflict("This licence is good for ever. Nothing was changed.", code="no_end")
        until = entitlement.valid_until + dt.timedelta(days=days)
        await entitlements.prolong(tx, msgspec.structs.replace(entitlement, valid_until=until))

    async def show(self, tx: TenantTx, keyring: Keyring, units: Sequence[int], told: Sequence[Content]) -> list[Shown]:
        until = {licence.unit: licence.expires_at for licence in await licences.of_units(tx, units)}
        found = [(code, until[code.unit]) for code in await vault.reveal(tx, keyring, units)]
        return [Shown(code.unit, code.code, valid_until=at.isoformat(timespec="seconds") if at else None) for code, at in found]


TYPE = Licence()
