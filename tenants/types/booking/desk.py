"""At the desk: guests come and go by the code of their stay. One at a time decides: the row of the stay's first night is locked."""

import datetime as dt
from collections import Counter
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from checkout_core.errors import Conflict
from checkout_core.ids import decode, encode
from tenants import entitlements, picks
from tenants.db import TenantTx
from tenants.entitlements import Entitlement
from tenants.types import entry
from tenants.types.base import Act, Asking, Line
from tenants.types.booking import nights
from tenants.types.entry import Code

COME: Final = "check_in"
GONE: Final = "check_out"
Result = Literal["checked_in", "checked_out", "already", "revoked", "too_early", "too_late"]
Day = Annotated[str, Meta(min_length=10, max_length=10)]


class Arrival(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: Code


class Stay(msgspec.Struct, frozen=True):
    """`already`: the guest has come, or gone, at `at`. `guest` is what the buyer said of who comes, and is told with `checked_in` only."""

    result: Result
    check_in: str
    check_out: str
    rooms: int
    at: dt.datetime | None = None
    guest: dict[str, str] | None = None


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two dates, as 2026-12-31. The day of the check-out is no night."""

    sku_id: Annotated[str, Meta(max_length=36)]
    check_in: Day
    check_out: Day


class Night(msgspec.Struct, frozen=True):
    """`available` rooms are free, counted up to 100."""

    pick: str
    surcharge_minor: int
    available: int


class StayNights(msgspec.Struct, frozen=True):
    """The picks to buy, each once for each room; `rooms` are free in all of these nights."""

    nights: list[Night]
    rooms: int


async def check_in(asking: Asking, arrival: Arrival) -> Stay:
    """Raises `NotFound`."""
    first, stay = await _stay(asking.tx, arrival.code)
    now, at = await asking.tx.conn.fetchval("SELECT now()"), await entry.used_at(asking.tx, first, COME)
    if not stay:
        return _told("revoked", [first])
    if at is not None:
        return _told("already", stay, at)
    early = dt.timedelta(hours=await _early_h(asking.tx, first))
    if now < stay[0].valid_from - early:
        return _told("too_early", stay)
    if _end(stay) <= now:
        return _told("too_late", stay)
    await _use(asking, first, COME, "booking.checked_in")
    return msgspec.structs.replace(_told("checked_in", stay, now), guest=await entry.said(asking, first))


async def check_out(asking: Asking, arrival: Arrival) -> Stay:
    """Raises `NotFound`, `Conflict` (`not_checked_in`)."""
    first, stay = await _stay(asking.tx, arrival.code)
    if not stay:
        return _told("revoked", [first])
    if await entry.used_at(asking.tx, first, COME) is None:
        raise Conflict("This guest has not checked in. Nothing was changed.", code="not_checked_in")
    if at := await entry.used_at(asking.tx, first, GONE):
        return _told("already", stay, at)
    await _use(asking, first, GONE, "booking.checked_out")
    return _told("checked_out", stay, await entry.used_at(asking.tx, first, GONE))


async def free_nights(asking: Asking, wish: Wish) -> StayNights:
    """Raises `NotFound`, `Unprocessable` (`bad_pick`)."""
    names = nights.of_stay(wish.check_in, wish.check_out)
    sku_id = decode("sku", wish.sku_id)
    found = {each.pick.name: each for each in await picks.free(asking.tx, sku_id, "api", names)}
    shown = [
        Night(name, found[name].pick.surcharge_minor or 0, found[name].available) if name in found else Night(name, 0, 0) for name in names
    ]
    return StayNights(shown, min(night.available for night in shown))


async def has_come(tx: TenantTx, line: Line) -> bool:
    """Whether the guest of a line is there, or was."""
    for night in await entitlements.of_order(tx, line.order_id, line.sku.id):
        if await entry.used_at(tx, night, COME):
            return True
    return False


async def _stay(tx: TenantTx, code: str) -> tuple[Entitlement, list[Entitlement]]:
    """The night that the code is for, locked, and those of its stay that are not refunded, the first one first."""
    first = await entry.find(tx, nights.NAME, code)
    return first, [each for each in await entitlements.of_order(tx, first.order_id, first.sku_id) if each.state != "revoked"]


async def _use(asking: Asking, first: Entitlement, name: str, action: str) -> None:
    await entitlements.use(asking.tx, first.id, name, actor=asking.actor)
    await asking.tx.audit(asking.actor, action, encode("ord", first.order_id), night=first.data["pick"])


def _end(stay: list[Entitlement]) -> dt.datetime:
    return max(each.valid_until for each in stay if each.valid_until is not None)


def _told(result: Result, stay: list[Entitlement], at: dt.datetime | None = None) -> Stay:
    rooms = Counter(each.data["pick"] for each in stay)
    leave = nights.date(max(rooms)) + dt.timedelta(days=1)
    return Stay(result, min(rooms), leave.isoformat(), max(rooms.values()), at)


async def _early_h(tx: TenantTx, first: Entitlement) -> int:
    config = await tx.conn.fetchval("SELECT config FROM sku WHERE tenant_id = $1 AND id = $2", tx.tenant_id, first.sku_id)
    return int(msgspec.json.decode(config)["early_h"])


ACTS: Final = (
    Act("check_in", "orders:write", "The guest of a stay has come", Arrival, Stay, check_in),
    Act("check_out", "orders:write", "The guest of a stay has gone", Arrival, Stay, check_out),
    Act("nights", "anyone", "The nights of a stay, what each costs on top, and how many rooms are free", Wish, StayNights, free_nights),
)
