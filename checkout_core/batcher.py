"""Batches that form by themselves: at most one commit in flight per sale; what arrives meanwhile is the next batch.

No timer adds latency at rest: with nothing in flight, the intents of one loop tick leave at the end of that tick.
"""

import asyncio
import functools
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from checkout_core.errors import TooMany, Unavailable
from checkout_core.intents import Decision, Intent, SaleKey

log = logging.getLogger(__name__)

Said = Decision | Exception
# An answer that takes longer than the others of its batch comes as a future, which raises nothing.
Commit = Callable[[SaleKey, Sequence[Intent]], Awaitable[Sequence[Said | asyncio.Future[Said]]]]

BATCH_MAX = 512
WAITING_MAX = 20_000  # per sale; beyond it a shopper is better off knowing at once


class Waiter(Protocol):
    """Whoever waits for the decision of an intent."""

    @property
    def gone(self) -> bool:
        """Whether he has given up: if his intent is not on its way yet, nobody need decide it."""

    def settle(self, answer: Decision | Exception) -> None:
        """Called once with what was decided, and must not raise."""


class Promise:
    """A waiter for those who can await: a task, unlike a connection."""

    def __init__(self) -> None:
        self.future: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()

    @property
    def gone(self) -> bool:
        return self.future.cancelled()

    def settle(self, answer: Decision | Exception) -> None:
        if self.future.done():
            return
        if isinstance(answer, Exception):
            self.future.set_exception(answer)
        else:
            self.future.set_result(answer)


Waiting = deque[tuple[Intent, Waiter]]


class Batcher:
    """Hands each sale's intents to `commit`, batch after batch, and each decision to the one who asked."""

    def __init__(self, commit: Commit, *, batch_max: int = BATCH_MAX, waiting_max: int = WAITING_MAX, flights: int = 1) -> None:
        self._commit = commit
        self._flights = flights
        self._batch_max = batch_max
        self._waiting_max = waiting_max
        self._waiting: dict[SaleKey, Waiting] = {}
        self._flushing: dict[SaleKey, set[asyncio.Task[None]]] = {}
        self._starting: set[SaleKey] = set()  # with a flight that has yet to take its batch
        self._closed = False

    def submit(self, sale: SaleKey, intent: Intent) -> asyncio.Future[Decision]:
        """The decision, once it is committed.

        Raises (through the future) `Unavailable` when the outcome is unknown, `TooMany` when too many wait.
        """
        promise = Promise()
        self.enter(sale, intent, promise)
        return promise.future

    def enter(self, sale: SaleKey, intent: Intent, waiter: Waiter) -> None:
        """The same for any waiter: a connection settles itself, without a future and the loop's turn that it takes (3 µs a press)."""
        if self._closed:
            waiter.settle(Unavailable("This process is shutting down. Nothing was reserved; ask again."))
            return
        waiting = self._waiting.get(sale)
        if waiting is None:
            waiting = self._waiting[sale] = deque()
        if len(waiting) >= self._waiting_max:
            waiter.settle(TooMany("Too many shoppers are asking at once. Nothing was reserved; ask again.", code="busy"))
            return
        waiting.append((intent, waiter))
        if sale not in self._starting:
            flying = self._flushing.setdefault(sale, set())
            if len(flying) < self._flights:
                self._starting.add(sale)
                flying.add(asyncio.get_running_loop().create_task(self._flush(sale)))

    async def aclose(self) -> None:
        """Take no more, and finish every commit under way."""
        self._closed = True
        while self._flushing:
            await asyncio.gather(*(task for flying in self._flushing.values() for task in flying), return_exceptions=True)

    async def _flush(self, sale: SaleKey) -> None:
        waiting, flying = self._waiting[sale], self._flushing[sale]
        try:
            while waiting:
                self._starting.discard(sale)
                batch = [waiting.popleft() for _ in range(min(len(waiting), self._batch_max))]
                await self._settle(sale, [pair for pair in batch if not pair[1].gone])
        finally:
            # No await between the last look at `waiting` and here: an intent cannot slip in unseen.
            self._starting.discard(sale)
            flying.discard(asyncio.current_task())
            if not flying:
                del self._flushing[sale]
                if not waiting:
                    del self._waiting[sale]

    async def _settle(self, sale: SaleKey, batch: list[tuple[Intent, Waiter]]) -> None:
        if not batch:
            return
        try:
            decisions = await self._commit(sale, [intent for intent, _ in batch])
        except Unavailable as error:
            for _, waiter in batch:
                _tell(waiter, error)
        except Exception as error:
            # One intent may have spoilt it for all: halve until it stands alone, and the rest proceed.
            if len(batch) == 1:
                _tell(batch[0][1], error)
                return
            middle = len(batch) // 2
            await self._settle(sale, batch[:middle])
            await self._settle(sale, batch[middle:])
        else:
            told = functools.partial(_tell_all, batch, decisions)
            if self._waiting.get(sale):
                # After the next batch has left: while it is decided there is time to tell these, 8 µs each.
                asyncio.get_running_loop().call_soon(told)
            else:
                told()


def _tell_all(batch: Sequence[tuple[Intent, Waiter]], decisions: Sequence[Said | asyncio.Future[Said]]) -> None:
    for (_, waiter), decision in zip(batch, decisions, strict=True):
        if isinstance(decision, asyncio.Future):
            decision.add_done_callback(functools.partial(_tell_late, waiter))
        else:
            _tell(waiter, decision)


def _tell_late(waiter: Waiter, answer: "asyncio.Future[Said]") -> None:
    _tell(waiter, answer.result())


def _tell(waiter: Waiter, answer: Said) -> None:
    try:
        waiter.settle(answer)
    except Exception:  # what one of them does wrong is no reason to leave the others without their answers
        log.exception("a decision could not be told")
