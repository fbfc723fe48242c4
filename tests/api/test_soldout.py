"""Sold out, said from memory: cheap, true for those who hold an order, and never for longer than two seconds when it is not."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from api import listener, soldout
from api.doors import Doors
from api.process import Process
from checkout_core.admission import Gatekeeper
from checkout_core.bell import Bell
from checkout_core.config import Settings
from checkout_core.ids import new_id
from checkout_core.intents import Intent, SaleKey
from checkout_core.partitions import Partitions
from tenants import events, holders
from tenants.db import tenant_tx
from tenants.holders import Holders
from tenants.orders import release
from tessera.embedded import Servers
from tests.shop import Store
from workers import gatekeeping
from workers.duties import Services, attend
from workers.mails import Mailer
from workers.relay import Relay
from workers.webhooks import Postman

LIMIT_S = 2.0
LATE_S = 1.0  # of a busy machine


class Elsewhere:
    """A flash sale and two API processes that hear no events: what each knows it has found out."""

    def __init__(self, store: Store, doors: list[Doors], gatekeeper: Gatekeeper, sale: SaleKey) -> None:
        self.store = store
        self.doors = doors
        self.gatekeeper = gatekeeper
        self.sale = sale

    async def make_due(self) -> None:
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            sql = "UPDATE sale SET next_try_at = now() - interval '1 second' WHERE tenant_id = $1 AND id = $2"
            await tx.conn.execute(sql, *self.sale)

    async def tend(self) -> None:
        await self.make_due()
        await gatekeeping.tend(self.store.process.app_pool, self.gatekeeper, *self.sale)

    async def press(self, door: int, who: UUID, order: UUID | None = None) -> str:
        """What he is told; "sold out, from memory" as `checkouts` would."""
        if self.doors[door].sold_out.says(self.sale, who):
            return "FROM_MEMORY"
        wish = Intent(order or new_id(), new_id(), who, 1, bytes(16), None)
        [told] = await self.doors[door].decide(self.sale, [wish])
        answer = await told if isinstance(told, asyncio.Future) else told
        return type(answer).__name__ if isinstance(answer, Exception) else answer.outcome.name

    async def sell_out(self, units: int) -> list[tuple[UUID, UUID]]:
        """(shopper, order) of the winners; afterwards every process knows by heart that it is sold out."""
        winners = [(new_id(), new_id()) for _ in range(units)]
        assert [await self.press(n % 2, *winner) for n, winner in enumerate(winners)] == ["RESERVED"] * units
        for door in (0, 1):
            async with asyncio.timeout(5):
                while await self.press(door, new_id()) != "FROM_MEMORY":  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        return winners

    async def let_go(self, order: UUID) -> None:
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            await release.cancel(tx, order)

    async def turned_away_s(self, door: int, who: UUID, order: UUID) -> float:
        """For how long a winner is told "sold out" at a door where others press all the time."""
        began = time.monotonic()
        while (told := await self.press(door, who, order)) != "RESERVED":
            assert told in ("FROM_MEMORY", "SOLD_OUT"), told
            assert time.monotonic() - began < 4, "he never gets his order"
            await self.press(door, new_id())
            await asyncio.sleep(0.02)
        return time.monotonic() - began


@pytest.fixture(scope="module")
def valkey(settings: Settings) -> Iterator[Servers]:
    """One of its own: it will stand still."""
    with tempfile.TemporaryDirectory(prefix="tessera-still-") as folder:
        Path(folder).chmod(0o755)
        with Servers(Path(folder), fsync=False, environ={"DATABASE_URL": settings.database_url}) as servers:
            yield servers


@pytest.fixture
async def elsewhere(acme: Store, valkey: Servers) -> AsyncIterator[Any]:
    async with Partitions(valkey.redis_url) as one, Partitions(valkey.redis_url) as other:
        bell = Bell(valkey.arq_redis_url)
        doors = [Doors(acme.process.app_pool, Gatekeeper(each), bell) for each in (one, other)]

        async def open_sale(units: int) -> Elsewhere:
            sale = SaleKey(acme.tenant_id, UUID((await acme.sale(units, door="gate")).removeprefix("sal_")))
            found = Elsewhere(acme, doors, Gatekeeper(one), sale)
            await found.tend()
            return found

        yield open_sale
        for each in doors:
            await each.aclose()
        await bell.aclose()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Postgres is asked for."""
    asked: list[str] = []

    def watched(name: str) -> Any:
        read = getattr(holders, name)

        def ask(*args: Any) -> Any:
            asked.append(name)
            return read(*args)

        return ask

    for name in ("everybody", "since"):
        monkeypatch.setattr(holders, name, watched(name))
    return asked


class TestCost:
    async def test_while_nothing_comes_back_postgres_is_asked_once(self, elsewhere: Any, reads: list[str]) -> None:
        shop = await elsewhere(3)
        await shop.sell_out(3)
        ending, probes = time.monotonic() + 2.5, 0
        while time.monotonic() < ending:
            probes += await shop.press(0, new_id()) == "SOLD_OUT"
            await asyncio.sleep(0.02)
        assert probes >= 2
        assert reads == ["everybody"] * 2  # once for each process

    async def test_what_came_back_costs_a_look_at_what_came_since(self, elsewhere: Any, reads: list[str]) -> None:
        shop = await elsewhere(3)
        _, order = (await shop.sell_out(3))[0]
        await shop.let_go(order)
        await shop.tend()
        late = new_id(), new_id()
        async with asyncio.timeout(LIMIT_S + LATE_S):
            while await shop.press(0, *late) != "RESERVED":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await shop.turned_away_s(1, *late)
        async with asyncio.timeout(LIMIT_S + LATE_S):
            while "since" not in reads:
                await shop.press(1, new_id())
                await asyncio.sleep(0.02)
        assert reads.count("everybody") == 2

    def test_eight_bytes_a_holder(self) -> None:
        tails = sorted(os.urandom(8) for _ in range(1000))
        shoppers = [UUID(bytes=bytes(8) + tail) for tail in tails]
        found = Holders(b"".join(tails))
        assert all(shopper in found for shopper in shoppers)
        assert not any(uuid4() in found for _ in range(1000))
        assert found._early.itemsize * len(found._early) == 8000


class TestTrue:
    async def test_who_won_what_came_back_gets_his_order_everywhere_within_two_seconds(self, elsewhere: Any) -> None:
        shop = await elsewhere(3)
        _, order = (await shop.sell_out(3))[0]
        await shop.let_go(order)
        await shop.tend()
        late = new_id(), new_id()
        assert await shop.turned_away_s(0, *late) < LIMIT_S + LATE_S  # it is for sale again
        assert await shop.turned_away_s(1, *late) < LIMIT_S + LATE_S
        await asyncio.sleep(0.1)  # and for good, also when the process says so from memory again
        for _ in range(150):
            assert await shop.press(1, *late) == "RESERVED"
            await shop.press(1, new_id())
            await asyncio.sleep(0.02)

    @pytest.mark.parametrize("removed", ["since", "given"])
    async def test_he_does_not_without(self, elsewhere: Any, monkeypatch: pytest.MonkeyPatch, removed: str) -> None:
        """Neither the look at what came since, nor the gate's number that asks for it, is there for nothing."""

        async def nobody(*_: Any) -> list[UUID]:
            return []

        if removed == "since":
            monkeypatch.setattr(holders, "since", nobody)
        else:
            view = Gatekeeper.view

            async def at_a_standstill(self: Gatekeeper, sale: SaleKey) -> Any:
                found = await view(self, sale)
                return found and found._replace(given=0)

            monkeypatch.setattr(Gatekeeper, "view", at_a_standstill)
        shop = await elsewhere(3)
        _, order = (await shop.sell_out(3))[0]
        await shop.let_go(order)
        await shop.tend()
        late = new_id(), new_id()
        await shop.turned_away_s(0, *late)
        for _ in range(200):  # the other process does not hear of it, asks the gate, and knows no better
            if await shop.press(1, new_id()) == "FROM_MEMORY" and await shop.press(1, *late) == "FROM_MEMORY":
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(LIMIT_S + LATE_S)
        told = set()
        for _ in range(100):
            await shop.press(1, new_id())
            told.add(await shop.press(1, *late))
            await asyncio.sleep(0.02)
        assert "FROM_MEMORY" in told

    async def test_who_is_being_committed_elsewhere_is_a_holder(self, elsewhere: Any) -> None:
        shop = await elsewhere(1)
        wish = Intent(new_id(), new_id(), new_id(), 1, bytes(16), None)
        await shop.gatekeeper.admit(shop.sale, [wish])
        async with asyncio.timeout(5):
            while await shop.press(1, new_id()) != "FROM_MEMORY":  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert not shop.doors[1].sold_out.says(shop.sale, wish.shopper_id)


class TestNews:
    """With the limits out of reach: what a process forgets, it forgets because it was told."""

    @pytest.fixture(autouse=True)
    async def hearing(self, elsewhere: Any, valkey: Servers, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
        monkeypatch.setattr(soldout, "PROBE_S", 60.0)
        monkeypatch.setattr(soldout, "SAID_S", 120.0)
        self.shop: Elsewhere = await elsewhere(3)
        hub = self.shop.store.process.hub
        ears = [asyncio.create_task(listener.listen(valkey.redis_url, each, hub)) for each in self.shop.doors]
        async with Redis.from_url(valkey.redis_url) as redis:
            self.relay = Relay(self.shop.store.process.app_pool, redis)
            while (await redis.pubsub_numsub(events.CHANNEL))[0][1] < len(ears):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            yield
        for each in ears:
            each.cancel()
        await asyncio.gather(*ears, return_exceptions=True)

    async def _told(self, attend: Callable[[], Awaitable[object]], rounds: int) -> set[str]:
        """What winners of a unit that came back are told at once by another process."""
        shop, told = self.shop, set()
        _, order = (await shop.sell_out(3))[0]
        for n in range(rounds):
            await shop.let_go(order)
            await shop.make_due()
            await attend()
            shop.doors[n % 2].forget(shop.sale)  # the one he wins at has heard of it in any case
            late = who, order = new_id(), new_id()
            assert await shop.press(n % 2, *late) == "RESERVED"
            told.add(await shop.press(1 - n % 2, who, order))
            for door in (0, 1):
                async with asyncio.timeout(5):
                    while await shop.press(door, new_id()) != "FROM_MEMORY":  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
        return told

    async def test_a_winner_of_what_came_back_may_ask_another_process_at_once(self, process: Process) -> None:
        shop = self.shop
        mailer, postman = Mailer(process.settings, process.app_pool), Postman(process.app_pool, process.keyring, process.sender)
        services = Services(process.app_pool, process.providers, self.relay, shop.gatekeeper, process.keyring, mailer, postman)
        assert await self._told(lambda: attend(services, "sale", *shop.sale), 20) == {"RESERVED"}

    async def test_he_may_not_without_the_news(self) -> None:
        shop = self.shop
        assert await self._told(lambda: gatekeeping.tend(shop.store.process.app_pool, shop.gatekeeper, *shop.sale), 1) == {"FROM_MEMORY"}


class TestAway:
    async def _heard_s(self, shop: Elsewhere, valkey: Servers) -> float:
        """For how long "sold out" is said after the gate has stopped to answer, while people press."""
        await shop.sell_out(1)
        pid = valkey.pids["valkey"]
        assert pid is not None
        pressing: list[asyncio.Task[str]] = []
        os.kill(pid, signal.SIGSTOP)
        began = heard = time.monotonic()
        try:
            while time.monotonic() < began + 2 * LIMIT_S:
                if shop.doors[0].sold_out.says(shop.sale, new_id()):
                    heard = time.monotonic()
                else:
                    pressing.append(asyncio.create_task(shop.press(0, new_id())))
                await asyncio.sleep(0.05)
        finally:
            os.kill(pid, signal.SIGCONT)
            await asyncio.gather(*pressing, return_exceptions=True)
        return heard - began

    async def test_when_the_gate_does_not_answer_nothing_is_said_for_longer_than_two_seconds(self, elsewhere: Any, valkey: Servers) -> None:
        assert await self._heard_s(await elsewhere(1), valkey) < LIMIT_S + LATE_S

    async def test_it_is_without_the_limit(self, elsewhere: Any, valkey: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(soldout, "SAID_S", 60.0)
        assert await self._heard_s(await elsewhere(1), valkey) > LIMIT_S + LATE_S
