"""Shoppers who were erased: their tokens are signed and good by themselves, so each process remembers who is refused all the same."""

import asyncio
import datetime as dt
import logging
from collections.abc import Iterable
from uuid import UUID

from checkout_core import tokens
from checkout_core.errors import Unauthorized
from checkout_core.tokens import Shopper
from tenants.db import Pool, platform_tx

log = logging.getLogger(__name__)

EVERY_S = 1.0
OVERLAP = dt.timedelta(seconds=30)  # a row's time is when its transaction began: it may be seen so much later


class Erased:
    """Known within two seconds of the erasure. While Postgres is away nothing new is learnt, and nothing is forgotten."""

    def __init__(self, platform: Pool) -> None:
        self._platform = platform
        self._known: set[tuple[UUID, UUID]] = set()
        self._since = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=tokens.TTL_S)

    async def watch(self) -> None:
        """Look every second until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:
                log.warning("erased shoppers were not looked up: %s: %s", type(error).__name__, error)
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        # The policy shows the platform whom every store has erased: two ids and a time.
        sql = "SELECT tenant_id, shopper_id, erased_at FROM erased_shopper WHERE erased_at > $1"
        async with platform_tx(self._platform) as conn:
            rows = await conn.fetch(sql, self._since)
        self._known.update((row[0], row[1]) for row in rows)
        self._since = max([self._since, *(row[2] - OVERLAP for row in rows)])

    def check(self, shopper: Shopper) -> Shopper:
        """Raises `Unauthorized` for one who was erased."""
        if (shopper.tenant_id, shopper.id) in self._known:
            raise refusal()
        return shopper

    def among(self, tenant_id: UUID, shopper_ids: Iterable[UUID]) -> set[UUID]:
        """Those of `shopper_ids` who were erased."""
        return {each for each in shopper_ids if (tenant_id, each) in self._known} if self._known else set()


def refusal() -> Unauthorized:
    return Unauthorized("This shopper was erased. Ask for a new token at POST /v1/shopper-tokens.", code="erased")
