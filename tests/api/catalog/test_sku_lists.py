"""SKUs changed row by row, as in a grid: all of them, or none and each row is told why."""

from typing import Any

import httpx

from tests.shop import Store


async def rows_of(store: Store, *skus: str) -> dict[str, dict[str, Any]]:
    found = await store.ask("GET", f"/v1/skus?ids={','.join(skus)}", store.merchant)
    return {each["id"]: each for each in found["skus"]}


async def save(store: Store, *rows: dict[str, Any], headers: dict[str, str] | None = None) -> httpx.Response:
    return await store.client.post("/v1/skus/changes", json={"rows": list(rows)}, headers=headers or store.merchant)


class TestChangeSkus:
    async def test_anonymous_and_without_the_permission(self, acme: Store) -> None:
        row = {"sku_id": await acme.sku(), "etag": "*", "price_minor": 5}
        assert (await save(acme, row, headers=acme.at)).status_code == 401
        assert (await save(acme, row, headers=await acme.key_with("catalog:read"))).status_code == 403

    async def test_anothers_is_not_there(self, acme: Store, globex: Store) -> None:
        sku = await globex.sku()
        refused = await save(acme, {"sku_id": sku, "etag": "*", "price_minor": 5})
        assert (refused.status_code, refused.json()["missing"]) == (404, [sku])
        assert (await rows_of(globex, sku))[sku]["price_minor"] == 9900

    async def test_each_in_its_own_way(self, acme: Store) -> None:
        one, other = await acme.sku(), await acme.sku()
        before = await rows_of(acme, one, other)
        done = await save(
            acme,
            {"sku_id": other, "etag": before[other]["etag"], "name": "B", "state": "draft", "cost_minor": 3},
            {"sku_id": one, "etag": before[one]["etag"], "price_minor": 5, "reference": "R-1"},
        )
        assert done.status_code == 200
        assert [each["id"] for each in done.json()["skus"]] == [other, one]
        now = await rows_of(acme, one, other)
        assert (now[one]["price_minor"], now[one]["reference"], now[one]["name"]) == (5, "R-1", before[one]["name"])
        assert (now[other]["name"], now[other]["state"], now[other]["cost_minor"]) == ("B", "draft", 3)
        assert [now[each]["etag"] for each in (other, one)] == [each["etag"] for each in done.json()["skus"]]
        found = await acme.ask("GET", "/v1/skus?q=R-1", acme.merchant)
        assert [each["id"] for each in found["skus"]] == [one]
        assert (await acme.audited())[-2:] == ["sku.changed", "sku.changed"]

    async def test_somebody_else_was_first(self, acme: Store) -> None:
        one, other = await acme.sku(), await acme.sku()
        read = await rows_of(acme, one, other)
        assert (await save(acme, {"sku_id": one, "etag": read[one]["etag"], "price_minor": 6})).status_code == 200
        refused = await save(acme, *({"sku_id": each, "etag": read[each]["etag"], "price_minor": 7} for each in (one, other)))
        assert (refused.status_code, refused.json()["code"]) == (422, "changes_refused")
        [problem] = refused.json()["problems"]
        assert (problem["sku_id"], problem["code"]) == (one, "precondition_failed")
        now = await rows_of(acme, one, other)
        assert [now[each]["price_minor"] for each in (one, other)] == [6, 9900]

    async def test_every_row_that_cannot_be_is_told(self, acme: Store) -> None:
        taken, one, other, fine = await acme.sku(reference="R"), await acme.sku(), await acme.sku(), await acme.sku()
        refused = await save(
            acme,
            {"sku_id": one, "etag": "*", "reference": "R"},
            {"sku_id": fine, "etag": "*", "price_minor": 1},
            {"sku_id": other, "etag": "*", "code_pattern": "(["},
        )
        assert [(each["sku_id"], each["code"]) for each in refused.json()["problems"]] == [
            (one, "reference_taken"), (other, "bad_code_pattern"),
        ]  # fmt: skip
        now = await rows_of(acme, taken, one, other, fine)
        assert now[fine]["price_minor"] == 9900

    async def test_limits_on_the_shelf(self, acme: Store) -> None:
        on, off = await acme.sku(units=2), await acme.sku()
        await acme.ask("PUT", f"/v1/skus/{on}/shelf", acme.merchant, {"units": "all"})
        assert (await save(acme, {"sku_id": on, "etag": "*", "limit_per_shopper": 2, "price_minor": 7})).status_code == 200
        now = (await rows_of(acme, on))[on]
        assert (now["shelf"]["limit_per_shopper"], now["price_minor"]) == (2, 7)
        refused = await save(
            acme, {"sku_id": on, "etag": "*", "limit_per_shopper": 3}, {"sku_id": off, "etag": "*", "limit_per_shopper": 1}
        )
        assert [each["code"] for each in refused.json()["problems"]] == ["not_on_shelf"]
        assert (await rows_of(acme, on))[on]["shelf"]["limit_per_shopper"] == 2
        key = await acme.key_with("catalog:write")
        denied = await save(acme, {"sku_id": on, "etag": "*", "limit_per_shopper": 3}, headers=key)
        assert (denied.status_code, denied.json()["permission"]) == (403, "sales:write")

    async def test_named_twice_or_with_no_tag_of_ours(self, acme: Store) -> None:
        row = {"sku_id": await acme.sku(), "etag": "*", "price_minor": 5}
        assert (await save(acme, row, row)).json()["code"] == "named_twice"
        assert (await save(acme, row | {"etag": "x"})).json()["code"] == "bad_if_match"
