"""Who delivers to whom at the same time: bounded, and fair."""

import asyncio
import time

import pytest

from tenants.webhooks import sender
from tests.postbox import Postbox
from tests.receiver import Hook, Receiver
from tests.shop import Store
from workers import webhooks


class TestHands:
    """Who hangs holds up nobody else."""

    async def test_of_one_tenant_or_another(
        self, acme: Store, globex: Store, receiver: Receiver, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        took_s, hung = await self.play(acme, globex, receiver, postbox, monkeypatch)
        assert 0 < hung <= webhooks.HANDS_PER_TENANT
        assert took_s < 0.9, "the healthy one waited for those that hang"

    async def test_without_the_bound_it_waits(
        self, acme: Store, globex: Store, receiver: Receiver, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(webhooks, "HANDS_PER_TENANT", 1000)
        postbox.postman._hands = asyncio.Semaphore(6)
        took_s, hung = await self.play(acme, globex, receiver, postbox, monkeypatch)
        assert hung == 6
        assert took_s >= 0.9

    async def play(
        self, acme: Store, globex: Store, receiver: Receiver, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
    ) -> tuple[float, int]:
        """Six endpoints of acme hang for a second each; how long globex, who comes last, waits for his webhook."""
        monkeypatch.setattr(sender, "TOTAL_S", 1.0)
        hanging, healthy = [receiver.hook() for _ in range(6)], receiver.hook()
        for each in hanging:
            await postbox.endpoint(acme, each)
            each.does("hang")
        await postbox.endpoint(globex, healthy)
        await acme.sale(1)
        await globex.sale(1)
        await postbox.relay.send(acme.tenant_id)
        await postbox.relay.send(globex.tenant_id)
        begun = time.monotonic()
        for store in (acme, globex):
            for endpoint_id in await postbox.due(store):
                await postbox.postman.call(store.tenant_id, endpoint_id)
        while not healthy.book():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        took_s = time.monotonic() - begun
        hung = sum(bool(each.book()) for each in hanging)
        await postbox.postman.settled()
        return took_s, hung

    async def test_who_failed_has_a_part_of_the_hands_only(
        self, acme: Store, hook: Hook, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(webhooks, "HANDS_FAILING", 0)
        await postbox.endpoint(acme, hook)
        hook.does("error", times=1)
        await acme.sale(1)
        await postbox.run(acme)
        await postbox.later(acme, 60)
        [endpoint] = await postbox.due(acme)
        await postbox.sweep(acme)
        assert len(hook.book()) == 1
        assert await postbox.due(acme) == []
        sql = "SELECT lease, extract(epoch FROM next_try_at - now())::float8 FROM webhook_endpoint WHERE tenant_id = $1 AND id = $2"
        [[lease, wait_s]] = await postbox.rows(acme, sql, endpoint)
        assert lease is None
        assert 1 < wait_s < 3
