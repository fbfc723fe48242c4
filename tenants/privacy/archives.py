"""Archives: files in parts, each compressed and sealed at rest, and put together as one ZIP while it is downloaded."""

import zipfile
import zlib
from collections.abc import AsyncIterator
from uuid import UUID

from tenants.db import Pool, TenantTx, tenant_tx
from tenants.drain import Drain
from tenants.keys import Keyring, archive_place


async def add(tx: TenantTx, keyring: Keyring, request_id: UUID, number: int, name: str, content: bytes) -> None:
    """Keep a part. The same number again is refused by the key: whoever was first has done the step."""
    keys = await keyring.of(tx)
    sealed = keys.seal(zlib.compress(content, 6), archive_place(tx.tenant_id, request_id, number))
    sql = "INSERT INTO data_part (tenant_id, request_id, number, name, key_id, sealed) VALUES ($1, $2, $3, $4, $5, $6)"
    await tx.conn.execute(sql, tx.tenant_id, request_id, number, name, keys.key_id, sealed)


async def parts(pool: Pool, keyring: Keyring, tenant_id: UUID, request_id: UUID) -> AsyncIterator[tuple[str, bytes]]:
    """Name and content of each part in order, each read in a transaction of its own: a slow reader holds nothing."""
    number = -1
    while True:
        async with tenant_tx(pool, tenant_id) as tx:
            sql = """SELECT number, name, key_id, sealed FROM data_part
                     WHERE tenant_id = $1 AND request_id = $2 AND number > $3 ORDER BY number LIMIT 1"""
            row = await tx.conn.fetchrow(sql, tenant_id, request_id, number)
            if row is None:
                return
            keys = await keyring.to_open(tx, row["key_id"])
        number, name, key_id, sealed = row
        yield name, zlib.decompress(keys.open_(key_id, sealed, archive_place(tenant_id, request_id, number)))


async def zipped(files: AsyncIterator[tuple[str, bytes]]) -> AsyncIterator[bytes]:
    """The files as one ZIP (deflated), piece by piece, never whole in memory."""
    drain = Drain()
    with zipfile.ZipFile(drain, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        async for name, content in files:
            archive.writestr(name, content)
            yield drain.take()
    yield drain.take()
