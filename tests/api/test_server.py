"""The API as a process: how it starts, who it believes, and how it ends."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import uuid4

import httpx
import pytest

from checkout_core.config import Settings
from checkout_core.ids import decode
from tenants.db import tenant_tx
from tessera.embedded import Servers
from tests.shop import Store

COMMAND = [sys.executable, "-m", "tessera", "api", "--port", "0"]


def environ(servers: Servers, settings: Settings, **changes: str) -> dict[str, str]:
    ours = {"TESSERA_ENV": "test", "TESSERA_SECRET": settings.secret.hex(), "DATABASE_URL": settings.database_url}
    return {**os.environ, **servers.environment, **ours, **changes}


@contextmanager
def started(env: dict[str, str], *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that listens, and its address."""
    with subprocess.Popen([*COMMAND, *options], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"(\d+)\)", process.stdout.readline())
            assert found, process.communicate()[1]
            yield process, f"http://127.0.0.1:{found[1]}"
        finally:
            process.kill()
            process.communicate()


@asynccontextmanager
async def ready(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, timeout=20) as client:
        async with asyncio.timeout(30):
            while (await client.get("/readyz")).status_code != 200:  # noqa: ASYNC110  another process offers no event
                await asyncio.sleep(0.05)
        yield client


class TestStart:
    @pytest.mark.parametrize("missing", ["DATABASE_URL", "REDIS_URL", "TESSERA_SECRET"])
    def test_names_what_is_missing(self, servers: Servers, settings: Settings, missing: str) -> None:
        done = subprocess.run(
            COMMAND, check=False, env=environ(servers, settings, **{missing: ""}), capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 2
        assert missing in done.stderr

    async def test_sells_without_redis(self, servers: Servers, settings: Settings, acme: Store) -> None:
        away = "unix:///nowhere/redis.sock"
        guest, sale = await acme.guest(), await acme.sale()
        with started(environ(servers, settings, REDIS_URL=away, ARQ_REDIS_URL=away)) as (_, url):
            async with ready(url) as client:
                assert (await client.get("/readyz")).json() == {"status": "ready", "postgres": "up", "redis": "down"}
                response = await client.post(
                    "/v1/checkouts", json={"sale_id": sale, "quantity": 1}, headers=guest | {"Idempotency-Key": "a"}
                )
                assert response.status_code == 201


class TestWhoIsBelieved:
    """An address that signs up too often is stopped. It may not give itself another by saying so."""

    async def statuses(self, servers: Servers, settings: Settings, **changes: str) -> set[int]:
        with started(environ(servers, settings, **changes)) as (_, url):
            async with ready(url) as client:
                return {
                    (await client.post("/v1/merchants", json={}, headers={"X-Forwarded-For": f"203.0.113.{n}"})).status_code
                    for n in range(12)
                }

    async def test_a_stranger_is_not(self, servers: Servers, settings: Settings) -> None:
        assert await self.statuses(servers, settings) == {400, 429}

    async def test_a_listed_proxy_is(self, servers: Servers, settings: Settings) -> None:
        assert await self.statuses(servers, settings, TESSERA_TRUSTED_PROXIES="127.0.0.1") == {400}


class TestStop:
    async def test_finishes_what_is_under_way(self, servers: Servers, settings: Settings, acme: Store) -> None:
        """Told to stop amid a crowd: whoever was told "reserved" has his order, and the exit is in order."""
        sale = await acme.sale(units=200)
        guests = [await acme.guest() for _ in range(200)]
        with started(environ(servers, settings)) as (process, url):
            async with ready(url) as client:

                async def press(guest: dict[str, str]) -> str | None:
                    try:
                        wish = {"sale_id": sale, "quantity": 1}
                        response = await client.post("/v1/checkouts", json=wish, headers=guest | {"Idempotency-Key": uuid4().hex})
                    except httpx.TransportError:
                        return None
                    return str(response.json()["id"]) if response.status_code == 201 else None

                crowd = [asyncio.create_task(press(guest)) for guest in guests]
                await asyncio.wait(crowd, return_when=asyncio.FIRST_COMPLETED)
                process.send_signal(signal.SIGTERM)
                promised = [order for order in await asyncio.gather(*crowd) if order]
            assert await asyncio.to_thread(process.wait, 20) == 0
        assert promised
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = "SELECT count(*) FROM orders WHERE tenant_id = $1 AND id = ANY($2) AND state = 'awaiting'"
            assert await tx.conn.fetchval(sql, tx.tenant_id, [decode("ord", order) for order in promised]) == len(promised)

    def test_ends_with_its_parent(self, servers: Servers, settings: Settings) -> None:
        """The parent is killed; nobody is left to stop the child but the kernel."""
        parent = f"""
import os, subprocess, sys
child = subprocess.Popen({COMMAND!r} + ["--parent", str(os.getpid())], stdout=subprocess.PIPE, text=True)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
"""
        env = environ(servers, settings)
        with subprocess.Popen([sys.executable, "-c", parent], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            child = int(process.stdout.readline())
            process.kill()
        deadline = time.monotonic() + 20
        while alive(child):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits for its new parent to notice does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
