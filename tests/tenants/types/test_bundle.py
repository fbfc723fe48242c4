"""Bundles, from the SKU to the parts in the buyer's hands, through the API."""

from typing import Any

import httpx
import pytest

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
