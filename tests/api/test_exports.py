"""Exports of codes: two people, one file, one time; what is in it is for sale no longer."""

import asyncio
import csv
import io
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import httpx
import pytest

from api.process import Process
from checkout_core import tokens
from checkout_core.errors import Conflict
from checkout_core.ids import decode
from tenants import delivery, sales
from tenants.db import tenant_tx
from tenants.vault import exports
from tests.security.world import bearer, imported
from tests.shop import Store


class Office(NamedTuple):
    """A store with two who may export and one who may not, and a SKU with five codes."""

    store: Store
    asks: dict[str, str]
    approves: dict[str, str]
    may_not: dict[str, str]
    sku: str
    batch: str
    codes: list[str]

    async def request(self, **what: Any) -> Any:
        body = {"reason": "for the fair"} | (what or {"sku_id": self.sku})
        return await self.store.ask("POST", "/v1/vault/exports", self.asks, body)

    async def act(self, export: Any, act: str, headers: dict[str, str]) -> httpx.Response:
        return await self.store.client.post(f"/v1/vault/exports/{export['id']}/{act}", headers=headers)

    async def approved(self, **what: Any) -> Any:
        export = await self.request(**what)
        assert (await self.act(export, "approve", self.approves)).status_code == 200
        return export

    async def states(self) -> dict[int, str]:
        async with tenant_tx(self.store.process.app_pool, self.store.tenant_id) as tx:
            sql = "SELECT id, state FROM unit WHERE tenant_id = $1 AND sku_id = $2 ORDER BY id"
            return dict(await tx.conn.fetch(sql, tx.tenant_id, decode("sku", self.sku)))


@pytest.fixture
async def office(acme: Store) -> Office:
    sku, codes = await acme.sku(), [uuid4().hex for _ in range(5)]
    batch = await imported(acme, sku, codes)
    owner = await acme.session(await acme.owner())
    return Office(acme, owner, await acme.staff("manager"), await acme.staff("operations"), sku, batch, codes)


def table(response: httpx.Response) -> list[list[str]]:
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    head, *rows = csv.reader(io.StringIO(response.content.decode("utf-8-sig")))
    assert head == ["unit", "state", "code", "secret", "valid_until", "face_value"]
    return rows


class TestRequest:
    async def test_without_a_key(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.post("/v1/vault/exports", json={"reason": "x"}, headers=acme.at)).status_code == 401

    async def test_without_the_permission(self, office: Office) -> None:
        body = {"reason": "x", "sku_id": office.sku}
        response = await office.store.client.post("/v1/vault/exports", json=body, headers=office.may_not)
        assert (response.status_code, response.json()["permission"]) == (403, "codes:export")

    async def test_of_another_stores_goods(self, office: Office, globex: Store) -> None:
        person = await globex.session(await globex.owner())
        await globex.staff("manager")
        for what in ({"sku_id": office.sku}, {"import_id": office.batch}):
            response = await globex.client.post("/v1/vault/exports", json={"reason": "x", **what}, headers=person)
            assert response.status_code == 404

    async def test_in_a_store_of_one(self, globex: Store) -> None:
        person = await globex.session(await globex.owner())
        response = await globex.client.post("/v1/vault/exports", json={"reason": "x", "sku_id": await globex.sku(1)}, headers=person)
        assert (response.status_code, response.json()["code"]) == (409, "needs_second_person")
        assert "nobody else" in response.json()["detail"]

    @pytest.mark.parametrize("wrong", [{}, {"sku_id": "sku_1", "order_id": "ord_1"}])
    async def test_of_one_thing(self, office: Office, wrong: dict[str, str]) -> None:
        response = await office.store.client.post("/v1/vault/exports", json={"reason": "x", **wrong}, headers=office.asks)
        assert response.status_code in (400, 404)

    async def test_of_nothing(self, office: Office) -> None:
        body = {"reason": "x", "sku_id": await office.store.sku()}
        response = await office.store.client.post("/v1/vault/exports", json=body, headers=office.asks)
        assert (response.status_code, response.json()["code"]) == (409, "nothing_to_export")

    async def test_changes_nothing(self, office: Office) -> None:
        export = await office.request(sku_id=office.sku, units=3)
        assert (export["units"], export["state"], export["exported"]) == (3, "requested", None)
        assert set((await office.states()).values()) == {"available"}


class TestTwoPeople:
    async def test_the_same_person_may_not_approve(self, office: Office) -> None:
        export = await office.request()
        response = await office.act(export, "approve", office.asks)
        assert (response.status_code, response.json()["code"]) == (403, "same_person")

    async def test_neither_may_his_key(self, office: Office) -> None:
        made = await office.store.ask("POST", "/v1/api-keys", office.asks, {"name": "x", "scopes": ["codes:export"]})
        response = await office.act(await office.request(), "approve", {"Authorization": f"Bearer {made['key']}"})
        assert (response.status_code, response.json()["code"]) == (403, "same_person")

    async def test_nor_who_may_not_export(self, office: Office) -> None:
        assert (await office.act(await office.request(), "approve", office.may_not)).status_code == 403

    async def test_nor_who_was_removed_a_moment_ago(self, office: Office) -> None:
        """His session is remembered for two seconds; that he works here is asked at this moment."""
        export = await office.request()
        assert (await office.store.client.get("/v1/vault/exports", headers=office.approves)).status_code == 200
        async with tenant_tx(office.store.process.app_pool, office.store.tenant_id) as tx:
            await tx.conn.execute("UPDATE membership SET role = 'support' WHERE tenant_id = $1 AND role = 'manager'", tx.tenant_id)
        response = await office.act(export, "approve", office.approves)
        assert (response.status_code, response.json()["permission"]) == (403, "codes:export")

    async def test_another_store_sees_nothing_of_it(self, office: Office, globex: Store) -> None:
        export = await office.request()
        person = await globex.session(await globex.owner())
        assert (await globex.client.get(f"/v1/vault/exports/{export['id']}", headers=person)).status_code == 404
        for act in ("approve", "refuse", "download"):
            assert (await office.act(export, act, person)).status_code == 404

    async def test_without_approval_there_is_no_file(self, office: Office) -> None:
        response = await office.act(await office.request(), "download", office.asks)
        assert (response.status_code, response.json()["state"]) == (409, "requested")

    async def test_who_approved_does_not_download(self, office: Office) -> None:
        response = await office.act(await office.approved(), "download", office.approves)
        assert (response.status_code, response.json()["code"]) == (403, "not_yours")

    @pytest.mark.parametrize("who", ["asks", "approves"])
    async def test_refused_or_taken_back(self, office: Office, who: str) -> None:
        export = await office.request()
        assert (await office.act(export, "refuse", getattr(office, who))).json()["state"] == "refused"
        assert (await office.act(export, "approve", office.approves)).status_code == 409
        assert (await office.act(export, "download", office.asks)).status_code == 409

    async def test_the_table_holds_it_too(self, office: Office, process: Process) -> None:
        export = await office.request()
        sql = "UPDATE code_export SET state = 'approved', decided_by_user = asked_by_user WHERE tenant_id = $1 AND id = $2"
        async with tenant_tx(process.app_pool, office.store.tenant_id) as tx:
            with pytest.raises(asyncpg.CheckViolationError):
                await tx.conn.execute(sql, tx.tenant_id, decode("exp", export["id"]))


class TestDownload:
    async def test_the_codes_and_they_are_void(self, office: Office) -> None:
        export = await office.approved(sku_id=office.sku, units=3)
        rows = table(await office.act(export, "download", office.asks))
        assert [row[1:] for row in rows] == [["available", code, "", "", ""] for code in reversed(office.codes[2:])]
        states = await office.states()
        assert [states[int(row[0])] for row in rows] == ["void"] * 3
        assert sorted(states.values()) == ["available"] * 2 + ["void"] * 3
        told = [action for action in await office.store.audited() if action.startswith("export.")]
        assert told == ["export.requested", "export.approved", "export.downloaded"]

    async def test_once(self, office: Office) -> None:
        export = await office.approved()
        answers = await asyncio.gather(*(office.act(export, "download", office.asks) for _ in range(4)))
        assert sorted(each.status_code for each in answers) == [200, 409, 409, 409]

    async def test_what_was_allotted_meanwhile_stays_out(self, office: Office) -> None:
        """The last loaded are chosen, the first are allotted: of five, four go to a sale and one is left."""
        export = await office.approved()
        await office.store.sale(4, sku_id=office.sku)
        rows = table(await office.act(export, "download", office.asks))
        assert [row[2] for row in rows] == [office.codes[4]]
        shown = await office.store.ask("GET", f"/v1/vault/exports/{export['id']}", office.asks)
        assert (shown["units"], shown["exported"], shown["state"]) == (5, 1, "downloaded")

    async def test_and_a_sale_at_the_same_time(self, office: Office, process: Process) -> None:
        """Each unit goes into the file or to the sale, never both."""

        async def sale() -> None:
            async with tenant_tx(process.app_pool, office.store.tenant_id) as tx:
                await sales.create(
                    tx, sku_id=decode("sku", office.sku), name="x", units=None, limit_per_shopper=0, price_minor=None, starts_at=None,
                    ends_at=None, hold_s=900, actor="test",
                )  # fmt: skip

        export = await office.approved()
        response, sold = await asyncio.gather(office.act(export, "download", office.asks), sale(), return_exceptions=True)
        assert sold is None or isinstance(sold, Conflict)
        assert isinstance(response, httpx.Response)
        exported = {int(row[0]) for row in table(response)}
        async with tenant_tx(process.app_pool, office.store.tenant_id) as tx:
            rows = await tx.conn.fetch("SELECT id FROM unit WHERE tenant_id = $1 AND sale_id IS NOT NULL", tx.tenant_id)
        allotted = {row[0] for row in rows}
        assert not exported & allotted
        assert len(exported) + len(allotted) == 5

    async def test_a_batch_with_what_was_sold_of_it(self, office: Office, process: Process) -> None:
        table(await office.act(await office.approved(sku_id=office.sku, units=2), "download", office.asks))
        rows = table(await office.act(await office.approved(import_id=office.batch), "download", office.asks))
        assert [(row[1], row[2]) for row in rows] == list(zip(["available"] * 3 + ["void"] * 2, office.codes, strict=True))

    async def test_a_cell_is_never_computed(self, acme: Store) -> None:
        sku = await acme.sku(code_pattern=".+")
        await imported(acme, sku, ["-1+2", "=HYPERLINK(1)"])
        office = Office(acme, await acme.session(await acme.owner()), await acme.staff("manager"), {}, sku, "", [])
        rows = table(await office.act(await office.approved(), "download", office.asks))
        assert sorted(row[2] for row in rows) == ["'-1+2", "'=HYPERLINK(1)"]

    async def test_of_an_order(self, office: Office, process: Process) -> None:
        sale, shopper = await office.store.sale(2, sku_id=office.sku), await office.store.guest()
        order = await office.store.order(shopper, sale, 2)
        body = {"reason": "x", "order_id": order}
        waiting = await office.store.client.post("/v1/vault/exports", json=body, headers=office.asks)
        assert waiting.json()["code"] == "nothing_to_export", "it is not delivered"
        shopper_id = tokens.verify(process.keys.shoppers, bearer(shopper)).id
        async with tenant_tx(process.app_pool, office.store.tenant_id) as tx:
            now = await tx.conn.fetchval("SELECT now()")
            await delivery.deliver(tx, decode("ord", order), shopper_id, now)
        rows = table(await office.act(await office.approved(order_id=order), "download", office.asks))
        assert sorted((row[1], row[2]) for row in rows) == sorted(("sold", code) for code in office.codes[:2])
        assert sorted((await office.states()).values()) == ["available"] * 3 + ["sold"] * 2


class TestExpiry:
    async def age(self, office: Office, export: Any) -> None:
        async with tenant_tx(office.store.process.app_pool, office.store.tenant_id) as tx:
            sql = "UPDATE code_export SET expires_at = now(), next_try_at = now() WHERE tenant_id = $1 AND id = $2"
            await tx.conn.execute(sql, tx.tenant_id, decode("exp", export["id"]))

    @pytest.mark.parametrize("approved", [False, True])
    async def test_after_a_day(self, office: Office, process: Process, approved: bool) -> None:
        export = await (office.approved() if approved else office.request())
        export_id = decode("exp", export["id"])
        await exports.expire(process.app_pool, office.store.tenant_id, export_id)
        assert (await office.store.ask("GET", f"/v1/vault/exports/{export['id']}", office.asks))["state"] != "expired"
        await self.age(office, export)
        refused = await office.act(export, "download" if approved else "approve", office.asks if approved else office.approves)
        assert (refused.status_code, refused.json()["state"]) == (409, "expired"), "even before the duty comes"
        for _ in range(2):
            await exports.expire(process.app_pool, office.store.tenant_id, export_id)
        assert (await office.store.ask("GET", f"/v1/vault/exports/{export['id']}", office.asks))["state"] == "expired"
        assert (await office.store.audited()).count("export.expired") == 1
