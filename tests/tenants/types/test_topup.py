"""Top-ups: asked for, credited by hand, sent back and corrected, through the API."""

import datetime as dt
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from checkout_core.errors import Unprocessable
from checkout_core.ids import decode
from tenants.db import tenant_tx
from tenants.mails.words import TEMPLATES
from tenants.mails.words import fields as spoken_of
from tenants.types.fields import Field, answers, check
from tests.paying import fulfil, pay
from tests.shop import Store

ACTS = "/v1/types/topup"
CONFIG = {
    "credited": "100 元话费",
    "fields": [
        {"name": "account", "label": {"zh-CN": "手机号码", "en": "Telephone"}, "kind": "digits", "confirm": True},
        {"name": "region", "label": {"zh-CN": "区服", "en": "Region"}, "kind": "choice", "choices": ["华东", "华北"]},
        {"name": "remark", "label": {"en": "Remark"}, "required": False},
    ],
}
SAID = {"account": "13800138000", "account_again": "13800138000", "region": "华东"}
OTHER = SAID | {"account": "13900139000", "account_again": "13900139000"}
RECEIPT = {"contents": [{"note": "Receipt 4711"}]}
WRONG = "There is no such number."


async def sold(store: Store, units: int = 9, **config: object) -> str:
    sku = await store.sku(type="topup", name="话费 100", config=CONFIG | config)
    await store.ask("POST", f"/v1/skus/{sku}/units", store.merchant, {"quantity": units})
    return await store.sale(units, sku_id=sku)


async def buy(
    store: Store, who: dict[str, str], sale: str, said: dict[str, str] = SAID, *, quantity: int = 1, contact: str | None = None
) -> str:
    """An order of a top-up, paid, which waits in the queue."""
    headers, body = who | {"Idempotency-Key": uuid4().hex}, {"sale_id": sale, "quantity": quantity, "contact": contact}
    order = str((await store.ask("POST", "/v1/checkouts", headers, body))["id"])
    await store.ask("PUT", f"/v1/orders/{order}/inputs/{sale}", who, {"values": said})
    assert await pay(store, order) == "applied"
    assert await fulfil(store, order) == ["pending"]
    return order


async def waiting(store: Store, **config: object) -> tuple[dict[str, str], str, str]:
    """A shopper, the sale, and his order there."""
    who, sale = await store.guest(), await sold(store, **config)
    return who, sale, await buy(store, who, sale)


async def queued(store: Store, order: str) -> dict[str, Any]:
    items = (await store.ask("GET", "/v1/fulfilments", store.merchant))["items"]
    [found] = [each for each in items if each["order_id"] == order]
    return dict(found)


async def send_back(store: Store, order: str, reason: str = WRONG) -> dict[str, Any]:
    body = {"fulfilment_id": (await queued(store, order))["id"], "reason": reason}
    return dict(await store.ask("POST", f"{ACTS}/send_back", store.merchant, body))


async def complete(store: Store, order: str, body: dict[str, Any] = RECEIPT) -> httpx.Response:
    found = (await queued(store, order))["id"]
    return await store.client.post(f"/v1/fulfilments/{found}/complete", headers=store.merchant, json=body)


async def seen(store: Store, who: dict[str, str], order: str) -> dict[str, Any]:
    [line] = (await store.ask("POST", f"{ACTS}/status", who, {"order_id": order}))["topups"]
    return dict(line)


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


class TestForm:
    @pytest.mark.parametrize(
        ("config", "says"),
        [
            ({}, "credited"),
            ({"credited": " "}, "credited"),
            ({"credited": "100", "fields": []}, "fields"),
            ({"credited": "100", "fields": [CONFIG["fields"][2]]}, "required"),  # type: ignore[index]
            ({"credited": "100", "due_min": 0}, "due_min"),
        ],
    )
    async def test_a_config_that_is_none(self, client: httpx.AsyncClient, acme: Store, config: object, says: str) -> None:
        body = {"product_id": await acme.product(), "name": "x", "price_minor": 1, "type": "topup", "config": config}
        answer = await client.post("/v1/skus", headers=acme.merchant, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_config")
        assert says in answer.json()["detail"]

    async def test_unless_it_says_so_an_account_is_asked_for_twice(self, acme: Store) -> None:
        sku = await acme.sku(type="topup", config={"credited": "100"})
        [field] = (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["config"]["fields"]
        assert (field["name"], field["confirm"]) == ("account", True)

    @pytest.mark.parametrize("again", [{}, {"account_again": ""}, {"account_again": "13800138001"}])
    def test_what_is_typed_twice_is_the_same(self, again: dict[str, str]) -> None:
        form = msgspec.convert(CONFIG["fields"], list[Field])
        check(form)
        with pytest.raises(Unprocessable) as refused:
            answers(form, {"account": "13800138000", "region": "华东"} | again)
        assert refused.value.extra["fields"] == {"account_again": "Type it again, the same."}
        assert answers(form, SAID) == {"account": "13800138000", "region": "华东"}

    def test_a_pattern_is_said_in_the_merchants_words(self) -> None:
        field = Field("account", {"en": "Telephone"}, pattern="1[0-9]{10}", hint="Eleven digits, the first one a 1.")
        with pytest.raises(Unprocessable) as refused:
            answers([field], {"account": "2800138000"})
        assert refused.value.extra["fields"] == {"account": "It does not look as it should. Eleven digits, the first one a 1."}

    @pytest.mark.parametrize("other", [Field("account_again", {"en": "x"}), Field("a" * 27, {"en": "x"}, confirm=True)])
    def test_names_that_would_be_taken_twice(self, other: Field) -> None:
        with pytest.raises(Unprocessable):
            check([Field("account", {"en": "x"}, confirm=True), other])


class TestComplete:
    async def test_the_shopper_sees_a_receipt_for_each_unit(self, acme: Store) -> None:
        who, sale = await acme.guest(), await sold(acme)
        order = await buy(acme, who, sale, quantity=2)
        task = await acme.ask("GET", f"/v1/fulfilments/{(await queued(acme, order))['id']}", acme.merchant)
        assert task["input"] == {"account": "13800138000", "region": "华东"}
        assert (await complete(acme, order, {"contents": [{"note": "R-1"}, {"note": "R-2"}]})).status_code == 200
        shown = (await acme.ask("GET", f"/v1/orders/{order}/codes", who))["codes"]
        assert [(each["code"], each["note"], each["face_value"]) for each in shown] == [
            (None, "R-1", "100 元话费"),
            (None, "R-2", "100 元话费"),
        ]
        assert (await seen(acme, who, order))["state"] == "done"

    @pytest.mark.parametrize("contents", [[], [{"code": "AAAA-1111"}], [{"note": "R-1", "secret": "1"}], [{"note": " "}], [{}]])
    async def test_a_receipt_is_no_code(self, acme: Store, contents: list[dict[str, str]]) -> None:
        who, _, order = await waiting(acme)
        answer = await complete(acme, order, {"contents": contents})
        assert (answer.status_code, answer.json()["code"]) == (422, "receipt")
        assert (await seen(acme, who, order))["state"] == "waiting"

    async def test_twice_is_refused(self, acme: Store) -> None:
        who, _, order = await waiting(acme)
        found = (await queued(acme, order))["id"]
        assert (await complete(acme, order)).status_code == 200
        again = await acme.client.post(f"/v1/fulfilments/{found}/complete", headers=acme.merchant, json={"contents": [{"note": "R-2"}]})
        assert (again.status_code, again.json()["code"]) == (409, "not_pending")
        [shown] = (await acme.ask("GET", f"/v1/orders/{order}/codes", who))["codes"]
        assert shown["note"] == "Receipt 4711"

    async def test_failed_the_money_goes_back(self, acme: Store) -> None:
        who, _, order = await waiting(acme)
        await acme.ask("POST", f"/v1/fulfilments/{(await queued(acme, order))['id']}/fail", acme.merchant, {"problem": WRONG})
        assert (await seen(acme, who, order))["state"] == "failed"
        assert (await acme.ask("GET", f"/v1/orders/{order}", who))["state"] == "refunding"

    async def test_overdue_it_is_a_case_for_a_person(self, acme: Store) -> None:
        _, _, order = await waiting(acme, due_min=30)
        assert await fulfil(acme, order, at=dt.timedelta(minutes=31)) == ["pending"]
        [case] = (await acme.ask("GET", "/v1/exceptions", acme.merchant))["exceptions"]
        assert case["kind"] == "fulfilment_overdue"


class TestClaim:
    async def test_anonymous_and_foreign(self, acme: Store, globex: Store) -> None:
        who, _, order = await waiting(acme)
        body = {"fulfilment_id": (await queued(acme, order))["id"]}
        for headers, status in (({}, 401), (who, 401), (globex.merchant, 404)):
            assert (await acme.client.post(f"{ACTS}/claim", headers=headers, json=body)).status_code == status

    async def test_nobody_else_takes_it_for_a_while(self, acme: Store) -> None:
        _, _, order = await waiting(acme)
        body = {"fulfilment_id": (await queued(acme, order))["id"]}
        first, other = acme.merchant, await acme.key_with("orders:read", "orders:write")
        for _ in range(2):
            await acme.ask("POST", f"{ACTS}/claim", first, body)
        refused = await acme.client.post(f"{ACTS}/claim", headers=other, json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "claimed")
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = """UPDATE entitlement SET data = jsonb_set(data, '{claimed_at}', to_jsonb(now() - interval '16 minutes'))
                     WHERE tenant_id = $1"""
            await tx.conn.execute(sql, tx.tenant_id)
        await acme.ask("POST", f"{ACTS}/claim", other, body)
        assert (await acme.audited()).count("topup.claimed") == 3

    async def test_of_another_type_there_is_nothing_to_claim(self, acme: Store) -> None:
        sku = await acme.sku(type="manual")
        await acme.ask("POST", f"/v1/skus/{sku}/units", acme.merchant, {"quantity": 1})
        order = await acme.order(await acme.guest(), await acme.sale(1, sku_id=sku))
        assert await pay(acme, order) == "applied"
        body = {"fulfilment_id": (await queued(acme, order))["id"], "reason": WRONG}
        for act in ("claim", "send_back"):
            asked = body if act == "send_back" else {"fulfilment_id": body["fulfilment_id"]}
            assert (await acme.client.post(f"{ACTS}/{act}", headers=acme.merchant, json=asked)).status_code == 404


class TestSendBack:
    async def test_anonymous_and_foreign(self, acme: Store, globex: Store) -> None:
        who, _, order = await waiting(acme)
        body = {"fulfilment_id": (await queued(acme, order))["id"], "reason": WRONG}
        for headers, status in (({}, 401), (who, 401), (globex.merchant, 404)):
            assert (await acme.client.post(f"{ACTS}/send_back", headers=headers, json=body)).status_code == status
        assert (await seen(acme, who, order))["state"] == "waiting"

    async def test_the_shopper_is_told_why(self, acme: Store) -> None:
        who, sale = await acme.guest(), await sold(acme)
        order = await buy(acme, who, sale, contact="ann@example.org")
        await send_back(acme, order)
        line = await seen(acme, who, order)
        assert (line["state"], line["reason"], line["corrections_left"]) == ("sent_back", WRONG, 2)
        assert (await queued(acme, order))["problem"] == f"Sent back: {WRONG}"
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = "SELECT recipient, content FROM mail WHERE tenant_id = $1 AND template = 'topup_sent_back'"
            [(recipient, content)] = await tx.conn.fetch(sql, tx.tenant_id)
        told = msgspec.json.decode(content)
        assert (recipient, told["reason"], told["sku"], told["number"]) == ("ann@example.org", WRONG, "话费 100", order)
        assert "topup.sent_back" in await acme.audited()

    async def test_without_an_address_no_mail_is_owed(self, acme: Store) -> None:
        who, sale = await acme.guest(), await sold(acme)
        await send_back(acme, await buy(acme, who, sale, contact="13800138000"))
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = "SELECT count(*) FROM mail WHERE tenant_id = $1 AND template = 'topup_sent_back'"
            assert await tx.conn.fetchval(sql, tx.tenant_id) == 0

    def test_the_mail_says_the_same_in_both_languages(self) -> None:
        words = TEMPLATES["topup_sent_back"]
        assert spoken_of(words["zh-CN"]) == spoken_of(words["en"]) == {"sku", "store", "reason", "until", "number"}

    async def test_not_what_is_with_the_shopper_already(self, acme: Store) -> None:
        _, _, order = await waiting(acme)
        await send_back(acme, order)
        body = {"fulfilment_id": (await queued(acme, order))["id"]}
        for act, asked in (("send_back", body | {"reason": "x"}), ("claim", body)):
            answer = await acme.client.post(f"{ACTS}/{act}", headers=acme.merchant, json=asked)
            assert (answer.status_code, answer.json()["code"]) == (409, "sent_back")

    async def test_only_so_often(self, acme: Store) -> None:
        who, sale, order = await waiting(acme, corrections_max=1)
        await send_back(acme, order)
        await acme.ask("POST", f"{ACTS}/correct", who, {"order_id": order, "sale_id": sale, "values": OTHER})
        body = {"fulfilment_id": (await queued(acme, order))["id"], "reason": WRONG}
        answer = await acme.client.post(f"{ACTS}/send_back", headers=acme.merchant, json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "no_corrections_left")
        assert (await complete(acme, order)).status_code == 200

    async def test_without_an_answer_it_is_a_case_for_a_person(self, acme: Store) -> None:
        who, _, order = await waiting(acme, answer_days=2)
        await send_back(acme, order)
        assert await fulfil(acme, order, at=dt.timedelta(days=1)) == ["pending"]
        assert (await acme.ask("GET", "/v1/exceptions", acme.merchant))["exceptions"] == []
        assert await fulfil(acme, order, at=dt.timedelta(days=3)) == ["pending"]
        [case] = (await acme.ask("GET", "/v1/exceptions", acme.merchant))["exceptions"]
        assert case["kind"] == "topup_unanswered"
        assert (await seen(acme, who, order))["reason"] == WRONG


class TestCorrect:
    async def test_anonymous_and_foreign(self, acme: Store, globex: Store) -> None:
        _, sale, order = await waiting(acme)
        await send_back(acme, order)
        body = {"order_id": order, "sale_id": sale, "values": OTHER}
        for headers, status in (({}, 401), (await acme.guest(), 404), (await globex.guest(), 404)):
            assert (await acme.client.post(f"{ACTS}/correct", headers=headers, json=body)).status_code == status
        task = await acme.ask("GET", f"/v1/fulfilments/{(await queued(acme, order))['id']}", acme.merchant)
        assert task["input"]["account"] == "13800138000"

    async def test_it_waits_again_with_the_time_that_was_left(self, acme: Store) -> None:
        who, sale, order = await waiting(acme, due_min=600)
        due = moment((await queued(acme, order))["due_at"])
        with_shopper = moment((await send_back(acme, order))["due_at"])
        assert with_shopper > due + dt.timedelta(days=6)
        line = await acme.ask("POST", f"{ACTS}/correct", who, {"order_id": order, "sale_id": sale, "values": OTHER})
        assert (line["state"], line["reason"]) == ("waiting", None)
        found = await queued(acme, order)
        assert due - dt.timedelta(seconds=2) < moment(found["due_at"]) < due + dt.timedelta(minutes=30)
        task = await acme.ask("GET", f"/v1/fulfilments/{found['id']}", acme.merchant)
        assert (task["input"]["account"], found["problem"]) == ("13900139000", None)
        assert "topup.corrected" in await acme.audited()
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = "SELECT count(*) FROM outbox WHERE tenant_id = $1 AND topic = 'fulfilment.requested'"
            assert await tx.conn.fetchval(sql, tx.tenant_id) == 2

    async def test_only_when_asked(self, acme: Store) -> None:
        """Whoever could change the account while somebody tops it up would be topped up twice."""
        who, sale, order = await waiting(acme)
        body = {"order_id": order, "sale_id": sale, "values": OTHER}
        answer = await acme.client.post(f"{ACTS}/correct", headers=who, json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_sent_back")
        await complete(acme, order)
        answer = await acme.client.post(f"{ACTS}/correct", headers=who, json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_pending")

    async def test_as_strictly_as_the_first_time(self, acme: Store) -> None:
        who, sale, order = await waiting(acme)
        await send_back(acme, order)
        body = {"order_id": order, "sale_id": sale, "values": OTHER | {"account_again": "1"}}
        answer = await acme.client.post(f"{ACTS}/correct", headers=who, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
        assert (await seen(acme, who, order))["state"] == "sent_back"

    async def test_refunded_there_is_nothing_to_correct(self, acme: Store) -> None:
        who, sale, order = await waiting(acme)
        await send_back(acme, order)
        await acme.ask("POST", f"/v1/orders/{order}/refund", acme.merchant)
        answer = await acme.client.post(f"{ACTS}/correct", headers=who, json={"order_id": order, "sale_id": sale, "values": OTHER})
        assert (answer.status_code, answer.json()["code"]) == (409, "not_pending")
        assert (await seen(acme, who, order))["state"] == "refunded"


class TestBoughtTwice:
    async def test_for_the_same_account_the_queue_says_so(self, acme: Store) -> None:
        who, sale, first = await waiting(acme)
        second = await buy(acme, who, sale, SAID | {"remark": "again"})
        assert (await queued(acme, first))["problem"] is None
        assert (await queued(acme, second))["problem"] == f"Bought twice within 30 minutes for the same account: see {first}."

    async def test_for_another_account_or_shopper_it_says_nothing(self, acme: Store) -> None:
        who, sale, _ = await waiting(acme)
        for order in (await buy(acme, who, sale, OTHER), await buy(acme, await acme.guest(), sale)):
            assert (await queued(acme, order))["problem"] is None

    async def test_nor_when_the_first_was_long_ago_or_paid_back(self, acme: Store) -> None:
        who, sale, first = await waiting(acme)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = "UPDATE entitlement SET valid_from = valid_from - interval '31 minutes' WHERE tenant_id = $1 AND order_id = $2"
            await tx.conn.execute(sql, tx.tenant_id, decode("ord", first))
        second = await buy(acme, who, sale)
        assert (await queued(acme, second))["problem"] is None
        await acme.ask("POST", f"/v1/orders/{second}/refund", acme.merchant)
        assert (await queued(acme, await buy(acme, who, sale)))["problem"] is None

    async def test_a_correction_is_looked_at_too(self, acme: Store) -> None:
        who, sale, first = await waiting(acme)
        second = await buy(acme, who, sale, OTHER)
        await send_back(acme, second)
        await acme.ask("POST", f"{ACTS}/correct", who, {"order_id": second, "sale_id": sale, "values": SAID})
        assert first in str((await queued(acme, second))["problem"])


class TestStatus:
    async def test_anonymous_and_foreign(self, acme: Store, globex: Store) -> None:
        _, _, order = await waiting(acme)
        for headers, status in (({}, 401), (await acme.guest(), 404), (await globex.guest(), 404)):
            assert (await acme.client.post(f"{ACTS}/status", headers=headers, json={"order_id": order})).status_code == status

    async def test_while_it_is_looked_at_it_says_when_it_is_due(self, acme: Store) -> None:
        who, _, order = await waiting(acme, due_min=90)
        line = await seen(acme, who, order)
        assert (line["state"], line["credited"], line["corrections_left"], line["reason"]) == ("waiting", "100 元话费", 3, None)
        assert moment(line["due_at"]) == moment((await queued(acme, order))["due_at"])

    async def test_of_an_order_that_is_not_paid_there_is_none(self, acme: Store) -> None:
        who = await acme.guest()
        order = await acme.order(who, await sold(acme))
        assert (await acme.ask("POST", f"{ACTS}/status", who, {"order_id": order}))["topups"] == []
