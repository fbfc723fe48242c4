"""What is over is removed from the platform's own tables: proofs nobody used, sessions, guesses, places of long ago."""

from tenants.db import Pool, platform_tx

AT_ONCE = 5_000  # rows a transaction
OVER = {
    "proof": "expires_at < now()",
    "merchant_session": "expires_at < now()",
    "platform_session": "expires_at < now()",
    "throttle": "at < now() - interval '1 day'",  # by then every bucket has run dry
    "merchant_place": "seen_at < now() - interval '180 days'",
}


async def sweep(platform: Pool) -> dict[str, int]:
    """How many rows went, by table. Two at it are harmless."""
    return {table: await _sweep(platform, table, over) for table, over in OVER.items()}


async def _sweep(platform: Pool, table: str, over: str) -> int:
    sql = f"DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {over} LIMIT $1)) RETURNING true"
    swept = 0
    while True:
        async with platform_tx(platform) as conn:
            done = len(await conn.fetch(sql, AT_ONCE))
        swept += done
        if done < AT_ONCE:
            return swept
