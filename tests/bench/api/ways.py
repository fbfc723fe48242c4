"""Other ways to find part of a contact among a million orders, under forced row-level security: what each costs."""

import random
import time
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from checkout_core.config import Settings
from tenants.db import create_pool, dsn_for, tenant_tx
from tenants.orders import Asked, latest
from tests.bench.api.figures import told
from tests.bench.api.pages import LIMIT, Sample

LIKE = f"""SELECT order_id FROM order_entry WHERE tenant_id = $1 AND contact LIKE $2 ORDER BY at DESC, order_id DESC LIMIT {LIMIT}"""
TRIED = 10  # of what takes seconds


async def compare(settings: Settings, client: httpx.AsyncClient, key: str, tenant: UUID, requests: int) -> dict[str, Any]:
    """Milliseconds of one statement by each way. The index that another way needs is made for it, and goes again."""
    admin = await asyncpg.connect(settings.database_url, command_timeout=600)
    sample = await Sample.of(admin, tenant)
    found: dict[str, Any] = {"ours": await _ask(settings, tenant, sample, requests, ours=True)}
    await admin.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE EXTENSION IF NOT EXISTS btree_gin")
    try:
        await admin.execute("SET maintenance_work_mem = '512MB'")
        began = time.monotonic()
        await admin.execute("CREATE INDEX tried ON order_entry USING gin (tenant_id, contact gin_trgm_ops)")
        found["trigram_index_made_s"] = round(time.monotonic() - began, 1)
        found["trigram_index_mib"] = await admin.fetchval("SELECT pg_relation_size('tried') / 1024 / 1024")
        found["trigram"] = await _ask(settings, tenant, sample, TRIED, ours=False)
        # Marking a built-in operator leakproof is the superuser's: it lets it see rows of others before the policy does.
        await admin.execute("ALTER FUNCTION textlike(text, text) LEAKPROOF")
        found["trigram_marked_leakproof"] = await _ask(settings, tenant, sample, requests, ours=False)
        found["trigram_marked_leakproof_bitmaps_allowed"] = await _ask(settings, tenant, sample, requests, ours=False, bitmaps=True)
    finally:
        await admin.execute("ALTER FUNCTION textlike(text, text) NOT LEAKPROOF")
        await admin.execute("DROP INDEX IF EXISTS tried")
        await admin.execute("DROP EXTENSION pg_trgm; DROP EXTENSION btree_gin")
        await admin.close()
    return found


async def _ask(settings: Settings, tenant: UUID, sample: Sample, requests: int, *, ours: bool, bitmaps: bool = False) -> dict[str, Any]:
    dice = random.Random(7)
    took = []
    async with await create_pool(dsn_for(settings, "tessera_app"), size=1) as pool:
        for turn in range(requests + 2):
            wanted = sample.part(6, dice)
            async with tenant_tx(pool, tenant) as tx:
                if bitmaps:
                    await tx.conn.execute("SET LOCAL enable_bitmapscan = on")
                began = time.perf_counter()
                if ours:
                    await latest(tx, Asked(q=wanted), limit=LIMIT)
                else:
                    await tx.conn.fetch(LIKE, tenant, f"%{wanted}%")
                if turn >= 2:
                    took.append((time.perf_counter() - began) * 1000)
    return told(took)
