"""A sale's row as the commit sees it under its lock."""

import datetime as dt
from typing import NamedTuple
from uuid import UUID

from checkout_core.intents import Outcome


class Sale(NamedTuple):
    """The sale's row as it is under its lock; `now` is Postgres' clock, the only one that decides."""

    id: UUID
    sku_id: UUID
    door: str
    state: str
    price_minor: int
    currency: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    limit_per_shopper: int
    hold_s: int
    epoch: int
    allotted: int
    committed: int
    last_unit: int
    give_seq: int
    now: dt.datetime

    def closed_because(self, *, admitted: bool = False) -> Outcome | None:
        """Why nobody may buy now, or None. For what the gate admitted, its clock has decided the window already."""
        if self.state == "ended" or (not admitted and self.ends_at and self.now >= self.ends_at):
            return Outcome.ENDED
        if not admitted and self.now < self.starts_at:
            return Outcome.NOT_STARTED
        return Outcome.PAUSED if self.state == "paused" else None
