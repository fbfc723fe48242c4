"""What an order was made of is found again, whatever was edited, imported, translated or decided since."""

import asyncio
import datetime as dt
from typing import Any

import httpx
import pytest

from api.process import Process
from checkout_core import safeties
from checkout_core.ids import decode
from tenants import translations
from tenants.catalog import edits, products
from tenants.db import tenant_tx
from tenants.translations import Translation
from tests.api.catalog.test_imports import loaded
from tests.api.platform.test_product_reviews import Desk
from tests.paying import pay
from tests.pictures import picture
from tests.platform import signed_in
from tests.shop import Store
from tests.tenants.prices.shelf import asked, listed, put

ANY = {"If-Match": "*"}


class Bought:
    """An order, its shopper, and what both are asked by."""

    def __init__(self, store: Store, who: dict[str, str], order: str, sku: str, product: str) -> None:
        self.store, self.who, self.order, self.sku, self.product = store, who, order, sku, product

    @classmethod
    async def of(cls, store: Store, sku: str, quantity: int = 1) -> "Bought":
        who = await store.guest()
        order = await store.order(who, await store.sale(sku_id=sku), quantity)
        product = (await store.ask("GET", f"/v1/skus/{sku}", store.merchant))["product_id"]
        return cls(store, who, order, sku, product)

    async def snapshot(self, headers: dict[str, str] | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = await self.store.ask("GET", f"/v1/orders/{self.order}/snapshot", headers or self.store.merchant)
        return answer

    async def line(self) -> dict[str, Any]:
        [line] = (await self.snapshot())["lines"]
        found: dict[str, Any] = line
        return found


async def written(store: Store) -> int:
    """How many versions there are."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        count: int = await tx.conn.fetchval("SELECT count(*) FROM content_version WHERE tenant_id = $1", tx.tenant_id)
        return count


@pytest.fixture
async def bought(acme: Store) -> Bought:
    product = (await acme.ask("POST", "/v1/products", acme.merchant, {
        "name": "Video", "description": "Films.", "options": [{"name": "Term", "values": ["month", "year"]}],
    }))["id"]  # fmt: skip
    sku = await acme.sku(9, product_id=product, name="Year", choices={"Term": "year"}, face_value="12", usage_note="Sign in.")
    return await Bought.of(acme, sku, 2)


class TestWho:
    async def test_the_shopper_of_it_and_who_may_read_orders(
        self, client: httpx.AsyncClient, acme: Store, globex: Store, bought: Bought
    ) -> None:
        path = f"/v1/orders/{bought.order}/snapshot"
        wanted = [
            ({}, 401), (acme.at, 401), (bought.who, 200), (await acme.guest(), 404), (await acme.key_with("orders:read"), 200),
            (await acme.key_with("catalog:read"), 403), (globex.merchant, 404),
        ]  # fmt: skip
        assert [(await client.get(path, headers=headers)).status_code for headers, _ in wanted] == [status for _, status in wanted]

    async def test_a_shopper_is_told_the_note_once_he_paid_and_never_the_config(self, acme: Store, bought: Bought) -> None:
        async def told() -> tuple[str | None, object]:
            [line] = (await bought.snapshot(bought.who))["lines"]
            return line["sku"]["usage_note"], line["sku"]["config"]

        assert await told() == (None, None)
        await pay(acme, bought.order)
        assert await told() == ("Sign in.", None)
        line = await bought.line()
        assert (line["sku"]["usage_note"], line["sku"]["config"]) == ("Sign in.", {})


class TestContent:
    async def test_says_what_was_said(self, bought: Bought) -> None:
        line = await bought.line()
        assert (line["quantity"], line["unit_price_minor"], line["amount_minor"], line["priced_by"]) == (2, 9900, 19_800, None)
        assert (line["product"]["name"], line["product"]["description"]) == ("Video", "Films.")
        said = {name: line["sku"][name] for name in ("name", "choices", "face_value", "price_minor", "currency", "type")}
        assert said == {
            "name": "Year", "choices": {"Term": "year"}, "face_value": "12", "price_minor": 9900, "currency": "CNY", "type": "code",
        }  # fmt: skip
        order = (await bought.snapshot())["created_at"]
        assert line["sku"]["since"] < order
        assert line["product"]["since"] < order

    async def test_stays_whatever_is_edited(self, acme: Store, bought: Bought) -> None:
        before = await bought.snapshot()
        await acme.ask("PATCH", f"/v1/products/{bought.product}", acme.merchant | ANY, {"name": "Other", "description": "Other."})
        await acme.ask("PATCH", f"/v1/skus/{bought.sku}", acme.merchant | ANY, {"name": "Other", "usage_note": "Other."})
        await acme.ask("POST", "/v1/skus/edits", acme.merchant, {"sku_ids": [bought.sku], "price_minor": 1})
        for subject in (bought.product, bought.sku):
            await acme.ask("PUT", f"/v1/translations/{subject}/en", acme.merchant, {"name": "Other"})
        response = await acme.client.post(
            f"/v1/products/{bought.product}/images", content=picture(), headers=acme.merchant | {"Content-Type": "image/png"}
        )
        assert response.status_code == 201
        assert await bought.snapshot() == before
        # Each of them is found by whoever orders from now on.
        line = await (await Bought.of(acme, bought.sku)).line()
        product, sku = line["product"], line["sku"]
        assert (product["name"], product["description"], len(product["images"])) == ("Other", "Other.", 1)
        assert product["translations"] == {"en": {"name": "Other", "description": None}}
        assert (sku["name"], sku["usage_note"], sku["price_minor"], sku["translations"]) == ("Other", "Other.", 1, {"en": "Other"})

    async def test_stays_whatever_a_file_says(self, acme: Store) -> None:
        head = "reference,product_reference,product_name,name,price\n"
        await loaded(acme, f"{head}R1,P1,Video,Year,99\nR2,P1,,Month,9\n")
        [sku] = [each["id"] for each in (await acme.ask("GET", "/v1/skus", acme.merchant))["skus"] if each["reference"] == "R1"]
        await acme.load(sku, 3)
        bought = await Bought.of(acme, sku)
        before = await bought.snapshot()
        assert (before["lines"][0]["sku"]["name"], before["lines"][0]["product"]["name"]) == ("Year", "Video")
        versions = await written(acme)
        await loaded(acme, f"{head}R1,P1,Films,Twelve months,98\nR2,P1,,Month,9\n")
        assert await bought.snapshot() == before
        assert await written(acme) == versions + 2  # one of the product, one of the SKU that changed

    async def test_what_says_nothing_new_writes_nothing(self, acme: Store, bought: Bought) -> None:
        before = await written(acme)
        await acme.ask("PATCH", f"/v1/products/{bought.product}", acme.merchant | ANY, {"reference": "P-1", "state": "draft"})
        await acme.ask("PATCH", f"/v1/skus/{bought.sku}", acme.merchant | ANY, {"reference": "S-1", "cost_minor": 5})
        await acme.ask("POST", "/v1/skus/edits", acme.merchant, {"sku_ids": [bought.sku], "price_minor": 9900, "state": "draft"})
        await pay(acme, bought.order)
        assert await written(acme) == before

    async def test_one_of_before_anything_was_written_down_has_the_first_that_was(self, acme: Store, bought: Bought) -> None:
        """As an order of before the migration."""
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = "UPDATE orders SET created_at = created_at - interval '1 day' WHERE tenant_id = $1 RETURNING created_at"
            at: dt.datetime = await tx.conn.fetchval(sql, tx.tenant_id)
        line = await bought.line()
        assert line["sku"]["name"] == "Year"
        assert dt.datetime.fromisoformat(line["sku"]["since"]) > at


class TestPricedBy:
    async def test_the_version_and_its_list_also_when_both_are_over(self, acme: Store, bought: Bought) -> None:
        """As whoever sells by lists leaves it on the line."""
        gold = await listed(acme, (bought.sku, 2, 9000), name="Gold")
        [price] = await asked(acme, (bought.sku, 2))
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = "INSERT INTO order_line (tenant_id, order_id, sale_id, sku_id, quantity, unit_price_minor, price_id, amount_minor) "
            sql += "SELECT $1, $2, $3, $4, 2, $5, $6, 18000"
            sale = decode("sal", await acme.sale(sku_id=bought.sku))
            ids = (decode("ord", bought.order), sale, decode("sku", bought.sku), price.unit_minor, price.price_id)
            await tx.conn.execute(sql, tx.tenant_id, *ids)
        await put(acme, gold, (bought.sku, 2, 8000))
        await acme.ask("DELETE", f"/v1/price-lists/{gold}", acme.merchant)
        [line] = [each for each in (await bought.snapshot(bought.who))["lines"] if each["priced_by"]]
        by = line["priced_by"]
        assert (by["list_id"], by["list_name"], by["least_quantity"], by["unit_minor"]) == (gold, "Gold", 2, 9000)
        assert line["amount_minor"] == 18_000


class TestReviewed:
    async def desk(self, process: Process, store: Store, mode: str) -> Desk:
        desk = Desk(store, await signed_in(process, "reviewer"))
        await desk.rule(mode)
        return desk

    async def test_what_waits_is_not_what_was_bought_and_approved_it_is(self, process: Process, acme: Store) -> None:
        sku = await acme.sku(9, product_id=await acme.product("one"), name="Year")
        desk = await self.desk(process, acme, "before")
        first = await Bought.of(acme, sku)
        await desk.edit(first.product, name="two", description="New.")
        await acme.ask("PATCH", f"/v1/skus/{sku}", acme.merchant | ANY, {"name": "Twelve months", "price_minor": 9800})
        waiting = await Bought.of(acme, sku)
        await desk.decide("approve")
        approved = await Bought.of(acme, sku)
        seen = [
            (line["product"]["name"], line["product"]["description"], line["sku"]["name"], line["sku"]["price_minor"])
            for line in [await each.line() for each in (first, waiting, approved)]
        ]
        assert seen == [("one", "", "Year", 9900), ("one", "", "Year", 9800), ("two", "New.", "Twelve months", 9800)]

    async def test_a_refusal_later_takes_nothing_back(self, process: Process, acme: Store) -> None:
        desk = await self.desk(process, acme, "after")
        sku = await acme.sku(9, product_id=await acme.product("one"))
        bought = await Bought.of(acme, sku)
        before = await bought.snapshot(bought.who)
        await desk.decide("refuse")
        assert await bought.snapshot(bought.who) == before
        assert before["lines"][0]["product"]["name"] == "one"

    async def test_letting_all_through_shows_what_waited(self, process: Process, acme: Store) -> None:
        sku = await acme.sku(9, product_id=await acme.product("one"))
        desk = await self.desk(process, acme, "before")
        first = await Bought.of(acme, sku)
        await desk.edit(first.product, name="two")
        await desk.rule("off")
        second = await Bought.of(acme, sku)
        assert [(await each.line())["product"]["name"] for each in (first, second)] == ["one", "two"]


class TestAtOnce:
    """Two edits of a product that overlap: the second one's version holds what both have said."""

    async def version(self, store: Store) -> dict[str, Any]:
        product = decode("prd", await store.product("one"))
        pool, named = store.process.app_pool, asyncio.Event()

        async def translate() -> None:
            async with tenant_tx(pool, store.tenant_id) as tx:
                await translations.put(tx, f"prd_{product.hex}", Translation("en", "First", None), actor="test")
                named.set()
                await asyncio.sleep(0.2)

        async def describe() -> None:
            await named.wait()
            async with tenant_tx(pool, store.tenant_id) as tx:
                await products.change_product(tx, product, {"description": "Second"}, version=None, actor="test")

        await asyncio.gather(translate(), describe())
        async with tenant_tx(pool, store.tenant_id) as tx:
            sql = """SELECT content ->> 'description' AS description, content #>> '{translations,en,name}' AS name FROM content_version
                     WHERE tenant_id = $1 AND subject_id = $2 ORDER BY since DESC LIMIT 1"""
            return dict(await tx.conn.fetchrow(sql, tx.tenant_id, product))

    async def test_both_are_kept(self, acme: Store) -> None:
        assert await self.version(acme) == {"description": "Second", "name": "First"}

    async def test_without_the_line_one_is_lost(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(safeties, "_off", frozenset({"edit_line"}))
        assert None in (await self.version(acme)).values()

    async def test_edits_of_many_come_one_after_the_other(self, acme: Store) -> None:
        product = await acme.product()
        skus = [decode("sku", await acme.sku(product_id=product)) for _ in range(3)]

        async def price(minor: int) -> None:
            async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                await edits.edit_skus(tx, skus if minor % 2 else skus[::-1], {"price_minor": minor}, actor="test")

        await asyncio.gather(*(price(minor) for minor in range(1, 9)))
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = """SELECT k.price_minor = (SELECT (content ->> 'price_minor')::bigint FROM content_version
                                             WHERE tenant_id = $1 AND subject_id = k.id ORDER BY since DESC LIMIT 1)
                     FROM sku k WHERE tenant_id = $1"""
            assert [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id)] == [True] * 3
