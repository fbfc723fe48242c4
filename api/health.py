"""For load balancers: is the process alive, and may it be sent shoppers?"""

import asyncio
from typing import Literal

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from msgspec import Struct
from redis.exceptions import RedisError

from api.guards import anyone
from api.process import Process
from tenants.db import CONNECTION_LOST

TIMEOUT_S = 2

State = Literal["up", "down"]


class Health(Struct, frozen=True):
    """Redis is reported, not required: ordinary sales go on without it."""

    status: Literal["ready", "not_ready"]
    postgres: State
    redis: State


NOT_READY = {503: ResponseSpec(Health, description="Not to be sent shoppers now", generate_examples=False)}


@get("/healthz", guards=[anyone], operation_id="healthz", summary="The process is alive", tags=["Health"], media_type="text/plain")
async def healthz() -> str:
    return "alive\n"


@get("/readyz", guards=[anyone], operation_id="readyz", summary="The process can sell", tags=["Health"], responses=NOT_READY)
async def readyz(process: NamedDependency[Process]) -> Response[Health]:
    postgres, redis = await asyncio.gather(_postgres(process), _redis(process))
    ready = postgres == "up"
    return Response(Health("ready" if ready else "not_ready", postgres, redis), status_code=200 if ready else 503)


async def _postgres(process: Process) -> State:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await process.app_pool.fetchval("SELECT 1")
    except CONNECTION_LOST:
        return "down"
    return "up"


async def _redis(process: Process) -> State:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await process.redis.ping()
    except (RedisError, OSError):  # TimeoutError is an OSError
        return "down"
    return "up"
