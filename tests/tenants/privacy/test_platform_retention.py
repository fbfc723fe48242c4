"""What is over of the platform's own tables goes, what is not stays."""

from uuid import UUID, uuid4

import asyncpg

from api.process import Process
from checkout_core.config import Settings
from tenants import proofs, throttle
from tenants.db import platform_tx
from tenants.platform import retention
from tenants.secret_tokens import hash_of
from tests.platform import signed_in
from tests.security.world import begun
from tests.shop import Store


async def rows(process: Process, table: str, where: str, *values: object) -> int:
    async with platform_tx(process.platform_pool) as conn:
        return int(await conn.fetchval(f"SELECT count(*) FROM {table} WHERE {where}", *values))


async def left(process: Process) -> UUID:
    """One of the platform's staff with a session."""
    token = (await signed_in(process))["Authorization"].removeprefix("Bearer ")
    async with platform_tx(process.platform_pool) as conn:
        return UUID(str(await conn.fetchval("SELECT staff_id FROM platform_session WHERE token_hash = $1", hash_of(token))))


async def test_goes_and_stays(process: Process, settings: Settings, acme: Store) -> None:
    old, new = f"{uuid4().hex}@example.org", f"{uuid4().hex}@example.org"
    _, over = await begun(acme, "over")
    _, lasting = await begun(acme, "lasting")
    async with platform_tx(process.platform_pool) as conn:
        for mail in (old, new):
            assert await proofs.make(conn, "sign_up", mail)
        await throttle.take(conn, throttle.MAIL, old)
        await conn.execute("UPDATE throttle SET at = now() - interval '2 days'")
        await throttle.take(conn, throttle.MAIL, new)
        await conn.execute("UPDATE merchant_place SET seen_at = now() - interval '200 days'")
    # Time cannot be made to pass by the role that the platform works with.
    admin = await asyncpg.connect(settings.database_url)
    await admin.execute("UPDATE proof SET expires_at = now() - interval '1 s' WHERE mail = $1", old)
    await admin.execute("UPDATE merchant_session SET expires_at = now() - interval '1 s' WHERE id = $1", over[4:])
    await admin.execute("UPDATE platform_session SET expires_at = now() - interval '1 s' WHERE staff_id = $1", await left(process))
    await admin.close()
    gone = await retention.sweep(process.platform_pool)
    assert min(gone.values()) >= 1, gone
    assert [await rows(process, "proof", "mail = $1", mail) for mail in (old, new)] == [0, 1]
    assert [await rows(process, "merchant_session", "id = $1", id_[4:]) for id_ in (over, lasting)] == [0, 1]
    assert await rows(process, "throttle", "at < now() - interval '1 day'") == 0
    assert await rows(process, "throttle", "true") >= 1
