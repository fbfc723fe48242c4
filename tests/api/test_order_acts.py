"""What staff do with orders: a mail sent again, the same act on many."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from checkout_core.ids import encode
from tenants.db import tenant_tx
from tenants.mails import Mail
from tenants.mails.render import render
from tests.shop import Store
from tests.tenants.privacy.people import buyer


async def letters(store: Store) -> list[Mail]:
    """What the store owes, oldest first."""
    sql = """SELECT tenant_id, id, recipient, template, locale, content, created_at FROM mail
             WHERE tenant_id = $1 AND next_try_at IS NOT NULL ORDER BY id"""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        rows = await tx.conn.fetch(sql, tx.tenant_id)
    return [Mail(*row[:5], msgspec.json.decode(row["content"]), row["created_at"]) for row in rows]


class TestResend:
    async def test_to_its_contact_with_a_link_that_opens_nothing(self, client: httpx.AsyncClient, acme: Store) -> None:
        person = await buyer(acme)
        order = encode("ord", person.order_id)
        await acme.ask("POST", f"/v1/orders/{order}/resend", acme.merchant)
        [letter] = await letters(acme)
        assert (letter.recipient, letter.template) == (person.contact, "order_ready")
        text = render(letter, sender="shop@example.org", base_url="https://platform.test").get_body(("plain",)).get_content()  # type: ignore[union-attr]
        assert f"http://{acme.host}/orders?order={order}" in text.replace("=\n", "")
        page = await client.get(f"/orders?order={order}", headers={"Host": acme.host})
        assert (page.status_code, f'value="{order}"' in page.text, person.contact in page.text) == (200, True, False)

    async def test_to_another_address_on_record_without_it(self, acme: Store) -> None:
        order = encode("ord", (await buyer(acme)).order_id)
        sent = await acme.ask("POST", f"/v1/orders/{order}/resend", acme.merchant, {"mail": "new@example.org"})
        assert [letter.recipient for letter in await letters(acme)] == ["new@example.org"]
        [entry] = (await acme.ask("GET", f"/v1/audit?subject={order}&action=order.mailed", acme.merchant))["items"]
        assert entry["detail"] == {"mail": sent["mail_id"], "elsewhere": True}

    async def test_three_an_hour_also_at_once(self, client: httpx.AsyncClient, acme: Store) -> None:
        order = encode("ord", (await buyer(acme)).order_id)
        answers = await asyncio.gather(*(client.post(f"/v1/orders/{order}/resend", headers=acme.merchant) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [202, 202, 202, 429, 429]
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["code"] == "mailed_lately"
        assert 3500 < int(refused.headers["Retry-After"]) <= 3600
        assert len(await letters(acme)) == 3

    async def test_what_is_no_address_or_not_delivered(self, client: httpx.AsyncClient, acme: Store) -> None:
        phone, unpaid = await buyer(acme, contact="13800138000"), await buyer(acme, delivered=False)
        for person, code in ((phone, "no_mail_address"), (unpaid, "not_delivered")):
            answer = await client.post(f"/v1/orders/{encode('ord', person.order_id)}/resend", headers=acme.merchant)
            assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert await letters(acme) == []

    @pytest.mark.parametrize("mail", ["x", "a@b", "a@example.org\nBcc: b@example.org", "a@example.org,b@example.org", ""])
    async def test_malformed(self, client: httpx.AsyncClient, acme: Store, mail: str) -> None:
        order = encode("ord", (await buyer(acme)).order_id)
        assert (await client.post(f"/v1/orders/{order}/resend", json={"mail": mail}, headers=acme.merchant)).status_code == 400


async def act(store: Store, **asked: Any) -> list[tuple[str, bool, str | None]]:
    results = (await store.ask("POST", "/v1/orders/acts", store.merchant, asked))["results"]
    return [(each["order_id"], each["done"], each["code"]) for each in results]


class TestMany:
    async def test_a_shopper_may_not(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.post("/v1/orders/acts", headers=await acme.guest())).status_code == 401

    async def test_each_with_its_own_result(self, acme: Store, globex: Store) -> None:
        """What one refuses the others keep; another store's order reads like nobody's."""
        person, sale = await buyer(acme), await acme.sale(9)
        open_, other = [await acme.order(await acme.guest(), sale) for _ in range(2)]
        paid, foreign = encode("ord", person.order_id), await globex.order(await globex.guest(), await globex.sale())
        nobodys = "ord_" + "0" * 32
        named = [open_, foreign, paid, nobodys, other, open_]
        assert await act(acme, act="cancel", order_ids=named, reason="mistake") == [
            (open_, True, None), (foreign, False, "not_found"), (paid, False, "not_cancellable"), (nobodys, False, "not_found"),
            (other, True, None),
        ]  # fmt: skip
        states = {each["id"]: each["state"] for each in (await acme.ask("GET", "/v1/orders", acme.merchant))["items"]}
        assert states == {open_: "cancelled", other: "cancelled", paid: "delivered"}
        assert (await acme.audited()).count("order.cancelled") == 2
        assert (await acme.ask("GET", f"/v1/sales/{sale}", acme.merchant))["committed"] == 0
        assert (await globex.ask("GET", f"/v1/orders/{foreign}", globex.merchant))["state"] == "awaiting"

    async def test_again_is_no_other_act(self, acme: Store) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        vip = (await acme.ask("POST", "/v1/order-tags", acme.merchant, {"name": "vip"}))["id"]
        for _ in range(2):
            assert await act(acme, act="tag", order_ids=[order], tag_id=vip) == [(order, True, None)]
        for _ in range(2):
            assert await act(acme, act="untag", order_ids=[order], tag_id=vip) == [(order, True, None)]
        assert (await acme.audited()).count("order.tagged") == 2

    async def test_mails_to_all_who_left_an_address(self, acme: Store) -> None:
        people = [await buyer(acme, contact=contact) for contact in ("ann@example.org", "13800138000", "chen@example.org")]
        orders = [encode("ord", person.order_id) for person in people]
        done = await act(acme, act="resend", order_ids=orders)
        assert [code for _, _, code in done] == [None, "no_mail_address", None]
        assert [letter.recipient for letter in await letters(acme)] == ["ann@example.org", "chen@example.org"]

    async def test_five_hundred(self, acme: Store) -> None:
        named = [f"ord_{uuid4().hex}" for _ in range(500)]
        assert {code for _, _, code in await act(acme, act="cancel", order_ids=named)} == {"not_found"}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"act": "refund"}, {"act": "tag"}, {"act": "cancel", "tag_id": f"tag_{'0' * 32}"}, {"act": "resend", "reason": "fraud"},
            {"act": "cancel", "order_ids": []}, {"act": "cancel", "order_ids": [f"ord_{'0' * 32}"] * 501},
            {"act": "cancel", "reason": "why not"},
        ],
    )  # fmt: skip
    async def test_malformed(self, client: httpx.AsyncClient, acme: Store, wrong: dict[str, object]) -> None:
        answer = await client.post("/v1/orders/acts", json={"order_ids": [f"ord_{'0' * 32}"]} | wrong, headers=acme.merchant)
        assert answer.status_code == 400
