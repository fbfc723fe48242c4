"""Tickets: seats of a session, by class or by number. Each has an entry code, which lets its holder in once.

A pick is `session.class` or, of a class with numbered seats, `session.class.seat`; when a session begins and ends is said with its picks.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from checkout_core.errors import Unprocessable
from tenants import entitlements, picks, stores
from tenants.db import TenantTx
from tenants.keys import Keyring
from tenants.picks import Pick
from tenants.types import entry, fields
from tenants.types.base import Done, Failed, Job, Later, Line, ProductType, Shown, Sku, Stock
from tenants.types.fields import FIELDS_MAX, Field
from tenants.types.ticket import door, sessions
from tenants.types.ticket.sessions import NAME, SeatClass
from tenants.vault import Content


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`opens_min` before a session begins its door opens, and closes `closes_min` after that, or at its end. A ticket that was not used is
    refundable until `refund_until_h` hours before the session, or not at all. `fields`: what is asked of the holder."""

    venue: Annotated[str, Meta(min_length=1, max_length=120)]
    classes: Annotated[list[SeatClass], Meta(min_length=1, max_length=50)]
    opens_min: Annotated[int, Meta(ge=0, le=24 * 60)] = 120
    closes_min: Annotated[int, Meta(ge=0, le=7 * 24 * 60)] | None = None
    refund_until_h: Annotated[int, Meta(ge=0, le=365 * 24)] | None = None
    fields: Annotated[list[Field], Meta(max_length=FIELDS_MAX)] = []


class Ticket(ProductType):
    name = NAME
    label: ClassVar = {"zh-CN": "票务", "en": "Ticket"}
    summary: ClassVar = {
        "zh-CN": "按场次与座位等级（可对号入座）售票，每张票有一个入场码，现场核销一次。",
        "en": "Seats of sessions, by class or by number. Each ticket has an entry code, which is checked in at the door once.",
    }
    Config = Config
    stock: ClassVar[Stock] = "made"
    picked = True
    acts = door.ACTS

    async def check(self, tx: TenantTx, config: Any) -> None:
        fields.check(config.fields)
        if len({each.id for each in config.classes}) < len(config.classes):
            raise Unprocessable("Two seat classes have the same id. Nothing was saved.", code="bad_config")

    def fields(self, config: Any) -> Sequence[Field]:
        asked: list[Field] = config.fields
        return asked

    async def picks(self, tx: TenantTx, sku: Sku, given: Sequence[Pick]) -> list[Pick]:
        return await sessions.picks(tx, sku, given)

    def alone(self, config: Any, pick: str) -> bool:
        return sessions.seat(pick).number is not None

    async def fulfil(self, tx: TenantTx, keyring: Keyring, job: Job) -> Done | Later | Failed:
        """An entry code for each seat, good while its door is open."""
        seats = await picks.of_units(tx, job.units)
        codes = []
        for unit in job.units:
            opens, closes = sessions.door(job.sku.config, seats[unit])
            codes.append(Content(entry.new(unit)))
            await entitlements.grant(
                tx, type=self.name, unit=unit, order_id=job.order_id, sku_id=job.sku.id, shopper_id=job.shopper_id, valid_from=opens,
                valid_until=closes, data={"pick": seats[unit].name, "mark": entry.mark(codes[-1].code)},
            )  # fmt: skip
        return Done(codes)

    async def revoke(self, tx: TenantTx, order_id: Any, units: Sequence[int]) -> None:
        """The codes let nobody in any more, and the seats are for sale again until their door closes."""
        await super().revoke(tx, order_id, units)
        await picks.renew(tx, units)

    async def refundable(self, tx: TenantTx, line: Line, at: dt.datetime) -> int:
        """The price of each seat whose session is far enough away, unless somebody was let in with it."""
        hours = line.sku.config.refund_until_h
        if hours is None:
            return 0
        seats, admitted = await picks.of_units(tx, list(line.paid)), await door.admitted(tx, line)
        return sum(
            paid for unit, paid in line.paid.items()
            if unit not in admitted and at <= sessions.begins(seats[unit]) - dt.timedelta(hours=hours)
        )  # fmt: skip

    async def show(self, tx: TenantTx, keyring: Keyring, units: Sequence[int], told: Sequence[Content]) -> list[Shown]:
        seats, zone, venue = await picks.of_units(tx, units), await stores.zone(tx), await sessions.venue(tx, units[0])
        codes = {entry.unit_of(said.code): said.code for said in told}

        def note(seat: Pick) -> str:
            return f"{seat.label} · {venue} · {sessions.begins(seat).astimezone(zone):%Y-%m-%d %H:%M}"

        return [Shown(unit, codes.get(unit), note=note(seats[unit])) for unit in units]


TYPE = Ticket()
