"""What merchants cost by their number: a sign-up, the start of an API process, a sweep of all duties."""

import asyncio
import os
import statistics
import sys
import time
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from checkout_core.config import Settings
from tenants import duties
from tenants.db import create_pool, dsn_for
from tests.bench.api.figures import cpu_us, told
from tests.bench.redis_core import cpu_s

SWEEPS = 200
GROWING = ("sweep", "start", "start_of_worker")  # if they did, with the number of merchants
DEADLINE_S = 30


_LETTER = "SELECT content::jsonb ->> 'token' FROM mail WHERE recipient = $1 ORDER BY id DESC LIMIT 1"


async def sign_ups(client: httpx.AsyncClient, url: str, count: int) -> tuple[dict[str, Any], str]:
    """Through the API, one after another, each in its two steps and with its argon2id; and the key of the last."""
    took, key = [], ""
    admin = await asyncpg.connect(url)
    for _ in range(count):
        name = uuid4().hex[:12]
        new = {"store": f"Store {name}", "slug": f"s-{name}", "mail": f"{name}@example.org"}
        began = time.perf_counter()
        response = await client.post("/v1/merchants", json=new)
        took_s = time.perf_counter() - began
        assert response.status_code == 202, response.text
        token = await admin.fetchval(_LETTER, new["mail"])  # how long a mail is on its way is nobody's figure
        began = time.perf_counter()
        response = await client.post("/v1/merchants/confirm", json={"token": token, "password": f"password {name}"})
        took.append((took_s + time.perf_counter() - began) * 1000)
        assert response.status_code == 201, response.text
        key = response.json()["api_key"]
    await admin.close()
    return told(took), key


async def sweeps(settings: Settings) -> dict[str, Any]:
    """Looking through every table for what is due, when nothing is: what a worker asks each second, by the sweeper's role.

    `cpu_ms` is of the session of Postgres, the median; what else the machine does is not in it.
    """
    took, spent = [], []
    admin = await asyncpg.connect(settings.database_url)
    for table in duties.TABLES:  # no worker runs here
        await admin.execute(f"UPDATE {table} SET next_try_at = now() + interval '1 day' WHERE next_try_at <= now()")
    await admin.close()
    async with await create_pool(dsn_for(settings, "tessera_sweeper"), size=1) as pool:
        session = await pool.fetchval("SELECT pg_backend_pid()")
        for turn in range(SWEEPS + 5):
            began, used = time.perf_counter(), cpu_us(session)
            found = [await duties.due(pool, table, 200) for table in duties.TABLES]
            if turn >= 5:  # the first ones plan
                took.append((time.perf_counter() - began) * 1000)
                spent.append((cpu_us(session) - used) / 1000)
            assert not any(found), found
    return told(took) | {"cpu_ms": round(statistics.median(spent), 2)}


async def starts(what: str, count: int, environ: dict[str, str]) -> dict[str, Any]:
    """From the start of a process (`api`, `worker`) until it is ready: an API answers so, a worker says so. `cpu_ms` is of the process."""
    took, spent = [], []
    own = ("--port", "0", "--parent", str(os.getpid())) if what == "api" else ()
    for _ in range(count):
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tessera", what, *own, env=os.environ | environ,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.timeout(DEADLINE_S):
            if what == "api":
                port = (await process.stdout.readline()).decode().strip().rstrip(")").rpartition(" ")[2]
                async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                    assert (await client.get("/readyz")).status_code == 200
            else:
                while b"worker ready" not in (said := await process.stderr.readline()):
                    assert said, "the worker ended"
        took.append((time.perf_counter() - began) * 1000)
        spent.append(cpu_s(process.pid) * 1000)
        process.terminate()
        await process.communicate()
    return told(took) | {"cpu_ms": round(statistics.median(spent))}
