"""Manual fulfilment: whatever a person has to do. A paid line waits in the queue until one of the staff says what the shopper gets."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from tenants.db import TenantTx
from tenants.keys import Keyring
from tenants.types import fields, queue
from tenants.types.base import Done, Failed, Job, Later, ProductType, Stock
from tenants.types.fields import FIELDS_MAX, Field
from tenants.vault import Content


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of the shopper, and within how many hours of his payment somebody does it."""

    fields: Annotated[list[Field], Meta(max_length=FIELDS_MAX)] = []
    within_h: Annotated[int, Meta(ge=1, le=24 * 30)] = 24


class Manual(ProductType):
    name = "manual"
    label: ClassVar = {"zh-CN": "人工发货", "en": "Manual fulfilment"}
    summary: ClassVar = {
        "zh-CN": "付款后进入待处理队列，由员工完成并告知买家。",
        "en": "Paid orders wait in a queue until one of your staff has done them.",
    }
    Config = Config
    stock: ClassVar[Stock] = "made"

    async def check(self, tx: TenantTx, config: Any) -> None:
        fields.check(config.fields)

    def fields(self, config: Any) -> Sequence[Field]:
        asked: list[Field] = config.fields
        return asked

    def accept(self, config: Any, contents: Sequence[Content]) -> None:
        """Whatever there is to say."""

    async def fulfil(self, tx: TenantTx, keyring: Keyring, job: Job) -> Done | Later | Failed:
        return await queue.wait(tx, job, dt.timedelta(hours=job.sku.config.within_h))


TYPE = Manual()
