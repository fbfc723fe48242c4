"""Codes that shoppers choose among (靓号): each has a label that everybody sees, and may cost more. The code itself nobody sees before he
has paid for it."""

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from tenants import picks
from tenants.db import TenantTx
from tenants.keys import Keyring
from tenants.types.base import ProductType, Shown, Stock
from tenants.vault import Content


class Chosen(ProductType):
    name = "chosen"
    label: ClassVar = {"zh-CN": "自选号码", "en": "Choose your own"}
    summary: ClassVar = {
        "zh-CN": "每个卡密带一个公开的标签（如靓号），可单独加价，买家按标签挑选，付款后立即发出。",
        "en": "Codes with a label each, such as a lucky number. Shoppers choose by it, some cost more, and the code follows at once.",
    }
    stock: ClassVar[Stock] = "imported"
    sealed = True
    at_once = True
    picked = True

    async def show(self, tx: TenantTx, keyring: Keyring, units: Sequence[int], told: Sequence[Content]) -> list[Shown]:
        labels = await picks.of_units(tx, units)
        shown = await super().show(tx, keyring, units, told)
        return [msgspec.structs.replace(each, note=labels[each.unit].label) if each.unit in labels else each for each in shown]


TYPE = Chosen()
