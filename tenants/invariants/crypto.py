"""Secrets: codes lie sealed, open only in their own place, and nowhere else in the clear (I5, I22)."""

import random
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from redis import RedisError

from tenants import keys
from tenants.db import TenantTx
from tenants.invariants import canaries
from tenants.invariants.look import Look
from tenants.invariants.registry import invariant
from tenants.vault import codes

TENANTS_SAMPLED = 100
CHUNK = 5_000
_dice = random.SystemRandom()


@invariant("I5")
async def a_plaintext_is_loaded_once(look: Look) -> None:
    await look.none(
        "no two codes of a tenant have the same fingerprint",
        of="code",
        sql="""SELECT tenant_id AS tenant, min(unit_id) AS unit, max(unit_id) AS other_unit, count(*) AS units FROM code
               GROUP BY tenant_id, fingerprint HAVING count(*) > 1""",
    )


@invariant("I22")
async def codes_are_sealed(look: Look) -> None:
    """Open a sample: each must open in its own place and no other, and bear the fingerprint it was loaded under."""
    opens, bound = "a code opens with its tenant's key, and bears its fingerprint", "a code does not open in another unit's place"
    start = time.perf_counter()
    try:
        async with look.conn.transaction():
            sample = await Sample.take(look)
    except (asyncpg.PostgresError, keys.SealBroken) as error:
        for sentence in (opens, bound):
            look.failed(sentence, str(error))
        return
    of_all = "" if look.store.options.sample is None else " (a sample)"
    look.found(opens + of_all, sample.looked_at, sample.broken, start)
    look.found(bound + of_all, sample.looked_at, sample.unbound)
    await _search(look, canaries.choose(sample.texts))


async def _search(look: Look, texts: list[str]) -> None:
    in_postgres, in_redis = "no sampled code stands in the clear in Postgres", "no sampled code stands in the clear in Redis"
    if not texts:
        for sentence in (in_postgres, in_redis):
            look.unchecked(sentence, "there is no code long enough to be searched for")
        return
    start = time.perf_counter()
    try:
        async with look.conn.transaction():
            tables = await canaries.searched_tables(look.conn)
            texts = texts[: await canaries.affordable(look.conn, tables)]
            found = await canaries.in_postgres(look.conn, tables, texts)
        look.found(f"{in_postgres} ({len(texts)} codes, {len(tables)} tables)", len(texts), found, start)
    except asyncpg.PostgresError as error:
        look.failed(in_postgres, str(error))
    settings, start = look.store.settings, time.perf_counter()
    try:
        keys_seen, found = 0, []
        for url in dict.fromkeys((settings.redis_url, settings.arq_redis_url)):
            seen, there = await canaries.in_redis(url, texts)
            keys_seen, found = keys_seen + seen, found + there
        look.found(f"{in_redis} ({len(texts)} codes, {keys_seen} keys)", len(texts), found, start)
    except (RedisError, OSError) as error:
        look.failed(in_redis, f"Redis says: {error}")


class Sample:
    """Codes opened for a moment. `texts` never leave this process, and nothing of them enters the report."""

    def __init__(self) -> None:
        self.looked_at = 0
        self.broken: list[dict[str, Any]] = []
        self.unbound: list[dict[str, Any]] = []
        self.texts: list[str | None] = []

    @classmethod
    async def take(cls, look: Look) -> "Sample":
        sample = cls()
        keyring = keys.Keyring(look.store.settings.secret, look.store.settings.master_keys)
        tenants = [row[0] for row in await look.conn.fetch("SELECT DISTINCT tenant_id FROM vault_batch WHERE loaded > 0")]
        size = look.store.options.sample
        if size is not None and len(tenants) > TENANTS_SAMPLED:
            tenants = _dice.sample(tenants, TENANTS_SAMPLED)
        for tenant_id in tenants:
            of_tenant = await keyring.to_open(TenantTx(look.conn, tenant_id))
            if size is not None:
                sample._add(of_tenant, await _some(look, tenant_id, size))
                continue
            sql = "SELECT unit_id, sku_id, fingerprint, fingerprint_key_id, key_id, sealed FROM code WHERE tenant_id = $1"
            cursor = await look.conn.cursor(sql, tenant_id)
            while rows := await cursor.fetch(CHUNK):
                sample._add(of_tenant, rows)
        return sample

    def _add(self, of_tenant: keys.TenantKeys, rows: Sequence[asyncpg.Record]) -> None:
        for row in rows:
            self.looked_at += 1
            where = {"tenant": of_tenant.tenant_id, "unit": row["unit_id"]}
            place = keys.unit_place(of_tenant.tenant_id, row["sku_id"], row["unit_id"])
            try:
                code = codes.unpack(of_tenant.open_(row["key_id"], row["sealed"], place), row["unit_id"])
            except keys.SealBroken:
                self.broken.append(where | {"fault": "does not open"})
                continue
            except msgspec.DecodeError:
                self.broken.append(where | {"fault": "is not a code"})
                continue
            if of_tenant.fingerprint(codes.normalise(code.code), row["fingerprint_key_id"]) != row["fingerprint"]:
                self.broken.append(where | {"fault": "bears another fingerprint"})
            if _opens_elsewhere(of_tenant, row):
                self.unbound.append(where)
            if len(self.texts) < canaries.CANARIES_MAX * 2:
                self.texts += [code.code, code.secret]


def _opens_elsewhere(of_tenant: keys.TenantKeys, row: asyncpg.Record) -> bool:
    try:
        of_tenant.open_(row["key_id"], row["sealed"], keys.unit_place(of_tenant.tenant_id, row["sku_id"], row["unit_id"] + 1))
    except keys.SealBroken:
        return False
    return True


async def _some(look: Look, tenant_id: UUID, size: int) -> list[asyncpg.Record]:
    """The latest delivered codes, since those were handled most, and others from anywhere."""
    low, high = await look.conn.fetchrow("SELECT min(unit_id), max(unit_id) FROM code WHERE tenant_id = $1", tenant_id)
    if low is None:
        return []
    sql = """SELECT DISTINCT ON (code.unit_id) code.unit_id, code.sku_id, fingerprint, fingerprint_key_id, key_id, sealed
             FROM (SELECT unit_id FROM (SELECT unit_id FROM delivery WHERE tenant_id = $1 ORDER BY unit_id DESC LIMIT $3)
                   UNION ALL
                   SELECT next.unit_id FROM unnest($2::bigint[]) AS pivot (id)
                   CROSS JOIN LATERAL (SELECT unit_id FROM code WHERE tenant_id = $1 AND unit_id >= pivot.id
                                       ORDER BY unit_id LIMIT 1) next) picked
             JOIN code ON code.tenant_id = $1 AND code.unit_id = picked.unit_id ORDER BY code.unit_id"""
    pivots = [_dice.randint(low, high) for _ in range(max(1, size - size // 2))]
    rows: list[asyncpg.Record] = await look.conn.fetch(sql, tenant_id, pivots, size // 2)
    return rows
