"""Direct top-up (直充): the shopper says which account, and somebody credits it. Done by hand for now, by whoever works on the queue.

What was said may be wrong: then the line is sent back to the shopper, who corrects it (`acts`); the time to do it stands still meanwhile.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta

from checkout_core.errors import Unprocessable
from checkout_core.ids import encode
from tenants import exceptions
from tenants.db import TenantTx
from tenants.keys import Keyring
from tenants.types import fields, queue
from tenants.types.base import Done, Failed, Job, Later, ProductType, Shown, Stock
from tenants.types.fields import FIELDS_MAX, Field
from tenants.types.topup import acts, lines
from tenants.vault import Content

ACCOUNT: Final = Field("account", {"zh-CN": "充值账号", "en": "Account to top up"}, confirm=True)


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a unit credits, in words the shopper sees; the form of the account; within how many minutes of the payment it is done.

    A shopper who is asked again has `answer_days`, and is asked `corrections_max` times at most. Bought twice within `twice_min` minutes
    for the same account, the queue says so.
    """

    credited: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\S", examples=["100 元话费"])]
    fields: Annotated[list[Field], Meta(min_length=1, max_length=FIELDS_MAX)] = msgspec.field(default_factory=lambda: [ACCOUNT])
    due_min: Annotated[int, Meta(ge=1, le=60 * 24 * 30)] = 60
    answer_days: Annotated[int, Meta(ge=1, le=30)] = 7
    corrections_max: Annotated[int, Meta(ge=0, le=10)] = 3
    twice_min: Annotated[int, Meta(ge=0, le=60 * 24)] = 30


class TopUp(ProductType):
    name = lines.NAME
    label: ClassVar = {"zh-CN": "直充", "en": "Direct top-up"}
    summary: ClassVar = {
        "zh-CN": "买家填写账号，员工充值后填写回执；账号有误可退回买家更正。",
        "en": "The shopper says which account, your staff credit it and write down the receipt, or ask him again.",
    }
    Config = Config
    stock: ClassVar[Stock] = "made"
    acts = acts.ACTS

    async def check(self, tx: TenantTx, config: Any) -> None:
        fields.check(config.fields)
        if not any(field.required for field in config.fields):
            raise Unprocessable("One of the fields is required: without an account nothing can be credited. Nothing was saved.",
                                code="bad_config")  # fmt: skip

    def fields(self, config: Any) -> Sequence[Field]:
        asked: list[Field] = config.fields
        return asked

    def accept(self, config: Any, contents: Sequence[Content]) -> None:
        """A receipt, of the line or of each unit: the shopper shows it to whoever says that nothing came. It is no code: what is credited
        needs none."""
        if not contents or any(content.code or content.secret or not (content.note or "").strip() for content in contents):
            raise Unprocessable("Say the number of the receipt as a note, and no code. Nothing was changed.", code="receipt")

    async def fulfil(self, tx: TenantTx, keyring: Keyring, job: Job) -> Done | Later | Failed:
        """Wait for a person. Where a supplier does it, this is where he is asked."""
        await lines.alone(tx, job.shopper_id)
        progress = await lines.progress(tx, job)
        if progress.asked_again:
            await exceptions.report(tx, "topup_unanswered", encode("ful", job.id), order=encode("ord", job.order_id))
            return Later(job.now + queue.REMIND_AFTER, problem=await lines.problem(tx, job.id))
        later = await queue.wait(tx, job, dt.timedelta(minutes=job.sku.config.due_min))
        return msgspec.structs.replace(later, problem=await lines.bought_twice(tx, keyring, job))

    async def show(self, tx: TenantTx, keyring: Keyring, units: Sequence[int], told: Sequence[Content]) -> list[Shown]:
        credited = await lines.credited(tx, units)
        return [msgspec.structs.replace(each, face_value=credited) for each in await super().show(tx, keyring, units, told)]


TYPE = TopUp()
