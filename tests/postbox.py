"""A store's webhooks at work: endpoints at the receiver, a relay and a postman, moved step by step."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from api.process import Process
from checkout_core.ids import decode
from tenants.db import tenant_tx
from tenants.webhooks.sender import Sender
from tests.receiver import Hook
from tests.shop import Store
from workers.relay import Relay
from workers.webhooks import Postman


class Postbox:
    """The worker's part for one process; every store may use it."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.pool = process.app_pool
        self.sender = Sender(connections_max=64, loopback=True)
        self.relay = Relay(self.pool, process.redis)
        self.postman = Postman(self.pool, process.keyring, self.sender)

    async def endpoint(self, store: Store, hook: Hook, *event_types: str) -> str:
        """A new endpoint at `hook`, which verifies with its secret; its id."""
        made = await store.ask(
            "POST", "/v1/webhook-endpoints", store.merchant, {"url": hook.url, "event_types": list(event_types or ["*"])}
        )
        hook.does("ok", made["secret"])
        return str(made["endpoint"]["id"])

    async def run(self, store: Store) -> None:
        """Relay what the store has in its outbox, and deliver until nothing is to be done now."""
        for endpoint_id in await self.relay.send(store.tenant_id):
            await self.postman.call(store.tenant_id, endpoint_id)
        await self.postman.settled()

    async def due(self, store: Store) -> list[UUID]:
        """The store's endpoints that are due."""
        sql = "SELECT id FROM webhook_endpoint WHERE tenant_id = $1 AND next_try_at <= now() ORDER BY id"
        return [row["id"] for row in await self.rows(store, sql)]

    async def sweep(self, store: Store) -> None:
        """Tend the endpoints that are due, and wait for the end of it."""
        for endpoint_id in await self.due(store):
            await self.postman.call(store.tenant_id, endpoint_id)
        await self.postman.settled()

    async def later(self, store: Store, seconds: float = 86_400) -> None:
        """Let time pass for the store's endpoints."""
        sql = "UPDATE webhook_endpoint SET {0} = {0} - $2::float8 * interval '1 second' WHERE tenant_id = $1 AND {0} IS NOT NULL"
        for column in ("next_try_at", "failing_since", "old_until"):
            await self.rows(store, sql.format(column), seconds)

    async def rows(self, store: Store, sql: str, *args: Any) -> list[Any]:
        async with tenant_tx(self.pool, store.tenant_id) as tx:
            return list(await tx.conn.fetch(sql, store.tenant_id, *args))

    async def log(self, store: Store, **query: str) -> list[dict[str, Any]]:
        """The deliveries by the API, the oldest first."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        page = await store.ask("GET", f"/v1/webhook-deliveries?limit=100&{asked}", store.merchant)
        return list(reversed(page["items"]))

    async def happen(self, store: Store, times: int = 1) -> str:
        """Something that is told of: a sale is opened, then paused and resumed `times` times. The sale's id."""
        sale = await store.sale(1)
        for _ in range(times):
            await store.ask("POST", f"/v1/sales/{sale}/pause", store.merchant)
            await store.ask("POST", f"/v1/sales/{sale}/resume", store.merchant)
        return sale


def uuid_of(endpoint: str) -> UUID:
    return decode("whe", endpoint)


@pytest.fixture
async def postbox(process: Process) -> AsyncIterator[Postbox]:
    postbox = Postbox(process)
    yield postbox
    await postbox.postman.aclose()
