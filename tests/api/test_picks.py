"""What units are chosen by: what staff say of it, what a visitor may choose."""

import httpx
import pytest

from checkout_core.ids import decode
from tenants import entitlements, picks, types
from tenants.db import Pool, tenant_tx
from tests.plans import scans
from tests.shop import Store
from tests.tenants.types import picked
from tests.tenants.types.picked import make, night, room, session, ticket


async def offered(store: Store, sku: str, query: str = "") -> dict[str, int]:
    shown = await store.ask("GET", f"/v1/storefront/skus/{sku}/picks?limit=100{query}", store.at)
    return {each["pick"]: each["available"] for each in shown["picks"]}


class TestList:
    async def test_anonymous_and_foreign(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        path = f"/v1/skus/{await room(acme)}/picks"
        body = {"picks": [{"pick": night(1), "is_on": True}]}
        for method, sent in (("GET", None), ("PATCH", body)):
            assert (await client.request(method, path, json=sent)).status_code == 401
            assert (await client.request(method, path, json=sent, headers=globex.merchant)).status_code == 404

    async def test_in_pages_soonest_first(self, acme: Store) -> None:
        sku = await room(acme)
        await make(acme, sku, span={"first": night(1), "last": night(7)})
        seen: list[str] = []
        cursor = ""
        while True:
            page = await acme.ask("GET", f"/v1/skus/{sku}/picks?limit=3{cursor}", acme.merchant)
            seen += [each["pick"] for each in page["picks"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert seen == [night(n) for n in range(1, 8)]

    async def test_the_longest_label_turns_a_page(self, acme: Store) -> None:
        sku = await acme.sku(type="chosen")
        headers, labels = acme.merchant | {"Content-Type": "text/csv"}, ["𠮷" * 63 + each for each in "ab"]
        path = f"/v1/vault/imports?sku_id={sku}&columns=code,pick&header=false&delimiter=comma"
        content = "".join(f"AAAA-{at}111,{label}\n" for at, label in enumerate(labels)).encode()
        assert (await acme.client.post(path, headers=headers, content=content)).json()["loaded"] == 2
        first = await acme.ask("GET", f"/v1/skus/{sku}/picks?limit=1", acme.merchant)
        second = await acme.ask("GET", f"/v1/skus/{sku}/picks?limit=1&cursor={first['next_cursor']}", acme.merchant)
        assert [each["pick"] for each in first["picks"] + second["picks"]] == labels


class TestChange:
    async def test_label_surcharge_and_whether_it_is_offered(self, acme: Store) -> None:
        sku = await room(acme)
        await make(acme, sku, 2, span={"first": night(1), "last": night(3)})
        await acme.sale(6, sku_id=sku)
        changes = {
            "picks": [{"pick": night(1), "is_on": False}, {"pick": night(2), "label": "New Year", "surcharge_minor": 9900, "is_on": True}]
        }
        shown = (await acme.ask("PATCH", f"/v1/skus/{sku}/picks", acme.merchant, changes))["picks"]
        assert [(each["label"], each["surcharge_minor"], each["is_on"]) for each in shown] == [
            (night(1), 0, False),
            ("New Year", 9900, True),
        ]
        assert await offered(acme, sku) == {night(2): 2, night(3): 2}
        assert (await acme.audited()).count("picks.changed") == 1

    async def test_all_or_none(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await room(acme)
        await make(acme, sku, span={"first": night(1), "last": night(1)})
        changes = {"picks": [{"pick": night(1), "is_on": False}, {"pick": night(2), "is_on": False}]}
        answer = await client.patch(f"/v1/skus/{sku}/picks", headers=acme.merchant, json=changes)
        assert (answer.status_code, night(2) in answer.json()["detail"]) == (404, True)
        [shown] = (await acme.ask("GET", f"/v1/skus/{sku}/picks", acme.merchant))["picks"]
        assert shown["is_on"]


class TestUnits:
    async def test_not_where_nobody_chooses(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await acme.sku(type="manual")
        answer = await client.post(f"/v1/skus/{sku}/units", headers=acme.merchant, json={"quantity": 1, "picks": [{"pick": "x"}]})
        assert (answer.status_code, answer.json()["code"]) == (422, "not_picked")

    async def test_of_a_type_that_counts_none(self, client: httpx.AsyncClient, acme: Store) -> None:
        body = {"quantity": 1, "span": {"first": "a", "last": "b"}}
        answer = await client.post(f"/v1/skus/{await ticket(acme)}/units", headers=acme.merchant, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "no_span")


class TestOffered:
    async def test_what_a_running_sale_has(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        sku = await room(acme)
        path = f"/v1/storefront/skus/{sku}/picks"
        await make(acme, sku, 2, span={"first": night(0), "last": night(1)})
        assert (await client.get(path, headers=acme.at)).status_code == 404  # it is in no sale
        sale = await acme.sale(3, sku_id=sku)
        assert await offered(acme, sku) == {night(0): 2, night(1): 1}
        assert (await client.get(path, headers=globex.at)).status_code == 404
        await acme.order(await acme.guest(), sale)
        assert await offered(acme, sku) == {night(0): 1, night(1): 1}
        await acme.ask("POST", f"/v1/sales/{sale}/pause", acme.merchant)
        assert await offered(acme, sku) == {night(0): 0, night(1): 0}
        await acme.ask("POST", f"/v1/sales/{sale}/end", acme.merchant)
        assert (await client.get(path, headers=acme.at)).status_code == 404

    async def test_not_in_a_channel_that_does_not_show_it(self, client: httpx.AsyncClient, acme: Store) -> None:
        product = await acme.product()
        sku = await acme.sku(type="booking", config={}, product_id=product)
        await make(acme, sku, span={"first": night(1), "last": night(1)})
        await acme.sale(1, sku_id=sku)
        await acme.ask("PUT", f"/v1/products/{product}/channels", acme.merchant, {"channels": ["web"]})
        path = f"/v1/storefront/skus/{sku}/picks"
        assert (await client.get(path, headers=acme.at)).status_code == 404
        assert (await client.get(f"{path}?channel=web", headers=acme.at)).status_code == 200

    async def test_not_of_card_codes(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await acme.sku(1)
        await acme.sale(1, sku_id=sku)
        assert (await client.get(f"/v1/storefront/skus/{sku}/picks", headers=acme.at)).status_code == 404

    async def test_a_month(self, acme: Store) -> None:
        sku = await room(acme)
        await make(acme, sku, span={"first": night(1), "last": night(9)})
        await acme.sale(9, sku_id=sku)
        assert list(await offered(acme, sku, f"&since={night(3)}T00:00:00%2B08:00&until={night(5)}T00:00:00%2B08:00")) == [
            night(3),
            night(4),
        ]

    async def test_a_session_until_its_door_closes(self, acme: Store) -> None:
        sku = await ticket(acme, closes_min=180)
        await make(acme, sku, picks=[session("a.stalls", begins=-1, ends=3), session("b.stalls", begins=2, ends=3)])
        await acme.sale(2, sku_id=sku)
        assert await offered(acme, sku) == {"a.stalls": 1, "b.stalls": 1}
        assert await offered(acme, sku, f"&since={picked.at(3.5).replace('+', '%2B')}") == {"b.stalls": 1}

    async def test_counted_no_further_than_needed(self, acme: Store) -> None:
        sku = await room(acme)
        await make(acme, sku, 120, span={"first": night(1), "last": night(1)})
        await acme.sale(120, sku_id=sku)
        assert await offered(acme, sku) == {night(1): picks.AVAILABLE_MAX}


class TestChoose:
    async def test_what_is_offered_and_what_is_not(self, acme: Store) -> None:
        sku = await room(acme)
        await make(acme, sku, picks=[{"pick": night(1), "surcharge_minor": 500}, {"pick": night(2)}])
        await acme.ask("PATCH", f"/v1/skus/{sku}/picks", acme.merchant, {"picks": [{"pick": night(2), "is_on": False}]})
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            chosen = await picks.choose(tx, decode("sku", sku), [night(1)])
            assert chosen[night(1)].surcharge_minor == 500
            with pytest.raises(picks.Conflict, match="not offered") as refused:
                await picks.choose(tx, decode("sku", sku), [night(1), night(2), night(3)])
        assert refused.value.extra["picks"] == [night(2), night(3)]


class TestPlans:
    async def test_nothing_reads_all_that_a_tenant_has(self, acme: Store, young: Pool) -> None:
        """By the plans that the application gets, of every statement that lists, chooses, makes again and gives back."""
        sku = await room(acme)
        await make(acme, sku, span={"first": night(1), "last": night(2)})
        _, order = await picked.buy(acme, sku, 2)
        seen: list[str] = []
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            units = [each.unit_id for each in await entitlements.of_order(tx, decode("ord", order), decode("sku", sku))]
            with tx.conn.query_logger(lambda record: seen.append(record.query)):
                await picks.listed(tx, decode("sku", sku), limit=10)
                await picks.offered(tx, decode("sku", sku), "api", limit=10)
                await picks.free(tx, decode("sku", sku), "api", [night(1)])
                await picks.choose(tx, decode("sku", sku), [night(1)])
                await picks.taken(tx, decode("sku", sku), [night(1)])
                await picks.renew(tx, units)
                await entitlements.of_order(tx, decode("ord", order), decode("sku", sku))
                await types.refundable(tx, decode("ord", order), await tx.conn.fetchval("SELECT now()"))
        # A tenant has one store.
        read = {sql for sql in seen if sql.lstrip().startswith(("SELECT", "WITH")) and "FROM store" not in sql}
        assert len(read) > 10
        assert {sql: found for sql in read if (found := await scans(young, acme.tenant_id, sql))} == {}
