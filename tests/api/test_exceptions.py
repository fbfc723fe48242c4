"""The exception queue over HTTP: who may look, what is tried again, what is closed by one and what takes two."""

from typing import Any

import httpx
import pytest

from checkout_core.ids import decode
from tenants import exceptions
from tenants.db import tenant_tx
from tests.paying import pay
from tests.shop import Store
from tests.tenants.units.stock import rows

WHY = {"reason": "paid back by bank transfer"}


async def reported(store: Store, kind: str, reference: str = "x", **detail: Any) -> str:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        await exceptions.report(tx, kind, reference, **detail)
    found = (await store.ask("GET", f"/v1/exceptions?kind={kind}", store.merchant))["exceptions"]
    [case] = [each["id"] for each in found if each["reference"] == reference]
    return str(case)


async def refused(store: Store) -> tuple[str, str]:
    """A refund that its provider refused: its number, and its case."""
    order = await store.order(await store.guest(), await store.sale())
    assert await pay(store, order) == "applied"
    await store.ask("POST", f"/v1/orders/{order}/refund", store.merchant)
    [refund] = (await store.ask("GET", "/v1/refunds", store.merchant))["items"]
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = "UPDATE refund SET state = 'failed', next_try_at = NULL, finished_at = now() WHERE tenant_id = $1 AND id = $2"
        await tx.conn.execute(sql, tx.tenant_id, decode("ref", refund["id"]))
    return refund["id"], await reported(store, "refund_refused", refund["id"], why="NOT_ENOUGH")


class TestLook:
    async def test_anonymous_and_foreign_and_without_the_permission(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        case = await reported(acme, "fulfilment_overdue")
        for act in ("", "/retry", "/resolve", "/withdraw"):
            method, body = ("POST", WHY if act == "/resolve" else {}) if act else ("GET", None)
            for who, status in ((acme.at, 401), (await acme.key_with("catalog:read"), 403), (globex.merchant, 404)):
                answer = await client.request(method, f"/v1/exceptions/{case}{act}", headers=who, json=body)
                assert answer.status_code == status, (act, answer.text)
        assert (await acme.ask("GET", f"/v1/exceptions/{case}", acme.merchant))["state"] == "open"

    async def test_open_ones_and_closed_ones(self, acme: Store) -> None:
        cases = [await reported(acme, "fulfilment_overdue", name) for name in "abc"]
        await acme.ask("POST", f"/v1/exceptions/{cases[1]}/resolve", acme.merchant, WHY)
        listed = await acme.ask("GET", "/v1/exceptions", acme.merchant)
        assert [case["id"] for case in listed["exceptions"]] == [cases[0], cases[2]]
        first = await acme.ask("GET", "/v1/exceptions?limit=1", acme.merchant)
        rest = await acme.ask("GET", f"/v1/exceptions?limit=1&cursor={first['next_cursor']}", acme.merchant)
        assert [case["id"] for case in first["exceptions"] + rest["exceptions"]] == [cases[0], cases[2]]
        [closed] = (await acme.ask("GET", "/v1/exceptions?state=resolved", acme.merchant))["exceptions"]
        assert (closed["id"], closed["resolution"], closed["state"]) == (cases[1], WHY["reason"], "resolved")


class TestResolve:
    async def test_closed_once_and_back_when_it_happens_again(self, client: httpx.AsyncClient, acme: Store) -> None:
        case = await reported(acme, "fulfilment_overdue", "f", due_at="then")
        assert (await acme.ask("POST", f"/v1/exceptions/{case}/resolve", acme.merchant, WHY))["resolved_by"]
        again = await client.post(f"/v1/exceptions/{case}/resolve", headers=acme.merchant, json=WHY)
        assert (again.status_code, again.json()["code"]) == (409, "not_open")
        assert await reported(acme, "fulfilment_overdue", "f", due_at="later") == case
        back = await acme.ask("GET", f"/v1/exceptions/{case}", acme.merchant)
        assert (back["state"], back["resolution"], back["detail"]) == ("open", None, {"due_at": "later"})

    async def test_money_takes_the_permission_and_a_second_person(self, client: httpx.AsyncClient, acme: Store) -> None:
        case = await reported(acme, "payment_without_attempt", "T1", amount_minor=990, currency="CNY")
        path = f"/v1/exceptions/{case}"
        refused = await client.post(f"{path}/resolve", headers=await acme.key_with("orders:write"), json=WHY)
        assert (refused.status_code, refused.json()["permission"]) == (403, "payments:write")
        one, other = await acme.staff("manager"), await acme.staff("owner")
        asked = await acme.ask("POST", f"{path}/resolve", one, WHY)
        assert (asked["state"], asked["resolution"], asked["resolved_by"]) == ("open", WHY["reason"], None)
        same = await client.post(f"{path}/resolve", headers=one, json={"reason": "I agree with myself"})
        assert (same.status_code, same.json()["code"]) == (403, "same_person")
        done = await acme.ask("POST", f"{path}/resolve", other, {"reason": "agreed"})
        assert (done["state"], done["resolution"]) == ("resolved", WHY["reason"])
        assert done["asked_by"] not in (None, done["resolved_by"])
        assert (await acme.audited())[-2:] == ["exception.asked", "exception.resolved"]

    async def test_who_is_alone_does_it_alone(self, acme: Store) -> None:
        case = await reported(acme, "payment_without_attempt", "T2")
        owner = await acme.session(await acme.owner())
        assert (await acme.ask("POST", f"/v1/exceptions/{case}/resolve", owner, WHY))["state"] == "resolved"

    async def test_taken_back(self, client: httpx.AsyncClient, acme: Store) -> None:
        case = await reported(acme, "payment_without_attempt", "T3")
        path, one, other = f"/v1/exceptions/{case}", await acme.staff("manager"), await acme.staff("owner")
        none = await client.post(f"{path}/withdraw", headers=one, json={})
        assert (none.status_code, none.json()["code"]) == (409, "not_asked")
        await acme.ask("POST", f"{path}/resolve", one, WHY)
        assert (await acme.ask("POST", f"{path}/withdraw", other))["asked_by"] is None
        assert (await acme.ask("POST", f"{path}/resolve", one, WHY))["state"] == "open", "asked anew, another has to agree anew"


class TestRetry:
    async def test_a_refund_is_asked_for_with_another_number(self, acme: Store) -> None:
        refund, case = await refused(acme)
        [before] = await rows(acme, "SELECT out_refund_no FROM refund WHERE tenant_id = $1")
        tried = await acme.ask("POST", f"/v1/exceptions/{case}/retry", acme.merchant)
        assert (tried["state"], tried["resolution"]) == ("resolved", "retried")
        [again] = (await acme.ask("GET", "/v1/refunds?state=requested", acme.merchant))["items"]
        assert (again["id"], again["out_refund_no"] == before[0]) == (refund, False)
        assert await reported(acme, "refund_refused", refund, why="failed") == case, "refused again, it is back"

    @pytest.mark.parametrize("kind", ["fulfilment_overdue", "nonsense_stuck"])
    async def test_what_cannot_be_tried(self, client: httpx.AsyncClient, acme: Store, kind: str) -> None:
        case = await reported(acme, kind)
        answer = await client.post(f"/v1/exceptions/{case}/retry", headers=acme.merchant, json={})
        assert (answer.status_code, answer.json()["code"]) == (409, "no_retry")

    async def test_what_keeps_failing_is_due_at_once(self, acme: Store) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        order_id = decode("ord", order)
        case = await reported(acme, "orders_stuck", order_id.hex, why="x")
        await acme.ask("POST", f"/v1/exceptions/{case}/retry", acme.merchant)
        [(due,)] = await rows(acme, "SELECT next_try_at <= now() FROM orders WHERE tenant_id = $1")
        assert due
