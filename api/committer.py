"""Commits of one process: a hot sale's batch by itself, the small ones of a store together.

A transaction costs the same five round trips whatever it holds. Five hundred flash sales that sell a unit each would make five hundred of
them; so what is small waits for the one of its store that is under way, and then goes with the others. Measured: docs/decisions/0012.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from checkout_core.errors import Unavailable
from checkout_core.intents import Decision, Intent, SaleKey
from tenants.db import Pool
from tenants.orders import commit

log = logging.getLogger(__name__)

SMALL = 16  # intents; a batch as large as this has paid for its transaction
TOGETHER_MAX = 64  # sales in one transaction, whose rows it holds
TRIES = 3  # with the others, for a sale whose row was held: by another process's commit, mostly, which takes milliseconds


class _Waiting(NamedTuple):
    sale: SaleKey
    intents: Sequence[Intent]
    decided: "asyncio.Future[list[Decision]]"
    tries: int = 1


class Committer:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: dict[UUID, list[_Waiting]] = {}
        self._going: dict[UUID, asyncio.Task[None]] = {}
        self._alone: set[asyncio.Task[None]] = set()

    async def commit(self, sale: SaleKey, intents: Sequence[Intent]) -> list[Decision]:
        """Decide `intents` of `sale`, durably; what it raises is what `commit_batch` raises."""
        if len(intents) >= SMALL:
            return await commit.commit_batch(self._pool, sale, intents)
        loop = asyncio.get_running_loop()
        one = _Waiting(sale, intents, loop.create_future())
        self._waiting.setdefault(sale.tenant_id, []).append(one)
        if sale.tenant_id not in self._going:
            self._going[sale.tenant_id] = loop.create_task(self._go(sale.tenant_id))
        return await one.decided

    async def _go(self, tenant_id: UUID) -> None:
        try:
            while waiting := self._waiting.pop(tenant_id, None):
                now, later = waiting[:TOGETHER_MAX], waiting[TOGETHER_MAX:]
                if later:
                    self._waiting[tenant_id] = later
                await self._together(tenant_id, now)
        finally:
            # No await between the last look at what waits and here: nobody slips in unseen.
            del self._going[tenant_id]

    async def _together(self, tenant_id: UUID, waiting: Sequence[_Waiting]) -> None:
        try:
            decided = await commit.commit_together(self._pool, tenant_id, [commit.Wishes(w.sale.sale_id, w.intents) for w in waiting])
        except Unavailable as error:
            _fail(waiting, error)
            return
        except Exception as error:
            # One of them has spoilt it for all, or none has: each by itself will tell.
            log.info("commit of %d sales of store %s is made sale by sale: %s", len(waiting), tenant_id, error)
            decided = [None] * len(waiting)
            waiting = [one._replace(tries=TRIES) for one in waiting]
        for one, decisions in zip(waiting, decided, strict=True):
            if decisions is not None:
                one.decided.set_result(decisions)
            elif one.tries < TRIES and len(waiting) > 1:
                self._waiting.setdefault(tenant_id, []).append(one._replace(tries=one.tries + 1))
            else:
                # It may have to wait for the sale's row, and nobody else shall wait with it.
                task = asyncio.create_task(self._by_itself(one))
                self._alone.add(task)
                task.add_done_callback(self._alone.discard)

    async def _by_itself(self, one: _Waiting) -> None:
        try:
            one.decided.set_result(await commit.commit_batch(self._pool, one.sale, one.intents))
        except Exception as error:
            _fail([one], error)


def _fail(waiting: Sequence[_Waiting], error: Exception) -> None:
    for one in waiting:
        if not one.decided.done():
            one.decided.set_exception(error)
