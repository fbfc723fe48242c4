"""Manual fulfilment, from the SKU to the buyer's note, through the API."""

import datetime as dt

import httpx
import pytest

from tests.paying import fulfil, pay
from tests.shop import Store

ACCOUNT = {"name": "account", "label": {"zh-CN": "充值账号", "en": "Account"}, "min_length": 4}
CONFIG = {"fields": [ACCOUNT, {"name": "region", "label": {"en": "Region"}, "kind": "choice", "choices": ["CN", "EU"], "required": False}]}


async def sold(store: Store, units: int = 3, **config: object) -> str:
    """A sale of a manual SKU."""
    sku = await store.sku(type="manual", config=CONFIG | config)
    await store.ask("POST", f"/v1/skus/{sku}/units", store.merchant, {"quantity": units})
    return await store.sale(units, sku_id=sku)


async def bought(store: Store, quantity: int = 1) -> tuple[dict[str, str], str]:
    """A shopper, and his order, paid."""
    who, sale = await store.guest(), await sold(store)
    order = await store.order(who, sale, quantity)
    await store.ask("PUT", f"/v1/orders/{order}/inputs/{sale}", who, {"values": {"account": " deer-2026 "}})
    assert await pay(store, order) == "applied"
    return who, order


async def state(store: Store, who: dict[str, str], order: str) -> str:
    return str((await store.ask("GET", f"/v1/orders/{order}", who))["state"])


async def queued(store: Store, order: str) -> str:
    items = (await store.ask("GET", "/v1/fulfilments", store.merchant))["items"]
    [found] = [each["id"] for each in items if each["order_id"] == order]
    return str(found)


class TestSku:
    @pytest.mark.parametrize(
        ("config", "says"),
        [
            ({"fields": [ACCOUNT, ACCOUNT]}, "same name"),
            ({"fields": [ACCOUNT | {"kind": "choice"}]}, "choices"),
            ({"fields": [ACCOUNT | {"min_length": 60, "max_length": 50}]}, "min_length"),
            ({"fields": [ACCOUNT | {"pattern": "("}]}, "pattern"),
            ({"within_h": 0}, "within_h"),
            ({"endless": True}, "endless"),
        ],
    )
    async def test_a_config_that_is_not_its(self, client: httpx.AsyncClient, acme: Store, config: object, says: str) -> None:
        body = {"product_id": await acme.product(), "name": "x", "price_minor": 1, "type": "manual", "config": config}
        answer = await client.post("/v1/skus", headers=acme.merchant, json=body)
        assert answer.status_code in (400, 422)
        assert says in answer.json()["detail"]
        assert (await acme.ask("GET", "/v1/skus", acme.merchant))["skus"] == []

    async def test_no_such_type(self, client: httpx.AsyncClient, acme: Store) -> None:
        body = {"product_id": await acme.product(), "name": "x", "price_minor": 1, "type": "wish"}
        answer = await client.post("/v1/skus", headers=acme.merchant, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_type")


class TestUnits:
    async def test_they_are_made_and_come_from_no_file(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await acme.sku(type="manual", config=CONFIG)
        made = await acme.ask("POST", f"/v1/skus/{sku}/units", acme.merchant, {"quantity": 5, "note": "Monday", "cost_minor": 100})
        assert (made["stock"]["available"], made["stock"]["unallotted"]) == (5, 5)
        headers = acme.merchant | {"Content-Type": "text/plain"}
        answer = await client.post(f"/v1/vault/imports?sku_id={sku}", headers=headers, content=b"AAAA-1111\n")
        assert (answer.status_code, answer.json()["code"]) == (409, "stock_is_made")
        assert (await acme.ask("GET", "/v1/vault/imports", acme.merchant))["imports"] == []

    async def test_not_of_card_codes(self, client: httpx.AsyncClient, acme: Store) -> None:
        answer = await client.post(f"/v1/skus/{await acme.sku()}/units", headers=acme.merchant, json={"quantity": 5})
        assert (answer.status_code, answer.json()["code"]) == (409, "stock_is_imported")


class TestInput:
    async def test_anonymous_and_foreign(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        who, sale = await acme.guest(), await sold(acme)
        path, said = f"/v1/orders/{await acme.order(who, sale)}/inputs/{sale}", {"values": {"account": "deer-2026"}}
        assert (await client.put(path, headers=acme.at, json=said)).status_code == 401
        for other in (await acme.guest(), await globex.guest()):
            assert (await client.put(path, headers=other, json=said)).status_code == 404

    async def test_every_field_at_fault_is_named(self, client: httpx.AsyncClient, acme: Store) -> None:
        who, sale = await acme.guest(), await sold(acme)
        path = f"/v1/orders/{await acme.order(who, sale)}/inputs/{sale}"
        answer = await client.put(path, headers=who, json={"values": {"account": "x", "region": "MOON", "colour": "red"}})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
        assert answer.json()["fields"] == {
            "account": "4 to 100 characters.",
            "region": "One of CN, EU.",
            "colour": "There is no such field.",
        }

    async def test_without_it_nothing_is_paid(self, client: httpx.AsyncClient, acme: Store) -> None:
        who, sale = await acme.guest(), await sold(acme)
        order = await acme.order(who, sale)
        [form] = (await acme.ask("GET", f"/v1/orders/{order}/inputs", who))["forms"]
        assert (form["sale_id"], form["given"], [field["name"] for field in form["fields"]]) == (sale, False, ["account", "region"])
        answer = await client.post(f"/v1/orders/{order}/payments", headers=who, json={})
        assert (answer.status_code, answer.json()["code"], answer.json()["lines"]) == (409, "input_missing", [sale])
        await acme.ask("PUT", f"/v1/orders/{order}/inputs/{sale}", who, {"values": {"account": "deer-2026"}})
        answer = await client.post(f"/v1/orders/{order}/payments", headers=who, json={})
        assert answer.json()["code"] == "no_payment_account"  # this store has none: the form is no hindrance any more

    async def test_too_late_once_it_is_paid(self, client: httpx.AsyncClient, acme: Store) -> None:
        who, order = await bought(acme)
        [form] = (await acme.ask("GET", f"/v1/orders/{order}/inputs", who))["forms"]
        path = f"/v1/orders/{order}/inputs/{form['sale_id']}"
        answer = await client.put(path, headers=who, json={"values": {"account": "doe-2027"}})
        assert (answer.status_code, answer.json()["code"]) == (409, "not_awaiting")


class TestQueue:
    async def test_anonymous_and_foreign(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        _, order = await bought(acme)
        await fulfil(acme, order)
        path = f"/v1/fulfilments/{await queued(acme, order)}"
        for act in ("", "/complete", "/fail"):
            method, body = ("POST", {"problem": "x"} if act == "/fail" else {}) if act else ("GET", None)
            assert (await client.request(method, path + act, json=body)).status_code == 401
            assert (await client.request(method, path + act, json=body, headers=globex.merchant)).status_code == 404
        assert (await globex.ask("GET", "/v1/fulfilments", globex.merchant))["items"] == []

    async def test_it_waits_for_a_person_who_sees_what_was_said(self, acme: Store) -> None:
        who, order = await bought(acme, 2)
        assert await fulfil(acme, order) == ["pending"]
        assert await state(acme, who, order) == "paid"
        task = await acme.ask("GET", f"/v1/fulfilments/{await queued(acme, order)}", acme.merchant)
        assert (task["quantity"], task["input"]) == (2, {"account": "deer-2026"})
        assert "fulfilment.input_read" in await acme.audited()

    async def test_done_it_is_delivered_and_told(self, client: httpx.AsyncClient, acme: Store) -> None:
        who, order = await bought(acme, 2)
        assert (await client.get(f"/v1/orders/{order}/codes", headers=who)).json()["code"] == "not_delivered"
        path, told = f"/v1/fulfilments/{await queued(acme, order)}/complete", {"contents": [{"note": "Topped up, receipt 4711."}]}
        assert (await acme.ask("POST", path, acme.merchant, told))["state"] == "done"
        assert await state(acme, who, order) == "delivered"
        shown = (await acme.ask("GET", f"/v1/orders/{order}/codes", who))["codes"]
        assert [(each["code"], each["note"]) for each in shown] == [(None, "Topped up, receipt 4711.")] * 2
        again = await client.post(path, headers=acme.merchant, json=told)
        assert (again.status_code, again.json()["code"]) == (409, "not_pending")

    async def test_only_what_people_do(self, client: httpx.AsyncClient, acme: Store) -> None:
        """Whoever says that a membership is done would deliver it without a period."""
        sku = await acme.sku(type="membership")
        await acme.ask("POST", f"/v1/skus/{sku}/units", acme.merchant, {"quantity": 1})
        order = await acme.order(await acme.guest(), await acme.sale(1, sku_id=sku))
        assert await pay(acme, order) == "applied"
        answer = await client.post(f"/v1/fulfilments/{await queued(acme, order)}/complete", headers=acme.merchant, json={})
        assert (answer.status_code, answer.json()["code"]) == (409, "not_by_hand")
        assert await fulfil(acme, order) == ["done"]

    async def test_a_content_for_each_unit(self, client: httpx.AsyncClient, acme: Store) -> None:
        who, order = await bought(acme, 2)
        path = f"/v1/fulfilments/{await queued(acme, order)}/complete"
        wrong = await client.post(path, headers=acme.merchant, json={"contents": [{"code": "A"}] * 3})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "contents")
        await acme.ask("POST", path, acme.merchant, {"contents": [{"code": "AAAA"}, {"code": "BBBB", "secret": "1"}]})
        shown = (await acme.ask("GET", f"/v1/orders/{order}/codes", who))["codes"]
        assert [(each["code"], each["secret"]) for each in shown] == [("AAAA", None), ("BBBB", "1")]

    async def test_failed_the_money_goes_back(self, acme: Store) -> None:
        who, order = await bought(acme)
        path = f"/v1/fulfilments/{await queued(acme, order)}/fail"
        assert (await acme.ask("POST", path, acme.merchant, {"problem": "No such account."}))["state"] == "failed"
        assert await state(acme, who, order) == "refunding"

    async def test_refunded_there_is_nothing_left_to_do(self, client: httpx.AsyncClient, acme: Store) -> None:
        _, order = await bought(acme)
        path = f"/v1/fulfilments/{await queued(acme, order)}/complete"
        await acme.ask("POST", f"/v1/orders/{order}/refund", acme.merchant)
        answer = await client.post(path, headers=acme.merchant, json={})
        assert (answer.status_code, answer.json()["code"]) == (409, "not_pending")
        assert await fulfil(acme, order, at=dt.timedelta(days=9)) == ["revoked"]

    async def test_overdue_it_is_a_case_for_a_person(self, acme: Store) -> None:
        _, order = await bought(acme)
        assert await fulfil(acme, order) == ["pending"]
        assert await fulfil(acme, order) == ["pending"]
        assert (await acme.ask("GET", "/v1/exceptions", acme.merchant))["exceptions"] == []
        assert await fulfil(acme, order, at=dt.timedelta(hours=25)) == ["pending"]
        [case] = (await acme.ask("GET", "/v1/exceptions", acme.merchant))["exceptions"]
        assert case["kind"] == "fulfilment_overdue"
