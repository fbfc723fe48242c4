"""A worker dies before any of its steps: each webhook comes all the same, in order, and one of them twice at most."""

import asyncio
import datetime as dt
import itertools
from collections.abc import AsyncIterator
from typing import Any, NoReturn
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.ids import new_id
from tenants.db import dsn_for, tenant_tx
from tenants.webhooks import queue
from tenants.webhooks.queue import Claim
from tenants.webhooks.sender import Attempt, Sender
from tests.postbox import Postbox
from tests.receiver import Hook
from tests.shop import Store
from workers.relay import Relay
from workers.webhooks import Postman

TOLD = ["sale.published", "sale.paused", "sale.resumed"]


class Killed(BaseException):
    """Nothing of the process goes on after it."""


class Life:
    """Counts the steps of a process, and ends it at one: its connection is gone, whatever it holds."""

    def __init__(self, conn: asyncpg.Connection, dies_at: int) -> None:
        self.conn, self.dies_at, self.steps = conn, dies_at, 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.dies_at:
            self.die()

    def die(self) -> NoReturn:
        self.conn.terminate()
        raise Killed


class MortalConnection:
    def __init__(self, life: Life) -> None:
        self._life = life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._life.conn, name)
        if name not in ("execute", "fetch", "fetchrow", "fetchval"):
            return found

        async def step(*args: Any) -> Any:
            self._life.step()
            return await found(*args)

        return step


class MortalSender(Sender):
    def __init__(self, life: Life) -> None:
        super().__init__(connections_max=1, loopback=True)
        self._life = life

    async def send(self, *args: Any) -> Attempt:
        self._life.step()
        return await super().send(*args)


class Worker:
    def __init__(self, store: Store, conn: asyncpg.Connection, dies_at: int) -> None:
        self.store, self.life = store, Life(conn, dies_at)
        mortal: Any = MortalConnection(self.life)
        self.relay = Relay(mortal, store.process.redis)
        self.sender = MortalSender(self.life)
        self.postman = Postman(mortal, store.process.keyring, self.sender)

    async def work(self) -> bool:
        """Relay and deliver; whether it lived."""
        try:
            for endpoint_id in await self.relay.send(self.store.tenant_id):
                await self.postman.call(self.store.tenant_id, endpoint_id)
            ended = await asyncio.gather(*self.postman._busy.values(), return_exceptions=True)
            return not any(isinstance(each, Killed) for each in ended)
        except Killed:
            return False
        finally:
            await self.sender.aclose()


async def deaths(store: Store, hook: Hook, postbox: Postbox, worker: type[Worker] = Worker) -> AsyncIterator[list[str]]:
    """What came when a worker died at its first step, its second, and so on, until one lived; each time another took over."""
    await postbox.endpoint(store, hook, *TOLD)
    for dies_at in itertools.count(1):
        before = len(hook.book())
        await postbox.happen(store)
        conn = await asyncpg.connect(dsn_for(store.process.settings, "tessera_app"))
        lived = await worker(store, conn, dies_at).work()
        await conn.close()
        if lived:
            return
        await postbox.run(store)
        await postbox.later(store, queue.LEASE_S)
        await postbox.sweep(store)
        yield [received["type"] for received in hook.book()[before:]]


async def test_each_comes_in_order_and_one_of_them_twice_at_most(acme: Store, hook: Hook, postbox: Postbox) -> None:
    came = [types async for types in deaths(acme, hook, postbox)]
    assert len(came) > 30
    for types in came:
        assert list(dict.fromkeys(types)) == TOLD
        assert len(types) <= len(TOLD) + 1
    assert any(len(types) > len(TOLD) for types in came), "a death between the answer and the note of it"
    states = await postbox.rows(acme, "SELECT DISTINCT state FROM webhook_delivery WHERE tenant_id = $1")
    assert [row["state"] for row in states] == ["delivered"]


class Hasty(Worker):
    """Notes that it was delivered, and then delivers."""

    async def work(self) -> bool:
        said = Attempt(id=new_id(), at=dt.datetime.now(dt.UTC), duration_ms=0, status=200)

        async def deliver(tenant_id: UUID, claim: Claim) -> None:
            head = None
            while True:
                async with tenant_tx(self.postman._pool, tenant_id) as tx:
                    sending = msgspec.structs.replace(said, id=new_id())
                    head = await queue.advance(tx, self.postman._keyring, claim, head, sending if head else None)
                if head is None:
                    return
                async with tenant_tx(self.postman._pool, tenant_id) as tx:
                    sql = "UPDATE webhook_delivery SET state = 'delivered', finished_at = now() WHERE tenant_id = $1 AND id = $2"
                    await tx.conn.execute(sql, tenant_id, head.delivery_id)
                await self.sender.send(head.url, head.secrets, head.event_id, head.body)

        self.postman._deliver = deliver  # type: ignore[method-assign]
        return await super().work()


async def test_noted_before_it_is_sent_one_would_be_lost(acme: Store, hook: Hook, postbox: Postbox) -> None:
    came = TOLD
    async for came in deaths(acme, hook, postbox, Hasty):
        if set(came) != set(TOLD):
            break
    assert set(came) != set(TOLD)
