"""Who ordered, page by page: each once, where his last order stands; exact while the index is behind."""

import datetime as dt
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tenants.orders import index
from tenants.privacy import find
from tests.shop import Store
from tests.tenants.units.stock import rows


async def order(store: Store, who: dict[str, str], sale: str, contact: str | None = None) -> str:
    headers, body = who | {"Idempotency-Key": uuid4().hex}, {"sale_id": sale, "quantity": 1, "contact": contact}
    return str((await store.ask("POST", "/v1/checkouts", headers, body))["id"])


async def paged(store: Store, query: str = "", limit: int = 2) -> list[Any]:
    found, cursor = [], ""
    while True:
        page = await store.ask("GET", f"/v1/shoppers?limit={limit}{query}{cursor}", store.merchant)
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


class TestList:
    async def test_anonymous_and_foreign_and_without_the_permission(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        await order(acme, await acme.guest(), await acme.sale())
        for who, status in ((acme.at, 401), (await acme.key_with("orders:read"), 403)):
            assert (await client.get("/v1/shoppers", headers=who)).status_code == status
        assert (await globex.ask("GET", "/v1/shoppers", globex.merchant))["items"] == []

    async def test_each_once_by_his_last_order(self, acme: Store) -> None:
        sale = await acme.sale(20)
        guests = [await acme.guest() for _ in range(5)]
        for each in (0, 1, 0, 2, 3, 1, 4, 0):
            await order(acme, guests[each], sale, f"g{each}@example.org" if each != 3 else None)
        for limit in (1, 2, 3, 100):
            found = await paged(acme, limit=limit)
            assert [(each["orders"], each["contact"]) for each in found] == [
                (3, "g0@example.org"), (1, "g4@example.org"), (2, "g1@example.org"), (1, None), (1, "g2@example.org"),
            ]  # fmt: skip

    async def test_words_of_any_contact_he_left(self, acme: Store) -> None:
        sale = await acme.sale(20)
        ann, bob = await acme.guest(), await acme.guest()
        for who, contact in ((ann, "ann@work.example"), (bob, "bob@example.org"), (ann, "ann@home.example"), (ann, None)):
            await order(acme, who, sale, contact)
        for _ in range(2):  # while the index is behind, and when it is not
            assert [each["contact"] for each in await paged(acme, "&q=ANN%20work", 1)] == ["ann@home.example"]
            assert [each["orders"] for each in await paged(acme, "&q=ann", 1)] == [3], "two contacts of one shopper"
            assert [each["orders"] for each in await paged(acme, "&q=example", 1)] == [3, 1]
            assert await paged(acme, "&q=nobody") == []
            assert await paged(acme, "&q=Steam") == [], "what he bought is no contact"
            await index.work(acme.process.app_pool, acme.tenant_id)

    async def test_one_with_more_orders_than_a_page_reads(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """A short page goes on where it stopped: nobody is left out, nobody comes twice."""
        monkeypatch.setattr(find, "ORDERS_AT_ONCE", 1)
        monkeypatch.setattr(find, "ROUNDS", 1)
        sale, first, whale = await acme.sale(20), await acme.guest(), await acme.guest()
        await order(acme, first, sale)
        for _ in range(3):
            await order(acme, whale, sale)
        found = await paged(acme)
        assert [each["orders"] for each in found] == [3, 1]
        [(latest,)] = await rows(acme, "SELECT max(created_at) FROM orders WHERE tenant_id = $1")
        assert dt.datetime.fromisoformat(found[0]["last_order_at"]) == latest
