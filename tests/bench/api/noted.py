"""What a commit pays for being found later: the same batches with their note in `order_change` and without, in turns.

Without means a copy of the function `reserve` and of the commit's statement from which the note is cut out.
"""

import contextlib
import re
import statistics
from collections.abc import Iterator
from typing import Any
from unittest import mock
from uuid import UUID

import asyncpg
import httpx

from checkout_core.config import Settings
from checkout_core.intents import SaleKey
from tenants.db import Pool, create_pool, dsn_for, tenant_tx
from tenants.orders import draft
from tenants.orders.commit import commit, commit_batch
from tests.bench.api.figures import cpu_us
from tests.bench.api.lag import on_sale, wishes

SIZES = {200: 1, 1: 40}  # orders of a batch: batches in a turn
_NOTED = re.compile(r",\s*noted AS \([^()]*(?:\([^()]*\)[^()]*)*\)")
WAYS = ("with", "without")


async def measure(settings: Settings, client: httpx.AsyncClient, key: str, tenant: UUID, requests: int, rounds: int) -> dict[str, Any]:
    """By path and size of a batch: µs of CPU of its Postgres session with the note and without, medians; and what it adds to an order."""
    turns = max(2, requests * rounds // 10)
    units = 2 * len(WAYS) * (turns + 1) * sum(size * (batches + 1) for size, batches in SIZES.items())
    sale = await on_sale(settings, client, key, tenant, units)
    admin = await asyncpg.connect(settings.database_url)
    reserve = await admin.fetchval("SELECT pg_get_functiondef('reserve'::regproc)")
    texts = {"with": reserve, "without": _cut(reserve)}
    found: dict[str, Any] = {}
    try:
        async with await create_pool(dsn_for(settings, "tessera_app"), size=1) as pool:
            pid = await pool.fetchval("SELECT pg_backend_pid()")
            for path in ("reserve", "commit"):
                for size, batches in SIZES.items():
                    spent: dict[str, list[float]] = {way: [] for way in WAYS}
                    for turn in range(turns + 1):
                        for way in WAYS if turn % 2 else WAYS[::-1]:
                            await admin.execute(texts[way])
                            with _statement(noted=way == "with"):
                                await _sell(pool, sale, path, size, 1)  # it plans
                                began = cpu_us(pid)
                                await _sell(pool, sale, path, size, batches)
                            if turn:
                                spent[way].append((cpu_us(pid) - began) / batches)
                            await admin.execute("DELETE FROM order_change")
                    medians = {way: statistics.median(spent[way]) for way in WAYS}
                    found[f"{path}, batches of {size}"] = {
                        "turns": turns, "batch_us": {way: round(figure, 1) for way, figure in medians.items()},
                        "note_us_per_order": round((medians["with"] - medians["without"]) / size, 2),
                        "ratio": round(medians["with"] / medians["without"], 3),
                    }  # fmt: skip
    finally:
        await admin.execute(reserve)
        await admin.close()
    return found


async def _sell(pool: Pool, sale: SaleKey, path: str, size: int, batches: int) -> None:
    for _ in range(batches):
        if path == "reserve":
            decisions = await commit_batch(pool, sale, wishes(size))
        else:
            async with tenant_tx(pool, sale.tenant_id) as tx:
                decisions = await commit(tx, sale.sale_id, wishes(size))
        assert all(decision.state == "awaiting" for decision in decisions)


@contextlib.contextmanager
def _statement(*, noted: bool) -> Iterator[None]:
    with contextlib.nullcontext() if noted else mock.patch.object(draft, "_ORDERS", _cut(draft._ORDERS)):
        yield


def _cut(sql: str) -> str:
    text, times = _NOTED.subn("", sql)
    assert times == 1
    assert "order_change" not in text
    return text
