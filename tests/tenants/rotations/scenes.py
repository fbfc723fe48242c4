"""What tests of rotations share: a store in which something lies sealed in every place, and the duty as a worker does it."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg

from checkout_core.ids import decode, new_id
from tenants import rotations, vault
from tenants.db import TenantTx, tenant_tx
from tenants.keys import PURPOSES, Keyring, archive_place, fulfilment_place, input_place, unit_place
from tenants.payments import accounts
from tenants.payments.sandbox import SandboxCredentials
from tenants.privacy import archives
from tenants.qualifications import documents, drafts
from tenants.qualifications.files import File
from tenants.rotations import places, work
from tenants.vault.codes import unpack
from tenants.webhooks import endpoints
from tests.shop import Store


def credentials() -> SandboxCredentials:
    return SandboxCredentials(
        mch_id=uuid4().hex[:10], serial_no="s", private_key_pem="p", api_v3_key="k" * 32, provider_serial="p", provider_public_key_pem="p"
    )


async def chunks(codes: list[str]) -> Any:
    yield "".join(f"{code}\n" for code in codes).encode()


async def bring_in(store: Store, sku: str, codes: list[str], keyring: Keyring | None = None) -> vault.Report:
    process = store.process
    return await vault.run(
        process.app_pool, keyring or process.keyring, store.tenant_id, decode("sku", sku), chunks(codes),
        vault.Wishes.of(header=False, delimiter="none", columns="code"), vault.Origin(operator="test"),
    )  # fmt: skip


async def begin(store: Store, purposes: tuple[str, ...] = PURPOSES) -> UUID:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        return (await rotations.begin(tx, store.process.keyring, purposes, actor="test")).id


async def carry_out(store: Store, rotation_id: UUID, keyring: Keyring | None = None) -> None:
    """What a worker does for a rotation whose time has come."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = "UPDATE key_rotation SET next_try_at = now() WHERE tenant_id = $1 AND id = $2 AND state = 'running'"
        await tx.conn.execute(sql, tx.tenant_id, rotation_id)
    await work.carry_out(store.process.app_pool, keyring or store.process.keyring, store.tenant_id, rotation_id)


async def read(store: Store, rotation_id: UUID) -> rotations.Rotation:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        return await rotations.get(tx, rotation_id)


async def rotate(store: Store, purposes: tuple[str, ...] = PURPOSES) -> rotations.Rotation:
    """From its beginning to its end, the passes without the minute between them."""
    rotation_id = await begin(store, purposes)
    while (rotation := await read(store, rotation_id)).state != "done":
        await carry_out(store, rotation_id)
    return rotation


async def fill(store: Store) -> None:
    """Something in every place where anything lies sealed."""
    keyring, sku = store.process.keyring, await store.sku()
    await bring_in(store, sku, [uuid4().hex for _ in range(5)])
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        await accounts.create(tx, keyring, credentials(), actor="test")
        endpoint, _ = await endpoints.create(
            tx, keyring, url="http://127.0.0.1:9/", description="", event_types=["*"], loopback=True, actor="test"
        )
        await endpoints.rotate_secret(tx, keyring, endpoint.id, actor="test")
        particulars = drafts.Particulars(legal_name="x", registration_number="1")
        made = await drafts.create(tx, keyring, kind="gift_cards", particulars=particulars, actor="test")
        file = File("application/pdf", b"%PDF-1.4 %%EOF")
        await documents.add(tx, keyring, made.id, shows="prepaid_card_record", sent=file.content, file=file, actor="test")
        request_id, keys = new_id(), await keyring.of(tx)
        sealed = keys.seal(b"words", archive_place(tx.tenant_id, request_id, -1))
        sql = """INSERT INTO data_request (tenant_id, id, kind, asked_by, words, key_id, next_try_at)
                 VALUES ($1, $2, 'store_export', 'test', $3, $4, now() + interval '1 hour')"""
        await tx.conn.execute(sql, tx.tenant_id, request_id, sealed, keys.key_id)
        await archives.add(tx, keyring, request_id, 1, "a.jsonl", b"content")
    await _line(store, sku)


async def _line(store: Store, sku: str) -> None:
    """What a shopper said of a line, and what he was told when it was done."""
    keyring, order_id, fulfilment_id = store.process.keyring, new_id(), new_id()
    sku_id, sale_id = decode("sku", sku), decode("sal", await store.sale(1, sku_id=sku))
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        keys = await keyring.of(tx)
        said = keys.seal(b"account", input_place(tx.tenant_id, order_id, sale_id))
        sql = """INSERT INTO order_line (tenant_id, order_id, sale_id, sku_id, quantity, unit_price_minor, input, input_key_id)
                 VALUES ($1, $2, $3, $4, 1, 1, $5, $6)"""
        await tx.conn.execute(sql, tx.tenant_id, order_id, sale_id, sku_id, said, keys.key_id)
        told = keys.seal(b"done", fulfilment_place(tx.tenant_id, fulfilment_id))
        sql = """INSERT INTO fulfilment (tenant_id, id, order_id, sale_id, sku_id, state, sealed, key_id, finished_at, next_try_at)
                 VALUES ($1, $2, $3, $4, $5, 'done', $6, $7, now(), NULL)"""
        await tx.conn.execute(sql, tx.tenant_id, fulfilment_id, order_id, sale_id, sku_id, told, keys.key_id)


async def contents(store: Store, keyring: Keyring | None = None) -> dict[str, list[bytes]]:
    """Everything that lies sealed, opened; by place."""
    found: dict[str, list[bytes]] = {}
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        keys = await (keyring or store.process.keyring).of(tx)
        for row in await tx.conn.fetch("SELECT * FROM code WHERE tenant_id = $1 ORDER BY unit_id", tx.tenant_id):
            plain = keys.open_(row["key_id"], row["sealed"], unit_place(tx.tenant_id, row["sku_id"], row["unit_id"]))
            assert row["fingerprint"] == keys.fingerprint(unpack(plain, 0).code, row["fingerprint_key_id"])
            found.setdefault("code", []).append(plain)
        for where in places.OTHERS:
            for row in await rows(tx, where):
                plain = keys.open_(row[where.key_id], row[where.content], where.place(tx.tenant_id, row))
                found.setdefault(places.name(where), []).append(plain)
    return found


async def rows(tx: TenantTx, where: places.Sealed) -> list[asyncpg.Record]:
    order = ", ".join(column for column, _ in where.key)
    sql = f"SELECT * FROM {where.table} WHERE tenant_id = $1 AND {where.content} IS NOT NULL ORDER BY {order}"
    return list(await tx.conn.fetch(sql, tx.tenant_id))


async def key_ids(store: Store) -> set[tuple[str, int]]:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        found = await tx.conn.fetch("SELECT purpose, id FROM tenant_key WHERE tenant_id = $1", tx.tenant_id)
    return {(row["purpose"], row["id"]) for row in found}
