"""How long signing up takes among many tenants: `python -m tests.bench.sign_ups [TENANTS [ROUNDS]]`."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles

import asyncpg
import httpx

from tessera.letterbox import token
from tessera.shop import Shop

TENANTS = """
    WITH made AS (INSERT INTO tenant (id, slug) SELECT gen_random_uuid(), 'many-' || n FROM generate_series(1, $1::integer) n
                  RETURNING id, slug),
    hosts AS (INSERT INTO store_host (host, tenant_id) SELECT slug || '.localhost', id FROM made),
    users AS (INSERT INTO merchant_user (id, tenant_id, mail, password_hash, scopes)
              SELECT gen_random_uuid(), id, slug || '@example.org', '', '{}' FROM made)
    INSERT INTO store (tenant_id, slug, name) SELECT id, slug, slug FROM made"""


async def fill(url: str, tenants: int) -> None:
    admin = await asyncpg.connect(url)
    await admin.execute(TENANTS, tenants)
    await admin.close()


def measure(shop: Shop, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each step, in turn: 202, mail at the catcher, 201."""
    took: dict[str, list[float]] = {"sign-up": [], "mail": [], "confirm": []}
    with httpx.Client(base_url=shop.api_url, timeout=30, trust_env=False) as api:
        for n in range(rounds):
            person = {"store": f"Bench {n}", "slug": f"bench-{n}", "mail": f"bench-{n}@example.org"}
            times = [time.perf_counter()]
            assert api.post("/v1/merchants", json=person).status_code == 202
            times.append(time.perf_counter())
            code = token(shop.mail_url, person["mail"])
            times.append(time.perf_counter())
            assert api.post("/v1/merchants/confirm", json={"token": code, "password": "a long password"}).status_code == 201
            times.append(time.perf_counter())
            for name, began, ended in zip(took, times, times[1:], strict=False):
                took[name].append((ended - began) * 1000)
    return took


def main() -> None:
    tenants, rounds = (int(argument) for argument in (sys.argv[1:] + ["10000", "200"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder:
        Path(folder).chmod(0o755)
        with Shop(Path(folder), environ={"TESSERA_IP_LIMIT_FACTOR": "100000"}) as shop:
            asyncio.run(fill(shop.servers.database_url, tenants))
            took = measure(shop, rounds)
    print(f"{rounds} sign-ups, one after the other, beside {tenants:,} tenants; ms")
    for name, each in took.items():
        cuts = quantiles(each, n=100)
        print(f"{name:8} p50 {cuts[49]:6.1f}  p99 {cuts[98]:6.1f}  max {max(each):6.1f}")


if __name__ == "__main__":
    main()
