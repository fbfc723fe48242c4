"""What an export of all orders of the large store takes: seconds, memory, the longest transaction; made, and taken along."""

import asyncio
import resource
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from api.process import Process
from checkout_core.ids import decode
from tenants.db import tenant_tx
from tenants.orders import export
from tenants.privacy import duty, requests

LOOK_S = 0.02
_LONGEST = """SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)::float8 FROM pg_stat_activity
              WHERE usename = 'tessera_app' AND state <> 'idle'"""


async def measure(client: httpx.AsyncClient, process: Process, key: str, tenant: UUID) -> dict[str, Any]:
    """By format; memory is what this process and its peak grew by, in MiB."""
    found = {}
    for format_ in ("csv", "xlsx"):
        headers = {"Authorization": f"Bearer {key}"}
        asked = (await client.post("/v1/order-exports", json={"format": format_}, headers=headers)).json()
        before, peak = _rss_mib(), _peak_mib()
        transactions = _Longest(process.settings.database_url)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(transactions.watch())
            began = time.monotonic()
            await duty.carry_out(process.app_pool, process.keyring, tenant, decode("dat", asked["id"]))
            made_s = time.monotonic() - began
            began, size = time.monotonic(), 0
            # As the handler sends it: the client here would put the whole answer together first.
            async with tenant_tx(process.app_pool, tenant) as tx:
                request = await requests.downloadable(tx, decode("dat", asked["id"]), kinds=(export.KIND,))
            async for piece in export.file(process.app_pool, process.keyring, tenant, request):
                size += len(piece)
            taken_s = time.monotonic() - began
            watching.cancel()
        told = (await client.get(f"/v1/order-exports/{asked['id']}", headers=headers)).json()
        assert told["state"] == "done", told
        found[format_] = {
            "orders": told["rows"], "made_s": round(made_s, 1), "taken_s": round(taken_s, 1), "mib": round(size / 2**20, 1),
            "grew_mib": round(_rss_mib() - before, 1), "peak_grew_mib": round(_peak_mib() - peak, 1),
            "longest_transaction_ms": round(transactions.longest_s * 1000, 1),
        }  # fmt: skip
    return found


class _Longest:
    """The longest that a transaction of the application was seen to be open, looked at fifty times a second."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self.longest_s = 0.0

    async def watch(self) -> None:
        admin = await asyncpg.connect(self._url)
        try:
            while True:
                self.longest_s = max(self.longest_s, await admin.fetchval(_LONGEST))
                await asyncio.sleep(LOOK_S)
        finally:
            admin.terminate()


def _rss_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
