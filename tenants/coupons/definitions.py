"""What coupons a merchant has: their worth, their bounds, and whether they can be had. One that shoppers may hold keeps its worth."""

import datetime as dt
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import Conflict, NotFound, PreconditionFailed, Unprocessable
from checkout_core.ids import encode, new_id
from tenants import channels, stores
from tenants.db import NEWEST, TenantTx

COUPONS_MAX: Final = 1_000  # of a store that are not over
SCOPE_MAX: Final = 200  # things that a scope names
DRAFT, ACTIVE, PAUSED, ENDED = "draft", "active", "paused", "ended"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the merchant says of a coupon. Amounts are in minor units of `currency`, `off_bp` in hundredths of a percent."""

    name: str
    kind: str
    off_minor: int = 0
    off_bp: int = 0
    cap_minor: int | None = None
    threshold_minor: int = 0
    scope: str = "all"
    sku_ids: list[UUID] = []
    product_ids: list[UUID] = []
    category_ids: list[UUID] = []
    channels: list[str] = []
    claim: str = "public"
    code: str | None = None
    claim_from: dt.datetime | None = None
    claim_until: dt.datetime | None = None
    valid_from: dt.datetime | None = None
    valid_until: dt.datetime | None = None
    valid_days: int | None = None
    per_shopper_max: int = 1
    claims_max: int | None = None
    uses_max: int | None = None
    budget_minor: int | None = None
    stack_group: str = ""
    exclusive: bool = False
    returned_on_refund: bool = True


class Coupon(Terms, frozen=True, kw_only=True):
    """With its figures: pieces `claimed`, those `locked` by orders that wait for their payment, `used`, and `spent_minor` by both."""

    id: UUID
    currency: str
    state: str
    claimed: int
    locked: int
    used: int
    spent_minor: int
    version: int
    created_at: dt.datetime


_TERMS = Terms.__struct_fields__
COLUMNS: Final = ", ".join(Coupon.__struct_fields__)
# What it is worth and beside what it stands: pieces that people have were claimed for that.
FIXED: Final = frozenset(
    {
        "kind", "off_minor", "off_bp", "cap_minor", "threshold_minor", "scope", "sku_ids", "product_ids", "category_ids", "claim", "code",
        "stack_group", "exclusive",
    }
)  # fmt: skip
# From which states to which, by the act.
_ACTS: Final = {
    "start": ((DRAFT,), ACTIVE),
    "pause": ((ACTIVE,), PAUSED),
    "resume": ((PAUSED,), ACTIVE),
    "end": ((DRAFT, ACTIVE, PAUSED), ENDED),
}


async def latest(tx: TenantTx, *, state: str | None = None, limit: int, before: UUID | None = None) -> list[Coupon]:
    """At most `limit`, newest first, older than `before`."""
    sql = f"""SELECT {COLUMNS} FROM coupon WHERE tenant_id = $1 AND id < $2 AND ($4::text IS NULL OR state = $4)
              ORDER BY id DESC LIMIT $3"""
    return [Coupon(**row) for row in await tx.conn.fetch(sql, tx.tenant_id, before or NEWEST, limit, state)]


async def get(tx: TenantTx, coupon_id: UUID, *, lock: bool = False) -> Coupon:
    """With `lock` nobody else changes or counts it before this transaction ends. Raises `NotFound`."""
    sql = f"SELECT {COLUMNS} FROM coupon WHERE tenant_id = $1 AND id = $2 {'FOR NO KEY UPDATE' if lock else ''}"
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, coupon_id):
        return Coupon(**row)
    raise NotFound("There is no such coupon.")


async def create(tx: TenantTx, terms: Terms, *, actor: str) -> Coupon:
    """A draft, which nobody can have yet.

    Raises `Conflict` (`coupon_code_taken`, `too_many_coupons`), `NotFound` for a SKU, product or category that is not there, and
    `Unprocessable` (`bad_coupon`, `bad_window`, `unknown_channel`).
    """
    await tx.in_line()
    sql = "SELECT count(*) FROM coupon WHERE tenant_id = $1 AND state <> 'ended'"
    if await tx.conn.fetchval(sql, tx.tenant_id) >= COUPONS_MAX:
        raise Conflict(f"A store has at most {COUPONS_MAX:,} coupons. End some that are over.", code="too_many_coupons")
    await _check(tx, terms, frozenset(_TERMS))
    coupon_id, currency = new_id(), (await stores.get(tx)).currency
    marks = ", ".join(f"${n}" for n in range(4, 4 + len(_TERMS)))
    sql = f"INSERT INTO coupon (tenant_id, id, currency, {', '.join(_TERMS)}) VALUES ($1, $2, $3, {marks}) RETURNING {COLUMNS}"
    try:
        row = await tx.conn.fetchrow(sql, tx.tenant_id, coupon_id, currency, *(getattr(terms, name) for name in _TERMS))
    except asyncpg.UniqueViolationError:
        raise _taken(terms) from None
    await tx.audit(actor, "coupon.created", encode("cpn", coupon_id), name=terms.name)
    return Coupon(**row)


async def change(tx: TenantTx, coupon_id: UUID, changes: dict[str, Any], *, version: int | None, actor: str) -> Coupon:
    """Set what `changes` names of the terms; pieces that shoppers have keep their times. `version` is the one that was read, None for
    whichever is current.

    Raises `PreconditionFailed`; `Conflict` (`coupon_fixed`) for the worth of one that is no draft any more, (`below_what_is_gone`) for a
    bound that was passed, (`coupon_over`); and as `create`.
    """
    before = await get(tx, coupon_id, lock=True)
    if version not in (None, before.version):
        raise PreconditionFailed("The coupon was changed since you read it. Nothing was overwritten; read it again.")
    after = msgspec.structs.replace(before, **changes)
    changed = sorted(name for name in changes if getattr(after, name) != getattr(before, name))
    if not changed:
        return before
    if before.state == ENDED:
        raise Conflict("The coupon is over. Nothing was changed.", code="coupon_over")
    if before.state != DRAFT and (fixed := sorted(FIXED & set(changed))):
        detail = "Shoppers may have pieces of it: what it is worth stays. Nothing was changed; end it and make another."
        raise Conflict(detail, code="coupon_fixed", fields=fixed)
    await _check(tx, after, frozenset(changed))
    sql = f"""UPDATE coupon SET {", ".join(f"{name} = ${n}" for n, name in enumerate(changed, 3))}, version = version + 1
              WHERE tenant_id = $1 AND id = $2 RETURNING {COLUMNS}"""
    try:
        row = await tx.conn.fetchrow(sql, tx.tenant_id, coupon_id, *(getattr(after, name) for name in changed))
    except asyncpg.UniqueViolationError:
        raise _taken(after) from None
    except asyncpg.CheckViolationError:
        raise Conflict("More than that is claimed, used or spent already. Nothing was changed.", code="below_what_is_gone") from None
    await tx.audit(actor, "coupon.changed", encode("cpn", coupon_id), fields=changed)
    return Coupon(**row)


async def act(tx: TenantTx, coupon_id: UUID, what: str, *, actor: str) -> Coupon:
    """`start` a draft, `pause` it (nobody gets or uses one), `resume` it, `end` it for good: pieces that people hold become void.

    What it did already it does not do again. Raises `NotFound`, `Conflict` (`coupon_not_so`).
    """
    before = await get(tx, coupon_id, lock=True)
    origins, state = _ACTS[what]
    if before.state == state:
        return before
    if before.state not in origins:
        raise Conflict(f"The coupon is {before.state}. Nothing was changed.", code="coupon_not_so", state=before.state)
    # The sweep makes what people hold void, a part at a time.
    due = "now()" if state == ENDED else "next_try_at"
    sql = f"""UPDATE coupon SET state = $3, next_try_at = {due}, version = version + 1 WHERE tenant_id = $1 AND id = $2
              RETURNING {COLUMNS}"""
    row = await tx.conn.fetchrow(sql, tx.tenant_id, coupon_id, state)
    done = {"start": "started", "pause": "paused", "resume": "resumed", "end": "ended"}[what]
    await tx.audit(actor, f"coupon.{done}", encode("cpn", coupon_id))
    return Coupon(**row)


async def _check(tx: TenantTx, terms: Terms, changed: frozenset[str]) -> None:
    """What the rows' CHECKs say too, in words; and what only other rows know."""
    if terms.kind == "fixed":
        fits = terms.off_minor > 0 and not terms.off_bp and terms.cap_minor is None
    else:
        fits = not terms.off_minor and 0 < terms.off_bp < 10_000
    named = {"sku": terms.sku_ids, "product": terms.product_ids, "category": terms.category_ids}
    count = sum(map(len, named.values()))
    fits &= (terms.scope == "all") == (count == 0) and count <= SCOPE_MAX
    fits &= (terms.claim == "code") == (terms.code is not None) and (terms.valid_until is None or terms.valid_days is None)
    if not fits:
        raise Unprocessable(
            "A fixed coupon has off_minor, one of a percent off_bp; one of a code has a code; a scope other than all names something; it "
            "is valid until a moment or for some days. Nothing was changed.",
            code="bad_coupon",
        )
    for since, until in ((terms.claim_from, terms.claim_until), (terms.valid_from, terms.valid_until)):
        if since is not None and until is not None and until <= since:
            raise Unprocessable("It would end before it begins. Nothing was changed.", code="bad_window")
    if "channels" in changed and terms.channels:
        known = frozenset(each.code for each in await channels.all_of(tx))
        for code in terms.channels:
            channels.check(known, code)
    for table, ids in named.items():
        if f"{table}_ids" in changed and ids:
            sql = f"SELECT x FROM unnest($2::uuid[]) AS x WHERE NOT EXISTS (SELECT FROM {table} WHERE tenant_id = $1 AND id = x OFFSET 0)"
            if await tx.conn.fetchval(sql, tx.tenant_id, ids) is not None:
                raise NotFound(f"There is no such {table}. Nothing was changed.")


def _taken(terms: Terms) -> Conflict:
    return Conflict(f"There is a coupon with the code {terms.code!r} already. Nothing was changed.", code="coupon_code_taken")
