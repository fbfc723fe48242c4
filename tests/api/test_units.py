"""Units of stock over HTTP: who may see and move them, lists and histories, acts, recalls, replacements."""

import asyncio
import datetime as dt
from typing import Any
from uuid import uuid4

import httpx
import pytest

from checkout_core.ids import decode, encode
from tenants import delivery
from tenants.db import tenant_tx
from tenants.orders import allot, release
from tenants.units import find
from tests.api.test_payments import sealed_sale
from tests.shop import Store
from tests.tenants.units.stock import batch_of, figures, order, rows, states

WHY = "the supplier asks to wait"


async def act(store: Store, what: str, units: list[int]) -> Any:
    return await store.ask("POST", f"/v1/vault/units/{what}", store.merchant, {"units": units, "reason": WHY})


async def listed(store: Store, **filters: str) -> list[int]:
    """The units of all pages of three."""
    found: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        response = await store.client.get("/v1/vault/units", params={"limit": "3"} | filters | cursor, headers=store.merchant)
        assert response.status_code == 200, response.text
        page = response.json()
        assert len(page["units"]) <= 3
        found += [unit["unit"] for unit in page["units"]]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


class TestList:
    async def test_without_a_key(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/v1/vault/units?sku_id=sku_" + "0" * 32)).status_code == 401

    async def test_of_another_store(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        sku = await acme.sku(1)
        for query in (f"sku_id={sku}", f"sku_id={sku}&state=void"):
            assert (await client.get(f"/v1/vault/units?{query}", headers=globex.merchant)).status_code == 404

    async def test_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        who = await acme.key_with("catalog:read")
        assert (await client.get(f"/v1/vault/units?sku_id={await acme.sku(1)}", headers=who)).status_code == 403

    async def test_newest_batch_first_and_each_unit_once(self, acme: Store) -> None:
        sku = await acme.sku()
        first, _, _ = await acme.load(sku, 5), await acme.load(sku, 4), await acme.sku(3)
        sql = "SELECT id FROM unit WHERE tenant_id = $1 AND sku_id = $2 ORDER BY batch_id DESC, id DESC"
        assert await listed(acme, sku_id=sku) == [row[0] for row in await rows(acme, sql, decode("sku", sku))]
        assert await listed(acme, sku_id=sku, batch_id=encode("bat", await batch_of(acme, first[0]))) == first[::-1]

    async def test_in_each_state(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """Also where a page is over before it is full: nothing is left out, nothing comes twice."""
        monkeypatch.setattr(find, "LOOK", 4)
        sku = await acme.sku()
        units = await acme.load(sku, 12)
        sale = await acme.sale(4, sku_id=sku)
        _, held = await order(acme, sale, 2)
        _, sold = await order(acme, sale, deliver=True)
        await act(acme, "lock", units[8:10])
        await act(acme, "void", units[10:])
        of = {state: await listed(acme, sku_id=sku, state=state) for state in find.STATES}
        assert of == {
            "held": held[::-1], "sold": sold, "available": units[3:8][::-1], "locked": units[8:10][::-1], "void": units[10:][::-1],
            "expired": [], "quarantined": [],
        }  # fmt: skip

    async def test_many_small_batches(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(find, "BATCHES", 2)
        sku = await acme.sku()
        for _ in range(7):
            await acme.load(sku, 1)
        units = [row[0] for row in await rows(acme, "SELECT id FROM unit WHERE tenant_id = $1 ORDER BY batch_id DESC")]
        assert await listed(acme, sku_id=sku) == units
        assert await listed(acme, sku_id=sku, state="available") == units

    async def test_codes_are_masked(self, acme: Store) -> None:
        sku = await acme.sku()
        headers = acme.merchant | {"Content-Type": "text/plain"}
        await acme.client.post(f"/v1/vault/imports?sku_id={sku}", content=b"ABCDEFGH-12345678\n", headers=headers)
        [unit] = (await acme.ask("GET", f"/v1/vault/units?sku_id={sku}", acme.merchant))["units"]
        assert unit["masked"] == "AB…78"
        seen = await acme.client.get(f"/v1/vault/units/{unit['unit']}", headers=acme.merchant)
        assert "ABCDEFGH" not in seen.text
        assert seen.json()["masked"] == "AB…78"


class TestGet:
    async def test_of_another_store_like_none(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        [unit] = await acme.load(await acme.sku(), 1)
        answers = [await client.get(f"/v1/vault/units/{each}", headers=globex.merchant) for each in (unit, 1 << 60)]
        assert {answer.status_code for answer in answers} == {404}
        assert answers[0].json() == answers[1].json()

    async def test_all_that_became_of_it(self, acme: Store) -> None:
        sku = await acme.sku()
        [unit] = await acme.load(sku, 1)
        await act(acme, "lock", [unit])
        await act(acme, "unlock", [unit])
        made, _ = await order(acme, await acme.sale(1, sku_id=sku), deliver=True)
        seen = await acme.ask("GET", f"/v1/vault/units/{unit}", acme.merchant)
        assert [event["act"] for event in seen["events"]] == ["load", "lock", "unlock", "hold", "deliver"]
        lock = seen["events"][1]
        assert (lock["from_state"], lock["to_state"], lock["reason"]) == ("available", "locked", WHY)
        assert lock["actor"].startswith("key_") or lock["actor"].startswith("usr_")
        assert [event["order_id"] for event in seen["events"][3:]] == [made, made]


class TestAct:
    async def test_reading_is_not_enough(self, client: httpx.AsyncClient, acme: Store) -> None:
        body = {"units": await acme.load(await acme.sku(), 1), "reason": WHY}
        who = await acme.key_with("vault:read")
        for what in ("lock", "unlock", "void"):
            assert (await client.post(f"/v1/vault/units/{what}", json=body, headers=who)).status_code == 403

    async def test_a_foreign_unit_among_ours_and_nothing_happens(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        ours, theirs = await acme.load(await acme.sku(), 1), await globex.load(await globex.sku(), 1)
        answer = await client.post("/v1/vault/units/void", json={"units": ours + theirs, "reason": WHY}, headers=acme.merchant)
        assert answer.status_code == 404
        assert [await states(acme, ours), await states(globex, theirs)] == [["available"], ["available"]]

    async def test_out_of_a_sale_with_its_figures(self, acme: Store) -> None:
        sku = await acme.sku()
        units = await acme.load(sku, 5)
        sale = await acme.sale(4, sku_id=sku)
        _, [held] = await order(acme, sale)
        done = await act(acme, "lock", units)
        assert done == {"units": units[1:], "refused": [{"unit": held, "state": "held"}]}
        assert await figures(acme, sale) == (1, 1)
        done = await act(acme, "unlock", units)
        assert (done["units"], await states(acme, units)) == (units[1:], ["held"] + ["available"] * 4)
        assert await figures(acme, sale) == (1, 1), "what is unlocked is loose"

    async def test_what_is_void_stays_void(self, acme: Store) -> None:
        units = await acme.load(await acme.sku(), 1)
        await act(acme, "void", units)
        for what in ("unlock", "lock", "void"):
            assert (await act(acme, what, units))["refused"] == [{"unit": units[0], "state": "void"}]

    async def test_what_was_sold_is_not_touched(self, acme: Store) -> None:
        _, units = await order(acme, await acme.sale(1), deliver=True)
        for what in ("lock", "unlock", "void"):
            assert (await act(acme, what, units))["refused"] == [{"unit": units[0], "state": "sold"}]

    async def test_a_gate_is_loaded_anew(self, acme: Store) -> None:
        sku = await acme.sku()
        units = await acme.load(sku, 2)
        sale = await acme.sale(2, sku_id=sku, door="gate")
        await rows(acme, "UPDATE sale SET next_try_at = NULL WHERE tenant_id = $1 RETURNING id")
        await act(acme, "lock", units[:1])
        [(epoch, due)] = await rows(
            acme, "SELECT epoch, next_try_at <= now() FROM sale WHERE tenant_id = $1 AND id = $2", decode("sal", sale)
        )
        assert (epoch, due) == (2, True)

    async def test_while_shoppers_buy(self, acme: Store) -> None:
        sku = await acme.sku()
        units = await acme.load(sku, 30)
        sale = await acme.sale(30, sku_id=sku)
        guests = [await acme.guest() for _ in range(6)]
        acts = (act(acme, "lock", units[n::5]) for n in range(4))
        await asyncio.gather(*acts, *(acme.order(guest, sale) for guest in guests))
        allotted, committed = await figures(acme, sale)
        assert (allotted, committed) == (30 - (await states(acme, units)).count("locked"), 6)

    @pytest.mark.parametrize(
        "wrong", [{"units": []}, {"units": [0]}, {"units": ["x"]}, {"units": [1] * 1001}, {"reason": ""}, {"reason": " "}]
    )
    async def test_bad_bodies(self, client: httpx.AsyncClient, acme: Store, wrong: dict[str, Any]) -> None:
        body = {"units": [1], "reason": WHY} | wrong
        assert (await client.post("/v1/vault/units/lock", json=body, headers=acme.merchant)).status_code == 400


class TestRecall:
    async def recall(self, store: Store, unit: int, fate: str = "locked") -> Any:
        batch = encode("bat", await batch_of(store, unit))
        return await store.ask("POST", f"/v1/vault/batches/{batch}/recall", store.merchant, {"fate": fate, "reason": WHY})

    async def test_off_every_shelf(self, acme: Store) -> None:
        sku = await acme.sku()
        units, other = await acme.load(sku, 6), await acme.load(sku, 2)
        sale, second = await acme.sale(3, sku_id=sku), await acme.sale(2, sku_id=sku)
        made, held = await order(acme, sale)
        _, sold = await order(acme, sale, deliver=True)
        assert await self.recall(acme, units[0]) == {"moved": 4, "held": 1, "sold": 1}
        assert await states(acme, units) == ["held", "sold", *["locked"] * 4]
        assert await states(acme, other) == ["available", "available"]
        assert [await figures(acme, each) for each in (sale, second)] == [(2, 2), (0, 0)]
        # Who held one may pay for it; who does not gives it back to nobody.
        await acme.ask("POST", f"/v1/orders/{made}/cancel", acme.merchant)
        assert await states(acme, held) == ["locked"]
        assert await figures(acme, sale) == (1, 1)
        batch = encode("bat", await batch_of(acme, units[0]))
        assert await listed(acme, sku_id=sku, batch_id=batch, state="sold") == sold

    async def test_void_takes_the_locked_ones_too(self, acme: Store) -> None:
        units = await acme.load(await acme.sku(), 3)
        await act(acme, "lock", units[:1])
        assert (await self.recall(acme, units[0], "void"))["moved"] == 3
        assert set(await states(acme, units)) == {"void"}

    async def test_a_false_alarm(self, acme: Store) -> None:
        units = await acme.load(await acme.sku(), 3)
        await self.recall(acme, units[0])
        batch = encode("bat", await batch_of(acme, units[0]))
        assert (await acme.ask("GET", f"/v1/vault/batches/{batch}", acme.merchant))["recalled_as"] == "locked"
        assert await acme.ask("POST", f"/v1/vault/batches/{batch}/restore", acme.merchant, {"reason": WHY}) == {"moved": 3}
        assert set(await states(acme, units)) == {"available"}
        assert (await acme.ask("GET", f"/v1/vault/batches/{batch}", acme.merchant))["recalled_as"] is None

    async def test_of_a_batch_that_is_loading(self, client: httpx.AsyncClient, acme: Store) -> None:
        [unit] = await acme.load(await acme.sku(), 1, state="loading")
        path = f"/v1/vault/batches/{encode('bat', await batch_of(acme, unit))}"
        answers = [
            await client.post(f"{path}/recall", json={"fate": "void", "reason": WHY}, headers=acme.merchant),
            await client.put(path, json={"valid_until": "2031-01-01T00:00:00Z"}, headers=acme.merchant),
        ]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "not_loaded")] * 2


class TestBatches:
    async def test_who_may_not(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.get("/v1/vault/batches", headers=acme.at)).status_code == 401
        assert (await client.get("/v1/vault/batches", headers=await acme.key_with("catalog:read"))).status_code == 403

    async def test_listed_newest_first_those_of_a_sku(self, acme: Store, globex: Store) -> None:
        sku = await acme.sku(1)
        await acme.load(sku, 2)
        await globex.sku(1)
        found = await acme.ask("GET", "/v1/vault/batches", acme.merchant)
        assert [(each["sku_id"], each["loaded"], each["kind"], each["state"]) for each in found["batches"]] == [
            (sku, 2, "imported", "loaded"), (sku, 1, "imported", "loaded"),
        ]  # fmt: skip
        other = await acme.sku(3)
        [only] = (await acme.ask("GET", f"/v1/vault/batches?sku_id={other}", acme.merchant))["batches"]
        await acme.ask("POST", f"/v1/vault/batches/{only['id']}/recall", acme.merchant, {"fate": "locked", "reason": WHY})
        [recalled] = (await acme.ask("GET", f"/v1/vault/batches?sku_id={other}", acme.merchant))["batches"]
        assert (recalled["recalled_as"], recalled["recall_reason"]) == ("locked", WHY)


class TestTerms:
    async def test_dates_of_a_batch_become_those_of_what_is_for_sale(self, acme: Store) -> None:
        sku = await acme.sku()
        units = await acme.load(sku, 3)
        await order(acme, await acme.sale(1, sku_id=sku))
        batch = encode("bat", await batch_of(acme, units[0]))
        body = {"priority": 7, "valid_until": "2031-01-01T00:00:00Z"}
        assert (await acme.ask("PUT", f"/v1/vault/batches/{batch}", acme.merchant, body))["priority"] == 7
        sql = "SELECT valid_until IS NOT NULL FROM unit WHERE tenant_id = $1 ORDER BY id"
        assert await rows(acme, sql) == [(False,), (True,), (True,)]
        sql = "SELECT next_try_at = '2031-01-01T00:00:00Z' FROM vault_batch WHERE tenant_id = $1"
        assert await rows(acme, sql) == [(True,)]

    async def test_the_end_before_the_beginning(self, client: httpx.AsyncClient, acme: Store) -> None:
        [unit] = await acme.load(await acme.sku(), 1)
        path = f"/v1/vault/batches/{encode('bat', await batch_of(acme, unit))}"
        body = {"valid_from": "2031-01-02T00:00:00Z", "valid_until": "2031-01-01T00:00:00Z"}
        answer = await client.put(path, json=body, headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"]) == (422, "ends_too_early")

    async def test_of_another_store(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        path = f"/v1/skus/{await acme.sku()}/issue"
        assert (await client.get(path, headers=globex.merchant)).status_code == 404
        assert (await client.put(path, json={"issue_order": "fifo"}, headers=globex.merchant)).status_code == 404


class TestReplace:
    async def replace(self, store: Store, unit: int, key: str = "") -> httpx.Response:
        headers = store.merchant | {"Idempotency-Key": key or uuid4().hex}
        return await store.client.post(f"/v1/vault/units/{unit}/replacement", json={"reason": "it was used"}, headers=headers)

    async def bought(self, store: Store, units: int = 2, **changes: Any) -> tuple[str, str, dict[str, str], int]:
        """Sale, delivered order, its shopper and unit."""
        sale, who = await sealed_sale(store, units, **changes), await store.guest()
        made = await store.order(who, sale)
        [(unit, shopper_id)] = await rows(
            store, "SELECT id, shopper_id FROM unit WHERE tenant_id = $1 AND order_id = $2", decode("ord", made)
        )
        async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
            await delivery.deliver(tx, decode("ord", made), shopper_id, dt.datetime.now(dt.UTC))
        return sale, made, who, unit

    async def codes(self, store: Store, made: str, who: dict[str, str]) -> list[str]:
        return [each["code"] for each in (await store.ask("GET", f"/v1/orders/{made}/codes", who))["codes"]]

    async def test_the_shopper_sees_the_new_code_and_not_the_old(self, acme: Store) -> None:
        sale, made, who, unit = await self.bought(acme, limit_per_shopper=1)
        assert await self.codes(acme, made, who) == ["C-1"]
        answer = await self.replace(acme, unit)
        assert (answer.status_code, answer.json()["order_id"]) == (201, made)
        assert await self.codes(acme, made, who) == ["C-2"]
        assert await states(acme, [unit, answer.json()["replaced_by"]]) == ["quarantined", "sold"]
        assert await figures(acme, sale) == (1, 1), "the other came from the sale"
        seen = await acme.ask("GET", f"/v1/vault/units/{answer.json()['replaced_by']}", acme.merchant)
        assert "stand_in" in [event["act"] for event in seen["events"]]
        events = [row[0] for row in await rows(acme, "SELECT topic FROM outbox WHERE tenant_id = $1 ORDER BY created_at, id")]
        assert "order.code_replaced" in events
        assert (await acme.audited()).count("unit.replaced") == 1

    async def test_loose_stock_goes_first(self, acme: Store) -> None:
        sale, _, _, unit = await self.bought(acme)
        [(sku,)] = await rows(acme, "SELECT sku_id FROM unit WHERE tenant_id = $1 AND id = $2", unit)
        [loose] = await acme.load(encode("sku", sku), 1)
        assert (await self.replace(acme, unit)).json()["replaced_by"] == loose
        assert await figures(acme, sale) == (2, 1), "the sale's figures stay as they are"

    async def test_asked_again_it_is_the_same_and_another_time_refused(self, acme: Store) -> None:
        _, _, _, unit = await self.bought(acme, 3)
        answers = [await self.replace(acme, unit, "once") for _ in range(2)]
        assert answers[0].json() == answers[1].json()
        again = await self.replace(acme, unit)
        assert (again.status_code, again.json()["code"]) == (409, "already_replaced")
        assert (await self.replace(acme, answers[0].json()["replaced_by"])).status_code == 201, "what stands in may be faulty too"

    async def test_two_at_once_replace_once(self, acme: Store) -> None:
        sale, _, _, unit = await self.bought(acme, 4)
        answers = await asyncio.gather(*(self.replace(acme, unit) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        assert await figures(acme, sale) == (3, 1)

    async def test_what_was_never_delivered(self, acme: Store) -> None:
        _, [unit] = await order(acme, await acme.sale(2))
        answer = await self.replace(acme, unit)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_delivered")

    async def test_nothing_is_left(self, acme: Store) -> None:
        _, made, who, unit = await self.bought(acme, 1)
        answer = await self.replace(acme, unit)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_enough_stock")
        assert await self.codes(acme, made, who) == ["C-1"]

    async def test_a_refund_takes_what_stands_in(self, acme: Store) -> None:
        """And what it stands in for stays quarantined."""
        sale, made, _, unit = await self.bought(acme)
        other = (await self.replace(acme, unit)).json()["replaced_by"]
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            locked = await release.lock(tx, decode("ord", made))
            row = await allot.lock_sale(tx, decode("sal", sale))
            assert row is not None
            taken = await allot.quarantine(tx, row, decode("ord", made), locked["shopper_id"], [unit, other], reason="test")
            assert taken == 1, "what it stands in for is the order's no more"
        assert await states(acme, [unit, other]) == ["quarantined", "quarantined"]
        assert await figures(acme, sale) == (0, 0)
