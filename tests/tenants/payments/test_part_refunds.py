"""Refunds of a part of an order: what steps lead to, races, the provider, and what is left for the shopper."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import httpx
import pytest

from api.app import create_app
from api.process import open_process
from checkout_core.config import Settings
from checkout_core.errors import AppError
from tenants.db import tenant_tx
from tenants.invariants.look import Options
from tenants.invariants.report import Status, as_text
from tenants.invariants.run import check
from tenants.payments import refunds
from tenants.payments.provider import ProviderUnavailable
from tenants.units.replace import replace
from tessera.embedded import Servers
from tests.api.test_payments import ask_provider, balances, pay_back, pay_url
from tests.api.till import app, process, till
from tests.paying import fulfil, pay
from tests.provider import Merchant, Sandbox
from tests.security.database import own_database
from tests.shop import PLATFORM_HOST, Store, client, open_store
from tests.tenants.payments.lines import Bought, Want, order
from tests.tenants.types.recipes import put_on_sale
from tests.tenants.units.stock import figures, rows, states

__all__ = ["app", "client", "process", "till"]
CODES = (100, 70, 30)  # what three codes of a line cost
BY_HAND = 500


async def manual_sale(store: Store, units: int = 2) -> str:
    sku = await store.sku(type="manual", price_minor=BY_HAND)
    await store.ask("POST", f"/v1/skus/{sku}/units", store.merchant, {"quantity": units})
    return await store.sale(units, sku_id=sku)


async def two_lines(store: Store) -> Bought:
    """Three codes, each at a price of its own, and two things that somebody does by hand."""
    return await order(store, Want(await put_on_sale(store, "code", 5), 3, CODES), Want(await manual_sale(store), 2))


async def state(store: Store, bought: Bought) -> tuple[str, int]:
    seen = await store.ask("GET", f"/v1/orders/{bought.order}", store.merchant)
    return seen["state"], seen["refunded_minor"]


async def request(store: Store, bought: Bought, *units: int) -> httpx.Response:
    return await store.client.post(f"/v1/orders/{bought.order}/refund", headers=store.merchant, json={"units": units} if units else {})


async def repay(store: Store) -> None:
    """The provider says yes to whatever was asked of it."""
    sql = "SELECT out_refund_no FROM refund WHERE tenant_id = $1 AND state = 'requested'"
    for (number,) in await rows(store, sql):
        async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
            await refunds.succeeded(tx, number)


class Life(NamedTuple):
    """`steps` are words of `Steps`; behind a colon the code of the refusal that is expected. A0 is the first unit of the first line."""

    steps: str
    state: str
    refunded_minor: int
    left: tuple[int, int]  # units of each line that are still the shopper's


LIVES = [
    Life("A0:not_refundable *:not_refundable", "awaiting", 0, (3, 2)),
    Life("pay A0", "paid", 100, (2, 2)),
    Life("pay A0,A2 repay A1", "paid", 200, (0, 2)),
    Life("pay A0 A0:already_refunded A0,A1:already_refunded A1", "paid", 170, (1, 2)),
    Life("pay B0:fulfilment_pending A0,B0:fulfilment_pending", "paid", 0, (3, 2)),
    Life("pay A0,B0,B1", "delivered", 1100, (2, 0)),
    Life("pay lineA lineA:already_refunded done", "delivered", 200, (0, 2)),
    Life("pay lineB done:not_pending fail:not_pending", "delivered", 1000, (3, 0)),
    Life("pay lineB A0 repay *", "refunding", 1200, (0, 0)),
    Life("pay lineB A0 repay * repay", "refunded", 1200, (0, 0)),
    Life("pay done B0 B0:already_refunded", "delivered", 500, (3, 1)),
    Life("pay done B0,A0 B1 repay lineA repay", "refunded", 1200, (0, 0)),
    Life("pay fail", "delivered", 1000, (3, 0)),
    Life("pay fail repay A0,A1,A2", "refunding", 1200, (0, 0)),
    Life("pay lineA fail", "refunding", 1200, (0, 0)),
    Life("pay lineA repay fail repay", "refunded", 1200, (0, 0)),
    Life("pay * * A0:already_refunded lineA:already_refunded done:not_pending repay *", "refunded", 1200, (0, 0)),
    Life("pay A0 pay *", "refunding", 1200, (0, 0)),
    Life("pay X:not_found A0,X:not_found", "paid", 0, (3, 2)),
]


class Steps:
    def __init__(self, store: Store, bought: Bought) -> None:
        self.store, self.bought = store, bought

    async def take(self, step: str) -> str:
        """The code of its refusal, or nothing."""
        path, body = f"/v1/orders/{self.bought.order}/refund", {}
        if step == "pay":
            await pay(self.store, self.bought.order)
            return ""
        if step == "repay":
            await repay(self.store)
            return ""
        if step in ("done", "fail"):
            [(fulfilment,)] = await rows(
                self.store, "SELECT id FROM fulfilment WHERE tenant_id = $1 AND order_id = $2", self.bought.order_id
            )
            path = f"/v1/fulfilments/ful_{fulfilment.hex}/{'complete' if step == 'done' else 'fail'}"
            body = {} if step == "done" else {"problem": "out of order"}
        elif step.startswith("line"):
            sql = "SELECT sale_id FROM order_line WHERE tenant_id = $1 AND order_id = $2 ORDER BY unit_price_minor DESC"
            sales = [row[0] for row in await rows(self.store, sql, self.bought.order_id)]
            body = {"sale_ids": [f"sal_{sales['AB'.index(step[-1])].hex}"]}
        elif step != "*":
            body = {"units": [self.unit(name) for name in step.split(",")]}
        answer = await self.store.client.post(path, headers=self.store.merchant, json=body)
        return "" if answer.is_success else str(answer.json()["code"])

    def unit(self, name: str) -> int:
        return 1 << 60 if name == "X" else self.bought.lines["AB".index(name[0])][int(name[1])]


@pytest.fixture(scope="module")
async def lonely(servers: Servers) -> AsyncIterator[tuple[Settings, Store]]:
    """A store in a database that no other test writes to, so that the checker looks at nothing else."""
    async with own_database(servers, "part_refunds") as found:
        app = create_app(found)
        async with open_process(found) as app.state.process:
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{PLATFORM_HOST}") as client:
                yield found, await open_store(client, app.state.process)


class TestSteps:
    @pytest.mark.parametrize("life", LIVES, ids=lambda life: life.steps)
    async def test_lead_to_what_is_expected_and_right_books(self, lonely: tuple[Settings, Store], life: Life) -> None:
        found, store = lonely
        bought = await two_lines(store)
        steps = Steps(store, bought)
        for step, _, code in (each.partition(":") for each in life.steps.split()):
            assert await steps.take(step) == code, step
        assert await state(store, bought) == (life.state, life.refunded_minor)
        kept = [[state in ("held", "sold") for state in await states(store, line)] for line in bought.lines]
        assert tuple(map(sum, kept)) == life.left
        report = await check(found, Options())
        assert [verdict.name for verdict in report.verdicts if verdict.status is Status.VIOLATED] == [], as_text(report)


class TestRaces:
    async def test_the_same_unit_is_refunded_once(self, acme: Store) -> None:
        bought = await two_lines(acme)
        await pay(acme, bought.order)
        answers = await asyncio.gather(*(request(acme, bought, bought.lines[0][0]) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already_refunded"}
        assert await state(acme, bought) == ("paid", CODES[0])

    async def test_the_last_units_one_by_one_at_once(self, acme: Store) -> None:
        bought = await order(acme, Want(await acme.sale(3), 3, CODES))
        await pay(acme, bought.order)
        answers = await asyncio.gather(*(request(acme, bought, unit) for unit in bought.lines[0]))
        assert [answer.status_code for answer in answers] == [202] * 3
        assert await state(acme, bought) == ("refunding", sum(CODES))
        numbers = await rows(acme, "SELECT out_refund_no FROM refund WHERE tenant_id = $1")

        async def succeed(number: str) -> None:
            async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                assert await refunds.succeeded(tx, number) == "refunded"

        await asyncio.gather(*(succeed(number) for (number,) in numbers))
        assert (len(numbers), await state(acme, bought)) == (3, ("refunded", sum(CODES)))

    async def test_all_of_it_and_a_part_at_once(self, acme: Store) -> None:
        bought = await two_lines(acme)
        await pay(acme, bought.order)
        whole, part = await asyncio.gather(request(acme, bought), request(acme, bought, bought.lines[0][1]))
        assert whole.status_code == 202
        assert part.status_code in (202, 409)
        assert await state(acme, bought) == ("refunding", sum(CODES) + 2 * BY_HAND)

    async def test_a_part_and_its_fulfilment_at_once(self, acme: Store) -> None:
        bought = await two_lines(acme)
        await pay(acme, bought.order)
        part, _ = await asyncio.gather(request(acme, bought, *bought.lines[1]), fulfil(acme, bought.order))
        assert part.status_code == 202
        assert await state(acme, bought) == ("delivered", 2 * BY_HAND)


class TestStock:
    async def test_only_what_is_refunded_leaves_the_sale(self, acme: Store) -> None:
        sale = await acme.sale(5)
        bought = await order(acme, Want(sale, 3, CODES))
        await pay(acme, bought.order)
        assert (await request(acme, bought, bought.lines[0][1])).status_code == 202
        assert await states(acme, bought.lines[0]) == ["sold", "quarantined", "sold"]
        assert await figures(acme, sale) == (4, 2)

    async def test_a_gate_gets_the_slots_of_each_part_back(self, acme: Store) -> None:
        bought = await order(acme, Want(await acme.sale(3, door="gate", limit_per_shopper=3), 3))
        await pay(acme, bought.order)
        for unit in bought.lines[0]:
            assert (await request(acme, bought, unit)).status_code == 202
        assert await rows(acme, "SELECT seq, units, slots FROM give_back WHERE tenant_id = $1 ORDER BY seq") == [
            (1, 0, 1), (2, 0, 1), (3, 0, 1),
        ]  # fmt: skip

    async def test_a_unit_that_is_let_go_forgets_what_it_cost(self, acme: Store) -> None:
        bought = await order(acme, Want(await acme.sale(3), 3, CODES))
        sql = "SELECT paid_minor FROM unit WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id"
        assert await rows(acme, sql, bought.lines[0]) == [(paid,) for paid in CODES]
        await acme.ask("POST", f"/v1/orders/{bought.order}/cancel", acme.merchant)
        assert await rows(acme, sql, bought.lines[0]) == [(None,)] * 3


class TestWhatIsLeft:
    async def test_only_the_rest_is_shown_and_each_with_its_own_words(self, acme: Store) -> None:
        bought = await order(acme, Want(await manual_sale(acme, 3), 3))
        await pay(acme, bought.order)
        [(fulfilment,)] = await rows(acme, "SELECT id FROM fulfilment WHERE tenant_id = $1")
        told = {"contents": [{"note": note} for note in ("first", "second", "third")]}
        await acme.ask("POST", f"/v1/fulfilments/ful_{fulfilment.hex}/complete", acme.merchant, told)
        assert (await request(acme, bought, bought.lines[0][0])).status_code == 202
        shown = (await acme.ask("GET", f"/v1/orders/{bought.order}/codes", bought.who))["codes"]
        assert [(each["unit"], each["note"]) for each in shown] == [(bought.lines[0][1], "second"), (bought.lines[0][2], "third")]

    async def test_what_the_rules_give_back_is_of_what_is_left(self, acme: Store) -> None:
        bought = await order(acme, Want(await acme.sale(3), 3, CODES))
        await pay(acme, bought.order)
        assert (await request(acme, bought, bought.lines[0][0])).status_code == 202
        [line] = (await acme.ask("GET", f"/v1/orders/{bought.order}/refundable", bought.who))["lines"]
        assert (line["paid_minor"], line["refundable_minor"]) == (100, 100)

    async def test_what_stands_in_costs_what_the_faulty_one_did(self, acme: Store) -> None:
        sku = await acme.sku(3)
        bought = await order(acme, Want(await acme.sale(3, sku_id=sku), 3, CODES))
        await pay(acme, bought.order)
        await acme.load(sku, 2)
        first, second, _ = bought.lines[0]
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            other = (await replace(tx, first, actor="test", reason="faulty")).replaced_by
        old = await request(acme, bought, first)
        assert (old.status_code, old.json()["code"], old.json()["replaced_by"]) == (409, "already_replaced", other)
        assert (await request(acme, bought, other, second)).status_code == 202
        assert await state(acme, bought) == ("delivered", CODES[0] + CODES[1])
        with pytest.raises(AppError) as refused:
            async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                await replace(tx, second, actor="test", reason="faulty")
        assert refused.value.code == "already_refunded"


class TestProvider:
    async def paid(self, store: Store, sandbox: Sandbox) -> Bought:
        bought = await two_lines(store)
        await asyncio.to_thread(sandbox.pay, await pay_url(store, bought.who, bought.order))
        await ask_provider(store)
        return bought

    async def books(self, sandbox: Sandbox, till: Merchant) -> list[tuple[int, str]]:
        books = await asyncio.to_thread(sandbox.books, till.mch_id)
        return [(refund["amount"], refund["status"]) for refund in books["refunds"]]

    async def test_each_part_is_a_refund_of_its_own(self, acme: Store, till: Merchant, sandbox: Sandbox) -> None:
        bought = await self.paid(acme, sandbox)
        for units in ([bought.lines[0][0]], bought.lines[1]):
            assert (await request(acme, bought, *units)).status_code == 202
            await pay_back(acme)
        assert await balances(acme) == {"clearing": 100, "revenue": -100}
        assert (await request(acme, bought)).status_code == 202
        await pay_back(acme)
        assert await state(acme, bought) == ("refunded", 1200)
        assert await balances(acme) == {"clearing": 0, "revenue": 0}
        assert await self.books(sandbox, till) == [(100, "SUCCESS"), (1000, "SUCCESS"), (100, "SUCCESS")]

    async def test_an_answer_that_comes_late(self, acme: Store, till: Merchant, sandbox: Sandbox) -> None:
        """The order goes on meanwhile, and the money goes back once."""
        bought = await self.paid(acme, sandbox)
        assert (await request(acme, bought, bought.lines[0][0])).status_code == 202
        await asyncio.to_thread(sandbox.faults, http_5xx=1.0)
        with pytest.raises(ProviderUnavailable):
            await pay_back(acme)
        await Steps(acme, bought).take("done")
        assert await state(acme, bought) == ("delivered", 100)
        await asyncio.to_thread(sandbox.clear_faults)
        await pay_back(acme)
        assert await state(acme, bought) == ("delivered", 100)
        assert await self.books(sandbox, till) == [(100, "SUCCESS")]

    async def test_a_part_that_is_refused_waits_for_a_person(self, acme: Store, till: Merchant, sandbox: Sandbox) -> None:
        bought = await self.paid(acme, sandbox)
        await asyncio.to_thread(sandbox.faults, refund_abnormal=1)
        assert (await request(acme, bought, bought.lines[0][0])).status_code == 202
        await pay_back(acme)
        await asyncio.to_thread(sandbox.clear_faults)
        assert await state(acme, bought) == ("paid", 0)
        assert [case["kind"] for case in (await acme.ask("GET", "/v1/exceptions", acme.merchant))["exceptions"]] == ["refund_refused"]
        again = await request(acme, bought, bought.lines[0][0])
        assert (again.status_code, again.json()["code"]) == (409, "already_refunded")
        assert (await request(acme, bought)).status_code == 202
        await pay_back(acme)
        assert await state(acme, bought) == ("refunding", 1100)
        assert await self.books(sandbox, till) == [(100, "ABNORMAL"), (1100, "SUCCESS")]
        assert await balances(acme) == {"clearing": 100, "revenue": -100}


async def test_in_the_ledger_and_in_the_audit(acme: Store) -> None:
    bought = await two_lines(acme)
    await pay(acme, bought.order)
    await request(acme, bought, bought.lines[0][2], bought.lines[0][0])
    await repay(acme)
    sql = """SELECT account, sum(e.amount_minor) FROM ledger_entry e WHERE tenant_id = $1 GROUP BY 1 ORDER BY 1"""
    assert await rows(acme, sql) == [("clearing", 1070), ("revenue", -1070)]
    [act] = [each for each in await _acts(acme, bought) if each["detail"]["action"] == "order.refund_requested"]
    assert act["detail"]["amount_minor"] == 130
    assert act["detail"]["units"] == sorted([bought.lines[0][0], bought.lines[0][2]])


async def _acts(store: Store, bought: Bought) -> list[Any]:
    items = (await store.ask("GET", f"/v1/orders/{bought.order}/timeline", store.merchant))["items"]
    return [each for each in items if each["kind"] == "act"]
