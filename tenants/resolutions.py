"""What people do with a case of the exception queue: have it tried again, or close it and say why.

Closing a case moves no money. Where it gives money up for settled, because it came without an order or could not be given back, one person
asks and another agrees, in a store that has two who may.
"""

from typing import Final
from uuid import UUID

import asyncpg

from checkout_core.errors import Conflict, Forbidden, NotFound
from checkout_core.ids import decode, encode, new_id
from tenants import duties, memberships
from tenants.db import TenantTx
from tenants.exceptions import COLUMNS, Case, case_of
from tenants.vault.exports import Member

MONEY: Final = frozenset({"payment_without_attempt", "refund_refused"})
PERMISSION: Final = "payments:write"  # for these; any other takes orders:write
_STUCK: Final = "_stuck"
AGAIN: Final = "retried"


def may_retry(kind: str) -> bool:
    """Whether there is something to try again."""
    return kind == "refund_refused" or (kind.endswith(_STUCK) and kind.removesuffix(_STUCK) in duties.TABLES)


def permission(kind: str) -> str:
    return PERMISSION if kind in MONEY else "orders:write"


async def get(tx: TenantTx, case_id: UUID) -> Case:
    """Raises `NotFound`."""
    return await _get(tx, case_id, "")


async def retry(tx: TenantTx, case_id: UUID, *, actor: str) -> Case:
    """What was given up or keeps failing is due again at once; fails it again, the case opens anew.

    Raises `NotFound`, `Conflict` (`not_open`; `no_retry` where nothing can be tried).
    """
    case = await _open(tx, case_id)
    if not may_retry(case.kind):
        raise Conflict("Nothing of this can be tried again. Nothing was changed.", code="no_retry")
    if case.kind == "refund_refused":
        # The provider's no was definite: a number that was refused is refused for ever, so it is asked with another.
        sql = """UPDATE refund SET state = 'requested', out_refund_no = $3, finished_at = NULL, next_try_at = now(), tries = 0
                 WHERE tenant_id = $1 AND id = $2 AND state = 'failed'"""
        await tx.conn.execute(sql, tx.tenant_id, decode("ref", case.reference), new_id().hex)
    else:
        table = case.kind.removesuffix(_STUCK)
        sql = f"UPDATE {table} SET next_try_at = now() WHERE tenant_id = $1 AND id = $2 AND next_try_at IS NOT NULL"
        await tx.conn.execute(sql, tx.tenant_id, UUID(hex=case.reference))
    await tx.audit(actor, "exception.retried", encode("exc", case_id), kind=case.kind, reference=case.reference)
    return await _close(tx, case_id, AGAIN, actor)


async def resolve(tx: TenantTx, case_id: UUID, why: str, *, by: Member) -> Case:
    """Close a case, or ask another to agree, or agree with who asked, whose words stay.

    Raises `NotFound`, `Conflict` (`not_open`), `Forbidden` (`same_person`, `needs_person`).
    """
    case = await _open(tx, case_id)
    subject = encode("exc", case_id)
    if case.kind not in MONEY:
        await tx.audit(by.actor, "exception.resolved", subject, kind=case.kind, reference=case.reference, reason=why)
        return await _close(tx, case_id, why, by.actor)
    if by.user_id is None:
        raise Forbidden("This takes people, and your API key answers to nobody. Sign in, or use a member's key.", code="needs_person")
    if case.asked_by is None and await memberships.others_may(tx, by.user_id, PERMISSION):
        sql = f"""UPDATE exception_case SET resolution = $3, asked_by = $4, asked_by_user = $5, asked_at = now()
                  WHERE tenant_id = $1 AND id = $2 RETURNING {COLUMNS}"""
        await tx.audit(by.actor, "exception.asked", subject, kind=case.kind, reference=case.reference, reason=why)
        return case_of(await tx.conn.fetchrow(sql, tx.tenant_id, case_id, why, by.actor, by.user_id))
    sql = "SELECT asked_by_user FROM exception_case WHERE tenant_id = $1 AND id = $2"
    if await tx.conn.fetchval(sql, tx.tenant_id, case_id) == by.user_id:
        raise Forbidden("Who asks to close this cannot agree to it. Another member of the store has to.", code="same_person")
    why = case.resolution or why
    await tx.audit(by.actor, "exception.resolved", subject, kind=case.kind, reference=case.reference, reason=why)
    return await _close(tx, case_id, why, by.actor)


async def withdraw(tx: TenantTx, case_id: UUID, *, actor: str) -> Case:
    """Nobody wants it closed any more; who was asked says no in the same way. Raises `NotFound`, `Conflict` (`not_open`, `not_asked`)."""
    case = await _open(tx, case_id)
    if case.asked_by is None:
        raise Conflict("Nobody asks to close this. Nothing was changed.", code="not_asked")
    sql = f"""UPDATE exception_case SET resolution = NULL, asked_by = NULL, asked_by_user = NULL, asked_at = NULL
              WHERE tenant_id = $1 AND id = $2 RETURNING {COLUMNS}"""
    await tx.audit(actor, "exception.withdrawn", encode("exc", case_id), kind=case.kind, reference=case.reference)
    return case_of(await tx.conn.fetchrow(sql, tx.tenant_id, case_id))


async def _get(tx: TenantTx, case_id: UUID, lock: str) -> Case:
    sql = f"SELECT {COLUMNS} FROM exception_case WHERE tenant_id = $1 AND id = $2 {lock}"
    row: asyncpg.Record | None = await tx.conn.fetchrow(sql, tx.tenant_id, case_id)
    if row is None:
        raise NotFound("There is no such case.")
    return case_of(row)


async def _open(tx: TenantTx, case_id: UUID) -> Case:
    case = await _get(tx, case_id, "FOR UPDATE")
    if case.state != "open":
        raise Conflict(f"{case.resolved_by} has closed this already. Nothing was changed.", code="not_open", by=case.resolved_by)
    return case


async def _close(tx: TenantTx, case_id: UUID, why: str, actor: str) -> Case:
    sql = f"""UPDATE exception_case SET state = 'resolved', resolution = $3, resolved_by = $4, resolved_at = now()
              WHERE tenant_id = $1 AND id = $2 RETURNING {COLUMNS}"""
    return case_of(await tx.conn.fetchrow(sql, tx.tenant_id, case_id, why, actor))
