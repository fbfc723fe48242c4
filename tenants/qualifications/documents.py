"""The documents of a qualification: sealed for their place, opened for the merchant and for reviewers, each look recorded."""

import hashlib
from typing import Final, NamedTuple
from uuid import UUID

from checkout_core.errors import Conflict, NotFound, TooLarge, Unprocessable
from checkout_core.ids import encode, new_id
from tenants.db import TenantTx
from tenants.keys import Keyring, document_place
from tenants.qualifications.drafts import lock_editable
from tenants.qualifications.files import File
from tenants.qualifications.kinds import KINDS, OTHER

COUNT_MAX: Final = 8
TOTAL_BYTES_MAX: Final = 32 * 1024 * 1024


class Opened(NamedTuple):
    media_type: str
    content: bytes


async def add(tx: TenantTx, keyring: Keyring, qualification_id: UUID, *, shows: str, sent: bytes, file: File, actor: str) -> UUID:
    """Keep `file`, which was made of the bytes `sent`; its id. The same bytes sent again for the same are the document that is there.

    Raises `NotFound`, `WrongState`, `Unprocessable` for what this kind does not ask for, `Conflict` and `TooLarge` when there are too many.
    """
    row = await lock_editable(tx, qualification_id)
    kind = KINDS[row["kind"]]
    if shows not in (*kind.shows, OTHER):
        raise Unprocessable(f"A qualification of this kind shows {', '.join(kind.shows)} or other.", code="not_asked_for", shows=kind.shows)
    digest = hashlib.sha256(sent).digest()
    sql = "SELECT id, shows, sha256, size_bytes FROM qualification_document WHERE tenant_id = $1 AND qualification_id = $2"
    there = await tx.conn.fetch(sql, tx.tenant_id, qualification_id)
    for each in there:
        if (each["shows"], each["sha256"]) == (shows, digest):
            known: UUID = each["id"]
            return known
    if len(there) >= COUNT_MAX:
        raise Conflict(f"There are {COUNT_MAX} documents already. Remove one first.", code="too_many_documents")
    if sum(each["size_bytes"] for each in there) + len(file.content) > TOTAL_BYTES_MAX:
        raise TooLarge(f"All documents together may take {TOTAL_BYTES_MAX >> 20} MiB. Remove one first, or send it smaller.")
    keys, document_id = await keyring.of(tx), new_id()
    sealed = keys.seal(file.content, document_place(tx.tenant_id, qualification_id, document_id))
    sql = """INSERT INTO qualification_document (tenant_id, id, qualification_id, shows, media_type, sha256, size_bytes, content, key_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
    await tx.conn.execute(
        sql, tx.tenant_id, document_id, qualification_id, shows, file.media_type, digest, len(file.content), sealed, keys.key_id
    )
    await tx.audit(
        actor, "qualification_document.added", encode("doc", document_id),
        qualification=encode("qua", qualification_id), shows=shows, sha256=digest.hex(),
    )  # fmt: skip
    return document_id


async def remove(tx: TenantTx, qualification_id: UUID, document_id: UUID, *, actor: str) -> None:
    """Raises `NotFound`, `WrongState`."""
    await lock_editable(tx, qualification_id)
    sql = "DELETE FROM qualification_document WHERE tenant_id = $1 AND qualification_id = $2 AND id = $3 RETURNING id"
    if await tx.conn.fetchval(sql, tx.tenant_id, qualification_id, document_id) is None:
        raise NotFound("There is no such document.")
    await tx.audit(actor, "qualification_document.removed", encode("doc", document_id), qualification=encode("qua", qualification_id))


async def read(tx: TenantTx, keyring: Keyring, qualification_id: UUID, document_id: UUID) -> Opened:
    """The document in clear. Recording who looked is the caller's, in the same transaction. Raises `NotFound`."""
    sql = "SELECT media_type, content, key_id FROM qualification_document WHERE tenant_id = $1 AND qualification_id = $2 AND id = $3"
    row = await tx.conn.fetchrow(sql, tx.tenant_id, qualification_id, document_id)
    if row is None:
        raise NotFound("There is no such document.")
    keys = await keyring.to_open(tx, row["key_id"])
    return Opened(row["media_type"], keys.open_(row["key_id"], row["content"], document_place(tx.tenant_id, qualification_id, document_id)))
