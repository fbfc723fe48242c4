"""The live feed of a sale."""

import asyncio

import httpx
import msgspec
import pytest

from api import feed
from tests.shop import Store


def moments(text: str) -> list[feed.Moment]:
    lines = [line.removeprefix("data: ") for line in text.replace("\r", "").split("\n") if line.startswith("data: ")]
    return [msgspec.json.decode(line, type=feed.Moment) for line in lines]


class TestWatch:
    async def test_without_a_key(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.get(f"/v1/sales/{await acme.sale()}/feed")).status_code == 401

    async def test_another_stores_sale(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        assert (await client.get(f"/v1/sales/{await globex.sale()}/feed", headers=acme.merchant)).status_code == 404

    async def test_stock_and_rate_until_the_end(self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(feed, "EVERY_S", 0.2)
        sale = await acme.sale(5)
        watching = asyncio.create_task(client.get(f"/v1/sales/{sale}/feed", headers=acme.merchant))
        await asyncio.sleep(0.1)
        await acme.order(await acme.guest(), sale, 2)
        await asyncio.sleep(0.6)
        await acme.ask("POST", f"/v1/sales/{sale}/end", acme.merchant)
        answer = await watching
        assert answer.headers["content-type"].startswith("text/event-stream")
        seen = moments(answer.text)
        assert (seen[0].available, seen[-1].state, seen[-1].available) == (5, "ended", 0)
        assert max(moment.per_s for moment in seen) == pytest.approx(10)
        assert feed.viewers.count == 0

    async def test_too_many_watch(self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(feed, "VIEWERS_MAX", 0)
        assert (await client.get(f"/v1/sales/{await acme.sale()}/feed", headers=acme.merchant)).status_code == 429
