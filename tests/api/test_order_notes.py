"""Notes on an order, and its timeline."""

import datetime as dt
from typing import Any

import httpx
import pytest

from checkout_core.ids import decode, encode
from tenants.db import tenant_tx
from tenants.orders import notes
from tenants.payments import refunds
from tests.shop import Store
from tests.tenants.privacy.people import buyer, erased


async def timeline(store: Store, order: str, limit: int = 100) -> list[dict[str, Any]]:
    """All pages."""
    seen: list[dict[str, Any]] = []
    asked: dict[str, Any] = {"limit": limit}
    while True:
        response = await store.client.get(f"/v1/orders/{order}/timeline", params=asked, headers=store.merchant)
        assert response.status_code == 200, response.text
        seen += response.json()["items"]
        if not response.json()["next_cursor"]:
            return seen
        asked["cursor"] = response.json()["next_cursor"]


class TestNotes:
    async def test_a_shopper_may_not(self, client: httpx.AsyncClient, acme: Store) -> None:
        who = await acme.guest()
        order = await acme.order(who, await acme.sale())
        for method in ("GET", "POST"):
            assert (await client.request(method, f"/v1/orders/{order}/notes", headers=who)).status_code == 401

    async def test_newest_first_with_author_and_time(self, acme: Store) -> None:
        order, ann = await acme.order(await acme.guest(), await acme.sale()), await acme.employ("support")
        session = await acme.session(ann)
        for n in range(3):
            await acme.ask("POST", f"/v1/orders/{order}/notes", session, {"words": f"note {n} <b>bold</b>"})
        page = await acme.ask("GET", f"/v1/orders/{order}/notes?limit=2", acme.merchant)
        assert [(note["words"], note["author"]) for note in page["items"]] == [(f"note {n} <b>bold</b>", ann.id) for n in (2, 1)]
        rest = await acme.ask("GET", f"/v1/orders/{order}/notes?limit=2&cursor={page['next_cursor']}", acme.merchant)
        assert [note["words"] for note in rest["items"]] == ["note 0 <b>bold</b>"]
        assert rest["next_cursor"] is None

    async def test_the_same_key_writes_one(self, acme: Store) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        headers = acme.merchant | {"Idempotency-Key": "k"}
        one, again = [await acme.ask("POST", f"/v1/orders/{order}/notes", headers, {"words": "once"}) for _ in range(2)]
        assert one == again
        assert len((await acme.ask("GET", f"/v1/orders/{order}/notes", acme.merchant))["items"]) == 1

    async def test_two_hundred_and_no_more(self, client: httpx.AsyncClient, acme: Store) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = """INSERT INTO order_note (tenant_id, order_id, id, author, words)
                     SELECT $1, $2, gen_random_uuid(), 'test', 'x' FROM generate_series(1, $3)"""
            await tx.conn.execute(sql, tx.tenant_id, decode("ord", order), notes.ORDER_MAX)
        refused = await client.post(f"/v1/orders/{order}/notes", json={"words": "one more"}, headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"]) == (409, "too_many_notes")

    @pytest.mark.parametrize("words", ["", "  ", "x" * 2001, None])
    async def test_malformed(self, client: httpx.AsyncClient, acme: Store, words: str | None) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        assert (await client.post(f"/v1/orders/{order}/notes", json={"words": words}, headers=acme.merchant)).status_code == 400

    async def test_no_process_can_change_one(self, acme: Store) -> None:
        """But for the erasure, which empties it."""
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = (
                "SELECT has_table_privilege('tessera_app', 'order_note', 'DELETE'), has_column_privilege('order_note', 'author', 'UPDATE')"
            )
            assert tuple(await tx.conn.fetchrow(sql)) == (False, False)

    async def test_they_lose_their_words_with_the_shopper(self, acme: Store) -> None:
        person, other = await buyer(acme), await buyer(acme)
        for each in (person, other):
            words = {"words": f"He is called {each.contact}"}
            await acme.ask("POST", f"/v1/orders/{encode('ord', each.order_id)}/notes", acme.merchant, words)
        await erased(acme.process, person)
        [gone], [kept] = [
            (await acme.ask("GET", f"/v1/orders/{encode('ord', each.order_id)}/notes", acme.merchant))["items"] for each in (person, other)
        ]
        assert (gone["words"], kept["words"]) == (None, f"He is called {other.contact}")


class TestTimeline:
    async def test_all_that_happened_newest_first(self, acme: Store) -> None:
        person = await buyer(acme)
        order = encode("ord", person.order_id)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await tx.audit(person.ref, "codes.revealed", order, units=[1])  # as the reveal does it
        await acme.ask("POST", f"/v1/orders/{order}/notes", acme.merchant, {"words": "He rang."})
        await acme.ask("POST", f"/v1/orders/{order}/resend", acme.merchant)
        await acme.ask("POST", f"/v1/orders/{order}/refund", acme.merchant)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = "SELECT out_refund_no FROM refund WHERE tenant_id = $1 AND order_id = $2"
            await refunds.succeeded(tx, await tx.conn.fetchval(sql, tx.tenant_id, person.order_id))
        seen = await timeline(acme, order)
        moments = [dt.datetime.fromisoformat(each["at"]).replace(microsecond=0) for each in seen]
        assert moments == sorted(moments, reverse=True)
        kinds = [each["kind"] for each in seen]
        assert sorted(kinds) == sorted(
            ["reserved", "payment_started", "paid", "delivered", "revealed", "note", "mail", "act", "refund_begun", "refund_ended"]
        )
        assert kinds[-1] == "reserved"
        by_kind = {each["kind"]: each for each in seen}
        assert by_kind["note"]["detail"] == {"words": "He rang."}
        assert by_kind["mail"]["detail"] == {"elsewhere": False, "state": "waiting"}
        assert by_kind["revealed"]["actor"] == person.ref
        assert by_kind["act"]["detail"]["action"] == "order.refund_requested"
        assert by_kind["refund_ended"]["detail"] == {"state": "succeeded"}
        assert person.contact not in str(seen)

    @pytest.mark.parametrize("limit", [1, 2, 3])
    async def test_page_by_page_nothing_is_missed_or_twice(self, acme: Store, limit: int) -> None:
        """Also of entries that share a millisecond, rows and audit alike."""
        order = await acme.order(await acme.guest(), await acme.sale())
        for n in range(3):
            await acme.ask("POST", f"/v1/orders/{order}/notes", acme.merchant, {"words": f"{n}"})
        await acme.ask("POST", f"/v1/orders/{order}/cancel", acme.merchant, {"reason": "fraud"})
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            for n in range(3):
                await tx.audit("test", f"order.tried_{n}", order)
            sql = """INSERT INTO order_note (tenant_id, order_id, id, author, words)
                     SELECT $1, $2, gen_random_uuid(), 'test', n::text FROM generate_series(1, 4) AS n"""
            await tx.conn.execute(sql, tx.tenant_id, decode("ord", order))
        whole = await timeline(acme, order)
        assert len(whole) == 3 + 1 + 3 + 4 + 2, "notes, cancelled, tried, notes, reserved and ended"
        assert await timeline(acme, order, limit) == whole

    async def test_why_it_was_cancelled(self, acme: Store) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        await acme.ask("POST", f"/v1/orders/{order}/cancel", acme.merchant, {"reason": "fraud"})
        seen = {each["kind"]: each["detail"] for each in await timeline(acme, order)}
        assert seen["act"] == {"action": "order.cancelled", "reason": "fraud"}
        assert seen["ended"] == {"state": "cancelled"}
