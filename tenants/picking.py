"""Picking: units made for shoppers to choose among. What a merchant names, or counts from a first to a last, is the pick of each unit."""

import datetime as dt
from collections.abc import Sequence

import msgspec

from checkout_core.errors import Conflict, Unprocessable
from tenants import picks
from tenants.db import TenantTx
from tenants.picks import Pick
from tenants.types import ProductType, Sku
from tenants.vault.making import COUNT_MAX


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Picks from `first` to `last`, both of them too; of dates only those on `weekdays`, from 1 for Monday, or all when none is named."""

    first: str
    last: str
    weekdays: Sequence[int] = ()
    surcharge_minor: int | None = None

    def picks(self, type_: ProductType) -> list[Pick]:
        names = type_.between(self.first, self.last)
        if self.weekdays:
            names = [name for name in names if dt.date.fromisoformat(name).isoweekday() in self.weekdays]
        return [Pick(name=name, surcharge_minor=self.surcharge_minor) for name in names]


async def prepare(tx: TenantTx, type_: ProductType, sku: Sku, count: int, given: Sequence[Pick], span: Span | None) -> list[str]:
    """Keep what is said of the picks, and give each of `count` units of each its own. The SKU's row is locked. Raises as `make_units`."""
    wanted = [*given, *(span.picks(type_) if span else ())]
    if not type_.picked:
        if wanted:
            raise Unprocessable("Nobody chooses among units of this SKU: name no picks. Nothing was made.", code="not_picked")
        return []
    if not wanted:
        raise Unprocessable("Say which nights, seats or choices the units are for. Nothing was made.", code="picks_missing")
    names = [pick.name for pick in wanted]
    if len(set(names)) < len(names):
        raise Unprocessable(f"{_twice(names)} is named twice. Nothing was made.", code="bad_pick", pick=_twice(names))
    if len(names) * count > COUNT_MAX:
        raise Unprocessable(f"These are more than {COUNT_MAX:,} units. Make them in parts.", code="too_many_units")
    await picks.put(tx, sku.id, await type_.picks(tx, sku, wanted))
    alone = [name for name in names if type_.alone(sku.config, name)]
    if taken := alone if count > 1 else await picks.taken(tx, sku.id, alone):
        raise Conflict(f"There is one unit of {taken[0]}, and no more. Nothing was made.", code="pick_taken", pick=taken[0])
    return [name for name in names for _ in range(count)]


def _twice(names: Sequence[str]) -> str:
    return next(name for at, name in enumerate(names) if name in names[:at])
