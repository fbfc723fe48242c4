"""Price lists over HTTP: who may, what is refused, and what is told in which order."""

import httpx
import pytest

from tests.shop import Store
from tests.tenants.prices.shelf import group, listed, paid, put

PATH = "/v1/price-lists"
ANY = {"If-Match": "*"}


class TestLists:
    async def test_anonymous_and_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.get(PATH, headers=acme.at)).status_code == 401
        assert (await client.get(PATH, headers=await acme.guest())).status_code == 401
        reader = await acme.key_with("prices:read")
        assert (await client.get(PATH, headers=reader)).status_code == 200
        refused = await client.post(PATH, json={"name": "x"}, headers=reader)
        assert (refused.status_code, refused.json()["permission"]) == (403, "prices:write")

    async def test_another_merchants_are_not_there(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        sku = await acme.sku()
        one, theirs = await listed(acme, (sku, 1, 1)), await group(globex)
        assert (await acme.ask("GET", PATH, globex.merchant))["price_lists"] == []
        for method, path, body in (
            ("GET", f"{PATH}/{one}", None), ("PATCH", f"{PATH}/{one}", {"state": "off"}), ("DELETE", f"{PATH}/{one}", None),
            ("GET", f"{PATH}/{one}/entries", None), ("PUT", f"{PATH}/{one}/entries", {"entries": [{"sku_id": sku, "unit_minor": 1}]}),
            ("GET", f"/v1/skus/{sku}/prices", None),
        ):  # fmt: skip
            assert (await client.request(method, path, json=body, headers=globex.merchant | ANY)).status_code == 404, (method, path)
        assert (await client.post(PATH, json={"name": "x", "group_id": theirs}, headers=acme.merchant)).status_code == 404
        assert await paid(acme, sku) == 1

    async def test_made_shown_changed_and_removed(self, client: httpx.AsyncClient, acme: Store) -> None:
        gold = await group(acme)
        new = {"name": "Gold", "group_id": gold, "channel": "web", "starts_at": "2030-01-01T00:00:00Z", "ends_at": "2030-02-01T00:00:00Z"}
        made = await acme.ask("POST", PATH, acme.merchant, new)
        assert {name: made[name] for name in new} == new
        assert made["state"] == "off"
        path = f"{PATH}/{made['id']}"
        read = await client.get(path, headers=acme.merchant)
        assert read.json() == made
        changed = await client.patch(
            path, json={"group_id": None, "state": "on"}, headers=acme.merchant | {"If-Match": read.headers["etag"]}
        )
        assert (changed.json()["group_id"], changed.json()["state"], changed.json()["channel"]) == (None, "on", "web")
        late = await client.patch(path, json={"state": "off"}, headers=acme.merchant | {"If-Match": read.headers["etag"]})
        assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
        assert (await client.patch(path, json={"state": "off"}, headers=acme.merchant)).status_code == 428
        assert (await client.delete(path, headers=acme.merchant)).status_code == 204
        assert (await client.get(path, headers=acme.merchant)).status_code == 404
        assert (await acme.ask("GET", PATH, acme.merchant))["price_lists"] == []
        await acme.ask("POST", PATH, acme.merchant, {"name": "Gold"})  # the name is free again

    async def test_listed_by_name(self, acme: Store) -> None:
        for name in ("vip", "Autumn", "秋"):
            await listed(acme, name=name)
        assert [each["name"] for each in (await acme.ask("GET", PATH, acme.merchant))["price_lists"]] == ["Autumn", "vip", "秋"]

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"name": "GOLD"}, 409, "price_list_taken"),
            ({"name": "x", "channel": "nowhere"}, 422, "unknown_channel"),
            ({"name": "x", "starts_at": "2030-02-01T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z"}, 422, "bad_window"),
            ({"name": "x", "group_id": "grp_" + "0" * 32}, 404, "not_found"),
            ({"name": " "}, 400, "bad_request"),
            ({"name": "x", "state": "removed"}, 400, "bad_request"),
        ],
    )
    async def test_refused(self, client: httpx.AsyncClient, acme: Store, body: dict[str, str], status: int, code: str) -> None:
        await listed(acme, name="Gold")
        made = await client.post(PATH, json=body, headers=acme.merchant)
        assert (made.status_code, made.json()["code"]) == (status, code)
        other = await listed(acme, name="Other")
        changed = await client.patch(f"{PATH}/{other}", json=body, headers=acme.merchant | ANY)
        assert (changed.status_code, changed.json()["code"]) == (status, code)


class TestPrices:
    async def test_all_or_none_by_place(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku, on = await acme.sku(), await listed(acme)
        body = {"entries": [{"sku_id": sku, "unit_minor": 1}, {"sku_id": "sku_" + "0" * 32, "unit_minor": 1}]}
        refused = await client.put(f"{PATH}/{on}/entries", json=body, headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"]) == (422, "entries_refused")
        assert [each["place"] for each in refused.json()["problems"]] == [1]
        assert (await acme.ask("GET", f"{PATH}/{on}/entries", acme.merchant))["entries"] == []

    async def test_a_thousand_at_once_and_no_more(self, client: httpx.AsyncClient, acme: Store) -> None:
        """A request of that many is let in; a SKU has no more than twenty quantities, which is told for each of the others."""
        sku, on = await acme.sku(), await listed(acme)
        entry = {"sku_id": sku, "unit_minor": 100_000_000_000}
        many = {"entries": [entry | {"least_quantity": n} for n in range(1, 1001)]}
        answer = await client.put(f"{PATH}/{on}/entries", json=many, headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"]) == (422, "entries_refused")
        many["entries"].append(entry)
        assert (await client.put(f"{PATH}/{on}/entries", json=many, headers=acme.merchant)).status_code == 400

    async def test_pages_in_order_of_sku_and_quantity(self, acme: Store) -> None:
        skus = sorted([await acme.sku() for _ in range(3)])
        on = await listed(acme, *((sku, least, 10) for sku in reversed(skus) for least in (10, 1)))
        seen, cursor = [], ""
        while cursor is not None:
            page = await acme.ask("GET", f"{PATH}/{on}/entries?limit=4" + (f"&cursor={cursor}" if cursor else ""), acme.merchant)
            seen += [(each["sku_id"], each["least_quantity"]) for each in page["entries"]]
            cursor = page["next_cursor"]
        assert seen == [(sku, least) for sku in skus for least in (1, 10)]

    async def test_versions_newest_first_in_pages(self, acme: Store) -> None:
        sku, on = await acme.sku(), await listed(acme, name="Gold")
        for minor in (300, 200, 100):
            await put(acme, on, (sku, 1, minor))
        first = await acme.ask("GET", f"/v1/skus/{sku}/prices?limit=2", acme.merchant)
        rest = await acme.ask("GET", f"/v1/skus/{sku}/prices?limit=2&cursor={first['next_cursor']}", acme.merchant)
        found = first["prices"] + rest["prices"]
        assert [(each["unit_minor"], each["list_name"], each["ended_at"] is None) for each in found] == [
            (100, "Gold", True), (200, "Gold", False), (300, "Gold", False),
        ]  # fmt: skip
        assert rest["next_cursor"] is None

    async def test_what_was_removed_says_when_it_ended(self, acme: Store) -> None:
        sku = await acme.sku()
        on = await listed(acme, (sku, 1, 100), name="Gold")
        await acme.ask("DELETE", f"{PATH}/{on}", acme.merchant)
        [price] = (await acme.ask("GET", f"/v1/skus/{sku}/prices", acme.merchant))["prices"]
        assert (price["list_name"], price["ended_at"] is not None) == ("Gold", True)
