"""Sales that are over and that Redis remembers all the same: an older file of it was put back, or a replica promoted that was behind.

Their duty was done, so nobody looks after them. Every 20 s the names of all that Redis holds of sales are read, a thousand at a time, and a
sale without a duty gets it back. Two workers at it are harmless: the duty itself is claimed.
"""

from collections import defaultdict
from contextlib import suppress
from uuid import UUID

from checkout_core import keys
from checkout_core.partitions import Partitions
from checkout_core.resp import Closed, Unknown
from tenants.db import Pool, tenant_tx
from workers import rounds
from workers.rounds import Round

EVERY_S = 20.0
AT_ONCE = 1000  # names, 0.3 ms of Redis


async def run(pool: Pool, partitions: Partitions) -> None:
    """Look until cancelled."""

    async def look() -> None:
        with suppress(Closed, Unknown):  # it has nothing to be tidied up while it is away
            await once(pool, partitions)

    await rounds.go(Round("looking through what Redis remembers of sales", look, EVERY_S))


async def once(pool: Pool, partitions: Partitions) -> int:
    """Give every sale that Redis remembers and nobody looks after its duty back; how many there were. A sale unknown here is not ours."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for link in partitions.links():
        cursor = b"0"
        while True:
            cursor, names = await link.call("SCAN", cursor, "MATCH", keys.PATTERN, "COUNT", AT_ONCE)
            for sale in filter(None, map(keys.sale_of, names)):
                found[sale.tenant_id].add(sale.sale_id)
            if cursor == b"0":
                break
    woken = 0
    for tenant_id, sale_ids in found.items():
        async with tenant_tx(pool, tenant_id) as tx:
            sql = "UPDATE sale SET next_try_at = now() WHERE tenant_id = $1 AND id = ANY($2) AND next_try_at IS NULL RETURNING id"
            woken += len(await tx.conn.fetch(sql, tenant_id, list(sale_ids)))
    return woken
