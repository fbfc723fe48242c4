"""What an order may use: the pieces that its shopper holds, and what they take off its lines. Read without a lock; `uses.lock` tells
whether it is still so."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from checkout_core.errors import Conflict
from checkout_core.ids import encode
from tenants.coupons import reckon
from tenants.coupons.reckon import Good, Reckoned, Rule
from tenants.coupons.share import Share
from tenants.db import TenantTx

HELD_MAX: Final = 50  # pieces that are considered, those that end first


class Line(NamedTuple):
    """A line of an order: of the SKU `sku_id`, or of the bundle with this id as a part of which it is bought."""

    key: UUID
    sku_id: UUID
    units: int
    amount_minor: int


class Told(NamedTuple):
    """A piece as the shopper is told of it: it takes `discount_minor` off, or nothing, and `why` says why."""

    grant_id: UUID
    coupon_id: UUID
    name: str
    valid_until: dt.datetime | None
    discount_minor: int
    why: str | None
    missing_minor: int


class Taken(NamedTuple):
    shares: list[Share]
    told: list[Told]

    @property
    def discount_minor(self) -> int:
        return sum(share.discount_minor for share in self.shares)

    def after(self, line: Line) -> int:
        """What the line costs."""
        return line.amount_minor - sum(share.lines.get(line.key, 0) for share in self.shares)


NOTHING: Final = Taken([], [])
_HELD: Final = """
    SELECT g.id AS grant_id, g.valid_until, g.valid_from <= clock_timestamp() AS begun,
           coalesce(g.valid_until <= clock_timestamp(), false) AS over, c.id AS coupon_id, c.name, c.currency, c.state, c.kind,
           c.off_minor, c.off_bp, c.cap_minor, c.threshold_minor, c.scope, c.sku_ids, c.product_ids, c.category_ids, c.channels,
           c.stack_group, c.exclusive, coalesce(c.locked + c.used >= c.uses_max, false) AS used_up,
           c.budget_minor - c.spent_minor AS left_minor
    FROM (SELECT id, coupon_id, valid_from, valid_until FROM coupon_grant
          WHERE tenant_id = $1 AND shopper_id = $2 AND state = 'held' {which} OFFSET 0) AS g
    CROSS JOIN LATERAL (SELECT * FROM coupon WHERE tenant_id = $1 AND id = g.coupon_id OFFSET 0) AS c
    ORDER BY g.valid_until NULLS LAST, g.id"""
_ALL: Final = _HELD.format(which="ORDER BY valid_until, id LIMIT $3")
_NAMED: Final = _HELD.format(which="AND id = ANY($3)")
_NAMES: Final = """SELECT k.id, k.product_id, p.category_id FROM unnest($2::uuid[]) AS x(id)
                   CROSS JOIN LATERAL (SELECT id, product_id FROM sku WHERE tenant_id = $1 AND id = x.id OFFSET 0) AS k
                   CROSS JOIN LATERAL (SELECT category_id FROM product WHERE tenant_id = $1 AND id = k.product_id OFFSET 0) AS p"""


async def take(
    tx: TenantTx, shopper_id: UUID, channel: str, currency: str, lines: Sequence[Line], named: Collection[UUID] | None = None
) -> Taken:
    """What the best of the pieces that he holds take off, or those that are `named`."""
    if named is not None and not named:
        return NOTHING
    rows = await tx.conn.fetch(
        *((_ALL, tx.tenant_id, shopper_id, HELD_MAX) if named is None else (_NAMED, tx.tenant_id, shopper_id, named))
    )
    if not rows or not lines:
        return NOTHING
    why = {row["grant_id"]: _closed(row, channel, currency) for row in rows}
    rules = [Rule(
        row["grant_id"], row["coupon_id"], row["kind"], row["off_minor"], row["off_bp"], row["cap_minor"], row["threshold_minor"],
        row["scope"], frozenset({*row["sku_ids"], *row["product_ids"], *row["category_ids"]}), row["stack_group"], row["exclusive"],
        row["left_minor"],
    ) for row in rows if why[row["grant_id"]] is None]  # fmt: skip
    names = await _names(tx, lines) if any(rule.scope != "all" for rule in rules) else {}
    goods = [Good(line.key, line.units, line.amount_minor, names.get(line.sku_id, frozenset())) for line in lines]
    found = reckon.best(rules, goods) if named is None else reckon.exactly(rules, goods)
    return Taken(found.shares, _told(rows, why, found))


def need_all(taken: Taken, named: Collection[UUID]) -> None:
    """Raises `Conflict` (`coupon_unusable`) unless each piece that was named takes something off; it says which, and why."""
    used = {share.grant_id for share in taken.shares}
    told = {each.grant_id: each for each in taken.told}
    for grant_id in named:
        if grant_id not in used:
            each = told.get(grant_id)
            raise Conflict(
                "One of the coupons takes nothing off this order. Nothing was reserved; order without it.", code="coupon_unusable",
                coupon=encode("cpg", grant_id), why=each.why if each else "not_held", missing_minor=each.missing_minor if each else 0,
            )  # fmt: skip


def _closed(row: dict[str, object], channel: str, currency: str) -> str | None:
    """Why the piece could be used for nothing whatever."""
    channels = row["channels"]
    assert isinstance(channels, list)
    reasons = {
        "over": row["over"], "not_active": row["state"] != "active", "not_yet": not row["begun"],
        "other_channel": channels and channel not in channels, "other_currency": row["currency"] != currency, "used_up": row["used_up"],
    }  # fmt: skip
    return next((why for why, so in reasons.items() if so), None)


def _told(rows: Sequence[dict[str, object]], why: dict[UUID, str | None], found: Reckoned) -> list[Told]:
    """Those that take something off first."""
    off = {share.grant_id: share.discount_minor for share in found.shares}
    unfit = {each.rule.grant_id: each for each in found.unfit}
    told = []
    for row in rows:
        grant_id = row["grant_id"]
        assert isinstance(grant_id, UUID)
        other = unfit.get(grant_id)
        told.append(Told(
            grant_id, row["coupon_id"], row["name"], row["valid_until"], off.get(grant_id, 0),  # type: ignore[arg-type]  # of a row
            why[grant_id] or (other.why if other else None), other.missing_minor if other else 0,
        ))  # fmt: skip
    return sorted(told, key=lambda each: not each.discount_minor)


async def _names(tx: TenantTx, lines: Sequence[Line]) -> dict[UUID, frozenset[UUID]]:
    """By SKU what scopes may name it by: itself, its product, the category that is in and all above."""
    rows = await tx.conn.fetch(_NAMES, tx.tenant_id, sorted({line.sku_id for line in lines}))
    above: dict[UUID, UUID | None] = {}
    if any(row["category_id"] for row in rows):
        above = dict(await tx.conn.fetch("SELECT id, parent_id FROM category WHERE tenant_id = $1", tx.tenant_id))
    found = {}
    for sku_id, product_id, category_id in rows:
        names = {sku_id, product_id}
        while category_id is not None:
            names.add(category_id)
            category_id = above.get(category_id)
        found[sku_id] = frozenset(names)
    return found
