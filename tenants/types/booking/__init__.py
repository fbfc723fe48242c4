"""Bookings: rooms, or whatever is let by the night. A pick is a night, by its date; a stay is the nights from check-in to check-out.

A unit is one room for one night. A refunded night is offered again as a new unit, as long as it has not passed.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta

from checkout_core.errors import Unprocessable
from tenants import entitlements, picks, stores
from tenants.db import TenantTx
from tenants.keys import Keyring
from tenants.picks import Pick
from tenants.types import entry, fields
from tenants.types.base import Done, Failed, Job, Later, Line, ProductType, Shown, Sku, Stock
from tenants.types.booking import desk, nights
from tenants.types.booking.nights import NAME
from tenants.types.fields import FIELDS_MAX, Field
from tenants.vault import Content

GUEST: Final = Field("guest", {"zh-CN": "入住人姓名", "en": "Guest's name"}, max_length=60)
Hour = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$(?!\n)")]
Days = Annotated[int, Meta(ge=0, le=365)]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until `free_until_days` before check-in a stay that is cancelled costs nothing; after that `then_percent` of it are given back, until
    `until_days` before check-in; then nothing. Hours are the store's own; guests may come `early_h` hours before theirs."""

    check_in: Hour = "15:00"
    check_out: Hour = "12:00"
    early_h: Annotated[int, Meta(ge=0, le=15)] = 3
    free_until_days: Days = 1
    then_percent: Annotated[int, Meta(ge=0, le=100)] = 0
    until_days: Days = 0
    fields: Annotated[list[Field], Meta(max_length=FIELDS_MAX)] = msgspec.field(default_factory=lambda: [GUEST])


class Booking(ProductType):
    name = NAME
    label: ClassVar = {"zh-CN": "预订", "en": "Booking"}
    summary: ClassVar = {
        "zh-CN": "按日期的房量与加价，入住至离店按晚计，按取消规则退款，现场办理入住与离店。",
        "en": "Rooms by the night, each with its own stock and surcharge, and a rule for cancelling. Guests check in by code.",
    }
    Config = Config
    stock: ClassVar[Stock] = "made"
    picked = True
    acts = desk.ACTS

    async def check(self, tx: TenantTx, config: Any) -> None:
        fields.check(config.fields)
        if config.until_days > config.free_until_days:
            raise Unprocessable("until_days is not above free_until_days: what is free ends first. Nothing was saved.", code="bad_config")

    def fields(self, config: Any) -> Sequence[Field]:
        asked: list[Field] = config.fields
        return asked

    async def picks(self, tx: TenantTx, sku: Sku, given: Sequence[Pick]) -> list[Pick]:
        zone, now = await stores.zone(tx), await tx.conn.fetchval("SELECT now()")
        return [nights.pick(sku.config, each, zone, now) for each in given]

    def between(self, first: str, last: str) -> list[str]:
        return nights.between(first, last)

    async def fulfil(self, tx: TenantTx, keyring: Keyring, job: Job) -> Done | Later | Failed:
        """One code for the stay, and each of its nights is the guest's until its check-out."""
        stay = await picks.of_units(tx, job.units)
        units = sorted(job.units, key=lambda unit: (stay[unit].name, unit))
        code = entry.new(units[0])
        for unit in units:
            await entitlements.grant(
                tx, type=self.name, unit=unit, order_id=job.order_id, sku_id=job.sku.id, shopper_id=job.shopper_id,
                valid_from=stay[unit].starts_at, valid_until=stay[unit].ends_at,
                data={"pick": stay[unit].name, "mark": entry.mark(code)},
            )  # fmt: skip
        return Done([Content(code)])

    async def revoke(self, tx: TenantTx, order_id: Any, units: Sequence[int]) -> None:
        """The nights are nobody's, and those to come are for sale again."""
        await super().revoke(tx, order_id, units)
        await picks.renew(tx, units)

    async def refundable(self, tx: TenantTx, line: Line, at: dt.datetime) -> int:
        """All, a part rounded down, or nothing, by how far the first night is away. Nothing once the guest is there."""
        stay = await picks.of_units(tx, list(line.paid))
        if not stay or await desk.has_come(tx, line):
            return 0
        percent = nights.percent(line.sku.config, min(each.name for each in stay.values()), await stores.zone(tx), at)
        return sum(line.paid.values()) * percent // 100

    async def show(self, tx: TenantTx, keyring: Keyring, units: Sequence[int], told: Sequence[Content]) -> list[Shown]:
        stay, zone, code = await picks.of_units(tx, units), await stores.zone(tx), told[0].code if told else None
        return [Shown(unit, code, note=nights.told(stay[unit], zone)) for unit in units]


TYPE = Booking()
