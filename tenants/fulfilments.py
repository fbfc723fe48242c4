"""Fulfilments: paid lines that are not delivered by the payment itself. Each is done, or failed and refunded, or waits with a time.

Whoever touches one locks its order first: a refund, a person and the duty take turns there.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import Conflict, NotFound, Unprocessable
from checkout_core.ids import encode
from tenants import delivery, inputs, types, vault
from tenants.db import OLDEST, Pool, TenantTx, tenant_tx
from tenants.keys import Keyring, fulfilment_place
from tenants.orders import release
from tenants.payments import refunds
from tenants.types import Done, Failed, Job, Later, ProductType, Sku
from tenants.vault import Content

PROBLEM_MAX = 500


class Fulfilment(msgspec.Struct, frozen=True):
    id: UUID
    order_id: UUID
    sale_id: UUID
    sku_id: UUID
    state: str
    problem: str | None
    due_at: dt.datetime
    created_at: dt.datetime
    finished_at: dt.datetime | None


class Waiting(msgspec.Struct, frozen=True):
    """A fulfilment of the queue. `by` has said that he is at it, at `claimed_at`; of types that have such a word."""

    fulfilment: Fulfilment
    sku_name: str
    type: str
    quantity: int
    by: str | None
    claimed_at: dt.datetime | None


class Task(msgspec.Struct, frozen=True):
    """A fulfilment with what a person must know to do it: what the shopper said, in clear."""

    fulfilment: Fulfilment
    sku_name: str
    quantity: int
    input: dict[str, str]


_COLUMNS = ", ".join(Fulfilment.__struct_fields__)


async def pending(tx: TenantTx, *, limit: int, after: tuple[dt.datetime, UUID] | None = None) -> list[Waiting]:
    """At most `limit` that wait, what is due first on top, behind `after`."""
    at, id_ = after or (dt.datetime(1970, 1, 1, tzinfo=dt.UTC), OLDEST)
    sql = f"""SELECT {_COLUMNS}, k.name, k.type, l.quantity, e.data ->> 'by', (e.data ->> 'claimed_at')::timestamptz
              FROM (SELECT * FROM fulfilment WHERE tenant_id = $1 AND state = 'pending' AND (due_at, id) > ($2, $3)
                    ORDER BY due_at, id LIMIT $4) AS f
              CROSS JOIN LATERAL (SELECT name, type FROM sku WHERE tenant_id = $1 AND id = f.sku_id OFFSET 0) AS k
              CROSS JOIN LATERAL (SELECT quantity FROM order_line WHERE tenant_id = $1 AND order_id = f.order_id AND sale_id = f.sale_id
                                  OFFSET 0) AS l
              LEFT JOIN LATERAL (SELECT data FROM entitlement WHERE tenant_id = $1 AND order_id = f.order_id AND sku_id = f.sku_id
                                 ORDER BY valid_from, unit_id LIMIT 1) AS e ON true
              ORDER BY due_at, id"""
    width = len(Fulfilment.__struct_fields__)
    rows = [tuple(row) for row in await tx.conn.fetch(sql, tx.tenant_id, at, id_, limit)]
    return [Waiting(Fulfilment(*row[:width]), *row[width:]) for row in rows]


async def of_order(tx: TenantTx, order_id: UUID) -> list[Fulfilment]:
    sql = f"SELECT {_COLUMNS} FROM fulfilment WHERE tenant_id = $1 AND order_id = $2 ORDER BY sale_id"
    return [Fulfilment(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, order_id)]


async def get(tx: TenantTx, keyring: Keyring, fulfilment_id: UUID, *, actor: str) -> Task:
    """What is to be done. What the shopper said is shown in clear, which is audited. Raises `NotFound`."""
    row = await _row(tx, fulfilment_id)
    sql = "SELECT quantity, (SELECT name FROM sku WHERE tenant_id = $1 AND id = l.sku_id) FROM order_line AS l " + _LINE
    quantity, name = await tx.conn.fetchrow(sql, tx.tenant_id, row.order_id, row.sale_id)
    said = await inputs.read(tx, keyring, row.order_id, row.sale_id)
    if said:
        await tx.audit(actor, "fulfilment.input_read", encode("ful", row.id), order=encode("ord", row.order_id))
    return Task(row, name, quantity, said)


async def complete(tx: TenantTx, keyring: Keyring, fulfilment_id: UUID, contents: Sequence[Content], *, actor: str) -> Fulfilment:
    """A person, or a merchant's program, has done it and says what the shopper is told: once for the line, or for each unit.

    Raises `NotFound`; `Conflict` (`not_pending`) when it is over, (`not_by_hand`) when its type does it by itself; `Unprocessable`
    (`contents`) for another number of contents.
    """
    job = await _lock(tx, keyring, fulfilment_id)
    if len(contents) not in (0, 1, len(job.units)):
        raise Unprocessable(f"Say it once for the line, or for each of its {len(job.units)} units. Nothing was saved.", code="contents")
    (await _type(tx, job)).accept(job.sku.config, contents)
    await _settle(tx, keyring, job, Done(contents), actor)
    await tx.audit(actor, "fulfilment.completed", encode("ful", job.id), order=encode("ord", job.order_id))
    return await _row(tx, fulfilment_id)


async def fail(tx: TenantTx, keyring: Keyring, fulfilment_id: UUID, problem: str, *, actor: str) -> Fulfilment:
    """It cannot be done: the shopper gets the money of this line back. Raises `NotFound`, `Conflict` (`not_pending`)."""
    job = await _lock(tx, keyring, fulfilment_id)
    await _settle(tx, keyring, job, Failed(problem), actor)
    await tx.audit(actor, "fulfilment.failed", encode("ful", job.id), order=encode("ord", job.order_id))
    return await _row(tx, fulfilment_id)


async def type_of(tx: TenantTx, fulfilment_id: UUID) -> str:
    """The type whose acts it takes. Raises `NotFound`."""
    sql = "SELECT type FROM sku WHERE tenant_id = $1 AND id = $2"
    return str(await tx.conn.fetchval(sql, tx.tenant_id, (await _row(tx, fulfilment_id)).sku_id))


async def lock(tx: TenantTx, keyring: Keyring, fulfilment_id: UUID) -> Job:
    """A line that waits, for an act of its type: nobody else ends it meanwhile. Raises `NotFound`, `Conflict` (`not_pending`)."""
    return await _lock(tx, keyring, fulfilment_id)


async def put_off(tx: TenantTx, keyring: Keyring, job: Job, later: Later) -> None:
    """A line that is locked is to be done later, as an act of its type says."""
    await _settle(tx, keyring, job, later, "")


async def carry_out(pool: Pool, keyring: Keyring, tenant_id: UUID, fulfilment_id: UUID) -> None:
    """The duty: let the type do it, and keep what it says in the same transaction."""
    async with tenant_tx(pool, tenant_id) as tx:
        try:
            job = await _lock(tx, keyring, fulfilment_id, due=True)
        except (Conflict, NotFound):
            return
        await _settle(tx, keyring, job, await (await _type(tx, job)).fulfil(tx, keyring, job), "fulfilment")


async def _type(tx: TenantTx, job: Job) -> ProductType:
    return types.of(await tx.conn.fetchval("SELECT type FROM sku WHERE tenant_id = $1 AND id = $2", tx.tenant_id, job.sku.id))


_LINE = "WHERE tenant_id = $1 AND order_id = $2 AND sale_id = $3"


async def _row(tx: TenantTx, fulfilment_id: UUID) -> Fulfilment:
    sql = f"SELECT {_COLUMNS} FROM fulfilment WHERE tenant_id = $1 AND id = $2"
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, fulfilment_id):
        return Fulfilment(*row)
    raise NotFound("There is no such fulfilment.")


async def _lock(tx: TenantTx, keyring: Keyring, fulfilment_id: UUID, *, due: bool = False) -> Job:
    """The order, then the line; with `due` only one whose time has come. Raises `NotFound`, `Conflict`."""
    seen = await _row(tx, fulfilment_id)
    order = await release.lock(tx, seen.order_id)
    sql = f"""SELECT tries, due_at FROM fulfilment WHERE tenant_id = $1 AND id = $2 AND state = 'pending'
              {"AND next_try_at <= now()" if due else ""} FOR UPDATE"""
    row = await tx.conn.fetchrow(sql, tx.tenant_id, fulfilment_id)
    if row is None:
        raise Conflict(f"This is {(await _row(tx, fulfilment_id)).state} already. Nothing was changed.", code="not_pending")
    sql = "SELECT id, name, type, config, currency, price_minor FROM sku WHERE tenant_id = $1 AND id = $2"
    sku = await tx.conn.fetchrow(sql, tx.tenant_id, seen.sku_id)
    config = types.configured(types.of(sku["type"]), msgspec.json.decode(sku["config"]))
    sql = "SELECT contact, paid_at FROM orders WHERE tenant_id = $1 AND id = $2"
    contact, paid_at = await tx.conn.fetchrow(sql, tx.tenant_id, seen.order_id)
    return Job(
        id=seen.id,
        order_id=seen.order_id,
        sale_id=seen.sale_id,
        sku=Sku(sku["id"], sku["name"], sku["currency"], sku["price_minor"], config),
        shopper_id=order["shopper_id"],
        contact=contact,
        units=await _units(tx, order, seen.sale_id),
        input=await inputs.read(tx, keyring, seen.order_id, seen.sale_id),
        paid_at=paid_at,
        due_at=row["due_at"],
        tries=row["tries"],
        now=order["now"],
    )


async def _units(tx: TenantTx, order: asyncpg.Record, sale_id: UUID) -> list[int]:
    sql = """SELECT id FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND shopper_id = $3 AND order_id = $4 AND state = 'sold'
             ORDER BY id"""
    return [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, sale_id, order["shopper_id"], order["id"])]


async def _settle(tx: TenantTx, keyring: Keyring, job: Job, outcome: Done | Later | Failed, actor: str) -> None:
    match outcome:
        case Later(at, due_at, problem):
            sql = """UPDATE fulfilment SET next_try_at = $3, due_at = coalesce($4, due_at), problem = $5, tries = tries + 1
                     WHERE tenant_id = $1 AND id = $2"""
            await tx.conn.execute(sql, tx.tenant_id, job.id, at, due_at, problem and problem[:PROBLEM_MAX])
        case Done(contents):
            await _end(tx, job.id, "done", await _sealed(tx, keyring, job.id, contents), None)
            await delivery.finish(tx, job.order_id, job.sale_id, job.units)
        case Failed(problem):
            await _end(tx, job.id, "failed", (None, None), problem[:PROBLEM_MAX])
            await refunds.request(tx, job.order_id, units=job.units, actor=actor)


async def _end(tx: TenantTx, fulfilment_id: UUID, state: str, sealed: tuple[Any, Any], problem: str | None) -> None:
    sql = """UPDATE fulfilment SET state = $3, key_id = $4, sealed = $5, problem = $6, finished_at = now(), next_try_at = NULL
             WHERE tenant_id = $1 AND id = $2"""
    await tx.conn.execute(sql, tx.tenant_id, fulfilment_id, state, *sealed, problem)


async def _sealed(tx: TenantTx, keyring: Keyring, fulfilment_id: UUID, contents: Sequence[Content]) -> tuple[int | None, bytes | None]:
    if not contents:
        return None, None
    keys = await keyring.of(tx)
    return keys.key_id, keys.seal(vault.pack_all(contents), fulfilment_place(tx.tenant_id, fulfilment_id))
