"""The line of a process before a sale's row, which one commit at a time may hold.

The batch is bound late: whoever has been admitted by the time the row is ours goes with those who stood first. The commits of several
processes take turns at the row, and what each takes with it grows with the wait. Measured: docs/decisions/0014.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from checkout_core.errors import Unavailable
from checkout_core.intents import Decision, Intent, SaleKey
from tenants.db import Pool
from tenants.orders import commit

TOGETHER_MAX = 512  # intents in one transaction


class Waiting(NamedTuple):
    """Intents of a sale, and who waits for their decisions."""

    sale: SaleKey
    intents: Sequence[Intent]
    decided: "asyncio.Future[list[Decision]]"
    tries: int = 1

    @classmethod
    def of(cls, sale: SaleKey, intents: Sequence[Intent]) -> "Waiting":
        return cls(sale, intents, asyncio.get_running_loop().create_future())

    def settle(self, decisions: list[Decision]) -> None:
        if not self.decided.done():
            self.decided.set_result(decisions)

    def fail(self, error: Exception) -> None:
        if not self.decided.done():
            self.decided.set_exception(error)


class Lines:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lines: dict[SaleKey, deque[Waiting]] = {}
        self._heads: dict[SaleKey, asyncio.Task[None]] = {}

    def __contains__(self, sale: SaleKey) -> bool:
        """Whether somebody stands in the sale's line."""
        return sale in self._heads

    def enter(self, one: Waiting) -> None:
        self._lines.setdefault(one.sale, deque()).append(one)
        if one.sale not in self._heads:
            self._heads[one.sale] = asyncio.create_task(self._serve(one.sale))

    async def _serve(self, sale: SaleKey) -> None:
        line = self._lines[sale]
        try:
            while line:
                await self._commit(sale, line)
        finally:
            # No await between the last look at the line and here: nobody slips in unseen.
            del self._heads[sale], self._lines[sale]

    async def _commit(self, sale: SaleKey, line: deque[Waiting]) -> None:
        taken = [line.popleft()]

        def more() -> list[Intent]:
            came: list[Intent] = []
            room = TOGETHER_MAX - sum(len(one.intents) for one in taken)
            while line and len(came) + len(line[0].intents) <= room:
                taken.append(line.popleft())
                came += taken[-1].intents
            return came

        try:
            decisions = iter(await commit.commit_batch(self._pool, sale, [*taken[0].intents, *more()], more))
        except Unavailable as error:
            for one in taken:
                one.fail(error)
        except Exception as error:
            await self._one_by_one(taken, error)
        else:
            for one in taken:
                one.settle([next(decisions) for _ in one.intents])

    async def _one_by_one(self, taken: Sequence[Waiting], error: Exception) -> None:
        """One of them has spoilt it for all: each by itself will tell."""
        if len(taken) == 1:
            taken[0].fail(error)
            return
        for one in taken:
            try:
                one.settle(await commit.commit_batch(self._pool, one.sale, one.intents))
            except Exception as own:
                one.fail(own)
