"""Reviewing qualifications: what waits, of all merchants, and the reviewers' decisions about one."""

import datetime as dt
from uuid import UUID

import msgspec

from checkout_core.errors import NotFound, Unprocessable
from checkout_core.ids import encode
from tenants.db import EARLIEST, OLDEST, Connection, TenantTx
from tenants.keys import Keyring
from tenants.platform import records
from tenants.qualifications import Qualification, documents, drafts
from tenants.qualifications.documents import Opened
from tenants.qualifications.kinds import KINDS
from tenants.qualifications.steps import lock, step


class Waiting(msgspec.Struct, frozen=True):
    """Longest waiting first. `reviewer` is who took it."""

    tenant_id: UUID
    slug: str
    id: UUID
    kind: str
    state: str
    submitted_at: dt.datetime
    reviewer: str | None


async def waiting(conn: Connection, *, limit: int, after: tuple[dt.datetime, UUID] | None = None) -> list[Waiting]:
    """At most `limit` of all merchants' that are submitted or in review, after the one submitted then with that id."""
    sql = """SELECT q.tenant_id, t.slug, q.id, q.kind, q.state, q.submitted_at, q.reviewer
             FROM qualification q JOIN tenant t ON t.id = q.tenant_id
             WHERE q.state IN ('submitted', 'in_review') AND (q.submitted_at, q.id) > ($1::timestamptz, $2::uuid)
             ORDER BY q.submitted_at, q.id LIMIT $3"""
    return [Waiting(*row) for row in await conn.fetch(sql, *(after or (EARLIEST, OLDEST)), limit)]


async def get(tx: TenantTx, keyring: Keyring, qualification_id: UUID, *, actor: str) -> Qualification:
    """Raises `NotFound`, also for a draft: that is the merchant's own. The merchant's audit says who looked."""
    await _must_be_there(tx, qualification_id)
    await records.add_both(tx, actor, "qualification.opened", encode("qua", qualification_id))
    return await drafts.get(tx, keyring, qualification_id)


async def _must_be_there(tx: TenantTx, qualification_id: UUID) -> None:
    found = await tx.conn.fetchval("SELECT 1 FROM qualification WHERE tenant_id = $1 AND id = $2", tx.tenant_id, qualification_id)
    if found is None:
        raise NotFound("There is no such qualification.")


async def document(tx: TenantTx, keyring: Keyring, qualification_id: UUID, document_id: UUID, *, actor: str) -> Opened:
    """Raises `NotFound`. The merchant's audit says who looked."""
    await _must_be_there(tx, qualification_id)
    opened = await documents.read(tx, keyring, qualification_id, document_id)
    await records.add_both(
        tx, actor, "qualification_document.opened", encode("doc", document_id), qualification=encode("qua", qualification_id)
    )
    return opened


async def take(tx: TenantTx, keyring: Keyring, qualification_id: UUID, *, actor: str) -> Qualification:
    """Begin to review it, or go on with what a colleague took. Raises `NotFound`, `WrongState`."""
    await step(tx, qualification_id, "take", reviewer=actor)
    await records.add_both(tx, actor, "qualification.taken", encode("qua", qualification_id))
    return await drafts.get(tx, keyring, qualification_id)


async def approve(tx: TenantTx, keyring: Keyring, qualification_id: UUID, *, valid_until: dt.datetime | None, actor: str) -> Qualification:
    """In force from now on, until `valid_until` if there is one. Raises `NotFound`, `WrongState`, `Unprocessable` about that date."""
    row = await lock(tx, qualification_id)
    if valid_until is None and KINDS[row["kind"]].ends:
        raise Unprocessable("A licence of this kind runs out: say when, as valid_until.", code="valid_until_missing")
    if valid_until is not None and valid_until <= await tx.conn.fetchval("SELECT now()"):
        raise Unprocessable("The licence has run out already.", code="valid_until_past")
    await step(tx, qualification_id, "approve", reviewer=actor, valid_until=valid_until)
    await records.add_both(tx, actor, "qualification.approved", encode("qua", qualification_id), valid_until=valid_until)
    return await drafts.get(tx, keyring, qualification_id)


async def decide(tx: TenantTx, keyring: Keyring, qualification_id: UUID, act: str, *, reasons: list[str], actor: str) -> Qualification:
    """`reject`, `ask_more` or `revoke`, for reasons that the merchant is told. Raises `NotFound`, `WrongState`."""
    state = await step(tx, qualification_id, act, reasons=tuple(reasons), reviewer=actor)
    await records.add_both(tx, actor, f"qualification.{state}", encode("qua", qualification_id), reasons=reasons)
    return await drafts.get(tx, keyring, qualification_id)
