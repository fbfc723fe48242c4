"""Commits of one process: a hot sale's batches in its line, the small ones of a store together.

A transaction costs the same five round trips whatever it holds. Five hundred flash sales that sell a unit each would make five hundred of
them; so what is small waits for the one of its store that is under way, and then goes with the others. Measured: docs/decisions/0012.
"""

import asyncio
import logging
from collections.abc import Sequence
from uuid import UUID

from api.lines import Lines, Waiting
from checkout_core.errors import Unavailable
from checkout_core.intents import Decision, Intent, SaleKey
from tenants.db import Pool
from tenants.orders import commit

log = logging.getLogger(__name__)

SMALL = 16  # intents; a batch as large as this has paid for its transaction
SALES_MAX = 64  # in one transaction, whose rows it holds
TRIES = 3  # with the others, for a sale whose row was held: by another process's commit, mostly, which takes milliseconds


class Committer:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lines = Lines(pool)
        self._waiting: dict[UUID, list[Waiting]] = {}
        self._going: dict[UUID, asyncio.Task[None]] = {}

    async def commit(self, sale: SaleKey, intents: Sequence[Intent]) -> list[Decision]:
        """Decide `intents` of `sale`, durably; what it raises is what `commit_batch` raises."""
        one = Waiting.of(sale, intents)
        if len(intents) >= SMALL or sale in self._lines:
            self._lines.enter(one)
            return await one.decided
        self._waiting.setdefault(sale.tenant_id, []).append(one)
        if sale.tenant_id not in self._going:
            self._going[sale.tenant_id] = asyncio.create_task(self._go(sale.tenant_id))
        return await one.decided

    async def _go(self, tenant_id: UUID) -> None:
        try:
            while waiting := self._waiting.pop(tenant_id, None):
                now, later = waiting[:SALES_MAX], waiting[SALES_MAX:]
                if later:
                    self._waiting[tenant_id] = later
                await self._together(tenant_id, now)
        finally:
            # No await between the last look at what waits and here: nobody slips in unseen.
            del self._going[tenant_id]

    async def _together(self, tenant_id: UUID, waiting: Sequence[Waiting]) -> None:
        try:
            decided = await commit.commit_together(self._pool, tenant_id, [commit.Wishes(w.sale.sale_id, w.intents) for w in waiting])
        except Unavailable as error:
            for one in waiting:
                one.fail(error)
            return
        except Exception as error:
            # One of them has spoilt it for all, or none has: each by itself will tell.
            log.info("commit of %d sales of store %s is made sale by sale: %s", len(waiting), tenant_id, error)
            decided = [None] * len(waiting)
            waiting = [one._replace(tries=TRIES) for one in waiting]
        for one, decisions in zip(waiting, decided, strict=True):
            if decisions is not None:
                one.settle(decisions)
            elif one.tries < TRIES and len(waiting) > 1:
                self._waiting.setdefault(tenant_id, []).append(one._replace(tries=one.tries + 1))
            else:
                # It may have to wait for the sale's row, and nobody else shall wait with it.
                self._lines.enter(one)
