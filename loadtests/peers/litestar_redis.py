"""The obvious way: a Litestar handler that calls one script in Redis for each request and answers after it. Nothing is durable.

    python -m loadtests.peers.litestar_redis --port 8001 [--plain] [--constant]

`--plain` is what `pip install litestar uvicorn redis` gives: asyncio's loop, h11, a reply parser in Python, an access log, a connection for
each request under way. Without it everything is as fast as settings make it: uvloop, httptools, hiredis, a pool whose size was tried out,
no access log, no OpenAPI. `--constant` parses and authenticates and then answers without work. TESSERA_SECRET and REDIS_URL are the shop's.
"""

import argparse
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Request, Response, get, post
from litestar.openapi import OpenAPIConfig
from redis._parsers import _AsyncHiredisParser, _AsyncRESP2Parser
from redis.asyncio import BlockingConnectionPool, Connection, ConnectionPool, Redis, UnixDomainSocketConnection

from checkout_core.errors import AppError
from checkout_core.ids import UUID
from loadtests.peers.serving import serve
from loadtests.peers.stock import BODY, SHA, Code, body_of, keys_of
from loadtests.peers.terms import PROBLEM_TYPE, REFUSALS, Keys, Problem, Reservation, Wish, reservation, sale_of

POOL_SIZE = 32

Answer = Response[Reservation] | Response[Problem]


@get("/readyz")
async def readyz() -> str:
    """The process answers."""
    return "ready"


def refused(problem: Problem) -> Response[Problem]:
    return Response(problem, status_code=problem.status, media_type=PROBLEM_TYPE)


def answer_error(_: Request[Any, Any, Any], error: AppError) -> Response[Problem]:
    return refused(Problem(type(error).__name__, error.status, error.detail, error.code))


def create_app(keys: Keys, redis: Redis | None, *, plain: bool = False) -> Litestar:
    """Without `redis` every wish is granted and none is kept: the constant reply."""

    async def reserve(sale: UUID, order: UUID, shopper: bytes, quantity: int) -> int:
        if redis is None:
            return Code.RESERVED
        args = (order.bytes, shopper, quantity, body_of(shopper, quantity))
        code: int = await redis.execute_command("EVALSHA", SHA, 3, *keys_of(sale), *args)  # type: ignore[no-untyped-call]
        return code

    @post("/v1/checkouts", status_code=201)
    async def checkout(request: Request[Any, Any, Any], data: Wish) -> Answer:
        shopper = keys.shopper(request.headers.get("authorization", ""))
        order = keys.order(shopper, request.headers.get("idempotency-key", ""))
        code = await reserve(sale_of(data), order, shopper.id.bytes, data.quantity)
        if code in (Code.RESERVED, Code.REPLAY):
            return Response(reservation(order, data), status_code=201)
        return refused(REFUSALS[Code(code)])

    @asynccontextmanager
    async def run(_: Litestar) -> AsyncIterator[None]:
        if redis is not None:
            await redis.script_load(BODY)
        yield
        if redis is not None:
            await redis.aclose()

    return Litestar(
        [checkout, readyz],
        lifespan=[run],
        exception_handlers={AppError: answer_error},
        openapi_config=OpenAPIConfig("peer", "1") if plain else None,
        logging_config=None,
    )


def connect(url: str, *, plain: bool, pool_size: int) -> Redis:
    """A client as it comes, or as fast as it goes."""
    parser: type[Any] = _AsyncRESP2Parser if plain else _AsyncHiredisParser
    kind: type[Any] = UnixDomainSocketConnection if url.startswith("unix:") else Connection
    if plain:
        return Redis(connection_pool=ConnectionPool.from_url(url, connection_class=kind, parser_class=parser))
    pool = BlockingConnectionPool.from_url(url, connection_class=kind, parser_class=parser, max_connections=pool_size, timeout=None)
    return Redis(connection_pool=pool)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.peers.litestar_redis", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--constant", action="store_true")
    parser.add_argument("--pool", type=int, default=POOL_SIZE, help="connections of the fast one (%(default)s)")
    args = parser.parse_args()
    redis = None if args.constant else connect(os.environ["REDIS_URL"], plain=args.plain, pool_size=args.pool)
    app = create_app(Keys(bytes.fromhex(os.environ["TESSERA_SECRET"])), redis, plain=args.plain)
    if args.plain:
        serve(app, args.port, loop="asyncio", http="h11")
    else:
        serve(app, args.port, loop="uvloop", http="httptools", access_log=False, log_level="warning", ws="none", server_header=False)


if __name__ == "__main__":
    main()
