"""What a store says of points and levels: one document, read and written as a whole."""

import calendar
import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from checkout_core.errors import PreconditionFailed, Unprocessable
from checkout_core.ids import encode, new_id
from tenants.db import TenantTx
from tenants.prices import groups

LEVELS_MAX: Final = 20
GROWTH_MAX: Final = 10**12

Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Minor = Annotated[int, Meta(ge=1, le=1_000_000_000)]


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A delivered order earns `earn_points` for each `earn_minor` that was paid, rounded down; `growth_points` and `growth_minor` likewise.

    What is not said is as it is for a store that never said anything.
    """

    enabled: bool = False
    earn_points: Count = 1
    earn_minor: Minor = 100
    hold_days: Annotated[int, Meta(ge=0, le=365, description="So long points of an order are shown and cannot be spent.")] = 0
    expiry: Annotated[
        Literal["never", "days", "month_end"], Meta(description="Counted from when points may be spent; month_end in the store's zone.")
    ] = "never"
    expiry_count: Annotated[int, Meta(ge=1, le=3650, description="Days, or calendar months.")] = 365
    sign_in_points: Count = 0
    growth_points: Count = 1
    growth_minor: Minor = 100
    period_days: Annotated[int, Meta(ge=1, le=3650, description="So long a level lasts before it must be earned again.")] | None = None
    grace_days: Annotated[int, Meta(ge=0, le=365, description="So long after that it still lasts.")] = 0


class Level(msgspec.Struct, frozen=True):
    """`growth` is how much it takes; `earn_percent` of everybody's points are earned; `group_id` is the group of buyers whose prices it
    has."""

    id: UUID
    name: str
    growth: int
    earn_percent: int
    group_id: UUID | None


class Program(msgspec.Struct, frozen=True):
    """`levels` from the lowest."""

    rules: Rules
    levels: Sequence[Level]
    version: int


class Wanted(msgspec.Struct, frozen=True):
    """A level as it shall be; without an id a new one."""

    id: UUID | None
    name: str
    growth: int
    earn_percent: int
    group_id: UUID | None


_RULES: Final = Rules.__struct_fields__
_LEVEL: Final = ", ".join(Level.__struct_fields__)


async def get(tx: TenantTx) -> Program:
    row = await tx.conn.fetchrow(f"SELECT version, {', '.join(_RULES)} FROM points_program WHERE tenant_id = $1", tx.tenant_id)
    if row is None:
        return Program(Rules(), [], 1)
    levels = await tx.conn.fetch(f"SELECT {_LEVEL} FROM points_level WHERE tenant_id = $1 ORDER BY growth", tx.tenant_id)
    version, *said = row
    return Program(Rules(**dict(zip(_RULES, said, strict=True))), [Level(*level) for level in levels], version)


async def put(tx: TenantTx, rules: Rules, levels: Sequence[Wanted], *, version: int | None, actor: str) -> Program:
    """The store's program from now on. Points that were earned stay as they are; levels follow from the new thresholds at once, as if
    they had always been so.

    Raises `PreconditionFailed`, `NotFound` for a group that is not there, and `Unprocessable` (`bad_levels`).
    """
    await tx.in_line()
    before = await get(tx)
    if version not in (None, before.version):
        raise PreconditionFailed("The program was changed since you read it. Nothing was overwritten; read it again.")
    _check(levels, {level.id for level in before.levels})
    for group_id in sorted({level.group_id for level in levels if level.group_id}):
        await groups.hold(tx, group_id)
    values = {name: f"${n}" for n, name in enumerate(_RULES, 3)}
    sql = f"""INSERT INTO points_program (tenant_id, version, {", ".join(values)}) VALUES ($1, $2, {", ".join(values.values())})
              ON CONFLICT (tenant_id) DO UPDATE SET version = $2, {", ".join(f"{name} = {value}" for name, value in values.items())}"""
    await tx.conn.execute(sql, tx.tenant_id, before.version + 1, *msgspec.structs.astuple(rules))
    made = [Level(level.id or new_id(), level.name, level.growth, level.earn_percent, level.group_id) for level in levels]
    sql = "DELETE FROM points_level WHERE tenant_id = $1 AND id <> ALL($2)"
    await tx.conn.execute(sql, tx.tenant_id, [level.id for level in made])
    sql = f"""INSERT INTO points_level (tenant_id, {_LEVEL}) VALUES ($1, $2, $3, $4, $5, $6)
              ON CONFLICT (tenant_id, id) DO UPDATE SET name = $3, growth = $4, earn_percent = $5, group_id = $6"""
    for level in made:
        await tx.conn.execute(sql, tx.tenant_id, *msgspec.structs.astuple(level))
    after = Program(rules, made, before.version + 1)
    if _grades(after) != _grades(before):
        sql = "UPDATE points_account SET next_try_at = now() WHERE tenant_id = $1"
        await tx.conn.execute(sql, tx.tenant_id)
    changed = [name for name in _RULES if getattr(rules, name) != getattr(before.rules, name)]
    if before.levels != after.levels:
        changed.append("levels")
    await tx.audit(actor, "points.program_changed", encode("ten", tx.tenant_id), fields=changed)
    return after


def expires_at(rules: Rules, ready_at: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
    """When points that may be spent from `ready_at` on are nobody's any more."""
    if rules.expiry == "never":
        return None
    if rules.expiry == "days":
        return ready_at + dt.timedelta(days=rules.expiry_count)
    local = ready_at.astimezone(zone)
    years, month = divmod(local.year * 12 + local.month - 1 + rules.expiry_count, 12)
    last = dt.date(years, month + 1, calendar.monthrange(years, month + 1)[1])
    return dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), zone).astimezone(dt.UTC)


def _grades(program: Program) -> tuple[object, ...]:
    """What decides of who has which level, and of what comes with it."""
    return program.rules.period_days, program.rules.grace_days, [(level.id, level.growth, level.group_id) for level in program.levels]


def _check(levels: Sequence[Wanted], known: set[UUID]) -> None:
    ids = [level.id for level in levels if level.id is not None]
    names = [level.name.casefold() for level in levels]
    growth = [level.growth for level in levels]
    if len(set(ids)) < len(ids) or not known.issuperset(ids):
        raise Unprocessable("A level that has an id is one that is there, once. Nothing was changed.", code="bad_levels")
    if len(set(names)) < len(names):
        raise Unprocessable("Two levels have the same name. Nothing was changed.", code="bad_levels")
    if growth != sorted(set(growth)):
        raise Unprocessable("Each level takes more growth than the one before. Nothing was changed.", code="bad_levels")
