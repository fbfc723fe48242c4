"""What visitors see of a store, and how a store is found."""

import asyncio

import httpx
import pytest

from api.process import Process
from tests.api.test_sales import in_seconds
from tests.mails import token
from tests.shop import Store


class TestStorefront:
    async def test_shows_true_stock(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale = await acme.sale(units=3)
        await acme.order(await acme.guest(), sale, quantity=2)
        offer = (await acme.ask("GET", "/v1/storefront", acme.at))["sales"][0]
        assert (offer["id"], offer["stock"], offer["state"], offer["product_name"]) == (sale, 1, "open", "Steam 100")
        assert await acme.ask("GET", f"/v1/storefront/sales/{sale}", acme.at) == offer

    async def test_says_nothing_of_other_stores(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        sale = await acme.sale()
        assert (await globex.ask("GET", "/v1/storefront", globex.at))["sales"] == []
        foreign = await client.get(f"/v1/storefront/sales/{sale}", headers=globex.at)
        missing = await client.get(f"/v1/storefront/sales/sal_{'0' * 32}", headers=globex.at)
        assert foreign.status_code == missing.status_code == 404
        assert foreign.content == missing.content

    async def test_sales_to_come_and_sales_that_are_over(self, client: httpx.AsyncClient, acme: Store) -> None:
        coming = await acme.sale(starts_at=in_seconds(60))
        over = await acme.sale(ends_at=in_seconds(0.3))
        await asyncio.sleep(0.4)
        offers = (await acme.ask("GET", "/v1/storefront", acme.at))["sales"]
        assert [(offer["id"], offer["state"]) for offer in offers] == [(coming, "not_started")]
        assert (await acme.ask("GET", f"/v1/storefront/sales/{over}", acme.at))["state"] == "ended"

    async def test_may_be_kept_for_a_second(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert "max-age=1" in (await client.get("/v1/storefront", headers=acme.at)).headers["cache-control"]


class TestWhichStore:
    @pytest.mark.parametrize("host", ["{0}", "{0}:8443", "{0}.", "{0}".upper()])
    async def test_by_its_host(self, client: httpx.AsyncClient, acme: Store, host: str) -> None:
        response = await client.get("/v1/storefront", headers={"Host": host.format(acme.host)})
        assert response.json()["store"]["slug"] == acme.slug

    async def test_no_store_is_named(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/v1/storefront")
        assert (response.status_code, response.json()["code"]) == (404, "no_store")

    @pytest.mark.parametrize("slug", ["nobody", "", "x" * 64, "a b", "\x7f"])
    async def test_no_such_store(self, client: httpx.AsyncClient, slug: str) -> None:
        assert (await client.get("/v1/storefront", headers={"X-Tessera-Store": slug})).status_code == 404

    async def test_host_and_header_contradict(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        assert (await client.get("/v1/storefront", headers={"Host": acme.host} | globex.at)).status_code == 400

    async def test_a_store_is_found_within_two_seconds_of_its_sign_up(self, client: httpx.AsyncClient, process: Process) -> None:
        """Somebody asked for it before it was there: the answer "no" is not remembered for longer."""
        headers = {"X-Tessera-Store": "early-bird"}
        assert (await client.get("/v1/storefront", headers=headers)).status_code == 404
        new = {"store": "Early", "slug": "early-bird", "mail": "early@example.org"}
        assert (await client.post("/v1/merchants", json=new)).status_code == 202
        confirmation = {"token": await token(process, new["mail"]), "password": "early birds sing"}
        assert (await client.post("/v1/merchants/confirm", json=confirmation)).status_code == 201
        await asyncio.sleep(2)
        assert (await client.get("/v1/storefront", headers=headers)).status_code == 200


class TestShopperToken:
    async def test_is_good_at_its_own_store_only(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        guest, sale = await acme.guest(), await globex.sale()
        wish = {"sale_id": sale, "quantity": 1}
        response = await client.post("/v1/checkouts", json=wish, headers=guest | globex.at | {"Idempotency-Key": "a"})
        assert response.status_code == 401

    async def test_without_a_store(self, client: httpx.AsyncClient) -> None:
        assert (await client.post("/v1/shopper-tokens")).status_code == 404

    @pytest.mark.parametrize(
        "change", [lambda t: t[:-1], lambda t: t + "A", lambda t: t[:20] + ("A" if t[20] != "A" else "B") + t[21:], str.lower]
    )
    async def test_a_changed_one_is_worthless(self, client: httpx.AsyncClient, acme: Store, change: object) -> None:
        assert callable(change)
        token = (await acme.guest())["Authorization"].removeprefix("Bearer ")
        headers = acme.at | {"Authorization": f"Bearer {change(token)}"}
        assert (await client.get(f"/v1/orders/ord_{'0' * 32}", headers=headers)).status_code == 401
