"""Asked of Postgres before a refusal: together with whoever else asks meanwhile, and once at a time for a sale."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any
from uuid import uuid4

import pytest

from api.doubts import Doubts
from checkout_core.errors import Conflict, Unavailable
from checkout_core.ids import new_id
from checkout_core.intents import Intent, SaleKey
from tenants.orders import answers
from tenants.orders.answers import Found

SALE, OTHER = SaleKey(uuid4(), uuid4()), SaleKey(uuid4(), uuid4())
REFUSAL = Conflict("Sold out.", code="sold_out")


def wish() -> Intent:
    return Intent(new_id(), new_id(), new_id(), 1, b"", None)


class Postgres:
    """Knows nothing, and says so when `open`."""

    def __init__(self) -> None:
        self.asked: list[tuple[SaleKey, int]] = []
        self.open = asyncio.Event()
        self.epoch = 1
        self.room: set[Any] = set()

    async def look(self, _: object, sale: SaleKey, intents: Sequence[Intent], over: Collection[Intent] = ()) -> Found:
        self.asked.append((sale, len(intents)))
        await self.open.wait()
        return Found(self.epoch, {}, {i.intent_id for i in over} & self.room)


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Postgres:
    fake = Postgres()
    monkeypatch.setattr(answers, "look", fake.look)
    return fake


@pytest.fixture
def doubts() -> Doubts:
    return Doubts(None)  # type: ignore[arg-type]  # nobody is asked for a connection


class TestAsk:
    async def test_who_comes_meanwhile_is_asked_about_together(self, postgres: Postgres, doubts: Doubts) -> None:
        first = doubts.ask(SALE, 1, {wish(): REFUSAL}, ())
        await asyncio.sleep(0)
        later = [*doubts.ask(SALE, 1, {wish(): REFUSAL}, ()), *doubts.ask(SALE, 1, {wish(): REFUSAL, wish(): REFUSAL}, ())]
        other = doubts.ask(OTHER, 1, {wish(): REFUSAL}, ())
        await asyncio.sleep(0)
        assert postgres.asked == [(SALE, 1), (OTHER, 1)]
        postgres.open.set()
        assert await asyncio.gather(*first, *later, *other) == [REFUSAL] * 5
        assert postgres.asked == [(SALE, 1), (OTHER, 1), (SALE, 3)]
        await doubts.aclose()

    async def test_under_another_epoch_nobody_is_refused(self, postgres: Postgres, doubts: Doubts) -> None:
        postgres.open.set()
        old, new = wish(), wish()
        postgres.epoch = 2
        [said] = doubts.ask(SALE, 1, {old: REFUSAL}, ())
        [sure] = doubts.ask(SALE, 2, {new: REFUSAL}, ())
        assert isinstance(await said, Unavailable)
        assert await sure is REFUSAL

    async def test_the_limit_is_said_only_of_what_postgres_knows(self, postgres: Postgres, doubts: Doubts) -> None:
        postgres.open.set()
        within, beyond = wish(), wish()
        postgres.room = {within.intent_id}
        said = doubts.ask(SALE, 1, {within: REFUSAL, beyond: REFUSAL}, {within, beyond})
        assert isinstance(await said[0], Unavailable)
        assert await said[1] is REFUSAL

    async def test_postgres_away(self, doubts: Doubts, monkeypatch: pytest.MonkeyPatch) -> None:
        async def away(*_: object) -> Found:
            raise Unavailable("Postgres is away.")

        monkeypatch.setattr(answers, "look", away)
        [said] = doubts.ask(SALE, 1, {wish(): REFUSAL}, ())
        assert isinstance(await said, Unavailable)
        [again] = doubts.ask(SALE, 1, {wish(): REFUSAL}, ())
        assert isinstance(await again, Unavailable)
