"""What a member has: periods that follow on each other, each the entitlement of one unit."""

import datetime as dt
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec

from tenants import entitlements
from tenants.db import TenantTx
from tenants.entitlements import Entitlement
from tenants.types.base import Job
from tenants.types.membership.periods import Config, Place, Span

NAME = "membership"
Standing = Literal["active", "grace", "ended"]

_encode = msgspec.to_builtins


class Membership(msgspec.Struct, frozen=True):
    """A shopper's of one SKU: `since` is where it began without a gap, `until` where its last period ends."""

    sku_id: UUID
    shopper_id: UUID
    standing: Standing
    since: dt.datetime
    until: dt.datetime
    grace_until: dt.datetime
    periods: int  # that have not ended


async def alone(tx: TenantTx, shopper_id: UUID) -> None:
    """Until the end of the transaction nobody else renews or shortens what this shopper has."""
    await tx.conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{tx.tenant_id}:member:{shopper_id}")


async def of_shopper(tx: TenantTx, shopper_id: UUID, sku_id: UUID | None = None) -> list[Membership]:
    """What he has or had, by SKU."""
    held: dict[UUID, list[Entitlement]] = {}
    for entitlement in await entitlements.holdings(tx, shopper_id, NAME, sku_id):
        held.setdefault(entitlement.sku_id, []).append(entitlement)
    now = await tx.conn.fetchval("SELECT now()")
    return [_membership(periods, await config_of(tx, sku), now) for sku, periods in sorted(held.items())]


def _membership(periods: Sequence[Entitlement], config: Config, now: dt.datetime) -> Membership:
    last = periods[0]
    chain = [each for each in periods if place(each).anchor == place(last).anchor]
    until, since = end(last), min(each.valid_from for each in chain)
    standing: Standing = "active" if now < until else "grace" if now < until + config.grace else "ended"
    left = sum(end(each) > now for each in chain)
    return Membership(last.sku_id, last.shopper_id, standing, since, until, until + config.grace, left)


async def extend(tx: TenantTx, job: Job) -> None:
    """A period for each of the units, from the end of what he has, or from now when that is over. `alone` was called.

    Raises as `periods.after`; nothing is granted then.
    """
    config: Config = job.sku.config
    held = await entitlements.holdings(tx, job.shopper_id, NAME, job.sku.id)
    if held and job.now < end(held[0]) + config.grace:
        last = place(held[0])
    else:
        zone = await tx.conn.fetchval("SELECT zone FROM store WHERE tenant_id = $1", tx.tenant_id)
        last = Place(job.now, zone, Span())
    places = [last := last.next(config.span) for _ in job.units]
    dates = [(period.begins, period.ends) for period in places]
    for unit, period, (begins, ends) in zip(job.units, places, dates, strict=True):
        await entitlements.grant(
            tx, type=NAME, unit=unit, order_id=job.order_id, sku_id=job.sku.id, shopper_id=job.shopper_id, valid_from=begins,
            valid_until=ends, next_try_at=reminded_at(period, config), data=_encode(period),
        )  # fmt: skip


async def shorten(tx: TenantTx, shopper_id: UUID, units: Sequence[int]) -> None:
    """The units go: what lies behind each moves up by its span, so that the end comes sooner by just that. `alone` was called.

    A period that has ended leaves its place empty, since nobody can give back what is past; then nothing moves.
    """
    now = await tx.conn.fetchval("SELECT clock_timestamp()")
    held = await entitlements.holdings(tx, shopper_id, NAME, lock=True)
    for sku_id in sorted({each.sku_id for each in held if each.unit_id in units}):
        config, gone = await config_of(tx, sku_id), Span()
        ahead = [each for each in reversed(held) if each.sku_id == sku_id and end(each) > now]
        stay = [each for each in ahead if each.unit_id not in units]
        for each in ahead:
            if each.unit_id in units:
                gone += place(each).span
            elif gone != Span() or each is stay[-1]:  # the last one may have been told of by another before
                await _move(tx, each, place(each).sooner(gone), config)
    await entitlements.revoke(tx, units)


async def prolong(tx: TenantTx, period: Entitlement, days: int) -> None:
    """The last period that the member has of this SKU is longer by so many days: what was given stands at the end. `alone` was called."""
    held = await entitlements.holdings(tx, period.shopper_id, NAME, period.sku_id, lock=True)
    last = held[0]
    longer = msgspec.structs.replace(place(last), span=place(last).span + Span(days=days), reminded=False)
    config = await config_of(tx, period.sku_id)
    moved = msgspec.structs.replace(last, valid_from=longer.begins, valid_until=longer.ends, data=_encode(longer))
    await entitlements.prolong(tx, moved, next_try_at=reminded_at(longer, config))


async def is_last(tx: TenantTx, period: Entitlement) -> bool:
    """Whether nothing comes after it."""
    held = await entitlements.holdings(tx, period.shopper_id, NAME, period.sku_id)
    return bool(held) and held[0].id == period.id


async def note_reminder(tx: TenantTx, period: Entitlement) -> None:
    """The member was told when it ends; he is told once."""
    told = msgspec.structs.replace(place(period), reminded=True)
    await entitlements.save(tx, msgspec.structs.replace(period, data=_encode(told)))


async def _move(tx: TenantTx, period: Entitlement, to: Place, config: Config) -> None:
    moved = msgspec.structs.replace(period, valid_from=to.begins, valid_until=to.ends, data=_encode(to))
    await entitlements.save(tx, moved, next_try_at=reminded_at(to, config))


def reminded_at(period: Place, config: Config) -> dt.datetime | None:
    """When its end is to be told of; None when that was done, or is not wanted."""
    return period.ends - config.reminder if config.remind_days and not period.reminded else None


def place(period: Entitlement) -> Place:
    return msgspec.convert(period.data, Place)


def end(period: Entitlement) -> dt.datetime:
    assert period.valid_until is not None, "every period ends"
    return period.valid_until


async def config_of(tx: TenantTx, sku_id: UUID) -> Config:
    config: str = await tx.conn.fetchval("SELECT config FROM sku WHERE tenant_id = $1 AND id = $2", tx.tenant_id, sku_id)
    return msgspec.json.decode(config, type=Config)
