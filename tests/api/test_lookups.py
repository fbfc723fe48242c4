"""Single codes: found by the card number in full, never opened for it; shown in clear to who may."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.process import Process
from checkout_core import safeties
from tenants import rotations
from tenants.db import tenant_tx
from tenants.rotations import work
from tests.security.world import imported
from tests.shop import Store
from tests.tenants.privacy.people import buyer


async def find(client: httpx.AsyncClient, headers: dict[str, str], code: str) -> httpx.Response:
    return await client.post("/v1/vault/lookups", json={"code": code}, headers=headers)


async def vault_of(store: Store, *codes: str) -> tuple[str, str]:
    sku = await store.sku()
    return sku, await imported(store, sku, list(codes))


class TestFind:
    async def test_without_a_key(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await find(client, acme.at, "AAAA-1")).status_code == 401

    async def test_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        response = await find(client, await acme.key_with("vault:read", "vault:write", "codes:reveal"), "AAAA-1")
        assert (response.status_code, response.json()["permission"]) == (403, "codes:find")

    async def test_of_another_store_is_missing(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        code = uuid4().hex
        await vault_of(globex, code)
        foreign, missing = await find(client, acme.merchant, code), await find(client, acme.merchant, uuid4().hex)
        assert (foreign.status_code, foreign.content) == (404, missing.content)

    async def test_loose(self, client: httpx.AsyncClient, acme: Store) -> None:
        code = uuid4().hex
        sku, batch = await vault_of(acme, "first-one", code)
        found = (await find(client, acme.merchant, code)).json()
        assert (found["sku_id"], found["import_id"], found["state"], found["line"]) == (sku, batch, "available", 2)
        assert (found["order_id"], found["delivered_at"]) == (None, None)
        assert code not in str(found)

    async def test_written_otherwise_it_is_the_same(self, client: httpx.AsyncClient, acme: Store) -> None:
        await vault_of(acme, "ABCD-1234")
        assert (await find(client, acme.merchant, " ＡＢＣＤ-12 34 ")).status_code == 200

    async def test_delivered(self, client: httpx.AsyncClient, acme: Store, process: Process) -> None:
        person = await buyer(acme)
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            order_id = person.order_id
            sql = "SELECT unit_id FROM delivery WHERE tenant_id = $1 AND order_id = $2"
            unit = await tx.conn.fetchval(sql, tx.tenant_id, order_id)
            sku_id, batch_id = await tx.conn.fetchrow(
                "SELECT sku_id, batch_id FROM unit WHERE tenant_id = $1 AND id = $2", tx.tenant_id, unit
            )
            keys = await process.keyring.of(tx)
            sql = """INSERT INTO code (tenant_id, unit_id, sku_id, batch_id, line_no, fingerprint, key_id, sealed)
                     VALUES ($1, $2, $3, $4, 1, $5, 1, '')"""
            await tx.conn.execute(sql, tx.tenant_id, unit, sku_id, batch_id, keys.fingerprint("DELIVERED-1"))
        found = (await find(client, acme.merchant, "DELIVERED-1")).json()
        assert (found["unit"], found["state"], found["order_id"]) == (unit, "sold", f"ord_{order_id.hex}")
        assert found["delivered_at"] is not None

    async def test_each_look_is_recorded_without_the_code(self, client: httpx.AsyncClient, acme: Store, process: Process) -> None:
        code, none = uuid4().hex, uuid4().hex
        await vault_of(acme, code)
        unit = (await find(client, acme.merchant, code)).json()["unit"]
        await find(client, acme.merchant, none)
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            rows = await tx.conn.fetch("SELECT * FROM audit WHERE tenant_id = $1 AND action = 'code.looked_up' ORDER BY id", tx.tenant_id)
        assert [row["subject"] for row in rows] == [str(unit), "unknown"]
        assert code not in str(rows)
        assert none not in str(rows)

    async def test_so_often_and_no_oftener(self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(acme.process.limits, "_factor", 1)
        person = await acme.owner()
        own, colleague = await acme.session(person), await acme.staff("support")
        answers = [(await find(client, own, "AAAA-1")).status_code for _ in range(31)]
        assert (answers.count(404), answers[-1]) == (30, 429)
        assert (await find(client, await acme.session(person), "AAAA-1")).status_code == 429, "the person is meant, whatever session"
        assert (await find(client, colleague, "AAAA-1")).status_code == 404

    async def half_rotated(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        codes = [uuid4().hex for _ in range(4)]
        await vault_of(acme, *codes)
        monkeypatch.setattr(work, "CODES_AT_ONCE", 2)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            rotation = await rotations.begin(tx, acme.process.keyring, ["fingerprint"], actor="test")
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await work._step(tx, acme.process.keyring, rotation.id)
        return codes

    async def test_under_each_key_while_they_are_rotated(
        self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        codes = await self.half_rotated(acme, monkeypatch)
        assert [(await find(client, acme.merchant, code)).status_code for code in codes] == [200] * 4

    async def test_under_one_of_them_some_are_missing(
        self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        codes = await self.half_rotated(acme, monkeypatch)
        monkeypatch.setattr(safeties, "_off", frozenset({"each_fingerprint"}))
        assert sorted([(await find(client, acme.merchant, code)).status_code for code in codes]) == [200, 200, 404, 404]


class TestRevealUnit:
    async def ask(self, client: httpx.AsyncClient, headers: dict[str, str], unit: Any) -> httpx.Response:
        return await client.post(f"/v1/vault/units/{unit}/reveal", headers=headers)

    async def unit(self, client: httpx.AsyncClient, store: Store, code: str) -> int:
        await vault_of(store, code)
        return int((await find(client, store.merchant, code)).json()["unit"])

    async def test_who_may_not(self, client: httpx.AsyncClient, acme: Store) -> None:
        unit = await self.unit(client, acme, uuid4().hex)
        assert (await self.ask(client, acme.at, unit)).status_code == 401
        assert (await self.ask(client, await acme.key_with("vault:write", "codes:find"), unit)).json()["permission"] == "codes:reveal"

    async def test_of_another_store(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        unit = await self.unit(client, globex, uuid4().hex)
        foreign, missing = await self.ask(client, acme.merchant, unit), await self.ask(client, acme.merchant, 2**63 - 1)
        assert (foreign.status_code, foreign.content) == (404, missing.content)
        assert (await self.ask(client, acme.merchant, 2**63)).status_code == 404

    async def test_shown_and_recorded(self, client: httpx.AsyncClient, acme: Store) -> None:
        code = uuid4().hex
        unit = await self.unit(client, acme, code)
        assert (await self.ask(client, acme.merchant, unit)).json() == {"unit": unit, "code": code}
        assert (await acme.audited())[-1] == "unit.revealed"

    async def test_the_reason_is_on_record(self, client: httpx.AsyncClient, acme: Store) -> None:
        unit = await self.unit(client, acme, uuid4().hex)
        asked = await client.post(f"/v1/vault/units/{unit}/reveal", json={"reason": "by telephone"}, headers=acme.merchant)
        assert asked.status_code == 200
        listed = await acme.ask("GET", "/v1/audit?limit=1", acme.merchant)
        assert "by telephone" in str(listed)
