"""The worker's side of the bell: an arq worker that attends to the duty a job names."""

import asyncio
import logging
from typing import Any
from uuid import UUID

from arq.connections import RedisSettings
from arq.worker import Worker, func

from checkout_core.bell import JOB, QUEUE, deserialize, serialize
from tenants.duties import TABLES
from workers.sweep import Sweep

log = logging.getLogger(__name__)


async def listen(url: str, sweep: Sweep) -> None:
    """Answer the bell until cancelled; when Redis goes away, come back when it does."""

    async def attend(ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> None:
        table, tenant_id, row_id = args
        if table in TABLES:
            await sweep.attend(table, UUID(tenant_id), UUID(row_id))

    settings = RedisSettings.from_dsn(url)
    settings.conn_retries = 0
    while True:
        worker = Worker(
            [func(attend, name=JOB, timeout=30, max_tries=1, keep_result=0)],
            queue_name=QUEUE,
            redis_settings=settings,
            job_serializer=serialize,
            job_deserializer=deserialize,
            handle_signals=False,
            poll_delay=0.05,
            max_jobs=32,
            keep_result=0,
            log_results=False,
        )
        try:
            await worker.async_run()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.warning("the bell is silent (%s); the sweep goes on alone", type(error).__name__)
        finally:
            await worker.close()
        await asyncio.sleep(1)
