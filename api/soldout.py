"""Sold out, answered from memory: 99 % of a flash sale's traffic. No Redis command, no Postgres.

Learnt from the gate's own replies, with everybody who holds an order in the sale, so that a winner who lost his answer is sent on to
Postgres. After a second one press of each process goes to the gate; if that still says so, the gate's own numbers tell whether anybody
can have won since: not without units that were given back (`given`) or counted anew (`epoch`). Only then is Postgres asked who.
What nobody has confirmed for two seconds is not said any more, so a false "sold out" ends by then whatever else is away.
"""

import asyncio
import datetime as dt
import logging
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import TypeGuard
from uuid import UUID

from checkout_core import safeties
from checkout_core.admission import Gatekeeper, View
from checkout_core.intents import SaleKey
from tenants import holders
from tenants.db import Pool
from tenants.holders import Holders

log = logging.getLogger(__name__)

PROBE_S = 1.0
SAID_S = 2.0
KEPT_S = 60.0  # holders of a sale nobody asks for are forgotten
SALES_MAX = 10_000
LOOKS_MAX = 3  # in a row; when units come back faster than that, the gate answers for itself


class _Sale:
    """The holders, as of a moment in which the gate had nothing left; and until when that may be said."""

    __slots__ = ("epoch", "forgotten", "given", "holders", "moment", "probe", "until")

    def __init__(self, epoch: int, found: Holders) -> None:
        self.epoch = epoch
        self.holders = found
        self.probe = self.until = 0.0
        self.forgotten = time.monotonic()

    def read(self, given: int, moment: dt.datetime) -> None:
        """The holders are those of the count `given`, read after `moment` of Postgres' clock."""
        self.given, self.moment = given, moment

    def confirm(self, asked: float) -> None:
        """So it was when the gate was `asked`."""
        if asked > self.forgotten:
            self.probe, self.until = asked + PROBE_S, asked + SAID_S


class SoldOut:
    def __init__(self, pool: Pool, gatekeeper: Gatekeeper) -> None:
        self._pool = pool
        self._gatekeeper = gatekeeper
        self._sales: OrderedDict[SaleKey, _Sale] = OrderedDict()
        self._loading: dict[SaleKey, asyncio.Task[None]] = {}

    def says(self, sale: SaleKey, shopper_id: UUID) -> bool:
        """Whether the sale is known to be sold out for this shopper; False sends him to the gate."""
        known = self._sales.get(sale)
        if known is None:
            return False
        now = time.monotonic()
        if now >= known.until:
            return False
        if now >= known.probe:
            known.probe = now + PROBE_S  # this press is the probe: the gate's answer to it is learnt
            return False
        return shopper_id not in known.holders or not safeties.on("holders")

    def learn(self, sale: SaleKey, epoch: int) -> None:
        """The gate said that nothing is left under `epoch`."""
        known = self._sales.get(sale)
        if known is not None and known.epoch == epoch and time.monotonic() < known.until - SAID_S + PROBE_S:
            return
        if sale not in self._loading:
            task = self._loading[sale] = asyncio.create_task(self._look(sale))
            task.add_done_callback(lambda _: self._loading.pop(sale, None))

    def won(self, sale: SaleKey, shoppers: Iterable[UUID]) -> None:
        """These hold an order now, whatever was looked up."""
        if known := self._sales.get(sale):
            known.holders.add(shoppers)

    def forget(self, sale: SaleKey) -> None:
        """Stock may have returned. The holders stay: they hold what they hold."""
        if known := self._sales.get(sale):
            known.until, known.forgotten = 0.0, time.monotonic()

    async def _look(self, sale: SaleKey) -> None:
        """Ask the gate, and read who won since, until both are of one moment."""
        try:
            for _ in range(LOOKS_MAX):
                asked = time.monotonic()
                view = await self._gatekeeper.view(sale)
                if not _nothing_left(view):
                    self.forget(sale)
                    return
                known = self._sales.get(sale)
                if known is not None and (known.epoch, known.given) == (view.epoch, view.given):
                    known.confirm(asked)
                    return
                await self._read(sale)
        except Exception as error:
            log.info("holders of sale %s were not read: %s", sale.sale_id, type(error).__name__)

    async def _read(self, sale: SaleKey) -> None:
        """Who holds an order in the sale: everybody under a new epoch, else those who came since the look before."""
        # The order matters. Postgres' clock is read first: whoever is admitted after the view reserves after that moment, and is found by
        # the next look. Whoever was admitted before it is in the journal or, once he has left that, in Postgres.
        moment = await holders.now(self._pool, sale)
        view = await self._gatekeeper.view(sale)
        if not _nothing_left(view):
            return
        waiting = [e.intent.shopper_id async for entries in self._gatekeeper.older_than(sale, 0) for e in entries if e.intent]
        known = self._sales.get(sale)
        if known is None or known.epoch != view.epoch:
            known = _Sale(view.epoch, await holders.everybody(self._pool, sale))
            self._make_room()
        else:
            known.holders.add(await holders.since(self._pool, sale, known.moment))
        known.holders.add(waiting)
        known.read(view.given, moment)
        self._sales[sale] = known

    def _make_room(self) -> None:
        long_ago = time.monotonic() - KEPT_S
        for sale in [sale for sale, known in self._sales.items() if max(known.until, known.forgotten) < long_ago]:
            del self._sales[sale]
        if len(self._sales) >= SALES_MAX:
            self._sales.popitem(last=False)


def _nothing_left(view: View | None) -> TypeGuard[View]:
    return view is not None and view.is_ours and view.state == "open" and view.avail == 0
