"""The bell: arq tells a worker at once that a duty is due. A lost bell costs a second, never the duty: the sweep finds the row.

A job carries names and ids only, packed by msgspec (never pickle), and no business job id: arq would refuse one it has seen.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from arq.connections import ArqRedis, RedisSettings, create_pool

log = logging.getLogger(__name__)

QUEUE = "tessera:bell"
JOB = "attend"
serialize: Callable[[dict[str, Any]], bytes] = msgspec.msgpack.Encoder().encode
deserialize: Callable[[bytes], dict[str, Any]] = msgspec.msgpack.Decoder().decode


class Bell:
    """Rings without waiting: the caller has committed the row and answers its client now."""

    def __init__(self, url: str) -> None:
        self._settings = RedisSettings.from_dsn(url)
        self._settings.conn_retries = 0
        self._settings.conn_timeout = 1
        self._pool: ArqRedis | None = None
        self._opening = asyncio.Lock()
        self._ringing: set[asyncio.Task[None]] = set()

    def ring(self, table: str, tenant_id: UUID, row_id: UUID) -> None:
        task = asyncio.get_running_loop().create_task(self._ring(table, tenant_id, row_id))
        self._ringing.add(task)
        task.add_done_callback(self._ringing.discard)

    async def aclose(self) -> None:
        await asyncio.gather(*self._ringing, return_exceptions=True)
        if self._pool is not None:
            await self._pool.aclose()

    async def _ring(self, table: str, tenant_id: UUID, row_id: UUID) -> None:
        try:
            async with asyncio.timeout(1):
                async with self._opening:  # two rings at once open one pool
                    if self._pool is None:
                        self._pool = await create_pool(self._settings, job_serializer=serialize, default_queue_name=QUEUE)
                await self._pool.enqueue_job(JOB, table, tenant_id.hex, row_id.hex)
        except Exception as error:
            log.info("bell not rung for %s %s: %s", table, row_id, type(error).__name__)
