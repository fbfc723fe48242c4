"""Bundles, from the SKU to the parts in the buyer's hands, through the API."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from checkout_core.ids import decode, encode
from tenants import fulfilments
from tenants.db import tenant_tx
from tenants.payments.expire import expire
from tests.paying import fulfil, pay
from tests.shop import Store
from tests.tenants.types.picked import room, ticket


def parts(*skus: str, **each: int) -> dict[str, Any]:
    """A config with one of each, or as `each` says."""
    return {"parts": [{"sku_id": sku, **each} for sku in skus]}


async def refused(store: Store, config: dict[str, Any], **changes: Any) -> tuple[int, str, str]:
    """What is said to a bundle that cannot be."""
    body = {"product_id": await store.product(), "name": "Starter", "price_minor": 9900, "type": "bundle", "config": config, **changes}
    answer = await store.client.post("/v1/skus", headers=store.merchant, json=body)
    return answer.status_code, answer.json()["code"], answer.json()["detail"]


class TestCreate:
    async def test_of_another_tenants_sku(self, acme: Store, globex: Store) -> None:
        sku = await globex.sku()
        assert await refused(acme, parts(sku)) == (
            422, "bad_config", f"config of type bundle: parts[0] ({sku}) is not there. Nothing was saved.",
        )  # fmt: skip

    @pytest.mark.parametrize(
        "config",
        [
            {}, {"parts": []}, {"parts": [{"sku_id": "100"}]}, parts("sku_" + "0" * 32, quantity=0), parts("sku_" + "0" * 32, quantity=101),
            parts("sku_" + "0" * 32, weight=0), {"parts": [{"sku_id": f"sku_{n:032x}"} for n in range(21)]},
            parts("sku_" + "0" * 32) | {"discount": 10},
        ],
    )  # fmt: skip
    async def test_of_another_shape(self, acme: Store, config: dict[str, Any]) -> None:
        assert (await refused(acme, config))[:2] == (422, "bad_config")

    async def test_of_what_is_no_part(self, acme: Store) -> None:
        one = await acme.sku()
        bundle = await acme.sku(type="bundle", config=parts(one))
        for sku, why in ((one, "twice"), (bundle, "bundle itself"), (await ticket(acme), "choice"), (await room(acme), "choice")):
            status, code, detail = await refused(acme, parts(one, sku))
            assert (status, code, why in detail) == (422, "bad_config", True), detail

    async def test_weights_are_of_all_or_of_none(self, acme: Store) -> None:
        one, other = await acme.sku(), await acme.sku()
        assert (await refused(acme, {"parts": [{"sku_id": one, "weight": 1}, {"sku_id": other}]}))[:2] == (422, "bad_config")
        sku = await acme.sku(type="bundle", config=parts(one, other, weight=1))
        assert (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["config"] == parts(one, other, weight=1)

    async def test_is_held_to_the_same_when_it_is_changed(self, acme: Store) -> None:
        one = await acme.sku()
        sku = await acme.sku(type="bundle", config=parts(one))
        headers = acme.merchant | {"If-Match": "*"}
        answer = await acme.client.patch(f"/v1/skus/{sku}", headers=headers, json={"config": parts(sku)})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_config")
        changed = await acme.ask("PATCH", f"/v1/skus/{sku}", headers, {"config": parts(one, quantity=2)})
        assert changed["config"] == parts(one, quantity=2)


class TestStock:
    async def test_a_bundle_has_no_units_of_its_own(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await acme.sku(type="bundle", config=parts(await acme.sku()))
        made = await client.post(f"/v1/skus/{sku}/units", headers=acme.merchant, json={"quantity": 1})
        assert (made.status_code, made.json()["code"]) == (409, "stock_is_parts")
        headers = acme.merchant | {"Content-Type": "text/csv"}
        loaded = await client.post(f"/v1/vault/imports?sku_id={sku}", headers=headers, content=b"AAAA-1111\n")
        assert (loaded.status_code, loaded.json()["code"]) == (409, "stock_is_parts")


async def shelved(store: Store, sku: str, units: int | str = "all", **about: Any) -> dict[str, Any]:
    """The SKU on the shelf."""
    body = {"units": units, "limit_per_shopper": 0, **about}
    return dict(await store.ask("PUT", f"/v1/skus/{sku}/shelf", store.merchant, body))


async def part(store: Store, units: int = 5, **about: Any) -> str:
    """A SKU of codes on the shelf."""
    sku = await store.sku(units, **about)
    await shelved(store, sku, units)
    return sku


async def by_hand(store: Store, units: int = 5, **about: Any) -> str:
    """A SKU that somebody does, on the shelf."""
    sku = await store.sku(type="manual", **about)
    await store.ask("POST", f"/v1/skus/{sku}/units", store.merchant, {"quantity": units})
    await shelved(store, sku, units)
    return sku


async def bundle(store: Store, *of: dict[str, Any], limit: int = 0, **about: Any) -> str:
    """A bundle of these parts, on the shelf."""
    sku = await store.sku(type="bundle", config={"parts": list(of)}, **about)
    await shelved(store, sku, limit_per_shopper=limit)
    return sku


async def ask(store: Store, who: dict[str, str], *lines: tuple[str, int]) -> httpx.Response:
    body = {"lines": [{"sku_id": sku, "quantity": quantity} for sku, quantity in lines]}
    return await store.client.post("/v1/orders", headers=who | {"Idempotency-Key": uuid4().hex}, json=body)


async def order(store: Store, who: dict[str, str], *lines: tuple[str, int]) -> Any:
    answer = await ask(store, who, *lines)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def free(store: Store, *skus: str) -> list[int]:
    """Of what is on the shelf of each, what nobody holds or bought."""
    offers = (await store.ask("GET", "/v1/storefront", store.at))["sales"]
    stock = {offer["sku_id"]: offer["stock"] for offer in offers if offer["door"] == "shelf"}
    return [stock[sku] for sku in skus]


async def shelved_sale(store: Store, sku: str) -> str:
    found = (await store.ask("GET", f"/v1/sales?sku_id={sku}", store.merchant))["sales"]
    return next(str(sale["id"]) for sale in found if sale["door"] == "shelf")


def costs(order: Any) -> dict[str, tuple[int, int]]:
    """Quantity and price of each line, by its SKU."""
    return {line["sku_id"]: (line["quantity"], line["amount_minor"]) for line in order["lines"]}


class TestShelf:
    async def test_its_parts_must_be_there(self, client: httpx.AsyncClient, acme: Store) -> None:
        there, missing = await part(acme), await acme.sku(1)
        sku = await acme.sku(type="bundle", config=parts(there, missing))
        path, body = f"/v1/skus/{sku}/shelf", {"units": "all", "limit_per_shopper": 0}
        answer = await client.put(path, headers=acme.merchant, json=body)
        assert (answer.status_code, answer.json()["code"], answer.json()["sku_ids"]) == (409, "parts_missing", [missing])
        await shelved(acme, missing, 1)
        answer = await client.put(path, headers=acme.merchant, json=body | {"units": 3})
        assert (answer.status_code, answer.json()["code"]) == (409, "stock_is_parts")
        assert (await shelved(acme, sku))["allotted"] == 0

    async def test_there_and_nowhere_else(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await acme.sku(type="bundle", config=parts(await part(acme)))
        sale = {"sku_id": sku, "name": "Launch", "units": "all", "limit_per_shopper": 0}
        answer = await client.post("/v1/sales", headers=acme.merchant, json=sale)
        assert (answer.status_code, answer.json()["code"]) == (409, "stock_is_parts")

    async def test_there_is_what_the_parts_allow(self, acme: Store) -> None:
        many, few = await part(acme, 9), await part(acme, 7)
        sku = await bundle(acme, {"sku_id": many, "quantity": 2}, {"sku_id": few, "quantity": 3})
        assert await free(acme, sku, many, few) == [2, 9, 7]
        await order(acme, await acme.guest(), (few, 2))
        assert await free(acme, sku) == [1]
        await acme.ask("PATCH", f"/v1/skus/{many}", acme.merchant | {"If-Match": "*"}, {"state": "draft"})
        assert await free(acme, sku) == [0]


async def quote(store: Store, who: dict[str, str], *lines: tuple[str, int]) -> dict[str, Any]:
    """What is said of each, by its SKU."""
    body = {"lines": [{"sku_id": sku, "quantity": quantity} for sku, quantity in lines]}
    return {line["sku_id"]: line for line in (await store.ask("POST", "/v1/quotes", who, body))["lines"]}


class TestQuote:
    async def test_a_bundle_is_one_line(self, acme: Store) -> None:
        one, other = await part(acme, 9), await part(acme, 5)
        sku = await bundle(acme, {"sku_id": one, "quantity": 4}, {"sku_id": other}, price_minor=101, limit=3)
        said = (await quote(acme, who := await acme.guest(), (sku, 2)))[sku]
        assert (said["quantity"], said["amount_minor"], said["base_minor"], said["available"]) == (2, 202, 202, 2)
        assert (said["name"], said["problem"]) == ("Steam 100 100", None)
        short = (await quote(acme, who, (sku, 3)))[sku]
        assert (short["amount_minor"], short["available"], short["problem"]["code"]) == (303, 2, "sold_out")
        assert (await quote(acme, who, (sku, 4)))[sku]["problem"]["code"] == "limit"

    async def test_what_cannot_be_in_one_order_is_said_of_the_later_line(self, acme: Store) -> None:
        one = await part(acme)
        sku = await bundle(acme, {"sku_id": one}, {"sku_id": await part(acme)})
        cheap = await bundle(acme, {"sku_id": await part(acme), "quantity": 2}, price_minor=1)
        said = await quote(acme, await acme.guest(), (sku, 1), (one, 1), (cheap, 1))
        problems = {each: line["problem"] and line["problem"]["code"] for each, line in said.items()}
        assert problems == {sku: None, one: "part_twice", cheap: "price_too_small"}
        assert (said[one]["amount_minor"], said[one]["name"]) == (None, "Steam 100 100")

    async def test_so_is_it_of_a_cart(self, acme: Store) -> None:
        one, who = await part(acme), await acme.guest()
        sku = await bundle(acme, {"sku_id": one})
        kept = {"lines": [{"sku_id": one, "quantity": 1}, {"sku_id": sku, "quantity": 1}]}
        await acme.ask("PUT", "/v1/cart", who, kept)
        lines = (await acme.ask("GET", "/v1/cart", who))["lines"]
        assert [(line["sku_id"], line["problem"] and line["problem"]["code"]) for line in lines] == [(one, None), (sku, "part_twice")]


class TestOrder:
    async def test_anonymous_and_foreign(self, acme: Store, globex: Store) -> None:
        sku = await bundle(acme, {"sku_id": await part(acme)})
        assert (await ask(acme, acme.at, (sku, 1))).status_code == 401
        answer = await ask(globex, await globex.guest(), (sku, 1))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_on_the_shelf")

    async def test_is_one_of_its_parts_at_shares_of_its_price(self, acme: Store) -> None:
        game, months = await part(acme, price_minor=5900), await part(acme, price_minor=1500)
        sku = await bundle(acme, {"sku_id": game}, {"sku_id": months, "quantity": 2}, price_minor=7001)
        made = await order(acme, await acme.guest(), (sku, 1))
        assert costs(made) == {game: (1, 4641), months: (2, 2360)}
        assert made["amount_minor"] == 7001
        assert {(line["bundle_id"], line["bundle_quantity"]) for line in made["lines"]} == {(sku, 1)}

    async def test_of_several_each_costs_the_same(self, acme: Store) -> None:
        one, other = await part(acme), await part(acme)
        sku = await bundle(acme, {"sku_id": one, "weight": 2}, {"sku_id": other, "weight": 1}, price_minor=100)
        alone = await part(acme, price_minor=300)
        made = await order(acme, await acme.guest(), (sku, 2), (alone, 1), (sku, 1))
        assert costs(made) == {one: (3, 201), other: (3, 99), alone: (1, 300)}
        assert made["amount_minor"] == 600
        assert {line["sku_id"]: line["bundle_quantity"] for line in made["lines"]} == {one: 3, other: 3, alone: None}

    async def test_is_frozen(self, acme: Store) -> None:
        one, other = await part(acme, price_minor=100), await part(acme, price_minor=100)
        sku = await bundle(acme, {"sku_id": one}, {"sku_id": other}, price_minor=100)
        who = await acme.guest()
        made = await order(acme, who, (sku, 1))
        change = {"price_minor": 90, "config": parts(one, quantity=3)}
        await acme.ask("PATCH", f"/v1/skus/{sku}", acme.merchant | {"If-Match": "*"}, change)
        await acme.ask("PATCH", f"/v1/skus/{one}", acme.merchant | {"If-Match": "*"}, {"price_minor": 900})
        assert costs(await acme.ask("GET", f"/v1/orders/{made['id']}", who)) == {one: (1, 50), other: (1, 50)}

    async def test_one_part_is_sold_out(self, acme: Store) -> None:
        many, few = await part(acme), await part(acme, 1)
        sku = await bundle(acme, {"sku_id": many}, {"sku_id": few})
        answer = await ask(acme, await acme.guest(), (sku, 2))
        said = answer.json()
        assert (answer.status_code, said["code"], said["sku_id"], said["bundle_id"]) == (409, "sold_out", few, sku)
        assert await free(acme, many, few) == [5, 1]

    async def test_a_part_is_not_published(self, acme: Store) -> None:
        one, other = await part(acme), await part(acme)
        sku = await bundle(acme, {"sku_id": one}, {"sku_id": other})
        await acme.ask("PATCH", f"/v1/skus/{other}", acme.merchant | {"If-Match": "*"}, {"state": "draft"})
        answer = await ask(acme, await acme.guest(), (sku, 1))
        assert (answer.status_code, answer.json()["code"], answer.json()["sku_id"]) == (404, "not_on_the_shelf", other)
        assert await free(acme, one) == [5]

    async def test_its_own_sale_is_paused(self, acme: Store) -> None:
        one = await part(acme)
        sku = await bundle(acme, {"sku_id": one})
        await acme.ask("POST", f"/v1/sales/{await shelved_sale(acme, sku)}/pause", acme.merchant)
        answer = await ask(acme, await acme.guest(), (sku, 1))
        assert (answer.status_code, answer.json()["code"], answer.json()["bundle_id"]) == (409, "paused", sku)
        await order(acme, await acme.guest(), (one, 1))

    @pytest.mark.parametrize("alone", [True, False])
    async def test_a_sku_would_be_in_it_twice(self, acme: Store, alone: bool) -> None:
        one = await part(acme)
        sku = await bundle(acme, {"sku_id": one})
        again = one if alone else await bundle(acme, {"sku_id": one, "quantity": 2})
        answer = await ask(acme, await acme.guest(), (again, 1), (sku, 1))
        assert (answer.status_code, answer.json()["code"], answer.json()["sku_id"]) == (409, "part_twice", one)
        assert await free(acme, one) == [5]

    async def test_costs_too_little(self, acme: Store) -> None:
        sku = await bundle(acme, {"sku_id": await part(acme), "quantity": 2}, {"sku_id": await part(acme)}, price_minor=2)
        answer = await ask(acme, await acme.guest(), (sku, 1))
        assert (answer.status_code, answer.json()["code"], answer.json()["least_minor"]) == (409, "price_too_small", 3)

    async def test_a_shopper_has_as_many_as_he_may(self, acme: Store) -> None:
        one = await part(acme, 9)
        sku = await bundle(acme, {"sku_id": one, "quantity": 2}, limit=2)
        who = await acme.guest()
        first = await order(acme, who, (sku, 1))
        answer = await ask(acme, who, (sku, 2))
        assert (answer.status_code, answer.json()["code"], answer.json()["sku_id"]) == (409, "limit", sku)
        await order(acme, who, (sku, 1))
        await order(acme, who, (one, 1))  # by itself it is no bundle
        assert (await ask(acme, who, (sku, 1))).status_code == 409
        await acme.ask("POST", f"/v1/orders/{first['id']}/cancel", who)
        await order(acme, who, (sku, 1))

    async def test_of_two_at_once_one_is_above_the_limit(self, acme: Store) -> None:
        sku = await bundle(acme, {"sku_id": await part(acme)}, {"sku_id": await part(acme)}, limit=1)
        who = await acme.guest()
        answers = await asyncio.gather(*(ask(acme, who, (sku, 1)) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]

    async def test_its_hold_ends(self, acme: Store) -> None:
        one, other = await part(acme), await part(acme)
        sku = await bundle(acme, {"sku_id": one, "quantity": 2}, {"sku_id": other})
        made = await order(acme, await acme.guest(), (sku, 2))
        assert await free(acme, sku, one, other) == [0, 1, 3]
        pool, order_id = acme.process.app_pool, decode("ord", made["id"])
        async with tenant_tx(pool, acme.tenant_id) as tx:
            await tx.conn.execute("UPDATE orders SET hold_until = now() WHERE tenant_id = $1 AND id = $2", acme.tenant_id, order_id)
        await expire(pool, acme.process.providers, acme.tenant_id, order_id)
        assert await free(acme, sku, one, other) == [2, 5, 5]


class TestDelivery:
    async def test_each_part_when_it_can_be(self, acme: Store) -> None:
        """A code at once, and what a person does when he has done it."""
        code, work = await part(acme), await by_hand(acme)
        sku = await bundle(acme, {"sku_id": code}, {"sku_id": work}, price_minor=100)
        who = await acme.guest()
        made = await order(acme, who, (sku, 1))
        assert await pay(acme, made["id"]) == "applied"
        assert await fulfil(acme, made["id"]) == ["pending"]
        seen = await acme.ask("GET", f"/v1/orders/{made['id']}", who)
        assert seen["state"] == "paid"
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            [waiting] = await fulfilments.of_order(tx, decode("ord", made["id"]))
        told = {"contents": [{"note": "Done."}]}
        await acme.ask("POST", f"/v1/fulfilments/{encode('ful', waiting.id)}/complete", acme.merchant, told)
        seen = await acme.ask("GET", f"/v1/orders/{made['id']}", who)
        assert (seen["state"], costs(seen)) == ("delivered", {code: (1, 50), work: (1, 50)})
        assert [line["bundle_id"] for line in seen["lines"]] == [sku, sku]
