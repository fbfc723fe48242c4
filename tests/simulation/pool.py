"""What the product's transactions take their connections to the simulated Postgres from."""

import asyncio
from typing import Any

import asyncpg

from tests.simulation.postgres import Connection, Database


class Pool(asyncpg.Pool):
    """What the product's transactions take their connections from."""

    def __init__(self, database: Database, size: int) -> None:
        self.db = database
        self.free = asyncio.Semaphore(size)

    def acquire(self, *, timeout: float | None = None) -> Any:
        return _Acquired(self, timeout)

    async def fetch(self, sql: str, *args: Any) -> list[Any]:  # type: ignore[override]
        async with self.acquire(timeout=5) as conn:
            return await conn.fetch(sql, *args)


class _Acquired:
    def __init__(self, pool: Pool, timeout: float | None) -> None:
        self._pool = pool
        self._timeout = timeout
        self._conn: Connection | None = None

    async def __aenter__(self) -> Connection:
        async with asyncio.timeout(self._timeout):
            await self._pool.free.acquire()
        if not self._pool.db.up:
            await asyncio.sleep(self._pool.db.delay_s())
            self._pool.free.release()
            raise ConnectionRefusedError("Postgres is away")
        self._conn = Connection(self._pool.db)
        return self._conn

    async def __aexit__(self, *_: object) -> None:
        self._pool.free.release()
        assert self._conn is not None
        if not self._conn.broken:
            self._conn.gone()
