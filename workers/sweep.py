"""The sweep: every second, what is due is done, whether or not a bell was heard. It needs Postgres and nothing else."""

import asyncio
import logging
from uuid import UUID

from checkout_core import safeties
from tenants import duties
from tenants.db import Pool
from workers.duties import Services, attend

log = logging.getLogger(__name__)

EVERY_S = 1.0
AT_ONCE = 200  # rows fetched in one sweep of a table
HANDS = 6  # duties of a kind under way at once: a provider that hangs holds up its own kind, not the notices


class Sweep:
    def __init__(self, services: Services, sweeper: Pool) -> None:
        self._services = services
        self._sweeper = sweeper
        self._hands = {table: asyncio.Semaphore(HANDS) for table in duties.TABLES}
        self._busy: set[tuple[str, UUID]] = set()

    async def run(self) -> None:
        """Sweep all tables until cancelled, each at its own pace."""
        if safeties.on("sweep"):
            async with asyncio.TaskGroup() as group:
                for table in duties.TABLES:
                    group.create_task(self._run(table))

    async def _run(self, table: str) -> None:
        while True:
            try:
                found = await self.once(table)
            except Exception as error:
                log.warning("sweep of %s failed: %s: %s", table, type(error).__name__, error)
                found = 0
            # A full plate means more is waiting: go on at once.
            await asyncio.sleep(0 if found >= AT_ONCE else EVERY_S)

    async def once(self, table: str) -> int:
        """Do all of a table that is due now; the number of rows found."""
        found = await duties.due(self._sweeper, table, AT_ONCE)
        rows = {d.tenant_id: d for d in reversed(found)}.values() if table in duties.BY_TENANT else found
        await asyncio.gather(*(self.attend(table, d.tenant_id, d.id) for d in rows))
        return len(found)

    async def attend(self, table: str, tenant_id: UUID, row_id: UUID) -> None:
        """Do one duty unless this process is at it already."""
        if (table, row_id) in self._busy:
            return
        self._busy.add((table, row_id))
        try:
            async with self._hands[table]:
                await attend(self._services, table, tenant_id, row_id)
        finally:
            self._busy.discard((table, row_id))
