"""What a merchant does with a qualification: draft it, correct it, submit it, withdraw it, look at all of them."""

import datetime as dt
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import Conflict, NotFound, Unprocessable
from checkout_core.ids import encode, new_id
from tenants.db import NEWEST, TenantTx
from tenants.keys import Keyring, TenantKeys, qualification_place
from tenants.qualifications.kinds import KINDS
from tenants.qualifications.steps import EDITABLE, WrongState, lock, step

_encode = msgspec.json.Encoder().encode


class Particulars(msgspec.Struct, frozen=True):
    """Who is to be qualified. Sealed at rest: of a sole trader it is a person's name and number."""

    legal_name: str
    registration_number: str


class Document(msgspec.Struct, frozen=True):
    """`sha256`, in hex, is of the file as it was sent; `size_bytes` of what is kept of it."""

    id: UUID
    shows: str
    media_type: str
    size_bytes: int
    sha256: str
    created_at: dt.datetime


class Qualification(msgspec.Struct, frozen=True):
    """`reasons` are the last decision's. An approved one is in force until `valid_until`, or without end."""

    id: UUID
    kind: str
    state: str
    particulars: Particulars
    reasons: list[str]
    valid_until: dt.datetime | None
    created_at: dt.datetime
    submitted_at: dt.datetime | None
    decided_at: dt.datetime | None
    documents: list[Document]


_SELECT = """SELECT q.id, q.kind, q.state, q.particulars, q.key_id, q.reasons, q.valid_until, q.created_at, q.submitted_at, q.decided_at,
                    coalesce((SELECT json_agg(json_build_object('id', d.id, 'shows', d.shows, 'media_type', d.media_type,
                                                                'size_bytes', d.size_bytes, 'sha256', encode(d.sha256, 'hex'),
                                                                'created_at', d.created_at) ORDER BY d.id)
                              FROM qualification_document d WHERE d.tenant_id = $1 AND d.qualification_id = q.id), '[]') AS documents
             FROM qualification q WHERE q.tenant_id = $1"""


def _qualification(keys: TenantKeys, row: asyncpg.Record) -> Qualification:
    plain = keys.open_(row["key_id"], row["particulars"], qualification_place(keys.tenant_id, row["id"]))
    return Qualification(
        row["id"], row["kind"], row["state"], msgspec.json.decode(plain, type=Particulars), row["reasons"], row["valid_until"],
        row["created_at"], row["submitted_at"], row["decided_at"], msgspec.json.decode(row["documents"], type=list[Document]),
    )  # fmt: skip


async def get(tx: TenantTx, keyring: Keyring, qualification_id: UUID) -> Qualification:
    """Raises `NotFound`."""
    if row := await tx.conn.fetchrow(f"{_SELECT} AND q.id = $2", tx.tenant_id, qualification_id):
        return _qualification(await keyring.to_open(tx, row["key_id"]), row)
    raise NotFound("There is no such qualification.")


async def latest(tx: TenantTx, keyring: Keyring, *, limit: int, before: UUID | None = None) -> list[Qualification]:
    """At most `limit`, whatever became of them, newest first, older than the qualification `before`."""
    rows = await tx.conn.fetch(f"{_SELECT} AND q.id < $2 ORDER BY q.id DESC LIMIT $3", tx.tenant_id, before or NEWEST, limit)
    keys = await keyring.to_open(tx, *{row["key_id"] for row in rows})
    return [_qualification(keys, row) for row in rows]


async def create(tx: TenantTx, keyring: Keyring, *, kind: str, particulars: Particulars, actor: str) -> Qualification:
    """A draft. Raises `Conflict` while another of its kind is under way."""
    assert kind in KINDS
    keys, qualification_id = await keyring.of(tx), new_id()
    sealed = keys.seal(_encode(particulars), qualification_place(tx.tenant_id, qualification_id))
    sql = """INSERT INTO qualification (tenant_id, id, kind, particulars, key_id) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO NOTHING RETURNING 1"""
    if not await tx.conn.fetchval(sql, tx.tenant_id, qualification_id, kind, sealed, keys.key_id):
        raise Conflict("One of this kind is under way already. Go on with that, or withdraw it.", code="qualification_under_way")
    await tx.audit(actor, "qualification.created", encode("qua", qualification_id), kind=kind)
    return await get(tx, keyring, qualification_id)


async def correct(tx: TenantTx, keyring: Keyring, qualification_id: UUID, particulars: Particulars, *, actor: str) -> Qualification:
    """Say something else. Raises `NotFound`, and `WrongState` while a reviewer may look at it."""
    await lock_editable(tx, qualification_id)
    keys = await keyring.of(tx)
    sealed = keys.seal(_encode(particulars), qualification_place(tx.tenant_id, qualification_id))
    sql = "UPDATE qualification SET particulars = $3, key_id = $4 WHERE tenant_id = $1 AND id = $2"
    await tx.conn.execute(sql, tx.tenant_id, qualification_id, sealed, keys.key_id)
    await tx.audit(actor, "qualification.corrected", encode("qua", qualification_id))
    return await get(tx, keyring, qualification_id)


async def submit(tx: TenantTx, keyring: Keyring, qualification_id: UUID, *, actor: str) -> Qualification:
    """Hand it to the reviewers. Raises `NotFound`, `WrongState`, and `Unprocessable` while documents are missing, which it names."""
    row = await lock(tx, qualification_id)
    await step(tx, qualification_id, "submit")
    sql = "SELECT DISTINCT shows FROM qualification_document WHERE tenant_id = $1 AND qualification_id = $2"
    shown = {each["shows"] for each in await tx.conn.fetch(sql, tx.tenant_id, qualification_id)}
    if missing := [name for name in KINDS[row["kind"]].shows if name not in shown]:
        raise Unprocessable(f"Documents are missing: {', '.join(missing)}.", code="documents_missing", missing=missing)
    await tx.audit(actor, "qualification.submitted", encode("qua", qualification_id), kind=row["kind"])
    return await get(tx, keyring, qualification_id)


async def withdraw(tx: TenantTx, keyring: Keyring, qualification_id: UUID, *, actor: str) -> Qualification:
    """Take it back before anybody decides. Its documents are deleted: nobody has a use for them. Raises `NotFound`, `WrongState`."""
    await step(tx, qualification_id, "withdraw")
    sql = "DELETE FROM qualification_document WHERE tenant_id = $1 AND qualification_id = $2"
    await tx.conn.execute(sql, tx.tenant_id, qualification_id)
    await tx.audit(actor, "qualification.withdrawn", encode("qua", qualification_id))
    return await get(tx, keyring, qualification_id)


async def lock_editable(tx: TenantTx, qualification_id: UUID) -> asyncpg.Record:
    """Raises `NotFound`, and `WrongState` when the merchant may not change it now."""
    row = await lock(tx, qualification_id)
    if row["state"] not in EDITABLE:
        raise WrongState(f"The qualification is {row['state']}: what it says and shows stays as it is.", state=row["state"], possible=[])
    return row
