"""What webhooks cost: `python -m tests.bench.webhooks`. The relay with nobody listening and with somebody, and deliveries a second.

The receiver is a process of its own on the same machine and verifies each webhook, so it takes its share of the processors.
"""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from checkout_core.config import Settings
from checkout_core.ids import UUID, new_id
from tenants.db import create_pool, dsn_for, tenant_tx
from tenants.keys import Keyring
from tenants.migrate import migrate
from tenants.webhooks import endpoints
from tenants.webhooks.sender import Sender
from tessera.embedded import Servers
from tests.receiver import Receiver
from workers.relay import Relay
from workers.webhooks import Postman

EVENTS = 500
ROUNDS = 5


class Bench:
    def __init__(self, pool: Any, redis: Redis, keyring: Keyring, receiver: Receiver) -> None:
        self.pool, self.keyring, self.receiver = pool, keyring, receiver
        self.relay = Relay(pool, redis)
        self.postman = Postman(pool, keyring, Sender(connections_max=64, loopback=True))

    async def tenant(self, listeners: int) -> UUID:
        """A tenant with so many endpoints and `EVENTS` rows in its outbox."""
        tenant_id = new_id()
        async with tenant_tx(self.pool, tenant_id) as tx:
            for _ in range(listeners):
                hook = self.receiver.hook()
                about = {"description": "", "event_types": ["*"], "loopback": True, "actor": "bench"}
                _, secret = await endpoints.create(tx, self.keyring, url=hook.url, **about)  # type: ignore[arg-type]
                await asyncio.to_thread(hook.does, "ok", secret)
        async with tenant_tx(self.pool, tenant_id) as tx:
            for n in range(EVENTS):
                await tx.emit("exception.reported", {"exception_id": new_id(), "kind": "bench", "reference": str(n)})
        return tenant_id

    async def relayed(self, listeners: int) -> tuple[float, UUID]:
        """Milliseconds to relay all of a tenant."""
        tenant_id = await self.tenant(listeners)
        begun = time.perf_counter()
        await self.relay.send(tenant_id)
        return (time.perf_counter() - begun) * 1000, tenant_id

    async def delivered(self, tenants: list[UUID]) -> float:
        """Webhooks a second until all queues are empty."""
        begun, waiting = time.perf_counter(), 1
        while waiting:
            waiting = 0
            for tenant_id in tenants:
                async with tenant_tx(self.pool, tenant_id) as tx:
                    sql = "SELECT id FROM webhook_endpoint WHERE tenant_id = $1 AND next_try_at IS NOT NULL"
                    due = [row[0] for row in await tx.conn.fetch(sql, tenant_id)]
                waiting += len(due)
                for endpoint_id in due:
                    await self.postman.call(tenant_id, endpoint_id)
            await self.postman.settled()
        return len(tenants) * EVENTS / (time.perf_counter() - begun)


async def run(settings: Settings) -> dict[str, list[float]]:
    await migrate(settings)
    receiver = Receiver()
    redis = Redis.from_url(settings.redis_url)
    found: dict[str, list[float]] = {}

    def note(what: str, value: float) -> None:
        found.setdefault(what, []).append(round(value, 1))

    async with await create_pool(dsn_for(settings, "tessera_app"), size=12) as pool:
        bench = Bench(pool, redis, Keyring(settings.secret), receiver)
        for _ in range(ROUNDS):
            for listeners in (0, 1, 5):
                took_ms, tenant_id = await bench.relayed(listeners)
                note(f"ms to relay {EVENTS} events to {listeners} endpoints", took_ms)
                if listeners == 1:
                    note("webhooks/s to one endpoint", await bench.delivered([tenant_id]))
            tenants = [(await bench.relayed(1))[1] for _ in range(8)]
            note("webhooks/s to eight endpoints of eight tenants", await bench.delivered(tenants))
        await bench.postman.aclose()
    await redis.aclose()
    receiver.close()
    return found


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tessera-webhooks-") as folder:
        Path(folder).chmod(0o755)
        with Servers(Path(folder)) as servers:
            environ = servers.environment | {"TESSERA_ENV": "test", "TESSERA_SECRET": "5e" * 32}
            for what, values in asyncio.run(run(Settings.from_env(environ))).items():
                print(f"{what}: {sorted(values)[len(values) // 2]} (of {sorted(values)})")


if __name__ == "__main__":
    main()
