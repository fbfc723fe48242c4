"""The bell is heard by arq's own worker; when nobody can hear it, nobody waits."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import pytest
from arq.connections import RedisSettings
from arq.worker import Worker, func

from checkout_core.bell import JOB, QUEUE, Bell, deserialize, serialize
from tessera.embedded import Servers


@pytest.mark.filterwarnings("ignore:Call to deprecated close")  # arq 0.28 closes its pool so
async def test_every_row_is_attended_to_once(valkey: Servers) -> None:
    valkey.wait_ready("valkey")
    bell = Bell(valkey.arq_redis_url)
    rung = [("payment_inbox", uuid4(), uuid4()) for _ in range(50)]
    bell.ring(*rung[0])
    await asyncio.sleep(0.05)  # one alone, then many together
    for row in rung[1:]:
        bell.ring(*row)
    await bell.aclose()
    heard: list[tuple[str, ...]] = []

    async def attend(ctx: dict[Any, Any], *args: str) -> None:
        heard.append(args)

    worker = Worker(
        [func(attend, name=JOB, max_tries=1, keep_result=0)],
        queue_name=QUEUE,
        redis_settings=RedisSettings.from_dsn(valkey.arq_redis_url),
        job_serializer=serialize,
        job_deserializer=deserialize,
        burst=True,
        handle_signals=False,
        poll_delay=0.01,
    )
    await worker.main()
    await worker.close()
    assert sorted(heard) == sorted((table, tenant_id.hex, row_id.hex) for table, tenant_id, row_id in rung)


async def test_nobody_hears_it_and_nobody_waits() -> None:
    bell, began = Bell("redis://127.0.0.1:1/0"), time.monotonic()
    for _ in range(100):
        bell.ring("payment_inbox", uuid4(), uuid4())
    assert time.monotonic() - began < 0.1
    async with asyncio.timeout(5):
        await bell.aclose()
