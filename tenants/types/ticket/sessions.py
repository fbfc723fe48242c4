"""Sessions and their seats: what a pick of a ticket says, and when its door is open."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta

from checkout_core.errors import Unprocessable
from tenants.db import TenantTx
from tenants.picks import Pick
from tenants.types.base import Sku

NAME: Final = "ticket"
Times = tuple[dt.datetime, dt.datetime]


class SeatClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With `numbered` each seat has a number, and is sold once."""

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}$(?!\n)")]
    label: Annotated[str, Meta(min_length=1, max_length=40)]
    numbered: bool = False


class Seat(NamedTuple):
    session: str
    class_id: str
    number: str | None


_seat = re.compile(r"([A-Za-z0-9_-]{1,24})\.([A-Za-z0-9_-]{1,16})(?:\.([A-Za-z0-9_-]{1,16}))?").fullmatch


def seat(pick: str) -> Seat:
    """Raises `Unprocessable` (`bad_pick`)."""
    if found := _seat(pick):
        return Seat(*found.groups())
    raise bad(pick, "A seat is named session.class or session.class.number, as gala-1.stalls or gala-1.box.7")


def bad(pick: str, why: str, code: str = "bad_pick") -> Unprocessable:
    return Unprocessable(f"{pick}: {why}. Nothing was made.", code=code, pick=pick)


async def picks(tx: TenantTx, sku: Sku, given: Sequence[Pick]) -> list[Pick]:
    """Of known classes, with their session's times, which are said once: now, or with earlier picks of it. Raises `Unprocessable`."""
    classes = {each.id: each for each in sku.config.classes}
    times = await _times(tx, sku, {seat(pick.name).session for pick in given})
    now = await tx.conn.fetchval("SELECT now()")
    made = []
    for pick in given:
        session, class_id, number = seat(pick.name)
        if class_id not in classes:
            raise bad(pick.name, f"this SKU has the classes {', '.join(classes)}")
        if classes[class_id].numbered != (number is not None):
            raise bad(pick.name, "the seats of this class are " + ("" if classes[class_id].numbered else "not ") + "numbered")
        begins, ends = _session(pick, times)
        if (begins, ends) != times.setdefault(session, (begins, ends)):
            raise bad(pick.name, f"session {session} has other times", "other_times")
        label = pick.label or " · ".join(filter(None, (session, classes[class_id].label, number)))
        whole = msgspec.structs.replace(pick, label=label, starts_at=begins, ends_at=ends)
        if (closes := door(sku.config, whole)[1]) <= now:
            raise bad(pick.name, "this session is over")
        made.append(msgspec.structs.replace(whole, offered_until=closes))
    return made


async def venue(tx: TenantTx, unit: int) -> str:
    sql = """SELECT config ->> 'venue' FROM sku
             WHERE tenant_id = $1 AND id = (SELECT sku_id FROM unit WHERE tenant_id = $1 AND id = $2)"""
    return str(await tx.conn.fetchval(sql, tx.tenant_id, unit))


def begins(pick: Pick) -> dt.datetime:
    assert pick.starts_at is not None, "a session begins"
    return pick.starts_at


def door(config: Any, pick: Pick) -> Times:
    """When it opens and when it closes."""
    assert pick.ends_at is not None, "a session ends"
    opens = begins(pick) - dt.timedelta(minutes=config.opens_min)
    if config.closes_min is None:
        return opens, pick.ends_at
    # It is open for a minute at least, however it was said.
    return opens, max(begins(pick) + dt.timedelta(minutes=config.closes_min), opens + dt.timedelta(minutes=1))


def _session(pick: Pick, times: Mapping[str, Times]) -> Times:
    known = times.get(seat(pick.name).session)
    begins = pick.starts_at or (known and known[0])
    ends = pick.ends_at or (known and known[1])
    if begins is None or ends is None:
        raise bad(pick.name, "say when this session begins and ends (starts_at, ends_at)")
    if ends <= begins:
        raise bad(pick.name, "the session would end before it begins")
    return begins, ends


async def _times(tx: TenantTx, sku: Sku, sessions: set[str]) -> dict[str, Times]:
    """Of sessions that are known. Reads all picks of the SKU: 30 ms for 100,000."""
    sql = """SELECT DISTINCT split_part(pick, '.', 1), starts_at, ends_at FROM pick
             WHERE tenant_id = $1 AND sku_id = $2 AND split_part(pick, '.', 1) = ANY($3)"""
    return {row[0]: (row[1], row[2]) for row in await tx.conn.fetch(sql, tx.tenant_id, sku.id, sorted(sessions))}
