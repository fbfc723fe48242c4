"""Exports: many codes in clear for somebody who may have them, with the consent of another who may have them too.

The units are chosen when it is asked for, and stay the ones that were approved: what is exported is some of them, never another. Units that
are for sale are void from the moment they are in a file: somebody else hands them out then, and a code reaches one buyer.
"""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, Forbidden, NotFound
from checkout_core.ids import encode, new_id
from tenants import memberships
from tenants.db import NEWEST, Pool, TenantTx, tenant_tx

UNITS_MAX: Final = 20_000  # in one file
PERMISSION: Final = "codes:export"
SYSTEM: Final = "system"  # who the audit names
PREFIXES: Final = {"stock": "sku", "batch": "bat", "order": "ord"}


class Member(msgspec.Struct, frozen=True):
    """Who asks: `actor` is what the audit names, `user_id` the person behind him, whom an API key answers to."""

    actor: str
    user_id: UUID | None


class Export(msgspec.Struct, frozen=True):
    """`units` were chosen; `exported` of them were in the file, once it is downloaded."""

    id: UUID
    kind: str
    subject_id: UUID
    reason: str
    units: int
    state: str
    asked_by: str
    decided_by: str | None
    exported: int | None
    created_at: dt.datetime
    decided_at: dt.datetime | None
    downloaded_at: dt.datetime | None
    expires_at: dt.datetime


_COLUMNS = ", ".join("cardinality(units) AS units" if name == "units" else name for name in Export.__struct_fields__)


async def request(tx: TenantTx, kind: str, subject_id: UUID, *, units: int, reason: str, by: Member) -> Export:
    """Choose at most `units` of the codes that `kind` means, and ask for the consent of another.

    `stock`: loose units of a SKU, the last loaded first; `batch`: of a batch those that are loose, sold or out of use, not what is allotted
    to a sale or held; `order`: what was delivered to an order. Raises `Forbidden` (`needs_person`), `Conflict` (`needs_second_person` when
    nobody else could approve it, `nothing_to_export`), `NotFound`.
    """
    user_id = await _person(tx, by)
    if not await memberships.others_may(tx, user_id, PERMISSION):
        raise Conflict(
            "Exporting codes takes two people, and nobody else in this store may approve it. Give somebody a role with codes:export first.",
            code="needs_second_person",
        )
    chosen = await _CHOOSE[kind](tx, subject_id, units)
    if not chosen:
        raise Conflict("There is no code here that could be exported.", code="nothing_to_export")
    sql = f"""INSERT INTO code_export (tenant_id, id, kind, subject_id, reason, units, asked_by, asked_by_user)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {_COLUMNS}"""
    row = await tx.conn.fetchrow(sql, tx.tenant_id, new_id(), kind, subject_id, reason, chosen, by.actor, user_id)
    export = Export(*row)
    subject = encode(PREFIXES[kind], subject_id)
    await tx.audit(by.actor, "export.requested", encode("exp", export.id), kind=kind, of=subject, units=export.units, reason=reason)
    return export


async def approve(tx: TenantTx, export_id: UUID, *, by: Member) -> Export:
    """The consent. From now on who asked may download it, once, for 24 hours.

    Raises `NotFound`, `Forbidden` (`same_person`: who asked cannot, nor can a key that answers to him), `Conflict` when it does not wait.
    """
    return await _decide(tx, export_id, by, "approved", "now() + interval '24 hours'")


async def refuse(tx: TenantTx, export_id: UUID, *, by: Member) -> Export:
    """No consent; who asked may take it back so himself. Raises as `approve`."""
    return await _decide(tx, export_id, by, "refused", "expires_at")


async def _decide(tx: TenantTx, export_id: UUID, by: Member, state: str, expires_at: str) -> Export:
    user_id = await _person(tx, by)
    row = await _lock(tx, export_id, "requested")
    if state == "approved" and row["asked_by_user"] == user_id:
        raise Forbidden("Who asks for an export cannot approve it. Another member of the store has to.", code="same_person")
    sql = f"""UPDATE code_export SET state = $3, decided_by = $4, decided_by_user = $5, decided_at = now(), expires_at = {expires_at},
                     next_try_at = CASE WHEN $3 = 'approved' THEN {expires_at} END
              WHERE tenant_id = $1 AND id = $2 RETURNING {_COLUMNS}"""
    export = Export(*await tx.conn.fetchrow(sql, tx.tenant_id, export_id, state, by.actor, user_id))
    await tx.audit(by.actor, f"export.{state}", encode("exp", export_id), units=export.units)
    return export


class Unit(msgspec.Struct, frozen=True):
    """A unit of the file. `was` is what it was before: `available` ones are void now."""

    id: int
    was: str


async def take(tx: TenantTx, export_id: UUID, *, by: Member) -> list[Unit]:
    """The units of the file, which is thereby given out: it cannot be asked for again. In the order in which they were chosen.

    What is no longer what it was chosen as stays out: a unit that was sold meanwhile is a shopper's, or belongs to a sale.
    Raises `NotFound`, `Forbidden` (`not_yours`), `Conflict` when it is not approved.
    """
    user_id = await _person(tx, by)
    row = await _lock(tx, export_id, "approved")
    if row["asked_by_user"] != user_id:
        raise Forbidden("An export is downloaded by who asked for it.", code="not_yours")
    # A sale that takes loose stock holds these rows: of two at once one finds the unit, the other finds it gone.
    sql = """UPDATE unit SET state = 'void'
             WHERE tenant_id = $1 AND id = ANY($2) AND state = 'available' AND sale_id IS NULL RETURNING id"""
    voided = {each[0] for each in await tx.conn.fetch(sql, tx.tenant_id, row["units"])}
    states = dict.fromkeys(voided, "available")
    if row["kind"] != "stock":
        sql = """SELECT id, state FROM unit WHERE tenant_id = $1 AND id = ANY($2) AND state IN ('sold', 'void', 'quarantined')"""
        states = dict(await tx.conn.fetch(sql, tx.tenant_id, row["units"])) | states
    units = [Unit(unit, states[unit]) for unit in row["units"] if unit in states]
    sql = """UPDATE code_export SET state = 'downloaded', downloaded_at = now(), exported = $3, next_try_at = NULL
             WHERE tenant_id = $1 AND id = $2"""
    await tx.conn.execute(sql, tx.tenant_id, export_id, len(units))
    await tx.audit(by.actor, "export.downloaded", encode("exp", export_id), exported=len(units), voided=len(voided))
    return units


async def get(tx: TenantTx, export_id: UUID) -> Export:
    """Raises `NotFound`."""
    row = await tx.conn.fetchrow(f"SELECT {_COLUMNS} FROM code_export WHERE tenant_id = $1 AND id = $2", tx.tenant_id, export_id)
    if row is None:
        raise _missing()
    return Export(*row)


async def latest(tx: TenantTx, *, limit: int, before: UUID | None = None) -> list[Export]:
    """At most `limit`, newest first, older than the export `before`."""
    sql = f"SELECT {_COLUMNS} FROM code_export WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
    return [Export(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, before or NEWEST, limit)]


async def expire(pool: Pool, tenant_id: UUID, export_id: UUID) -> None:
    """The duty of one that nobody approved, or downloaded, in its time."""
    sql = """UPDATE code_export SET state = 'expired', next_try_at = NULL
             WHERE tenant_id = $1 AND id = $2 AND state IN ('requested', 'approved') AND expires_at <= now() RETURNING id"""
    async with tenant_tx(pool, tenant_id) as tx:
        if await tx.conn.fetchval(sql, tenant_id, export_id):
            await tx.audit(SYSTEM, "export.expired", encode("exp", export_id))


async def _person(tx: TenantTx, by: Member) -> UUID:
    """Who is answerable, and may still do this at this moment."""
    if by.user_id is None:
        raise Forbidden("This takes people, and your API key answers to nobody. Sign in, or use a member's key.", code="needs_person")
    if PERMISSION not in await memberships.scopes(tx, by.user_id):
        raise Forbidden(f"This needs the permission {PERMISSION}.", code="missing_permission", permission=PERMISSION)
    return by.user_id


async def _lock(tx: TenantTx, export_id: UUID, state: str) -> Any:
    sql = """SELECT kind, units, asked_by_user, state, expires_at <= now() AS over FROM code_export
             WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE"""
    row = await tx.conn.fetchrow(sql, tx.tenant_id, export_id)
    if row is None:
        raise _missing()
    found = "expired" if row["state"] in ("requested", "approved") and row["over"] else row["state"]
    if found != state:
        raise Conflict(f"This export is {found}, not {state}. Nothing was changed.", code="wrong_state", state=found)
    return row


# What has a code, and of which import: by its key, whatever plan is chosen.
_SEALED: Final = "(SELECT true FROM code WHERE tenant_id = $1 AND unit_id = {})"
LOOSE: Final = f"""SELECT id FROM unit WHERE tenant_id = $1 AND sku_id = $2 AND state = 'available' AND sale_id IS NULL
    AND (SELECT b.state FROM vault_batch b WHERE b.tenant_id = $1 AND b.id = unit.batch_id) = 'loaded'
    AND {_SEALED.format("unit.id")} ORDER BY id DESC LIMIT $3"""


async def _of_stock(tx: TenantTx, sku_id: UUID, units: int) -> list[int]:
    await _there(tx, "sku", sku_id)
    return [row[0] for row in await tx.conn.fetch(LOOSE, tx.tenant_id, sku_id, units)]


async def _of_batch(tx: TenantTx, batch_id: UUID, units: int) -> list[int]:
    """Reads the store's units until there are enough: no index has them by batch, and this is asked seldom."""
    await _there(tx, "vault_batch", batch_id)
    sql = f"""SELECT id FROM unit WHERE tenant_id = $1 AND batch_id = $2 AND (state IN ('sold', 'void', 'quarantined')
                  OR (state = 'available' AND sale_id IS NULL
                      AND (SELECT state FROM vault_batch WHERE tenant_id = $1 AND id = $2) = 'loaded'))
                  AND {_SEALED.format("unit.id")} ORDER BY id LIMIT $3"""
    return [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, batch_id, units)]


async def _of_order(tx: TenantTx, order_id: UUID, units: int) -> list[int]:
    await _there(tx, "orders", order_id)
    sql = f"""SELECT unit_id FROM delivery WHERE tenant_id = $1 AND order_id = $2 AND {_SEALED.format("delivery.unit_id")}
              ORDER BY unit_id LIMIT $3"""
    return [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, order_id, units)]


_CHOOSE: dict[str, Callable[[TenantTx, UUID, int], Awaitable[list[int]]]] = {
    "stock": _of_stock, "batch": _of_batch, "order": _of_order,
}  # fmt: skip


async def _there(tx: TenantTx, table: str, row_id: UUID) -> None:
    if not await tx.conn.fetchval(f"SELECT true FROM {table} WHERE tenant_id = $1 AND id = $2", tx.tenant_id, row_id):
        raise NotFound("There is nothing with this id here.")


def _missing() -> NotFound:
    return NotFound("There is no such export.")
