"""The hands that deliver webhooks. Each tends one endpoint for a while; an endpoint that hangs keeps a hand, and nothing else.

Hands are bounded overall and for each tenant, and endpoints that failed the last time get a part of them only: whoever answers finds a hand
free, whatever the others do. What finds none is put off for a moment, so that it keeps no place in the sweep either.
"""

import asyncio
import logging
import random
from collections import Counter
from uuid import UUID

from tenants import duties
from tenants.db import Pool, tenant_tx
from tenants.keys import Keyring
from tenants.webhooks import queue
from tenants.webhooks.queue import Claim
from tenants.webhooks.sender import Sender

log = logging.getLogger(__name__)

HANDS = 64
HANDS_FAILING = 16
HANDS_PER_TENANT = 4
TURN_MAX = 100  # deliveries to one endpoint before others have their turn
PUT_OFF_S = 2.0
CLOSE_S = 3.0


class Postman:
    def __init__(self, pool: Pool, keyring: Keyring, sender: Sender) -> None:
        self._pool = pool
        self._keyring = keyring
        self._sender = sender
        self._hands = asyncio.Semaphore(HANDS)
        self._busy: dict[UUID, asyncio.Task[None]] = {}
        self._of_tenant: Counter[UUID] = Counter()
        self._failing = 0
        self._closing = False

    async def call(self, tenant_id: UUID, endpoint_id: UUID) -> None:
        """Begin to deliver what waits for an endpoint, and do not wait for it. Waits only while all hands are full."""
        if endpoint_id in self._busy or self._closing:
            return
        await self._hands.acquire()
        begun = False
        try:
            async with tenant_tx(self._pool, tenant_id) as tx:
                claim = await queue.claim(tx, endpoint_id)
                if claim is not None and not self._has_a_hand(tenant_id, claim):
                    await queue.put_back(tx, claim, PUT_OFF_S * random.uniform(0.8, 1.2))  # noqa: S311  jitter, not a secret
                    claim = None
            if claim is not None:
                self._of_tenant[tenant_id] += 1
                self._failing += claim.failing
                begun = True
                self._busy[endpoint_id] = asyncio.create_task(self._tend(tenant_id, claim), name=f"webhooks {endpoint_id}")
        finally:
            if not begun:
                self._hands.release()

    def _has_a_hand(self, tenant_id: UUID, claim: Claim) -> bool:
        return self._of_tenant[tenant_id] < HANDS_PER_TENANT and not (claim.failing and self._failing >= HANDS_FAILING)

    async def _tend(self, tenant_id: UUID, claim: Claim) -> None:
        try:
            await self._deliver(tenant_id, claim)
        except Exception as error:
            log.warning("webhooks of endpoint %s of tenant %s: %s: %s", claim.endpoint_id, tenant_id, type(error).__name__, error)
            await self._postpone(tenant_id, claim, type(error).__name__)
        finally:
            del self._busy[claim.endpoint_id]
            self._of_tenant[tenant_id] -= 1
            if not self._of_tenant[tenant_id]:
                del self._of_tenant[tenant_id]
            self._failing -= claim.failing
            self._hands.release()

    async def _deliver(self, tenant_id: UUID, claim: Claim) -> None:
        async with tenant_tx(self._pool, tenant_id) as tx:
            head = await queue.advance(tx, self._keyring, claim)
        for _ in range(TURN_MAX):
            if head is None:
                return
            attempt = await self._sender.send(head.url, head.secrets, head.event_id, head.body)
            async with tenant_tx(self._pool, tenant_id) as tx:
                head = await queue.advance(tx, self._keyring, claim, head, attempt)
            if self._closing:
                break
        if head is not None:
            async with tenant_tx(self._pool, tenant_id) as tx:
                await queue.put_back(tx, claim, 0)

    async def _postpone(self, tenant_id: UUID, claim: Claim, why: str) -> None:
        try:
            await duties.postpone(self._pool, "webhook_endpoint", tenant_id, claim.endpoint_id, why)
        except Exception as error:
            # Postgres is away: the lease runs out, and the next sweep finds the endpoint.
            log.warning("webhooks of endpoint %s could not be postponed: %s", claim.endpoint_id, type(error).__name__)

    async def settled(self) -> None:
        """Wait until no hand is busy."""
        while self._busy:
            await asyncio.wait(self._busy.values())

    async def aclose(self) -> None:
        """Finish the requests under way, for a moment; what does not end by then is sent again when its lease has run out."""
        self._closing = True
        if self._busy:
            await asyncio.wait(self._busy.values(), timeout=CLOSE_S)
        rest = list(self._busy.values())
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await self._sender.aclose()
