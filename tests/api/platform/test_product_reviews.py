"""Reviewing products: what waits, what shoppers see meanwhile, and what the decisions do."""

from typing import Any

import httpx
import pytest

from api.process import Process
from checkout_core.ids import decode
from tenants.catalog import review
from tests.pictures import picture
from tests.platform import signed_in
from tests.shop import Store


class Desk:
    """A store whose products are reviewed, and somebody who reviews them."""

    def __init__(self, store: Store, staff: dict[str, str]) -> None:
        self.store = store
        self.staff = staff
        self.at = f"/v1/platform/merchants/ten_{store.tenant_id.hex}"

    async def rule(self, mode: str) -> None:
        await self.store.ask("PUT", f"{self.at}/product-review-rule", self.staff, {"mode": mode})

    async def waiting(self) -> list[str]:
        found, cursor = [], ""
        while cursor is not None:  # other tests' products wait in the same platform
            page = await self.store.ask("GET", f"/v1/platform/product-reviews?limit=100{cursor and f'&cursor={cursor}'}", self.staff)
            found, cursor = found + page["reviews"], page["next_cursor"]
        return [each["id"] for each in found if each["merchant_id"] == f"ten_{self.store.tenant_id.hex}"]

    async def decide(self, act: str, which: str | None = None) -> dict[str, Any]:
        [review_id] = [which] if which else await self.waiting()
        body = {"reasons": ["It says what is not so."]} if act == "refuse" else {}
        answer: dict[str, Any] = await self.store.ask("POST", f"{self.at}/product-reviews/{review_id}/{act}", self.staff, body)
        return answer

    async def on_sale(self, name: str = "one") -> str:
        """A published product with a sale; its id."""
        product = await self.store.product(name)
        await self.store.sale(units=1, sku_id=await self.store.sku(1, product_id=product))
        return product

    async def edit(self, product: str, **changes: Any) -> dict[str, Any]:
        headers = self.store.merchant | {"If-Match": "*"}
        answer: dict[str, Any] = await self.store.ask("PATCH", f"/v1/products/{product}", headers, changes)
        return answer

    async def seen(self, locale: str = "") -> list[tuple[str, str]]:
        """What shoppers see: names of products and of their SKUs."""
        offers = (await self.store.ask("GET", f"/v1/storefront?locale={locale}", self.store.at))["sales"]
        products = (await self.store.ask("GET", f"/v1/storefront/products?locale={locale}", self.store.at))["products"]
        assert [each["name"] for each in products] == [each["product_name"] for each in offers]
        return [(each["product_name"], each["sku_name"]) for each in offers]

    async def said(self, product: str) -> str:
        answer = await self.store.ask("GET", f"/v1/products/{product}", self.store.merchant)
        return str(answer["moderation"])


@pytest.fixture
async def desk(process: Process, acme: Store) -> Desk:
    return Desk(acme, await signed_in(process, "reviewer"))


class TestOff:
    async def test_nothing_waits(self, desk: Desk) -> None:
        await desk.edit(await desk.on_sale(), name="two")
        assert await desk.waiting() == []
        assert await desk.seen() == [("two", "100")]

    async def test_who_may_ask_for_it(self, client: httpx.AsyncClient, process: Process, desk: Desk) -> None:
        path, body = f"{desk.at}/product-review-rule", {"mode": "after"}
        for headers, status in (({}, 401), (desk.store.merchant, 401), (await signed_in(process, "support"), 403)):
            assert (await client.put(path, json=body, headers=headers)).status_code == status
        nobodys = f"/v1/platform/merchants/ten_{'0' * 32}/product-review-rule"
        assert (await client.put(nobodys, json=body, headers=desk.staff)).status_code == 404


class TestAfter:
    async def test_is_shown_while_it_waits_and_hidden_at_once_when_refused(self, client: httpx.AsyncClient, desk: Desk) -> None:
        await desk.rule("after")
        product = await desk.on_sale()
        await desk.edit(product, description="New words.")
        assert await desk.seen() == [("one", "100")]
        [waits] = await desk.waiting()
        looked = await desk.store.ask("GET", f"{desk.at}/product-reviews/{waits}", desk.staff)
        assert (looked["name"], looked["description"], looked["state"]) == ("one", "New words.", "waiting")
        assert [sku["name"] for sku in looked["skus"].values()] == ["100"]

        assert (await desk.decide("refuse"))["state"] == "refused"
        assert await desk.seen() == []
        assert (await client.get(f"/v1/storefront/products/{product}", headers=desk.store.at)).status_code == 404
        told = (await desk.store.ask("GET", f"/v1/products/{product}/reviews", desk.store.merchant))["reviews"]
        assert (told[0]["state"], told[0]["reasons"]) == ("refused", ["It says what is not so."])
        assert await desk.said(product) == "refused"

        # The next edit is looked at before it is shown: what was refused does not come back by itself.
        await desk.edit(product, description="Better words.")
        assert await desk.seen() == []
        await desk.decide("approve")
        assert await desk.seen() == [("one", "100")]

    async def test_the_owner_is_told_by_mail_once_and_both_records_have_it(self, process: Process, desk: Desk) -> None:
        await desk.rule("after")
        product = await desk.on_sale()
        await desk.decide("refuse")
        async with process.platform_pool.acquire() as conn:
            sql = "SELECT action FROM platform_audit WHERE tenant_id = $1 ORDER BY id"
            actions = [row["action"] for row in await conn.fetch(sql, desk.store.tenant_id)]
        assert actions == ["product_review.set", "product.refused"]
        assert (await desk.store.audited()).count("product.refused") == 1
        async with process.app_pool.acquire() as conn, conn.transaction():
            await conn.execute(f"SELECT set_config('app.tenant_id', '{desk.store.tenant_id.hex}', true)")
            mails = await conn.fetch("SELECT recipient, content FROM mail WHERE template = 'product_refused'")
        assert [row["recipient"] for row in mails] == [desk.store.mail]
        assert "It says what is not so." in mails[0]["content"]
        assert product

    async def test_an_edit_while_it_waits_is_what_waits(self, client: httpx.AsyncClient, desk: Desk) -> None:
        await desk.rule("after")
        product = await desk.on_sale()
        [first] = await desk.waiting()
        await desk.edit(product, name="two")
        [second] = await desk.waiting()
        assert first != second
        late = await client.post(f"{desk.at}/product-reviews/{first}/approve", json={}, headers=desk.staff)
        assert (late.status_code, late.json()["code"], late.json()["state"]) == (409, "wrong_state", "withdrawn")

    async def test_another_merchants_review_is_not_found(self, client: httpx.AsyncClient, desk: Desk, globex: Store) -> None:
        await desk.rule("after")
        await desk.on_sale()
        [waits] = await desk.waiting()
        response = await client.post(
            f"/v1/platform/merchants/ten_{globex.tenant_id.hex}/product-reviews/{waits}/approve", json={}, headers=desk.staff
        )
        assert response.status_code == 404


class TestBefore:
    async def test_is_not_shown_before_it_was_approved(self, desk: Desk) -> None:
        await desk.rule("before")
        product = await desk.on_sale()
        assert (await desk.seen(), await desk.said(product)) == ([], "waiting")
        await desk.decide("approve")
        assert (await desk.seen(), await desk.said(product)) == ([("one", "100")], "clear")

    async def test_shoppers_see_what_was_approved_while_an_edit_waits(self, client: httpx.AsyncClient, desk: Desk) -> None:
        product = await desk.on_sale()
        sku = (await desk.store.ask("GET", f"/v1/skus?product_id={product}", desk.store.merchant))["skus"][0]["id"]
        await desk.store.ask("PUT", f"/v1/translations/{product}/en", desk.store.merchant, {"name": "one in English"})
        await desk.rule("before")
        headers = desk.store.merchant | {"Content-Type": "image/png"}
        await desk.edit(product, name="two")
        await desk.store.ask("PATCH", f"/v1/skus/{sku}", desk.store.merchant | {"If-Match": "*"}, {"name": "one hundred"})
        await desk.store.ask("PUT", f"/v1/translations/{product}/en", desk.store.merchant, {"name": "two in English"})
        added = await client.post(f"/v1/products/{product}/images", content=picture(), headers=headers)
        assert await desk.seen() == [("one", "100")]
        assert await desk.seen("en") == [("one in English", "100")]
        assert (await desk.store.ask("GET", "/v1/storefront", desk.store.at))["sales"][0]["images"] == []

        await desk.decide("approve")
        assert await desk.seen() == [("two", "one hundred")]
        assert await desk.seen("en") == [("two in English", "one hundred")]
        assert (await desk.store.ask("GET", "/v1/storefront", desk.store.at))["sales"][0]["images"] == [added.json()["path"]]

    async def test_a_refused_edit_leaves_what_was_approved(self, desk: Desk) -> None:
        product = await desk.on_sale()
        await desk.rule("before")
        await desk.edit(product, name="two")
        await desk.decide("refuse")
        assert (await desk.seen(), await desk.said(product)) == ([("one", "100")], "refused")
        await desk.edit(product, name="three")
        assert await desk.seen() == [("one", "100")]
        await desk.decide("approve")
        assert await desk.seen() == [("three", "100")]

    async def test_a_picture_that_was_approved_is_served_until_its_removal_is(self, client: httpx.AsyncClient, desk: Desk) -> None:
        product = await desk.on_sale()
        headers = desk.store.merchant | {"Content-Type": "image/png"}
        made = (await client.post(f"/v1/products/{product}/images", content=picture(), headers=headers)).json()
        await desk.rule("before")
        await client.delete(f"/v1/products/{product}/images/{made['id']}", headers=desk.store.merchant)
        assert (await desk.store.ask("GET", "/v1/storefront", desk.store.at))["sales"][0]["images"] == [made["path"]]
        assert (await client.get(made["path"], headers=desk.store.at)).status_code == 200
        await desk.decide("approve")
        assert (await desk.store.ask("GET", "/v1/storefront", desk.store.at))["sales"][0]["images"] == []

    async def test_a_new_sku_is_shown_when_it_was_approved(self, desk: Desk) -> None:
        product = await desk.on_sale()
        await desk.rule("before")
        await desk.store.sale(units=1, sku_id=await desk.store.sku(1, product_id=product, name="rude"))
        assert await desk.seen() == [("one", "100")]
        await desk.decide("approve")
        assert len((await desk.store.ask("GET", "/v1/storefront", desk.store.at))["sales"]) == 2

    async def test_a_file_does_not_go_round_it(self, client: httpx.AsyncClient, desk: Desk) -> None:
        product = await desk.on_sale()
        await desk.edit(product, reference="P")
        await desk.rule("before")
        file = b"reference,product_reference,product_name,price\nA,P,two,1\n"
        loaded = await client.post("/v1/catalog/imports", content=file, headers=desk.store.merchant | {"Content-Type": "text/csv"})
        assert loaded.json()["products_changed"] == 1
        assert await desk.seen() == [("one", "100")]
        await desk.decide("approve")
        assert await desk.seen() == [("two", "100")]

    async def test_what_was_approved_needs_no_second_look(self, desk: Desk) -> None:
        await desk.rule("before")
        product = await desk.on_sale()
        await desk.decide("approve")
        await desk.edit(product, state="draft")
        await desk.edit(product, state="published")
        assert (await desk.waiting(), await desk.seen()) == ([], [("one", "100")])

    async def test_taken_down_it_waits_no_more(self, desk: Desk) -> None:
        await desk.rule("before")
        product = await desk.on_sale()
        await desk.edit(product, state="draft")
        assert (await desk.waiting(), await desk.said(product)) == ([], "clear")
        await desk.edit(product, state="published")
        assert (len(await desk.waiting()), await desk.seen()) == (1, [])

    async def test_switched_off_everything_goes_through(self, desk: Desk) -> None:
        await desk.rule("before")
        product = await desk.on_sale()
        await desk.rule("off")
        assert (await desk.waiting(), await desk.seen(), await desk.said(product)) == ([], [("one", "100")], "clear")


async def test_without_the_watch_an_edit_would_be_shown_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: what holds an edit back is `watching`, and the tests above would see it gone."""

    async def no_rule(tx: object) -> str:
        return review.OFF

    product = await desk.on_sale()
    await desk.rule("before")
    monkeypatch.setattr(review, "mode_of", no_rule)
    await desk.edit(product, name="two")
    assert await desk.seen() == [("two", "100")]
    assert decode("prd", product)
