"""Reminders: somebody is told by mail, once, that a sale begins soon, or that a sold-out one has something again.

An address is anybody's to type, so nothing but one question goes to it until its reader has pressed "confirm"; behind the same link he can
end the wish. A wish is deleted in the transaction that owes its mail: it is told of once or not at all.
"""

import datetime as dt
import hmac
from typing import Final, Literal, NamedTuple
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import encode, new_id
from checkout_core.secrets import mac128
from tenants import mails, stores
from tenants.db import Pool, TenantTx, tenant_tx

Kind = Literal["start", "back"]
CONFIRM_S: Final = 24 * 3600  # an address that nobody confirmed is forgotten
LATE_S: Final = 3600  # a start that is longer ago is no news
LOOK_S: Final = 30.0  # how often a sale that somebody waits for is looked at
CHUNK: Final = 200  # mails a transaction owes
PER_UNIT: Final = 2  # so many are told of one unit that came back: not everybody comes, and who is told in vain is angry
PAUSE_S: Final = 600.0  # until the next ones are told
MAX: Final = 100_000  # wishes of a sale
_DUE_AGAIN: Final = (
    "INSERT INTO reminder_round (tenant_id, id) VALUES ($1, $2) ON CONFLICT (tenant_id, id) DO UPDATE SET next_try_at = now()"
)


class Wish(msgspec.Struct, frozen=True):
    id: UUID
    sale_id: UUID
    kind: str
    sale: str
    confirmed: bool


class Mine(msgspec.Struct, frozen=True):
    """A wish as who has it sees it."""

    id: UUID
    sale_id: UUID
    kind: str
    sale: str
    contact: str
    confirmed: bool


class Waiting(msgspec.Struct, frozen=True):
    """How many wait for the start of a sale, how many for its return, how many have not confirmed; and how many mails told of either."""

    start: int
    back: int
    unconfirmed: int
    sent: int


class _Round(NamedTuple):
    state: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    free: int
    now: dt.datetime
    name: str

    @property
    def over(self) -> bool:
        return self.state == "ended" or (self.ends_at is not None and self.ends_at <= self.now)


_SALE: Final = """SELECT state, starts_at, ends_at, allotted - committed AS free, clock_timestamp() AS now, name
                  FROM sale WHERE tenant_id = $1 AND id = $2"""


def token(key: bytes, wish_id: UUID) -> str:
    """What the links of a wish's mails carry."""
    return wish_id.hex + mac128(key, b"reminder", wish_id.bytes).hex()


def wish_of(key: bytes, given: str) -> UUID:
    """Raises `NotFound` for what is no token of ours."""
    try:
        wish_id = UUID(given[:32])
    except ValueError:
        raise NotFound("There is no such reminder.") from None
    if not hmac.compare_digest(token(key, wish_id).encode(), given.encode()):
        raise NotFound("There is no such reminder.")
    return wish_id


async def ask(
    tx: TenantTx, key: bytes, sale_id: UUID, contact: str, *, locale: str, shop_url: str, shopper_id: UUID | None = None
) -> UUID | None:
    """Note the wish and owe the address a question; the mail's id, none when it is confirmed already. What the sale is like decides of what
    it will be told. Raises `NotFound`, and `Conflict` (`ended`, `on_sale`, `too_many`) when there is nothing to wait for."""
    row = await tx.conn.fetchrow(_SALE, tx.tenant_id, sale_id)
    if row is None:
        raise NotFound("There is no such sale.")
    sale = _Round(*row)
    if sale.over:
        raise Conflict("The sale is over. Nothing was noted.", code="ended")
    kind: Kind = "start" if sale.starts_at > sale.now else "back"
    if kind == "back" and sale.state == "open" and sale.free > 0:
        raise Conflict("There is something left. Nothing was noted.", code="on_sale")
    count = await waiting(tx, sale_id)
    if count.start + count.back + count.unconfirmed >= MAX:
        raise Conflict("Enough people wait for this sale. Nothing was noted.", code="too_many")
    sql = """INSERT INTO sale_reminder (tenant_id, id, sale_id, kind, contact, shopper_id, locale, shop_url)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (sale_id, kind, contact, tenant_id) DO UPDATE
                 SET shopper_id = coalesce(excluded.shopper_id, sale_reminder.shopper_id)
             RETURNING id, confirmed_at"""
    values = (new_id(), sale_id, kind, contact.lower(), shopper_id, locale, shop_url)
    wish_id, confirmed_at = await tx.conn.fetchrow(sql, tx.tenant_id, *values)
    await tx.conn.execute(_DUE_AGAIN, tx.tenant_id, sale_id)
    if confirmed_at is not None:
        return None
    store = await stores.get(tx)
    link = f"{shop_url}/reminders?token={token(key, wish_id)}"
    return await mails.send(tx, contact, "reminder_confirm", locale=locale, store=store.name, sale=sale.name, link=link)


async def get(tx: TenantTx, wish_id: UUID) -> Wish:
    """Raises `NotFound` also when it was told of, or ended."""
    sql = """SELECT id, sale_id, kind, (SELECT name FROM sale WHERE tenant_id = $1 AND id = r.sale_id), confirmed_at IS NOT NULL
             FROM sale_reminder AS r WHERE tenant_id = $1 AND id = $2"""
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, wish_id):
        return Wish(*row)
    raise NotFound("There is no such reminder, or no longer.")


async def confirm(tx: TenantTx, wish_id: UUID) -> UUID:
    """Its reader pressed; the sale's id. Raises `NotFound`."""
    sql = "UPDATE sale_reminder SET confirmed_at = coalesce(confirmed_at, now()) WHERE tenant_id = $1 AND id = $2 RETURNING sale_id"
    sale_id: UUID | None = await tx.conn.fetchval(sql, tx.tenant_id, wish_id)
    if sale_id is None:
        raise NotFound("There is no such reminder, or no longer.")
    await tx.conn.execute(_DUE_AGAIN, tx.tenant_id, sale_id)
    return sale_id


async def stop(tx: TenantTx, wish_id: UUID, *, shopper_id: UUID | None = None) -> None:
    """End the wish, if there is one; with `shopper_id` only if it is his."""
    sql = "DELETE FROM sale_reminder WHERE tenant_id = $1 AND id = $2 AND ($3::uuid IS NULL OR shopper_id = $3)"
    await tx.conn.execute(sql, tx.tenant_id, wish_id, shopper_id)


async def mine(tx: TenantTx, shopper_id: UUID) -> list[Mine]:
    sql = """SELECT id, sale_id, kind, (SELECT name FROM sale WHERE tenant_id = $1 AND id = r.sale_id), contact, confirmed_at IS NOT NULL
             FROM sale_reminder AS r WHERE tenant_id = $1 AND shopper_id = $2 ORDER BY id DESC LIMIT 50"""
    return [Mine(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, shopper_id)]


async def waiting(tx: TenantTx, sale_id: UUID) -> Waiting:
    sql = """SELECT count(*) FILTER (WHERE kind = 'start' AND confirmed_at IS NOT NULL),
                    count(*) FILTER (WHERE kind = 'back' AND confirmed_at IS NOT NULL), count(*) FILTER (WHERE confirmed_at IS NULL),
                    coalesce((SELECT sent FROM reminder_round WHERE tenant_id = $1 AND id = $2), 0)
             FROM sale_reminder WHERE tenant_id = $1 AND sale_id = $2"""
    return Waiting(*await tx.conn.fetchrow(sql, tx.tenant_id, sale_id))


async def look(pool: Pool, tenant_id: UUID, sale_id: UUID, *, lead_s: float) -> int:
    """The duty: owe the mails that are due, and come again when the next may be; how many were owed. A sale that was moved is told of when
    it begins now, one that was withdrawn not at all."""
    async with tenant_tx(pool, tenant_id) as tx:
        sql = "SELECT next_try_at <= now() FROM reminder_round WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
        if not await tx.conn.fetchval(sql, tenant_id, sale_id):
            return 0
        sale = _Round(*await tx.conn.fetchrow(_SALE, tenant_id, sale_id))
        sql = """DELETE FROM sale_reminder WHERE tenant_id = $1 AND sale_id = $2
                 AND ($3 OR confirmed_at IS NULL AND created_at < now() - $4::float8 * interval '1 second')"""
        await tx.conn.execute(sql, tenant_id, sale_id, sale.over, float(CONFIRM_S))
        begins_s = (sale.starts_at - sale.now).total_seconds()
        sent, again_s = 0, 0.0
        if begins_s < -LATE_S:
            await tx.conn.execute("DELETE FROM sale_reminder WHERE tenant_id = $1 AND sale_id = $2 AND kind = 'start'", tenant_id, sale_id)
        elif begins_s <= lead_s and sale.state == "open":
            sent = await _tell(tx, sale_id, sale, "start", CHUNK)
            again_s = 0.1 if sent == CHUNK else LOOK_S
        if begins_s <= 0 and sale.state == "open" and sale.free > 0:
            told = await _tell(tx, sale_id, sale, "back", min(CHUNK, PER_UNIT * sale.free))
            sent, again_s = sent + told, max(again_s, PAUSE_S if told else LOOK_S)
        if not again_s:
            again_s = max(min(begins_s - lead_s, LATE_S), LOOK_S) if begins_s > 0 else LOOK_S
        sql = """UPDATE reminder_round SET sent = sent + $3, tries = 0, next_try_at = CASE
                     WHEN EXISTS (SELECT FROM sale_reminder WHERE tenant_id = $1 AND sale_id = $2)
                     THEN clock_timestamp() + $4::float8 * interval '1 second' END WHERE tenant_id = $1 AND id = $2"""
        await tx.conn.execute(sql, tenant_id, sale_id, sent, again_s)
        return sent


async def _tell(tx: TenantTx, sale_id: UUID, sale: _Round, kind: Kind, most: int) -> int:
    """Those who have waited longest; each in the language he asked in."""
    sql = """DELETE FROM sale_reminder WHERE tenant_id = $1 AND id = ANY(ARRAY(
                 SELECT id FROM sale_reminder WHERE tenant_id = $1 AND sale_id = $2 AND kind = $3 AND confirmed_at IS NOT NULL
                 ORDER BY confirmed_at, id LIMIT $4 FOR UPDATE)) RETURNING contact, locale, shop_url"""
    rows = await tx.conn.fetch(sql, tx.tenant_id, sale_id, kind, most)
    if not rows:
        return 0
    store = await stores.get(tx)
    for contact, locale, shop_url in rows:
        link = f"{shop_url}/sales/{encode('sal', sale_id)}"
        await mails.send(tx, contact, f"sale_{kind}", locale=locale, store=store.name, sale=sale.name, link=link)
    return len(rows)
