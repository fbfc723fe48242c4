"""What a page of a SKU's units costs when it has a million: of all, of a batch, in each state; the first page, and one far behind it.

The codes are imported as a merchant's are, sealed and all, in batches; then a third is sold and some are aside, written set by set.
"""

import random
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from api.process import Process
from checkout_core.ids import encode, new_id
from tenants import vault
from tenants.units.find import STATES
from tests.bench.api.data import writer
from tests.bench.api.figures import told

BATCHES = 10
LIMIT = 20
FAR = 200  # requests of a hundred units each, on the way to a far page: the thousandth, where pages are full
BLOCK = 1_000  # lines of a piece of a file

SKU = """
    INSERT INTO product (tenant_id, id, name) VALUES ($1, $2, 'Cards');
    INSERT INTO sku (tenant_id, id, product_id, name, price_minor, currency) VALUES ($1, $2, $2, '50', 4900, 'CNY')"""
# The first third is sold, of the rest one in seven is on the shelf of a sale, some are held, and some aside.
STATED = """
    INSERT INTO sale (tenant_id, id, sku_id, name, price_minor, currency, starts_at, limit_per_shopper)
        VALUES ({tenant}, {sku}, {sku}, 'Shelf', 4900, 'CNY', now(), 0);
    CREATE TEMPORARY TABLE counted AS
        SELECT id, row_number() OVER (ORDER BY id) AS n FROM unit WHERE tenant_id = {tenant} AND sku_id = {sku};
    UPDATE unit SET state = 'sold', sale_id = {sku}, order_id = md5(unit.id::text)::uuid, shopper_id = md5(unit.id::text)::uuid
        FROM counted WHERE unit.tenant_id = {tenant} AND unit.id = counted.id AND n <= {units} / 3;
    UPDATE unit SET state = 'held', sale_id = {sku}, order_id = md5(unit.id::text)::uuid, shopper_id = md5(unit.id::text)::uuid
        FROM counted WHERE unit.tenant_id = {tenant} AND unit.id = counted.id AND n > {units} / 3 AND n % 101 = 0;
    UPDATE unit SET sale_id = {sku}
        FROM counted WHERE unit.tenant_id = {tenant} AND unit.id = counted.id AND n > {units} / 3 AND n % 7 = 0 AND state = 'available';
    UPDATE unit SET sale_id = NULL, state = (ARRAY['void', 'expired', 'quarantined', 'locked'])[n % 1000]
        FROM counted WHERE unit.tenant_id = {tenant} AND unit.id = counted.id AND n > {units} / 3 AND n % 1000 IN (1, 2, 3, 4)
            AND state = 'available';
    DROP TABLE counted"""


async def _lines(count: int) -> AsyncIterator[bytes]:
    for start in range(0, count, BLOCK):
        yield "".join(f"{new_id().hex}----{n:06}\n" for n in range(start, min(count, start + BLOCK))).encode()


async def fill(process: Process, database_url: str, tenant: UUID, units: int) -> tuple[UUID, dict[str, float]]:
    """A SKU with so many units; the seconds it took."""
    conn, sku = await writer(database_url), new_id()
    for statement in SKU.split(";\n"):
        await conn.execute(statement.replace("$1", f"'{tenant}'::uuid").replace("$2", f"'{sku}'::uuid"))
    began = time.monotonic()
    for _ in range(BATCHES):
        origin = vault.Origin(operator="bench", filename="bench.txt")
        await vault.run(process.app_pool, process.keyring, tenant, sku, _lines(units // BATCHES), vault.Wishes(), origin)
    imported = time.monotonic()
    await conn.execute(STATED.format(tenant=f"'{tenant}'::uuid", sku=f"'{sku}'::uuid", units=units))
    await conn.close()
    stated = time.monotonic()
    admin = await asyncpg.connect(database_url, command_timeout=600)
    await admin.execute("VACUUM (ANALYZE) unit")
    await admin.close()
    return sku, {"imported_s": round(imported - began, 1), "stated_s": round(stated - imported, 1)}


class Units:
    def __init__(self, client: httpx.AsyncClient, key: str, sku: UUID, batches: list[str], units: list[int]) -> None:
        self._client, self._headers = client, {"Authorization": f"Bearer {key}"}
        self._sku, self._batches, self._units = encode("sku", sku), batches, units

    async def measure(self, requests: int, rounds: int) -> dict[str, list[dict[str, Any]]]:
        """Milliseconds of whole requests, of every case."""
        cases = {"units": {}, "units of a batch": {"batch_id": self._batches[len(self._batches) // 2]}}
        cases |= {f"units, {state}": {"state": state} for state in STATES}
        cases |= {f"units of a batch, {state}": {"state": state, "batch_id": self._batches[1]} for state in ("available", "void")}
        for name, filters in list(cases.items()):
            if cursor := await self._far(filters):
                cases[f"{name}, far"] = filters | {"cursor": cursor}
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in [*cases, "a unit and its history"]}
        for seed in range(rounds):
            dice = random.Random(seed)
            for name, filters in cases.items():
                found[name].append(await self._timed("/v1/vault/units", [{"sku_id": self._sku, "limit": str(LIMIT)} | filters] * requests))
            singles = [f"/v1/vault/units/{dice.choice(self._units)}" for _ in range(requests)]
            found["a unit and its history"].append(await self._timed(singles, [{}] * requests))
        return found

    async def _timed(self, paths: str | list[str], asked: list[dict[str, str]]) -> dict[str, Any]:
        took, items = [], 0
        for n, params in enumerate(asked):
            began = time.perf_counter()
            response = await self._client.get(paths if isinstance(paths, str) else paths[n], params=params, headers=self._headers)
            took.append((time.perf_counter() - began) * 1000)
            assert response.status_code == 200, response.text
            items += len(response.json().get("units", [0]))
        return told(took) | {"items": round(items / len(asked), 1)}

    async def _far(self, filters: dict[str, str]) -> str | None:
        """Where the page far behind begins; None if there is only one."""
        cursor = None
        for _ in range(FAR):
            params = {"sku_id": self._sku, "limit": "100"} | filters | ({"cursor": cursor} if cursor else {})
            answer = (await self._client.get("/v1/vault/units", params=params, headers=self._headers)).json()
            if answer["next_cursor"] is None:
                break
            cursor = answer["next_cursor"]
        return cursor


async def measure(
    process: Process, client: httpx.AsyncClient, key: str, tenant: UUID, *, units: int, requests: int, rounds: int
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """How the SKU was made, and the rounds of every case."""
    sku, took = await fill(process, process.settings.database_url, tenant, units)
    admin = await asyncpg.connect(process.settings.database_url)
    batches = [encode("bat", row[0]) for row in await admin.fetch("SELECT id FROM vault_batch WHERE sku_id = $1 ORDER BY id", sku)]
    # The orders of the others were never made.
    some = [
        row[0]
        for row in await admin.fetch("SELECT id FROM unit WHERE sku_id = $1 AND order_id IS NULL ORDER BY md5(id::text) LIMIT 500", sku)
    ]
    await admin.close()
    return {"units": units, "batches": BATCHES} | took, await Units(client, key, sku, batches, some).measure(requests, rounds)
