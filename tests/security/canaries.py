"""A word of one store in every column of every table it has, and the search for it in whatever another can get."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
from redis.asyncio import Redis

from tests.security.rows import Column, Table, row_of, tables

# Columns that hold no word, and why; by name in any table, or in one.
NO_WORD = {
    "points_program.expiry": "a word of a CHECK",
    "state": "a word of a CHECK", "purpose": "a word of a CHECK", "kind": "a word of a CHECK", "currency": "three letters of a CHECK",
    "door": "a word of a CHECK", "ends_as": "a word of a CHECK", "disposition": "a word of a CHECK", "reason": "a word of a CHECK",
    "account": "a word of a CHECK", "provider": "a word of a CHECK", "role": "a word of a CHECK", "mode": "a word of a CHECK",
    "act": "a word of a CHECK", "waiting_room": "a word of a CHECK", "issue_order": "a word of a CHECK", "recalled_as": "a word of a CHECK",
    "media_type": "a word of a CHECK", "disabled_because": "a word of a CHECK", "locale": "a word of a CHECK, or 16 letters",
    "primary_color": "#rrggbb", "primary_color_dark": "#rrggbb", "accent_color": "#rrggbb", "accent_color_dark": "#rrggbb",
    "sku.type": "letters alone", "sku.stock": "a word of a CHECK",
    "key_rotation.purposes": "words of a CHECK",
    "tenant.suspended_for": "said of a store that is suspended, and this one is open",
    "api_key.prefix": "six letters", "channel.code": "15 letters", "price_list.channel": "15 letters", "store_image.digest": "32 digits",
    "product_image.digest": "32 hex digits", "moderation": "a word of a CHECK",
    "product.options": "a list of a CHECK; its words are in `sku.choices` too",
    "cart.lines": "a list of a CHECK; its words are in `unit.pick` too",
    "coupon.claim": "a word of a CHECK", "coupon.scope": "a word of a CHECK", "coupon_grant.source": "a word of a CHECK",
    "coupon.code": "capitals of a CHECK",
    "store_host.tenant_id": "an id", "scopes": "permissions, known words; a session with others would be no session",
}  # fmt: skip
# Whose row is whose, where there is no tenant_id, or not always.
_PERSONS = "user_id IN (SELECT user_id FROM membership WHERE tenant_id = $1)"
WHOSE = {
    "tenant": "id = $1",
    "merchant_user": "id IN (SELECT user_id FROM membership WHERE tenant_id = $1)",
    **dict.fromkeys(("merchant_session", "merchant_place", "merchant_totp", "merchant_recovery_code", "proof"), _PERSONS),
}
# Of guesses only keyed hashes are kept; the platform's own people are no merchant's.
NOBODYS = {"migration", "throttle", "platform_staff", "platform_session", "reserved_slug"}
REDIS_CHUNK = 500


async def plant(admin: asyncpg.Connection, tenant: UUID, word: str) -> list[str]:
    """Write `word` into every column of the tenant's rows that can hold one; the columns that hold it nowhere.

    A table in which the tenant has nothing gets a row. `word` has 32 lower-case letters and digits: it fits where bytes are counted.
    """
    assert len(word) == 32
    await admin.execute("SET session_replication_role = replica")
    empty: list[str] = []
    for table in await tables(admin):
        if table.name in NOBODYS:
            continue
        whose = WHOSE.get(table.name, "tenant_id = $1")
        if not await admin.fetchval(f"SELECT EXISTS (SELECT 1 FROM {table.name} WHERE {whose})", tenant):
            await row_of(admin, table, tenant)
        empty += [f"{table.name}.{column.name}" for column in table.texts if not await _plant(admin, table, column, whose, tenant, word)]
    await admin.execute("SET session_replication_role = DEFAULT")
    return empty


async def _plant(admin: asyncpg.Connection, table: Table, column: Column, whose: str, tenant: UUID, word: str) -> bool:
    value = _value(column, word)
    one = f"ctid = (SELECT min(ctid) FROM {table.name} WHERE {whose})"
    for rows in (whose, one):  # what is unique takes the word in one row
        try:
            async with admin.transaction():
                await admin.execute(f"UPDATE {table.name} SET {column.name} = {value} WHERE {whose} AND {rows}", tenant)
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError):
            continue
        break
    text = f"encode({column.name}, 'escape')" if column.type == "bytea" else f"{column.name}::text"
    return bool(await admin.fetchval(f"SELECT EXISTS (SELECT 1 FROM {table.name} WHERE {whose} AND strpos({text}, $2) > 0)", tenant, word))


def _value(column: Column, word: str) -> str:
    if column.type == "bytea":
        return f"'{word}'::bytea" if column.octets != 16 else f"'{word[:16]}'::bytea"
    if column.type.startswith("json"):
        return f"""'{{"word": "{word}"}}'"""
    if column.type.endswith("[]"):
        return f"ARRAY['{word}']"
    return f"'{word}'"


def has_no_word(column: str) -> bool:
    return column in NO_WORD or column.partition(".")[2] in NO_WORD


async def in_redis(url: str, belongs_to: str) -> AsyncIterator[tuple[str, str]]:
    """Keys that name a tenant, and all that each holds."""
    redis = Redis.from_url(url)
    try:
        async for key in redis.scan_iter(match=f"*{belongs_to}*", count=REDIS_CHUNK):
            yield key.decode(errors="replace"), str(await _read(redis, key))
    finally:
        await redis.aclose()


async def _read(redis: Redis, key: bytes) -> Any:
    match (await redis.type(key)).decode():
        case "string":
            return await redis.get(key)
        case "hash":
            return await redis.hgetall(key)  # type: ignore[misc]
        case "list":
            return await redis.lrange(key, 0, -1)  # type: ignore[misc]
        case "set":
            return await redis.smembers(key)  # type: ignore[misc]
        case "zset":
            return await redis.zrange(key, 0, -1)
        case "stream":
            return await redis.xrange(key)
        case kind:
            raise AssertionError(f"{key!r} is of a kind that nobody reads here: {kind}")
