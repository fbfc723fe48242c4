"""What is handed out: everything about a shopper, all of a store; sealed while it lies here, gone after a week."""

import asyncio
import io
import json
import zipfile
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.process import Process
from checkout_core.ids import decode
from tenants.db import tenant_tx
from tenants.permissions import PERMISSIONS
from tenants.privacy import requests, shopper_export, store_export
from tests.security.world import imported
from tests.shop import Store
from tests.tenants.prices.shelf import group
from tests.tenants.privacy.people import Person, buyer, work


async def archive(client: httpx.AsyncClient, store: Store, request: str) -> dict[str, bytes]:
    answer = await client.get(f"/v1/data-requests/{request}/archive", headers=store.merchant)
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
        assert files.testzip() is None
        return {name: files.read(name) for name in files.namelist()}


READ = frozenset(permission for permission in PERMISSIONS if permission.endswith(":read"))


async def exported(process: Process, person: Person) -> str:
    asked = await person.store.ask("POST", f"/v1/shoppers/{person.ref}/exports", person.store.merchant)
    await work(process, person.store, asked["id"])
    return str(asked["id"])


class TestFind:
    async def test_by_contact_in_any_capitals(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        person = await buyer(acme)
        asked = {"contact": f" {person.contact.upper()} "}
        found = await client.post("/v1/shoppers/search", json=asked, headers=acme.merchant)
        assert [(one["id"], one["orders"], one["unfinished"]) for one in found.json()["items"]] == [(person.ref, 1, 0)]
        assert (await client.post("/v1/shoppers/search", json=asked, headers=globex.merchant)).json() == {"items": []}

    async def test_by_id(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        person = await buyer(acme)
        assert (await acme.ask("GET", f"/v1/shoppers/{person.ref}", acme.merchant))["erased_at"] is None
        assert (await client.get(f"/v1/shoppers/{person.ref}", headers=globex.merchant)).status_code == 404


class TestShopper:
    async def test_everything_about_him_and_nobody_else(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        person, other = await buyer(acme), await buyer(acme)
        await group(acme, person.shopper_id)
        files = await archive(client, acme, await exported(process, person))
        told = json.loads(files["shopper.json"])
        assert [order["contact"] for order in told["orders"]] == [person.contact]
        assert {name: len(rows) for name, rows in told.items() if name != "shopper"} == {
            "orders": 1, "order_lines": 1, "payment_attempts": 1, "payments": 1, "refunds": 0, "refunded_units": 0, "deliveries": 1,
            "audit": 1, "notes": 0, "mails": 0, "groups": 1, "cart": 0, "coupons": 0, "coupon_uses": 0,
            "points": 0, "levels": 0,
        }  # fmt: skip
        assert person.contact in files["orders.csv"].decode("utf-8-sig")
        assert other.contact.encode() not in b"".join(files.values())

    async def test_it_lies_sealed(self, process: Process, acme: Store) -> None:
        person = await buyer(acme)
        request = await exported(process, person)
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            sql = "SELECT sealed FROM data_part WHERE tenant_id = $1 AND request_id = $2"
            sealed = [row[0] for row in await tx.conn.fetch(sql, acme.tenant_id, decode("dat", request))]
        assert sealed
        assert not [part for part in sealed if person.contact.encode() in part or part[:2] == b"PK"]

    async def test_it_is_removed_after_a_week(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        request = await exported(process, await buyer(acme))
        told = await acme.ask("GET", f"/v1/data-requests/{request}", acme.merchant)
        assert told["expires_at"] is not None
        await work(process, acme, request)  # its time has come
        answer = await client.get(f"/v1/data-requests/{request}/archive", headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"]) == (409, "expired")
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            assert await tx.conn.fetchval("SELECT count(*) FROM data_part WHERE tenant_id = $1", acme.tenant_id) == 0

    async def test_a_formula_for_a_contact_computes_nothing(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        person = await buyer(acme, contact="=cmd|'/c calc'!A0")
        files = await archive(client, acme, await exported(process, person))
        assert "\"'=cmd|" in files["orders.csv"].decode()

    async def test_a_crash_leaves_nothing_half_made(
        self, client: httpx.AsyncClient, process: Process, acme: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def dies(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        person = await buyer(acme)
        asked = await acme.ask("POST", f"/v1/shoppers/{person.ref}/exports", acme.merchant)
        with monkeypatch.context() as patched:
            patched.setattr(shopper_export.requests, "finish", dies)
            with pytest.raises(KeyboardInterrupt):
                await work(process, acme, asked["id"])
        assert (await client.get(f"/v1/data-requests/{asked['id']}/archive", headers=acme.merchant)).json()["code"] == "not_ready"
        await work(process, acme, asked["id"])
        assert "shopper.json" in await archive(client, acme, asked["id"])

    async def test_asked_twice_at_once_it_is_made_once(self, process: Process, acme: Store) -> None:
        person = await buyer(acme)
        begun = asyncio.Barrier(2)

        async def ask() -> UUID:
            async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
                await begun.wait()
                request = await requests.ask(tx, "shopper_export", actor="test", shopper_id=person.shopper_id)
                await asyncio.sleep(0.02)  # none commits before the other has looked
            return request.id

        one, other = await asyncio.gather(ask(), ask())
        assert one == other
        assert (await acme.audited()).count("data.shopper_export") == 1

    async def test_each_download_is_on_record(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        request = await exported(process, await buyer(acme))
        await archive(client, acme, request)
        await archive(client, acme, request)
        page = await acme.ask("GET", f"/v1/audit?subject={request}", acme.merchant)
        assert [entry["action"] for entry in page["items"]] == ["data.downloaded"] * 2


def rows_of(files: dict[str, bytes]) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for name, content in files.items():
        rows.setdefault(name.partition("/")[0], []).extend(json.loads(line) for line in content.splitlines())
    return rows


class TestStore:
    async def test_all_of_it_and_nobody_elses(self, client: httpx.AsyncClient, process: Process, acme: Store, globex: Store) -> None:
        person = await buyer(acme)
        foreign = await buyer(globex)
        code = "CARD-canary-0001-WXYZ"
        await imported(acme, await acme.sku(), [code])
        asked = await acme.ask("POST", "/v1/data-requests/store-exports", acme.merchant)
        await work(process, acme, asked["id"])
        files = await archive(client, acme, asked["id"])
        rows = rows_of(files)
        assert {row["tenant_id"] for table in rows.values() for row in table} == {str(acme.tenant_id)}
        assert [order["contact"] for order in rows["orders"]] == [person.contact]
        assert len(rows["unit"]) == 4
        everything = b"".join(files.values())
        assert foreign.contact.encode() not in everything
        assert code.encode() not in everything
        assert not [name for table in rows.values() for row in table for name in row if name in store_export.SECRETS]

    async def test_it_goes_on_where_a_crash_left_it(
        self, client: httpx.AsyncClient, process: Process, acme: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Files of two rows, and a crash after every third: each row is there once."""
        monkeypatch.setattr(store_export, "AT_ONCE", 2)
        await acme.sku(units=7)
        asked = await acme.ask("POST", "/v1/data-requests/store-exports", acme.merchant)
        step, calls = store_export._step, 0

        async def dies(*args: Any) -> None:
            nonlocal calls
            calls += 1
            await step(*args)
            if calls % 3 == 0:
                raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(store_export, "_step", dies)
            for _ in range(60):
                try:
                    await work(process, acme, asked["id"])
                except KeyboardInterrupt:
                    continue
                break
        rows = rows_of(await archive(client, acme, asked["id"]))
        assert calls > 6
        assert len({row["id"] for row in rows["unit"]}) == len(rows["unit"]) == 7
        assert [row["slug"] for row in rows["store"]] == [acme.slug]

    async def test_who_may_not_write_the_store_may_not_take_it(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        asked = await acme.ask("POST", "/v1/data-requests/store-exports", acme.merchant)
        await work(process, acme, asked["id"])
        limited = await acme.key_with(*READ)
        answer = await client.get(f"/v1/data-requests/{asked['id']}/archive", headers=limited)
        assert (answer.status_code, answer.json()["permission"]) == (403, "store:write")

    @pytest.mark.parametrize("unread", sorted(READ - {"customers:read"}))
    async def test_nobody_takes_along_what_he_may_not_read(self, client: httpx.AsyncClient, acme: Store, unread: str) -> None:
        """All rows of all tables are in it, the audit and what customers left too."""
        asked = await acme.ask("POST", "/v1/data-requests/store-exports", acme.merchant)
        limited = await acme.key_with(*(READ - {unread}), "store:write")
        archive = f"/v1/data-requests/{asked['id']}/archive"
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await requests.finish(tx, decode("dat", asked["id"]), {}, archive=True)
        for answer in (await client.post("/v1/data-requests/store-exports", headers=limited), await client.get(archive, headers=limited)):
            assert (answer.status_code, answer.json().get("permission")) == (403, unread)

    async def test_another_store_cannot(self, client: httpx.AsyncClient, process: Process, acme: Store, globex: Store) -> None:
        request = await exported(process, await buyer(acme))
        for path in (f"/v1/data-requests/{request}", f"/v1/data-requests/{request}/archive"):
            assert (await client.get(path, headers=globex.merchant)).status_code == 404


async def test_requests_are_listed_page_by_page(client: httpx.AsyncClient, acme: Store) -> None:
    made = []
    for _ in range(3):
        person = await buyer(acme)
        made.append((await acme.ask("POST", f"/v1/shoppers/{person.ref}/exports", acme.merchant))["id"])
    first = (await client.get("/v1/data-requests?limit=2", headers=acme.merchant)).json()
    rest = (await client.get(f"/v1/data-requests?limit=2&cursor={first['next_cursor']}", headers=acme.merchant)).json()
    assert [one["id"] for one in first["items"] + rest["items"]] == made[::-1]
    assert rest["next_cursor"] is None
