"""A flash sale through its gate: Redis admits, Postgres commits, every answer is true. The worker's duty is done when a test says so."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.doors import Doors
from checkout_core import journal, keys, tokens
from checkout_core.admission import Gatekeeper
from checkout_core.errors import Unavailable
from checkout_core.ids import decode, new_id
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from checkout_core.partitions import Partitions
from tenants.db import tenant_tx
from tenants.orders import answers
from tests.shop import Store
from workers import gatekeeping
from workers.relay import Relay


@pytest.fixture
async def gatekeeper(acme: Store) -> AsyncIterator[Gatekeeper]:
    async with Partitions(acme.process.settings.redis_url) as partitions:
        yield Gatekeeper(partitions)


class Flash:
    """A flash sale, and its worker."""

    def __init__(self, store: Store, gatekeeper: Gatekeeper, sale: str) -> None:
        self.store = store
        self.gatekeeper = gatekeeper
        self.id = sale
        self.key = SaleKey(store.tenant_id, decode("sal", sale))

    async def tend(self) -> None:
        pool = self.store.process.app_pool
        async with tenant_tx(pool, self.store.tenant_id) as tx:
            sql = "UPDATE sale SET next_try_at = now() - interval '1 second' WHERE tenant_id = $1 AND id = $2"
            await tx.conn.execute(sql, *self.key)
        await gatekeeping.tend(pool, self.gatekeeper, *self.key)

    async def press(self, who: dict[str, str], key: str | None = None, quantity: int = 1, **headers: str) -> httpx.Response:
        body = {"sale_id": self.id, "quantity": quantity}
        asked = who | {"Idempotency-Key": key or uuid4().hex} | headers
        return await self.store.client.post("/v1/checkouts", json=body, headers=asked)

    async def code(self, who: dict[str, str], key: str | None = None, **headers: str) -> str:
        answer = await self.press(who, key, **headers)
        return "reserved" if answer.status_code == 201 else str(answer.json()["code"])

    async def at_rest(self) -> tuple[int, int]:
        """(units left in Postgres, units left in Redis); the journal is empty."""
        for _ in range(100):
            view = await self.gatekeeper.view(self.key)
            if view is not None and view.undecided == 0:
                break
            await asyncio.sleep(0.02)
        assert view is not None
        assert view.undecided == 0
        sale = await self.store.ask("GET", f"/v1/sales/{self.id}", self.store.merchant)
        return sale["allotted"] - sale["committed"], view.avail


@pytest.fixture
def open_flash(acme: Store, gatekeeper: Gatekeeper) -> Any:
    async def open_flash(units: int = 3, **changes: Any) -> Flash:
        flash = Flash(acme, gatekeeper, await acme.sale(units, door="gate", **changes))
        await flash.tend()
        return flash

    return open_flash


class TestSell:
    async def test_until_its_gate_is_loaded_it_is_closed_and_never_sold_out(self, acme: Store, gatekeeper: Gatekeeper) -> None:
        flash = Flash(acme, gatekeeper, await acme.sale(1, door="gate"))
        answer = await flash.press(await acme.guest())
        assert (answer.status_code, answer.json()["code"]) == (503, "closed")
        assert int(answer.headers["retry-after"]) >= 1
        await flash.tend()
        assert await flash.code(await acme.guest()) == "reserved"

    async def test_exactly_its_stock(self, acme: Store, open_flash: Any) -> None:
        flash = await open_flash(20)
        crowd = [await acme.guest() for _ in range(80)]
        told = await asyncio.gather(*(flash.code(who) for who in crowd))
        assert (told.count("reserved"), told.count("sold_out")) == (20, 60)
        assert await flash.at_rest() == (0, 0)

    async def test_the_limit_of_a_shopper(self, acme: Store, open_flash: Any) -> None:
        flash, who = await open_flash(20, limit_per_shopper=2), await acme.guest()
        told = await asyncio.gather(*(flash.code(who) for _ in range(50)))
        assert (told.count("reserved"), told.count("limit")) == (2, 48)
        assert await flash.at_rest() == (18, 18)

    async def test_a_winner_who_asks_again_gets_his_order_and_no_other(self, acme: Store, open_flash: Any) -> None:
        flash, winner, loser = await open_flash(1), await acme.guest(), await acme.guest()
        first = await flash.press(winner, "k")
        assert await flash.code(loser) == "sold_out"
        await asyncio.sleep(0.1)  # the process now knows by heart that it is sold out
        for again in (await flash.press(winner, "k"), await flash.press(winner, "k", **{"Idempotency-Retry": "1"})):
            assert (again.status_code, again.json()) == (201, first.json())
        assert await flash.code(loser) == "sold_out"
        assert (await flash.press(winner, "k", quantity=2)).json()["code"] == "idempotency_conflict"
        assert await flash.at_rest() == (0, 0)

    async def test_a_conflict_costs_no_unit(self, acme: Store, open_flash: Any) -> None:
        flash, who = await open_flash(5), await acme.guest()
        assert await flash.code(who, "k") == "reserved"
        assert (await flash.press(who, "k", quantity=3)).json()["code"] == "idempotency_conflict"
        await flash.tend()
        assert await flash.at_rest() == (4, 4)

    async def test_one_key_with_two_bodies_in_one_batch_is_a_conflict(self, acme: Store, open_flash: Any) -> None:
        flash = await open_flash(5)
        first = Intent(new_id(), new_id(), new_id(), 1, b"1" * 16, None)
        again, other = first._replace(intent_id=new_id()), first._replace(intent_id=new_id(), quantity=2, body_hash=b"2" * 16)
        told = await acme.process.doors.decide(flash.key, [first, again, other])
        said = [await answer if isinstance(answer, asyncio.Future) else answer for answer in told]
        assert [answer.outcome for answer in said] == [Outcome.RESERVED, Outcome.RESERVED, Outcome.CONFLICT]
        assert await flash.at_rest() == (4, 4)

    async def test_nobody_waits_for_what_is_looked_up_of_another(
        self, acme: Store, open_flash: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        flash = await open_flash(5)
        first = Intent(new_id(), new_id(), new_id(), 1, b"1" * 16, None)
        looked, look = asyncio.Event(), answers.look

        async def slow(*about: Any) -> Any:
            await looked.wait()
            return await look(*about)

        monkeypatch.setattr(answers, "look", slow)
        decision, promise = await acme.process.doors.decide(flash.key, [first, first._replace(intent_id=new_id())])
        assert decision.outcome is Outcome.RESERVED
        assert not promise.done()
        looked.set()
        assert (await promise).outcome is Outcome.RESERVED

    async def test_a_look_that_fails_is_said_to_those_it_was_for(
        self, acme: Store, open_flash: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        flash = await open_flash(5)
        first = Intent(new_id(), new_id(), new_id(), 1, b"1" * 16, None)

        async def away(*about: Any) -> Any:
            raise Unavailable("Postgres is away.")

        monkeypatch.setattr(answers, "look", away)
        decision, promise = await acme.process.doors.decide(flash.key, [first, first._replace(intent_id=new_id())])
        assert decision.outcome is Outcome.RESERVED
        assert isinstance(await promise, Unavailable)


class TestUndecided:
    async def test_an_admitted_wish_is_shown_until_it_is_an_order_or_lost(
        self, acme: Store, open_flash: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        flash, who = await open_flash(3), await acme.guest()
        shopper = tokens.verify(acme.process.keys.shoppers, who["Authorization"].removeprefix("Bearer "))
        left = Intent(new_id(), new_id(), shopper.id, 1, b"x" * 16, None)
        address = f"/v1/orders/ord_{left.order_id.hex}?sale_id={flash.id}"

        async def shown(asker: dict[str, str]) -> str:
            answer = (await acme.client.get(address, headers=asker)).json()
            return str(answer.get("code") or answer["state"])

        assert await shown(who) == "order_lost"
        await flash.gatekeeper.admit(flash.key, [left])
        assert [await shown(who), await shown(await acme.guest())] == ["admitted", "order_lost"]
        monkeypatch.setattr(gatekeeping, "LEFT_AFTER_MS", 0)
        await flash.tend()
        assert await shown(who) == "awaiting"

    async def test_the_limit_is_not_said_of_what_nobody_has_decided(
        self, acme: Store, open_flash: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The gate counts a wish whose process died; Postgres knows of nothing, and it may come to nothing."""
        flash, who = await open_flash(3, limit_per_shopper=1), await acme.guest()
        shopper = tokens.verify(acme.process.keys.shoppers, who["Authorization"][7:])
        left = Intent(new_id(), new_id(), shopper.id, 1, b"h" * 16, None)
        await flash.gatekeeper.admit(flash.key, [left])
        answer = await flash.press(who)
        assert (answer.status_code, answer.json()["code"]) == (503, "closed")
        monkeypatch.setattr(gatekeeping, "LEFT_AFTER_MS", 0)
        for _ in range(2):
            await flash.tend()
        assert await flash.code(who) == "limit"


class TestReturn:
    async def test_a_cancelled_order_is_for_sale_again_within_two_seconds(self, acme: Store, open_flash: Any) -> None:
        flash, winner, loser = await open_flash(1, limit_per_shopper=1), await acme.guest(), await acme.guest()
        order = (await flash.press(winner)).json()["id"]
        assert await flash.code(loser) == "sold_out"
        await acme.ask("POST", f"/v1/orders/{order}/cancel", winner)
        await flash.tend()
        async with asyncio.timeout(2):
            while await flash.code(loser) != "reserved":  # noqa: ASYNC110  a shopper polls
                await asyncio.sleep(0.1)
        assert await flash.at_rest() == (0, 0)
        assert await flash.code(winner) == "sold_out"

    async def test_returns_are_applied_once(self, acme: Store, open_flash: Any) -> None:
        flash, who = await open_flash(3), await acme.guest()
        order = (await flash.press(who)).json()["id"]
        await acme.ask("POST", f"/v1/orders/{order}/cancel", who)
        for _ in range(3):
            await flash.tend()
        assert await flash.at_rest() == (3, 3)


class TestEvents:
    async def test_what_the_relay_says_is_forgotten_at_once(self, acme: Store, open_flash: Any) -> None:
        flash, winner = await open_flash(1), await acme.guest()
        order = (await flash.press(winner)).json()["id"]
        assert await flash.code(await acme.guest()) == "sold_out"
        sold_out = acme.process.doors.sold_out
        async with asyncio.timeout(2):
            while not sold_out.says(flash.key, new_id()):  # noqa: ASYNC110  its holders are being loaded
                await asyncio.sleep(0.01)
        await acme.ask("POST", f"/v1/orders/{order}/cancel", winner)
        await Relay(acme.process.app_pool, acme.process.redis).send(acme.tenant_id)
        async with asyncio.timeout(0.9):
            while sold_out.says(flash.key, new_id()):  # noqa: ASYNC110  the event is on its way
                await asyncio.sleep(0.01)
        await flash.tend()
        assert await flash.code(await acme.guest()) == "reserved"


class TestControl:
    async def test_pause_and_resume(self, acme: Store, open_flash: Any) -> None:
        flash, winner = await open_flash(5), await acme.guest()
        first = await flash.press(winner, "k")
        await acme.ask("POST", f"/v1/sales/{flash.id}/pause", acme.merchant)
        assert await flash.code(await acme.guest()) == "closed"  # at once: the gate's epoch is not the row's
        await flash.tend()
        assert await flash.code(await acme.guest()) == "paused"
        assert (await flash.press(winner, "k")).json() == first.json()
        await acme.ask("POST", f"/v1/sales/{flash.id}/resume", acme.merchant)
        await flash.tend()
        assert await flash.code(await acme.guest()) == "reserved"
        assert await flash.at_rest() == (3, 3)

    async def test_stock_is_added_and_withdrawn(self, acme: Store, open_flash: Any) -> None:
        sku = await acme.sku(10)
        flash = await open_flash(2, sku_id=sku)
        for act in ({"add": 5}, {"withdraw": 3}):
            await acme.ask("POST", f"/v1/sales/{flash.id}/stock", acme.merchant, act)
            await flash.tend()
        assert await flash.at_rest() == (4, 4)

    async def test_another_limit(self, acme: Store, open_flash: Any) -> None:
        flash, who = await open_flash(9, limit_per_shopper=1), await acme.guest()
        assert [await flash.code(who) for _ in range(2)] == ["reserved", "limit"]
        await acme.ask("POST", f"/v1/sales/{flash.id}/limit", acme.merchant, {"limit_per_shopper": 2})
        await flash.tend()
        assert [await flash.code(who) for _ in range(2)] == ["reserved", "limit"]

    async def test_ended_it_is_forgotten_by_redis(self, acme: Store, open_flash: Any) -> None:
        flash, winner = await open_flash(2), await acme.guest()
        first = await flash.press(winner, "k")
        await flash.at_rest()
        await acme.ask("POST", f"/v1/sales/{flash.id}/end", acme.merchant)
        await flash.tend()
        assert await flash.gatekeeper.view(flash.key) is None
        assert first.status_code == 201

    async def test_ended_it_says_so_whether_redis_remembers_or_not(self, acme: Store, open_flash: Any) -> None:
        flash, winner = await open_flash(2), await acme.guest()
        first = await flash.press(winner, "k")
        await flash.at_rest()
        await acme.ask("POST", f"/v1/sales/{flash.id}/end", acme.merchant)
        acme.process.doors.forget(flash.key)  # as the relay has it
        for _ in range(2):
            assert await flash.code(await acme.guest()) == "ended"
            assert (await flash.press(winner, "k")).json() == first.json()
            await flash.tend()

    async def test_past_its_end_it_is_forgotten_by_redis(self, acme: Store, open_flash: Any) -> None:
        flash = await open_flash(2)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = """UPDATE sale SET starts_at = now() - interval '2 min', ends_at = now() - interval '1 min'
                     WHERE tenant_id = $1 AND id = $2"""
            await tx.conn.execute(sql, *flash.key)
        acme.process.doors.forget(flash.key)
        await flash.tend()
        assert await flash.gatekeeper.view(flash.key) is None
        assert await flash.code(await acme.guest()) == "ended"
        await flash.tend()
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            assert await tx.conn.fetchval("SELECT next_try_at FROM sale WHERE tenant_id = $1 AND id = $2", *flash.key) is None

    async def test_a_gate_that_is_closed_is_not_sold_out(self, acme: Store, open_flash: Any) -> None:
        flash = await open_flash(1)
        assert [await flash.code(await acme.guest()) for _ in range(2)] == ["reserved", "sold_out"]
        await asyncio.sleep(0.1)
        await acme.process.redis.flushall()
        assert await flash.code(await acme.guest(), **{"Idempotency-Retry": "1"}) == "closed"
        assert await flash.code(await acme.guest()) == "closed"  # memory said "sold out" until now


class TestFault:
    async def test_redis_emptied(self, acme: Store, open_flash: Any) -> None:
        flash, winner = await open_flash(3), await acme.guest()
        first = await flash.press(winner, "k")
        await flash.at_rest()
        await acme.process.redis.flushall()
        assert await flash.code(await acme.guest()) == "closed"
        await flash.tend()
        assert (await flash.press(winner, "k")).json() == first.json()
        assert await flash.code(await acme.guest()) == "reserved"
        await flash.tend()
        assert await flash.at_rest() == (1, 1)

    async def test_an_intent_whose_process_died_is_decided_by_the_worker(
        self, acme: Store, open_flash: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        flash = await open_flash(3)
        left = Intent(new_id(), new_id(), new_id(), 1, b"x" * 16, None)
        await flash.gatekeeper.admit(flash.key, [left])
        monkeypatch.setattr(gatekeeping, "LEFT_AFTER_MS", 0)
        for _ in range(2):
            await flash.tend()
        order = await acme.ask("GET", f"/v1/orders/ord_{left.order_id.hex}", acme.merchant)
        assert order["state"] == "awaiting"
        assert await flash.at_rest() == (2, 2)

    @pytest.mark.parametrize("spoilt", [{"contact": "\0"}, {"quantity": -1}, {"quantity": 2**40}, {"body_hash": None}])
    async def test_a_wish_that_nobody_can_decide_holds_up_no_other(
        self, acme: Store, open_flash: Any, monkeypatch: pytest.MonkeyPatch, spoilt: dict[str, Any]
    ) -> None:
        """As after a bit of Redis' file was another."""
        flash = await open_flash(5)
        left = [Intent(uuid4(), new_id(), uuid4(), 1, b"b" * 16, None) for _ in range(3)]
        await flash.gatekeeper.admit(flash.key, left)
        link = flash.gatekeeper._partitions.link(keys.of(flash.key).partition)
        entry = await link.call("HGET", keys.of(flash.key).journal, left[1].order_id.bytes)
        await link.call("HSET", keys.of(flash.key).journal, left[1].order_id.bytes, entry[:16] + journal.pack(left[1]._replace(**spoilt)))
        monkeypatch.setattr(gatekeeping, "LEFT_AFTER_MS", 0)
        await flash.tend()
        await flash.tend()
        assert await flash.at_rest() == (3, 3)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            made = await tx.conn.fetch("SELECT id FROM orders WHERE tenant_id = $1 AND state = 'awaiting'", acme.tenant_id)
        assert {row["id"] for row in made} == {left[0].order_id, left[2].order_id}

    async def test_what_was_admitted_before_a_change_counts_for_nothing(
        self, acme: Store, open_flash: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        flash = await open_flash(3)
        left = Intent(new_id(), new_id(), new_id(), 1, b"x" * 16, None)
        await flash.gatekeeper.admit(flash.key, [left])
        await acme.ask("POST", f"/v1/sales/{flash.id}/pause", acme.merchant)
        monkeypatch.setattr(gatekeeping, "LEFT_AFTER_MS", 0)
        await flash.tend()
        answer = await acme.client.get(f"/v1/orders/ord_{left.order_id.hex}", headers=acme.merchant)
        assert answer.status_code == 404
        assert await flash.at_rest() == (3, 3)

    async def test_redis_away_it_sells_past_the_gate_only_if_the_merchant_chose_so(self, acme: Store, open_flash: Any) -> None:
        def wish() -> Intent:
            return Intent(new_id(), new_id(), new_id(), 1, b"x" * 16, None)

        async with Partitions("redis://127.0.0.1:1") as nowhere:
            doors = Doors(acme.process.app_pool, Gatekeeper(nowhere), acme.process.bell)
            stern, kind = await open_flash(9), await open_flash(9, fallback_per_s=4)
            assert all(
                isinstance(answer, Unavailable)
                for answer in await asyncio.gather(doors.decide(stern.key, [wish()]), return_exceptions=True)
            )
            answers = await doors.decide(kind.key, [wish() for _ in range(6)])
        sold = [answer for answer in answers if isinstance(answer, Decision) and answer.outcome == Outcome.RESERVED]
        assert len(sold) == 4
        assert await kind.code(await acme.guest()) == "closed"  # what Redis counted meanwhile is void
        await kind.tend()
        assert await kind.at_rest() == (5, 5)
