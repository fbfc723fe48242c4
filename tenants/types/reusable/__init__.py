"""Reusable codes (循环卡密): one code for many buyers. The stock is how often it may be sold; the code can be changed at any time.

Who bought before a change keeps what he was sold: his code is sealed with his line when it is delivered. What was handed over is what was
paid for, and the evidence of it; whoever wants earlier buyers to have a newer code sells or sends it to them.
"""

import datetime as dt
from typing import ClassVar

from checkout_core.ids import encode
from tenants import exceptions, vault
from tenants.db import TenantTx
from tenants.keys import Keyring
from tenants.types.base import Done, Failed, Job, Later, ProductType, Stock
from tenants.types.reusable import acts, versions
from tenants.vault import Content

ASK_AGAIN = dt.timedelta(minutes=1)


class Reusable(ProductType):
    name = "reusable"
    label: ClassVar = {"zh-CN": "循环卡密", "en": "Reusable code"}
    summary: ClassVar = {
        "zh-CN": "同一个卡密卖给多位买家，库存即可售次数，卡密可随时更换。",
        "en": "One code for many buyers. The stock is how often it may be sold, and the code can be changed at any time.",
    }
    stock: ClassVar[Stock] = "made"
    acts = acts.ACTS

    async def fulfil(self, tx: TenantTx, keyring: Keyring, job: Job) -> Done | Later | Failed:
        current = await versions.current(tx, job.sku.id)
        if current is None:
            await exceptions.report(tx, "reusable_without_code", encode("sku", job.sku.id), order=encode("ord", job.order_id))
            return Later(job.now + ASK_AGAIN, problem="no_code")
        [code] = await vault.reveal(tx, keyring, [current.unit])
        return Done([Content(code.code, code.secret, code.valid_until)])


TYPE = Reusable()
