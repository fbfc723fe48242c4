"""Looking for plaintext where none may be: a sample of opened codes is searched for in every text the store keeps."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

from redis.asyncio import Redis

from tenants.db import Connection

CANARY_LENGTH_MIN = 8  # a shorter code may stand by chance in something else
CANARIES_MAX = 200
CANARIES_MIN = 12
SEARCHED_BYTES = 8 << 30  # text times canaries: about 10 s here
REDIS_KEYS_MAX = 200_000
REDIS_CHUNK = 500
PARTS_MAX = 10_000  # of one hash, list, set or stream

# Columns that hold only what their name says, of a few words or made by us from random bytes; ciphertext is proven by opening it.
SKIPPED = {"state", "currency", "sealed", "fingerprint", "wrapped", "credentials"}


def choose(texts: Iterable[str | None]) -> list[str]:
    """Those texts that can be searched for: long enough, and written alike in JSON, in `bytea` and in Redis."""
    plain = dict.fromkeys(
        t for t in texts if t and len(t) >= CANARY_LENGTH_MIN and t.isascii() and t.isprintable() and not set(t) & set('"\\')
    )
    return list(plain)[:CANARIES_MAX]


async def searched_tables(conn: Connection) -> dict[str, str]:
    """Every table with text in it, and the expression that joins a row's texts."""
    sql = """SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns,
                    array_agg(format_type(a.atttypid, NULL) ORDER BY a.attnum) AS types
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND a.attname <> ALL ($1)
               AND format_type(a.atttypid, NULL) IN ('text', 'character varying', 'jsonb', 'json', 'bytea', 'text[]')
             GROUP BY 1 ORDER BY 1"""
    return {row["name"]: _row_text(row["columns"], row["types"]) for row in await conn.fetch(sql, sorted(SKIPPED))}


def _row_text(columns: list[str], types: list[str]) -> str:
    texts = [f"encode({c}, 'escape')" if t == "bytea" else f"{c}::text" for c, t in zip(columns, types, strict=True)]
    return f"concat_ws(' ', {', '.join(texts)})"


async def affordable(conn: Connection, tables: dict[str, str]) -> int:
    """How many canaries to look for, so that a large store is searched in bounded time: a leak shows in all codes, not in one."""
    sql = "SELECT sum(pg_table_size(oid)) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY ($1)"
    size = int(await conn.fetchval(sql, list(tables)) or 1)
    return max(CANARIES_MIN, min(CANARIES_MAX, SEARCHED_BYTES // size))


async def in_postgres(conn: Connection, tables: dict[str, str], canaries: list[str]) -> list[dict[str, Any]]:
    """Which tables hold one of `canaries`: how many rows, and where the first lies (its ctid). Never which canary."""
    found = []
    anywhere = " OR ".join(f"strpos(content, ${n}) > 0" for n in range(1, len(canaries) + 1))
    for table, text in tables.items():
        # OFFSET 0 keeps the row's text from being made anew for each canary.
        sql = (
            f"SELECT count(*), min(place::text) FROM (SELECT ctid AS place, {text} AS content FROM {table} OFFSET 0) texts WHERE {anywhere}"
        )
        rows, first = await conn.fetchrow(sql, *canaries)
        if rows:
            found.append({"table": table, "rows": rows, "first_ctid": first})
    return found


async def in_redis(url: str, canaries: list[str]) -> tuple[int, list[dict[str, Any]]]:
    """How many keys were read, and which hold one of `canaries` in name or value (told by family and number, since a name may hold one).

    Raises `redis.RedisError`.
    """
    needles = [canary.encode() for canary in canaries]
    seen, found = 0, []
    async with Redis.from_url(url, socket_timeout=10, socket_connect_timeout=5) as redis:
        async for key, content in _contents(redis):
            seen += 1
            if any(needle in content for needle in needles):
                found.append({"key_number": seen, "key": _family(key, needles), "bytes": len(content)})
    return seen, found


async def _contents(redis: Redis) -> AsyncIterator[tuple[bytes, bytes]]:
    """Each key with its name and value as one run of bytes; at most `REDIS_KEYS_MAX`, and of a long value its first parts."""
    keys: list[bytes] = []
    number = 0
    async for key in redis.scan_iter(count=REDIS_CHUNK):
        keys.append(key)
        number += 1
        if len(keys) == REDIS_CHUNK:
            for each in await _read(redis, keys):
                yield each
            keys = []
        if number >= REDIS_KEYS_MAX:
            break
    for each in await _read(redis, keys):
        yield each


_READS: dict[bytes, tuple[Any, ...]] = {
    b"string": ("GET",),
    b"hash": ("HSCAN", 0, "COUNT", PARTS_MAX),
    b"list": ("LRANGE", 0, PARTS_MAX - 1),
    b"set": ("SSCAN", 0, "COUNT", PARTS_MAX),
    b"zset": ("ZRANGE", 0, PARTS_MAX - 1),
    b"stream": ("XRANGE", "-", "+", "COUNT", PARTS_MAX),
}


async def _read(redis: Redis, keys: list[bytes]) -> list[tuple[bytes, bytes]]:
    types = await _pipelined(redis, [("TYPE", key) for key in keys])
    # A key that expired meanwhile has the type "none" and nothing to read.
    readable = [(key, (_READS[t][0], key, *_READS[t][1:])) for key, t in zip(keys, types, strict=True) if t in _READS]
    values = await _pipelined(redis, [read for _, read in readable])
    return [(key, key + b" " + _flat(value)) for (key, _), value in zip(readable, values, strict=True)]


async def _pipelined(redis: Redis, commands: list[tuple[Any, ...]]) -> list[Any]:
    if not commands:
        return []
    async with redis.pipeline(transaction=False) as pipe:
        for command in commands:
            pipe.execute_command(*command)
        return list(await pipe.execute(raise_on_error=False))


def _flat(value: Any) -> bytes:
    if isinstance(value, list | tuple | set):
        return b" ".join(map(_flat, value))
    if isinstance(value, dict):
        return b" ".join(_flat(part) for pair in value.items() for part in pair)
    return value if isinstance(value, bytes) else str(value).encode()


def _family(key: bytes, needles: list[bytes]) -> str:
    """The part of a key's name that is ours, up to the first colon, unless a code stands even there."""
    family, colon, _ = key.partition(b":")
    return family[:40].decode(errors="replace") if colon and not any(needle in family for needle in needles) else "…"
