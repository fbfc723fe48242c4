"""The stream of a store's events."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest

from api import events, viewers
from api.process import Process
from api.viewers import QUEUE_MAX, Message, Viewer, said
from checkout_core.ids import decode
from tenants import event_log
from tenants.db import platform_tx, tenant_tx
from tests.paying import pay
from tests.shop import Store
from workers.relay import Relay

URL = "/v1/events"


class Event(NamedTuple):
    type: str
    id: str | None
    data: Any


def parsed(text: str) -> list[Event]:
    found = []
    for block in text.replace("\r", "").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":"))
        if "event" in fields:
            found.append(Event(fields["event"], fields.get("id"), msgspec.json.decode(fields["data"])))
    return found


def names(found: list[Event]) -> list[str]:
    return [event.type for event in found if event.type != "sale.progress"]


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not what():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.02)


class Watching:
    """An open stream. `seen` is all that it said: to its end, or so far, and then it ends."""

    def __init__(self, process: Process, asking: "asyncio.Task[httpx.Response]") -> None:
        self.process = process
        self.asking = asking

    async def seen(self, *, whole: bool = False) -> list[Event]:
        if not whole:
            await asyncio.sleep(0.6)
            self.process.hub._end(self.process.hub._viewers(), "enough")
        return [event for event in parsed((await self.asking).text) if event.data != {"reason": "enough"}]


@asynccontextmanager
async def watching(store: Store, headers: dict[str, str] | None = None, **query: Any) -> AsyncIterator[Watching]:
    before = store.process.hub.count
    params = {"seconds": 20, **query}
    asking = asyncio.create_task(store.client.get(URL, headers=headers or store.merchant, params=params))
    await until(lambda: store.process.hub.count > before or asking.done())
    yield Watching(store.process, asking)
    store.process.hub._end(store.process.hub._viewers(), "enough")
    await asking


async def relay(store: Store) -> None:
    await Relay(store.process.app_pool, store.process.redis).send(store.tenant_id)
    store.process.hub.wake(store.tenant_id)  # as the listener does, when Redis says so


async def sold(store: Store, sale: str) -> str:
    order = await store.order(await store.guest(), sale)
    await pay(store, order)
    return order


async def seen_by(store: Store, headers: dict[str, str] | None = None, **query: Any) -> list[Event]:
    """What a stream says at once."""
    async with watching(store, headers, **query) as stream:
        await asyncio.sleep(0.2)
    return [event for event in parsed((await stream.asking).text) if event.data != {"reason": "enough"}]


class TestWatch:
    async def test_without_a_key(self, client: httpx.AsyncClient) -> None:
        assert (await client.get(URL)).status_code == 401

    async def test_orders_and_sales_as_they_are_relayed(self, acme: Store) -> None:
        sale = await acme.sale(3)
        await relay(acme)
        async with watching(acme) as stream:
            order = await sold(acme, sale)
            await acme.ask("POST", f"/v1/sales/{sale}/pause", acme.merchant)
            await relay(acme)
            seen = await stream.seen()
        assert names(seen) == ["open", "order.paid", "order.delivered", "sale.paused"]
        paid = next(event for event in seen if event.type == "order.paid")
        assert (paid.data["data"]["order_id"], paid.data["data"]["amount_minor"]) == (order, 9900)
        ids = [event.id for event in seen if event.id]
        assert ids == sorted(ids, key=int)
        # Two events of one deed share a number, and only the second is a place to read on from.
        assert paid.id is None
        assert acme.process.hub.count == 0

    async def test_nothing_of_another_store(self, acme: Store, globex: Store) -> None:
        theirs = await globex.sale(3)
        async with watching(acme) as stream, watching(globex) as twin:
            await sold(globex, theirs)
            await relay(globex)
            await relay(acme)
            await asyncio.sleep(0.6)
            mine, others = await stream.seen(), await twin.seen()
        assert names(mine) == ["open"]
        assert [event for event in mine if event.type == "sale.progress"] == []
        assert "order.delivered" in names(others)
        assert any(event.data["sale_id"] == theirs for event in others if event.type == "sale.progress")

    async def test_a_rush_is_told_in_numbers(self, acme: Store) -> None:
        """Nobody's order is told when it is reserved: how far the sale has sold is, once a second."""
        sale = await acme.sale(9)
        async with watching(acme, types="sale.progress") as stream:
            await asyncio.sleep(0.5)
            for _ in range(4):
                await acme.order(await acme.guest(), sale, 2)
            await asyncio.sleep(1)
            seen = await stream.seen()
        told = [event.data for event in seen if event.type == "sale.progress"]
        assert (told[0]["available"], told[-1]["available"], told[-1]["committed"]) == (9, 1, 8)
        assert sum(each["reserved"] for each in told) == 8
        assert len(told) <= 5
        assert all(event.id is None for event in seen if event.type == "sale.progress")

    async def test_no_contact_and_no_code(self, acme: Store) -> None:
        sale = await acme.sale(1)
        async with watching(acme) as stream:
            shopper = await acme.guest()
            headers = shopper | {"Idempotency-Key": "one"}
            body = {"sale_id": sale, "quantity": 1, "contact": "canary@example.org"}
            order = (await acme.ask("POST", "/v1/checkouts", headers, body))["id"]
            await pay(acme, order)
            await relay(acme)
            await stream.seen()
            text = (await stream.asking).text
        assert order in text
        assert "canary" not in text

    async def test_heartbeats(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(events, "HEARTBEAT_S", 0.2)
        response = await acme.client.get(URL, headers=acme.merchant, params={"seconds": 1, "types": "order.*"})
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.text.replace("\r", "").count(": still here\n\n") >= 3


class TestTypes:
    async def test_only_those_that_are_asked_for(self, acme: Store) -> None:
        sale = await acme.sale(3)
        async with watching(acme, types="order.delivered,vault.*") as stream:
            await sold(acme, sale)
            await relay(acme)
            seen = await stream.seen()
        assert [event.type for event in seen] == ["open", "order.delivered"]

    async def test_one_there_is_not(self, client: httpx.AsyncClient, acme: Store) -> None:
        for types in ("order.reserved", "nonsense", "order.paid,", "*"):
            response = await client.get(URL, headers=acme.merchant, params={"types": types})
            assert (response.status_code, response.json()["code"]) == (422, "unknown_event_type"), types

    async def test_a_key_sees_what_it_may(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale = await acme.sale(3)
        key = await acme.key_with("sales:read")
        async with watching(acme, key) as stream:
            await sold(acme, sale)
            await acme.ask("POST", f"/v1/sales/{sale}/pause", acme.merchant)
            await relay(acme)
            seen = await stream.seen()
        assert "sale.paused" in names(seen)
        assert not any(name.startswith("order.") for name in names(seen))
        response = await client.get(URL, headers=key, params={"types": "order.paid"})
        assert (response.status_code, response.json()["permission"]) == (403, "orders:read")


class TestResume:
    async def test_from_where_one_was(self, acme: Store) -> None:
        sale = await acme.sale(5)
        await relay(acme)
        [opened] = [event for event in await seen_by(acme) if event.type == "open"]
        first = await sold(acme, sale)
        await relay(acme)
        second = await sold(acme, sale)
        await relay(acme)
        for asked in ({"headers": acme.merchant | {"Last-Event-ID": str(opened.id)}}, {"last_event_id": opened.id}):
            seen = await seen_by(acme, **asked)  # type: ignore[arg-type]
            assert [event.data["data"]["order_id"] for event in seen if event.type == "order.delivered"] == [first, second]
            assert names(seen)[-1] == "resumed"
            assert "gap" not in names(seen)
        middle = next(event.id for event in seen if event.type == "order.delivered")
        seen = await seen_by(acme, last_event_id=middle)
        assert [event.data["data"]["order_id"] for event in seen if event.type == "order.delivered"] == [second]

    async def test_more_than_is_told_again(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(events, "RESUMED_MAX", 2)
        sale = await acme.sale(9)
        await relay(acme)
        [opened] = [event for event in await seen_by(acme) if event.type == "open"]
        orders = [await sold(acme, sale) for _ in range(5)]
        await relay(acme)
        seen = await seen_by(acme, last_event_id=opened.id)
        assert names(seen) == ["open", "gap", "order.paid", "order.delivered", "order.paid", "order.delivered", "resumed"]
        assert [event.data for event in seen if event.type == "gap"] == [{"reason": "too_old", "missed": 3}]
        assert [event.data["data"]["order_id"] for event in seen if event.type == "order.paid"] == orders[-2:]

    async def test_events_that_are_forgotten(self, acme: Store) -> None:
        sale = await acme.sale(9)
        await relay(acme)
        [opened] = [event for event in await seen_by(acme) if event.type == "open"]
        [gone, kept] = [await sold(acme, sale) for _ in range(2)]
        await relay(acme)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = """DELETE FROM event_entry WHERE tenant_id = $1 AND id IN (
                         SELECT id FROM outbox WHERE tenant_id = $1 AND payload::text LIKE '%' || $2 || '%')"""
            await tx.conn.execute(sql, tx.tenant_id, str(decode("ord", gone)))
        seen = await seen_by(acme, last_event_id=opened.id)
        assert names(seen) == ["open", "gap", "order.paid", "order.delivered", "resumed"]
        assert [event.data["data"]["order_id"] for event in seen if event.type == "order.delivered"] == [kept]

    @pytest.mark.parametrize("cursor", ["999999", "-1", "x", "1" * 32])
    async def test_a_cursor_of_nowhere(self, acme: Store, cursor: str) -> None:
        seen = await seen_by(acme, last_event_id=cursor)
        assert names(seen) == ["open", "gap"]
        assert seen[1].data == {"reason": "unknown", "missed": None}


class TestBounds:
    async def test_too_many_of_a_store(
        self, client: httpx.AsyncClient, acme: Store, globex: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(viewers, "OF_TENANT_MAX", 1)
        async with watching(acme):
            response = await client.get(URL, headers=acme.merchant)
            assert (response.status_code, response.json()["code"]) == (429, "busy")
            assert int(response.headers["retry-after"]) > 0
            assert names(await seen_by(globex)) == ["open"]

    async def test_too_many_of_a_process(self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(viewers, "VIEWERS_MAX", 0)
        assert (await client.get(URL, headers=acme.merchant)).status_code == 429
        assert acme.process.hub.count == 0

    async def test_one_look_whatever_the_number_of_viewers(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        looks = []
        look = acme.process.hub._look

        async def counted(*args: Any, **named: Any) -> None:
            looks.append(args[0])
            await look(*args, **named)

        monkeypatch.setattr(acme.process.hub, "_look", counted)
        monkeypatch.setattr(viewers, "UNASKED_S", 30.0)
        async with watching(acme), watching(acme), watching(acme), watching(acme) as stream:
            await acme.audited()
            await stream.seen()
        assert len(looks) <= 2

    async def test_a_rush_of_events(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """More events than are told in one look: the newest are, and how many are not."""
        monkeypatch.setattr(viewers, "AT_ONCE", 2)
        sale = await acme.sale(9)
        await relay(acme)
        async with watching(acme, types="order.delivered") as stream:
            for _ in range(5):
                await sold(acme, sale)
            await relay(acme)
            seen = await stream.seen()
        assert [event.type for event in seen] == ["open", "gap", "order.delivered", "order.delivered"]
        assert seen[1].data == {"reason": "too_many", "missed": 3}

    def test_a_slow_viewer_is_told_of_a_gap(self, acme: Store) -> None:
        viewer = Viewer(acme.tenant_id, "", frozenset({"order.paid", "sale.progress"}), frozenset({"orders:read", "sales:read"}))
        for seq in range(1, 3 * QUEUE_MAX):
            viewer.tell(Message("order.paid", seq, said("order.paid", {}, id_=str(seq))))
            viewer.tell_progress("sal_1", said("sale.progress", {"committed": seq}))
        found = parsed(viewer.take().decode())
        assert len(found) <= QUEUE_MAX + 2
        assert found[0] == Event("gap", str(2 * QUEUE_MAX), {"reason": "too_many", "missed": 2 * QUEUE_MAX})
        assert found[1].id == str(2 * QUEUE_MAX + 1)
        assert [event.data for event in found if event.type == "sale.progress"] == [{"committed": 3 * QUEUE_MAX - 1}]

    async def test_who_takes_nothing_is_let_go(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        viewer = Viewer(acme.tenant_id, acme.key, frozenset(), frozenset())
        await acme.process.hub.join(viewer)
        monkeypatch.setattr(viewers, "STUCK_S", 0.0)
        await until(lambda: acme.process.hub.count == 0)
        assert viewer.ended == "stuck"


class TestEnds:
    """Within two seconds, as everywhere."""

    async def ended(self, stream: Watching, began: float) -> str:
        seen = await stream.seen(whole=True)
        assert time.monotonic() - began < 2
        assert stream.process.hub.count == 0
        return str(seen[-1].data["reason"])

    async def test_a_session_that_is_revoked(self, acme: Store) -> None:
        session = await acme.session(await acme.owner())
        async with watching(acme, session, seconds=20) as stream:
            await acme.ask("DELETE", "/v1/sessions/current", session)
            assert await self.ended(stream, time.monotonic()) == "revoked"

    async def test_a_key_that_is_revoked_elsewhere(self, acme: Store) -> None:
        """Not through this process: what it remembers does not help."""
        key = await acme.key_with("orders:read")
        async with watching(acme, key, seconds=20) as stream:
            async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                await tx.conn.execute("UPDATE api_key SET revoked_at = now() WHERE tenant_id = $1 AND name = 'limited'", tx.tenant_id)
            assert await self.ended(stream, time.monotonic()) == "revoked"

    async def test_a_store_that_is_suspended(self, client: httpx.AsyncClient, acme: Store) -> None:
        async with watching(acme, seconds=20) as stream:
            async with platform_tx(acme.process.platform_pool) as conn:
                await conn.execute("UPDATE tenant SET suspended_at = now(), suspended_for = 'x' WHERE id = $1", acme.tenant_id)
            assert await self.ended(stream, time.monotonic()) == "suspended"
        response = await client.get(URL, headers=acme.merchant)
        assert (response.status_code, response.json()["code"]) == (403, "store_suspended")

    async def test_a_permission_that_is_taken_away(self, acme: Store) -> None:
        sale = await acme.sale(3)
        key = await acme.key_with("orders:read", "sales:read")
        async with watching(acme, key) as stream:
            async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                await tx.conn.execute("UPDATE api_key SET scopes = '{sales:read}' WHERE tenant_id = $1 AND name = 'limited'", tx.tenant_id)
            await asyncio.sleep(1.3)
            await sold(acme, sale)
            await relay(acme)
            seen = await stream.seen()
        assert not any(name.startswith("order.") for name in names(seen))

    async def test_a_process_that_stops(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        async with watching(acme, seconds=20) as stream:
            monkeypatch.setattr(acme.process.hub, "stopping", True)
            assert await self.ended(stream, time.monotonic()) == "stopping"


class TestNumbers:
    async def test_no_gap_whoever_relays(self, acme: Store) -> None:
        """Several relays at once, and one that is interrupted: numbers without a gap, each given once."""
        sale = await acme.sale(20)
        for _ in range(4):
            for _ in range(3):
                await sold(acme, sale)
            await asyncio.gather(*(relay(acme) for _ in range(3)))
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            rows = await tx.conn.fetch("SELECT seq, id FROM event_entry WHERE tenant_id = $1 ORDER BY seq", tx.tenant_id)
            seqs = [row["seq"] for row in rows]
            sent = await tx.conn.fetchval("SELECT count(*) FROM outbox WHERE tenant_id = $1 AND next_try_at IS NULL", tx.tenant_id)
            head = await tx.conn.fetchval("SELECT seq FROM event_head WHERE tenant_id = $1", tx.tenant_id)
        assert seqs == list(range(1, head + 1))
        assert len({row["id"] for row in rows}) == sent >= 13

    async def test_only_the_newest_are_listed(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(event_log, "KEPT", 3)
        sale = await acme.sale(9)
        for _ in range(3):
            await sold(acme, sale)
            await sold(acme, sale)
            await relay(acme)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            rows = await tx.conn.fetch("SELECT seq FROM event_entry WHERE tenant_id = $1 ORDER BY seq", tx.tenant_id)
            assert [row["seq"] for row in rows] == list(range(await event_log.head(tx) - len(rows) + 1, await event_log.head(tx) + 1))
        assert 3 <= len(rows) <= 5
