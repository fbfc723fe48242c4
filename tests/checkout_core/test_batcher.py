"""Batches that form by themselves."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from checkout_core import batcher
from checkout_core.batcher import Batcher
from checkout_core.errors import TooMany, Unavailable
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from loadtests.bench.compiled import is_compiled, twin

SALE = SaleKey(uuid4(), uuid4())
READABLE = twin(batcher)


def test_the_compiled_one_is_loaded() -> None:
    assert is_compiled(batcher)
    assert not is_compiled(READABLE)


@pytest.fixture(autouse=True, params=[batcher, READABLE], ids=["compiled", "readable"])
def _both(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "Batcher", request.param.Batcher)


OTHER = SaleKey(SALE.tenant_id, uuid4())


def wish(order_id: UUID | None = None) -> Intent:
    return Intent(order_id or uuid4(), uuid4(), uuid4(), 1, b"", None)


class Till:
    """A commit that records its batches, and waits while `gate` is closed."""

    def __init__(self) -> None:
        self.batches: list[tuple[SaleKey, int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.in_flight = self.in_flight_max = 0
        self.poison: set[UUID] = set()

    async def __call__(self, sale: SaleKey, intents: Sequence[Intent]) -> list[Decision]:
        self.batches.append((sale, len(intents)))
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        try:
            await self.gate.wait()
            if self.poison & {i.order_id for i in intents}:
                raise ValueError("indigestible")
            return [Decision(Outcome.RESERVED, i.order_id, "awaiting", 1, 1, "CNY", dt.datetime.now(dt.UTC), None) for i in intents]
        finally:
            self.in_flight -= 1


class TestLate:
    async def test_an_answer_that_takes_longer_keeps_nobody_waiting(self) -> None:
        late: asyncio.Future[Decision | Exception] = asyncio.get_running_loop().create_future()
        first, second = wish(), wish()
        now, then = [
            Decision(Outcome.RESERVED, i.order_id, "awaiting", 1, 1, "CNY", dt.datetime.now(dt.UTC), None) for i in (first, second)
        ]

        async def commit(_: SaleKey, __: Sequence[Intent]) -> list[Decision | asyncio.Future[Decision | Exception]]:
            return [late, now]

        batcher = Batcher(commit)  # type: ignore[arg-type]  # a list of less than it may be
        waiting, served = batcher.submit(SALE, second), batcher.submit(SALE, first)
        assert await served == now
        assert not waiting.done()
        late.set_result(then)
        assert await waiting == then


class TestSubmit:
    async def test_each_gets_his_own_decision(self) -> None:
        till = Till()
        batcher = Batcher(till)
        wishes = [wish() for _ in range(20)]
        decisions = await asyncio.gather(*(batcher.submit(SALE, w) for w in wishes))
        assert [d.order_id for d in decisions] == [w.order_id for w in wishes]

    async def test_wishes_of_one_tick_leave_together(self) -> None:
        till = Till()
        batcher = Batcher(till)
        await asyncio.gather(*(batcher.submit(SALE, wish()) for _ in range(30)))
        assert till.batches == [(SALE, 30)]

    async def test_what_arrives_meanwhile_is_the_next_batch(self) -> None:
        till = Till()
        batcher = Batcher(till)
        till.gate.clear()
        first = batcher.submit(SALE, wish())
        await asyncio.sleep(0)
        later = [batcher.submit(SALE, wish()) for _ in range(7)]
        await asyncio.sleep(0.01)
        assert till.batches == [(SALE, 1)]
        till.gate.set()
        await asyncio.gather(first, *later)
        assert till.batches == [(SALE, 1), (SALE, 7)]
        assert till.in_flight_max == 1

    async def test_several_flights_leave_before_the_first_has_landed_and_no_more(self) -> None:
        till = Till()
        batcher = Batcher(till, flights=3)
        till.gate.clear()
        wishes = []
        for size in (1, 5, 2, 4, 3):
            wishes += [batcher.submit(SALE, wish()) for _ in range(size)]
            await asyncio.sleep(0.01)
        assert till.batches == [(SALE, 1), (SALE, 5), (SALE, 2)]
        till.gate.set()
        await asyncio.gather(*wishes)
        assert till.batches == [(SALE, 1), (SALE, 5), (SALE, 2), (SALE, 7)]
        await asyncio.sleep(0)
        assert not batcher._flushing
        assert not batcher._waiting

    async def test_sales_do_not_wait_for_each_other(self) -> None:
        till = Till()
        batcher = Batcher(till)
        till.gate.clear()
        both = [batcher.submit(SALE, wish()), batcher.submit(OTHER, wish())]
        await asyncio.sleep(0.01)
        assert till.in_flight_max == 2
        till.gate.set()
        assert len(await asyncio.gather(*both)) == 2

    async def test_a_batch_is_bounded(self) -> None:
        till = Till()
        batcher = Batcher(till, batch_max=10)
        await asyncio.gather(*(batcher.submit(SALE, wish()) for _ in range(25)))
        assert [n for _, n in till.batches] == [10, 10, 5]

    async def test_too_many_waiting_are_told_at_once(self) -> None:
        till = Till()
        till.gate.clear()
        batcher = Batcher(till, waiting_max=3)
        waiting = [batcher.submit(SALE, wish()) for _ in range(3)]
        with pytest.raises(TooMany):
            await batcher.submit(SALE, wish())
        till.gate.set()
        assert len(await asyncio.gather(*waiting)) == 3

    async def test_a_poison_wish_fails_alone(self) -> None:
        till = Till()
        bad = wish()
        till.poison = {bad.order_id}
        batcher = Batcher(till)
        outcomes = await asyncio.gather(*(batcher.submit(SALE, w) for w in [*(wish() for _ in range(9)), bad]), return_exceptions=True)
        assert isinstance(outcomes[-1], ValueError)
        assert all(isinstance(o, Decision) for o in outcomes[:-1])

    async def test_a_database_that_is_away_is_asked_once(self) -> None:
        calls = 0

        async def away(_: SaleKey, __: Sequence[Intent]) -> list[Decision]:
            nonlocal calls
            calls += 1
            raise Unavailable("away")

        batcher = Batcher(away)
        outcomes = await asyncio.gather(*(batcher.submit(SALE, wish()) for _ in range(16)), return_exceptions=True)
        assert all(isinstance(o, Unavailable) for o in outcomes)
        assert calls == 1

    async def test_who_went_away_is_not_bought_for(self) -> None:
        till = Till()
        batcher = Batcher(till)
        till.gate.clear()
        first = batcher.submit(SALE, wish())
        await asyncio.sleep(0)
        gone, stays = batcher.submit(SALE, wish()), batcher.submit(SALE, wish())
        gone.cancel()
        till.gate.set()
        await asyncio.gather(first, stays)
        assert till.batches == [(SALE, 1), (SALE, 1)]

    async def test_nothing_is_remembered_of_a_quiet_sale(self) -> None:
        batcher = Batcher(Till())
        await batcher.submit(SALE, wish())
        await asyncio.sleep(0)
        assert not batcher._waiting
        assert not batcher._flushing


class TestClose:
    async def test_commits_under_way_are_finished_and_new_wishes_refused(self) -> None:
        till = Till()
        till.gate.clear()
        batcher = Batcher(till)
        under_way = batcher.submit(SALE, wish())
        await asyncio.sleep(0)
        closing = asyncio.create_task(batcher.aclose())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await batcher.submit(SALE, wish())
        till.gate.set()
        await closing
        assert under_way.result().outcome == Outcome.RESERVED
