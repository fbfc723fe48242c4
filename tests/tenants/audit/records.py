"""An audit to tamper with: entries of one store, linked and anchored, and a connection that nothing restrains."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg

from checkout_core.config import Settings
from tenants.audit import anchors, chain
from tenants.audit.anchors import Folder, Signer
from tenants.audit.verify import Verdict, noted, verify
from tenants.db import create_pool, dsn_for, tenant_tx
from tenants.invariants.run import snapshot
from tests.shop import Store


class Record:
    """The chain of one store. `conn` is the superuser's: an operator with full rights over the database."""

    def __init__(self, store: Store, conn: asyncpg.Connection, folder: Path) -> None:
        self.store, self.conn, self.folder = store, conn, folder
        self.tenant_id = store.tenant_id
        self.pool = store.process.app_pool
        self.signer = Signer(self.settings.secret)

    @property
    def settings(self) -> Settings:
        return self.store.process.settings

    async def add(self, *subjects: str) -> None:
        for subject in subjects:
            async with tenant_tx(self.pool, self.tenant_id) as tx:
                await tx.audit("usr_1", "thing.done", subject, amount_minor=1, note="für")

    async def link(self) -> int:
        return await chain.link(self.pool, self.tenant_id)

    async def anchor(self) -> int:
        async with await create_pool(dsn_for(self.settings, "tessera_platform"), size=1) as platform:
            return await anchors.anchor(platform, self.signer, Folder(self.folder))

    async def execute(self, *statements: str) -> None:
        for statement in statements:
            await self.conn.execute(statement.replace("$T", f"'{self.tenant_id}'"))

    async def verify(self, *, anchored: bool = False) -> Verdict:
        before = await noted(self.conn, self.tenant_id) if anchored else {}
        kept = anchors.read(self.folder, self.signer.public) if anchored else None
        async with snapshot(self.conn):
            return await verify(self.conn, tenant_id=self.tenant_id, kept=kept, before=before)

    async def faults(self, *, anchored: bool = False) -> list[tuple[str, int | None]]:
        return [(fault.what, fault.seq) for fault in (await self.verify(anchored=anchored)).faults]

    async def links(self) -> list[tuple[int, UUID]]:
        sql = "SELECT seq, audit_id FROM audit_link WHERE tenant_id = $1 ORDER BY seq"
        return [(row[0], row[1]) for row in await self.conn.fetch(sql, self.tenant_id)]

    async def chain_anew(self, start: int = 1) -> None:
        """Forge what an operator could: a chain that is right in itself, over whatever entries there are now."""
        await self.execute(f"DELETE FROM audit_link WHERE tenant_id = $T AND seq >= {start}")
        sql = f"""SELECT {chain.COLUMNS} FROM audit WHERE tenant_id = $1
                  AND id NOT IN (SELECT audit_id FROM audit_link WHERE tenant_id = $1) ORDER BY id"""
        entries = [chain.Entry(*row) for row in await self.conn.fetch(sql, self.tenant_id)]
        head = chain.root(self.tenant_id)
        if start > 1:
            head = chain.Head(*await self.conn.fetchrow("SELECT seq, hash FROM audit_link WHERE tenant_id = $1 AND seq = $2",
                                                        self.tenant_id, start - 1))  # fmt: skip
        for entry, one in zip(entries, chain.extend(self.tenant_id, head, entries), strict=True):
            sql = "INSERT INTO audit_link (tenant_id, seq, audit_id, hash) VALUES ($1, $2, $3, $4)"
            await self.conn.execute(sql, self.tenant_id, one.seq, entry.id, one.hash)
            head = one
        await self.conn.execute("UPDATE audit_head SET seq = $2, hash = $3 WHERE tenant_id = $1", self.tenant_id, *head)


@asynccontextmanager
async def record_of(store: Store, folder: Path) -> AsyncIterator[Record]:
    conn = await asyncpg.connect(store.process.settings.database_url)
    try:
        yield Record(store, conn, folder)
    finally:
        await conn.close()
