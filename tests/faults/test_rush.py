"""The crowd itself: what is known of it must not depend on who dies."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.faults.rush import Rush

SECRET = "5a" * 32


async def _dying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that goes away in the middle of a word of its protocol."""
    await reader.read(64)
    writer.write(b"N")
    await reader.read(1024)
    writer.write(b"R\x00\x00\x00\x05\x00")
    await writer.drain()
    writer.close()


def _rush(port: int, client: httpx.AsyncClient) -> Rush:
    environ = {
        "DATABASE_URL": f"postgresql://nobody@127.0.0.1:{port}/x",
        "TESSERA_ENV": "test",
        "TESSERA_SECRET": SECRET,
        "REDIS_URL": "redis://127.0.0.1:9",
    }
    shop = SimpleNamespace(environ=environ, api_url="http://127.0.0.1:9")
    return Rush(cast(Any, shop), client)


async def test_a_server_that_dies_in_the_middle_of_a_word_is_away() -> None:
    async with await asyncio.start_server(_dying, "127.0.0.1", 0) as server, httpx.AsyncClient() as client:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(asyncpg.InternalClientError):
            await asyncpg.connect(f"postgresql://nobody@127.0.0.1:{port}/x")
        assert await _rush(port, client).look("SELECT 1") is None


class _Blind(Rush):
    async def left(self) -> int | None:
        await asyncio.sleep(0.1)
        raise RuntimeError("nobody can look")


async def test_nobody_presses_on_when_the_crowd_is_given_up() -> None:
    async with httpx.AsyncClient() as client:
        rush = _rush(9, client)
        crowd = _Blind(rush.shop, client)
        crowd.tenant_id, crowd.sale, crowd.store = uuid4(), "sal_x", {}
        with pytest.raises(ExceptionGroup):
            await crowd.run()
    assert asyncio.all_tasks() == {asyncio.current_task()}
