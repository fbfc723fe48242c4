"""Every event of the catalogue happens, through the API and the real provider; what it carries; and the guide says the same."""

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from api.process import Process
from checkout_core.ids import decode
from tenants import exceptions
from tenants.db import tenant_tx
from tenants.payments import expire
from tenants.vault import batches
from tenants.webhooks import catalogue, endpoints, queue, signing, translate
from tenants.webhooks.catalogue import KINDS, TEST
from tenants.webhooks.sender import TOTAL_S
from tests.api.test_payments import ask_provider, pay_back, pay_url, sealed_sale
from tests.api.till import app, process, till
from tests.postbox import Postbox
from tests.provider import Merchant, Sandbox, sandbox, sandbox_process
from tests.receiver import Hook
from tests.security.world import imported
from tests.shop import Store
from tests.tenants.payments.lines import Want, order

__all__ = ["app", "process", "sandbox", "sandbox_process", "till"]
GUIDE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
CONTACT = "buyer-of-this@example.org"


class Book:
    """What arrived at a hook."""

    def __init__(self, hook: Hook) -> None:
        self.hook = hook

    def data(self, type_: str) -> Any:
        [body] = [json.loads(received["body"]) for received in self.hook.book() if received["type"] == type_]
        assert (body["type"], body["version"]) == (type_, KINDS[type_].version)
        return body["data"]


@pytest.fixture
async def book(acme: Store, hook: Hook, postbox: Postbox) -> Book:
    """Of an endpoint that is told of everything there is."""
    await postbox.endpoint(acme, hook, *KINDS)
    return Book(hook)


async def reserve(store: Store, sale: str) -> tuple[dict[str, str], str]:
    shopper = await store.guest()
    body = {"sale_id": sale, "quantity": 1, "contact": CONTACT}
    order = await store.ask("POST", "/v1/checkouts", shopper | {"Idempotency-Key": shopper["Authorization"][-20:]}, body)
    return shopper, str(order["id"])


class TestOrders:
    async def test_paid_delivered_refunded(self, acme: Store, till: Merchant, sandbox: Sandbox, postbox: Postbox, book: Book) -> None:
        sale = await sealed_sale(acme, name="No word of this in order events")
        shopper, order = await reserve(acme, sale)
        await asyncio.to_thread(sandbox.pay, await pay_url(acme, shopper, order))
        await ask_provider(acme)
        await acme.ask("GET", f"/v1/orders/{order}/codes", shopper)
        await acme.ask("POST", f"/v1/orders/{order}/refund", acme.merchant)
        await pay_back(acme)
        await postbox.run(acme)
        assert [type_ for type_ in book.hook.types() if type_.startswith("order.")] == [
            "order.reserved", "order.paid", "order.delivered", "order.refund_requested", "order.refunded",
        ]  # fmt: skip
        paid, refunded = book.data("order.paid"), book.data("order.refunded")
        assert (paid["order_id"], paid["amount_minor"], paid["currency"]) == (order, 9900, "CNY")
        assert paid["lines"][0]["sale_id"] == sale
        assert paid["paid_at"]
        assert paid["delivered_at"]
        assert (refunded["order_id"], refunded["amount_minor"], refunded["reason"]) == (order, 9900, "requested")
        for received in book.hook.book():
            assert received["verified"]
            assert not any(secret in received["body"] for secret in (CONTACT, "C-1", "C-2", "pin1"))

    async def test_refunded_in_parts(self, acme: Store, till: Merchant, sandbox: Sandbox, postbox: Postbox, book: Book) -> None:
        """`order.refunded` comes once, with the last part: whoever takes it for the end of an order is right."""
        bought = await order(acme, Want(await acme.sale(2), 2, (9000, 900)))
        await asyncio.to_thread(sandbox.pay, await pay_url(acme, bought.who, bought.order))
        await ask_provider(acme)
        for unit in bought.lines[0]:
            await acme.ask("POST", f"/v1/orders/{bought.order}/refund", acme.merchant, {"units": [unit]})
            await pay_back(acme)
        await postbox.run(acme)
        assert [type_ for type_ in book.hook.types() if "refund" in type_] == [
            "order.partly_refunded", "order.refund_requested", "order.refunded",
        ]  # fmt: skip
        part, rest = book.data("order.partly_refunded"), book.data("order.refunded")
        assert (part["order_id"], part["amount_minor"], part["currency"]) == (bought.order, 9000, "CNY")
        assert (part["units"], rest["units"]) == ([bought.lines[0][0]], [bought.lines[0][1]])
        assert (rest["order_id"], rest["amount_minor"]) == (bought.order, 900)

    async def test_expired_cancelled_and_money_that_went_back(
        self, acme: Store, process: Process, till: Merchant, sandbox: Sandbox, postbox: Postbox, book: Book
    ) -> None:
        sale = await acme.sale(3)
        (cancelling, cancelled), (_, expired) = await reserve(acme, sale), await reserve(acme, sale)
        await acme.ask("POST", f"/v1/orders/{cancelled}/cancel", cancelling)
        await postbox.rows(acme, "UPDATE orders SET hold_until = now() WHERE tenant_id = $1 AND state = 'awaiting'")
        await expire.expire(process.app_pool, process.providers, acme.tenant_id, decode("ord", expired))
        await postbox.run(acme)
        assert book.data("order.cancelled")["order_id"] == cancelled
        assert book.data("order.expired")["order_id"] == expired
        # Paid in a wrong amount: the money goes back.
        shopper, odd = await reserve(acme, sale)
        await asyncio.to_thread(sandbox.pay, await pay_url(acme, shopper, odd), amount=1)
        await ask_provider(acme)
        await pay_back(acme)
        await postbox.run(acme)
        returned = book.data("payment.returned")
        assert (returned["order_id"], returned["amount_minor"], returned["reason"]) == (odd, 1, "mismatch")


class TestOthers:
    async def test_sales(self, acme: Store, postbox: Postbox, book: Book) -> None:
        sale = await postbox.happen(acme)
        await acme.ask("POST", f"/v1/sales/{sale}/limit", acme.merchant, {"limit_per_shopper": 2})
        await acme.ask("POST", f"/v1/sales/{sale}/end", acme.merchant)
        await postbox.run(acme)
        assert [book.data(f"sale.{name}")["change"] for name in ("published", "paused", "resumed", "changed", "ended")] == [
            "created", "paused", "resumed", "limit_changed", "ended",
        ]  # fmt: skip

    async def test_imports(self, acme: Store, postbox: Postbox, book: Book) -> None:
        sku = await acme.sku()
        batch = await imported(acme, sku, ["CODE-ONE-0001", "CODE-TWO-0002", "CODE-TWO-0002"])
        broken = await imported(acme, sku, ["CODE-SIX-0006"])
        async with tenant_tx(postbox.pool, acme.tenant_id) as tx:
            sql = "UPDATE vault_batch SET state = 'loading' WHERE tenant_id = $1 AND id = $2"
            await tx.conn.execute(sql, tx.tenant_id, decode("bat", broken))
            await batches.fail(tx, decode("bat", broken), "cut off")
        await postbox.run(acme)
        finished = [json.loads(each["body"])["data"] for each in book.hook.book() if each["type"] == "vault.import_finished"]
        assert finished[0] == {"import_id": batch, "sku_id": sku, "loaded": 2, "duplicates": 1, "malformed": 0}
        assert book.data("vault.import_failed")["import_id"] == broken
        assert not any("CODE-" in received["body"] for received in book.hook.book())

    async def test_exceptions_are_told_of_once(self, acme: Store, postbox: Postbox, book: Book) -> None:
        for _ in range(2):
            async with tenant_tx(postbox.pool, acme.tenant_id) as tx:
                await exceptions.report(tx, "refund_refused", "ref_x", why="no")
        await postbox.run(acme)
        told = book.data("exception.reported")
        [case] = (await acme.ask("GET", "/v1/exceptions", acme.merchant))["exceptions"]
        assert told == {"exception_id": case["id"], "kind": "refund_refused", "reference": "ref_x"}


class TestGuide:
    def test_lists_the_same_events(self) -> None:
        rows = re.findall(r"^\| `([a-z_.]+)` \| (\d+) \| (\w+) \| (.*) \|$", GUIDE, re.MULTILINE)
        said = [(kind.name, str(kind.version), kind.data.__name__, kind.summary + " *by name*" * kind.by_name_only) for kind in _all()]
        assert rows == said

    def test_its_snippet_verifies_what_we_send_and_nothing_else(self) -> None:
        [snippet] = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
        scope: dict[str, Any] = {}
        exec(snippet, scope)
        secret, body = signing.new_secret(), b'{"type":"webhook.test"}'
        now_s = int(time.time())
        sent = signing.headers([secret], "evt_1", now_s, body)
        receive = scope["receive"]
        assert receive(signing.shown(secret), sent, body) == {"type": "webhook.test"}
        assert receive(signing.shown(secret), sent, body + b" ") is None
        assert receive(signing.shown(signing.new_secret()), sent, body) is None
        assert receive(signing.shown(secret), sent | {"webhook-id": "evt_2"}, body) is None
        assert receive(signing.shown(secret), signing.headers([secret], "evt_1", now_s - 301, body), body) is None
        both = signing.headers([signing.new_secret(), secret], "evt_1", now_s, body)
        assert receive(signing.shown(secret), both, body) == {"type": "webhook.test"}

    def test_tells_the_schedule_and_the_bounds(self) -> None:
        assert f"After {len(queue.BACKOFF_S) + 1} attempts" in GUIDE
        assert f"within {TOTAL_S:g} seconds" in GUIDE
        assert f"at\nmost {endpoints.ENDPOINTS_MAX} endpoints" in GUIDE
        assert queue.DISABLED_AFTER.days == 5
        assert "five days without any success" in GUIDE


def _all() -> list[catalogue.Kind]:
    return [*KINDS.values(), TEST]


def test_every_type_comes_from_somewhere() -> None:
    """Of the catalogue nothing is only said."""
    actions = [*translate._SALES, "sale.limit_changed"]
    states = [
        {"state": state, "action": action, "part": part}
        for state in ("expired", "cancelled")
        for action in actions
        for part in (False, True)
    ]
    meant = {type_ for meaning in translate.TYPES.values() for said in states for type_ in meaning(said)}
    assert meant | {catalogue.RESERVED} == set(KINDS)
