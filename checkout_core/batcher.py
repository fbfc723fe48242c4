"""Batches that form by themselves: at most one commit in flight per sale; what arrives meanwhile is the next batch.

No timer adds latency at rest: with nothing in flight, the intents of one loop tick leave at the end of that tick.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from checkout_core.errors import TooMany, Unavailable
from checkout_core.intents import Decision, Intent, SaleKey

Commit = Callable[[SaleKey, Sequence[Intent]], Awaitable[Sequence[Decision | Exception]]]

BATCH_MAX = 512
WAITING_MAX = 20_000  # per sale; beyond it a shopper is better off knowing at once


class Batcher:
    """Hands each sale's intents to `commit`, batch after batch, and each decision to the one who asked."""

    def __init__(self, commit: Commit, *, batch_max: int = BATCH_MAX, waiting_max: int = WAITING_MAX) -> None:
        self._commit = commit
        self._batch_max = batch_max
        self._waiting_max = waiting_max
        self._waiting: dict[SaleKey, deque[tuple[Intent, asyncio.Future[Decision]]]] = {}
        self._flushing: dict[SaleKey, asyncio.Task[None]] = {}
        self._closed = False

    def submit(self, sale: SaleKey, intent: Intent) -> asyncio.Future[Decision]:
        """The decision, once it is committed.

        Raises (through the future) `Unavailable` when the outcome is unknown, `TooMany` when too many wait.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Decision] = loop.create_future()
        if self._closed:
            future.set_exception(Unavailable("This process is shutting down. Nothing was reserved; ask again."))
            return future
        waiting = self._waiting.get(sale)
        if waiting is None:
            waiting = self._waiting[sale] = deque()
        if len(waiting) >= self._waiting_max:
            future.set_exception(TooMany("Too many shoppers are asking at once. Nothing was reserved; ask again.", code="busy"))
            return future
        waiting.append((intent, future))
        if sale not in self._flushing:
            self._flushing[sale] = loop.create_task(self._flush(sale))
        return future

    async def aclose(self) -> None:
        """Take no more, and finish every commit under way."""
        self._closed = True
        while self._flushing:
            await asyncio.gather(*self._flushing.values(), return_exceptions=True)

    async def _flush(self, sale: SaleKey) -> None:
        waiting = self._waiting[sale]
        try:
            while waiting:
                batch = [waiting.popleft() for _ in range(min(len(waiting), self._batch_max))]
                await self._settle(sale, [pair for pair in batch if not pair[1].cancelled()])
        finally:
            # No await between the last look at `waiting` and here: an intent cannot slip in unseen.
            del self._flushing[sale]
            if not waiting:
                del self._waiting[sale]

    async def _settle(self, sale: SaleKey, batch: list[tuple[Intent, asyncio.Future[Decision]]]) -> None:
        if not batch:
            return
        try:
            decisions = await self._commit(sale, [intent for intent, _ in batch])
        except Unavailable as error:
            for _, future in batch:
                _fail(future, error)
        except Exception as error:
            # One intent may have spoilt it for all: halve until it stands alone, and the rest proceed.
            if len(batch) == 1:
                _fail(batch[0][1], error)
                return
            middle = len(batch) // 2
            await self._settle(sale, batch[:middle])
            await self._settle(sale, batch[middle:])
        else:
            for (_, future), decision in zip(batch, decisions, strict=True):
                if isinstance(decision, Exception):
                    _fail(future, decision)
                elif not future.done():
                    future.set_result(decision)


def _fail(future: asyncio.Future[Decision], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
