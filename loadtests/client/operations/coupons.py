"""Coupons. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from loadtests.client.core import Call, Pages, new_key
from loadtests.client.operations.codes import Nothing


class Coupon(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """With its figures: pieces `claimed`, `locked` by orders that wait for their payment, `used`; `spent_minor` by both."""

    id: str
    name: str
    state: str
    currency: str
    kind: str
    off_minor: int
    off_bp: int
    cap_minor: int | None
    threshold_minor: int
    scope: str
    sku_ids: list[str]
    product_ids: list[str]
    category_ids: list[str]
    channels: list[str]
    claim: str
    code: str | None
    claim_from: str | None
    claim_until: str | None
    valid_from: dt.datetime | None
    valid_until: str | None
    valid_days: int | None
    per_shopper_max: int
    claims_max: int | None
    uses_max: int | None
    budget_minor: int | None
    stack_group: str
    exclusive: bool
    returned_on_refund: bool
    claimed: int
    locked: int
    used: int
    spent_minor: int
    created_at: dt.datetime


class CouponPage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    coupons: list[Coupon]
    next_cursor: str | None


class NewCoupon(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`fixed` takes `off_minor` off, `percent` takes `off_bp`, at most `cap_minor`. Null bounds nothing. It is valid until `valid_until`,
    or for `valid_days` after it was claimed, or without end.
    """

    name: str
    kind: Literal["fixed", "percent"]
    off_minor: int = 0
    off_bp: int = 0
    cap_minor: int | None = None
    threshold_minor: int = 0
    scope: Literal["all", "except", "only"] = "all"
    sku_ids: list[str] = []
    product_ids: list[str] = []
    category_ids: list[str] = []
    channels: list[str] = []
    claim: Literal["code", "public", "staff"] = "public"
    code: str | None = None
    claim_from: str | None = None
    claim_until: str | None = None
    valid_from: dt.datetime | None = None
    valid_until: str | None = None
    valid_days: int | None = None
    per_shopper_max: int = 1
    claims_max: int | None = None
    uses_max: int | None = None
    budget_minor: int | None = None
    stack_group: str = ""
    exclusive: bool = False
    returned_on_refund: bool = True


class CouponChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is named is set, all else stays. What a coupon is worth, and how it is got, changes only while it is a draft."""

    name: str | UnsetType = UNSET
    kind: Literal["fixed", "percent"] | UnsetType = UNSET
    off_minor: int | UnsetType = UNSET
    off_bp: int | UnsetType = UNSET
    cap_minor: int | UnsetType | None = UNSET
    threshold_minor: int | UnsetType = UNSET
    scope: Literal["all", "except", "only"] | UnsetType = UNSET
    sku_ids: list[str] | UnsetType = UNSET
    product_ids: list[str] | UnsetType = UNSET
    category_ids: list[str] | UnsetType = UNSET
    channels: list[str] | UnsetType = UNSET
    claim: Literal["code", "public", "staff"] | UnsetType = UNSET
    code: str | UnsetType | None = UNSET
    claim_from: str | UnsetType | None = UNSET
    claim_until: str | UnsetType | None = UNSET
    valid_from: dt.datetime | UnsetType | None = UNSET
    valid_until: str | UnsetType | None = UNSET
    valid_days: int | UnsetType | None = UNSET
    per_shopper_max: int | UnsetType = UNSET
    claims_max: int | UnsetType | None = UNSET
    uses_max: int | UnsetType | None = UNSET
    budget_minor: int | UnsetType | None = UNSET
    stack_group: str | UnsetType = UNSET
    exclusive: bool | UnsetType = UNSET
    returned_on_refund: bool | UnsetType = UNSET


class CouponFigures(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a coupon. `paid_minor` is what orders that used it paid; `borne_minor` what was taken off orders that were paid when
    their pieces, or the coupon's bounds, had gone to others.
    """

    claimed: int
    held: int
    locked: int
    used: int
    void: int
    expired: int
    returned: int
    borne: int
    spent_minor: int
    borne_minor: int
    paid_minor: int


class CouponGrant(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A piece, and whose it is. `state`: held, locked by an order that waits for its payment, used, void, expired."""

    id: str
    shopper_id: str
    source: str
    state: str
    order_id: str | None
    valid_from: dt.datetime
    valid_until: str | None
    created_at: dt.datetime


class CouponGrants(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    grants: list[CouponGrant]
    next_cursor: str | None


class Issuing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One piece for each; a shopper who is named twice gets two, as far as he may."""

    shopper_ids: list[str]


class Issued(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many got a piece, and how many had as many as they may."""

    issued: int
    skipped: int


class TypedCode(Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: str


class ClaimedCoupon(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A piece that is his. `state`: held, locked by an order that waits for its payment, used, void, expired."""

    id: str
    coupon_id: str
    state: str
    order_id: str | None
    valid_from: dt.datetime
    valid_until: str | None
    created_at: dt.datetime


class CouponTerms(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What it takes off, as a shopper is told: `off_minor`, or `off_bp` hundredths of a percent and at most `cap_minor`; from
    `threshold_minor` on; off everything, or off some things (`scope` is not `all`).
    """

    name: str
    currency: str
    kind: str
    off_minor: int
    off_bp: int
    cap_minor: int | None
    threshold_minor: int
    scope: str


class ClaimableCoupon(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One that everybody may claim. `has` counts his pieces of it, whatever became of them; `claimable` says whether he may get one more
    now.
    """

    id: str
    terms: CouponTerms
    claim_until: str | None
    valid_until: str | None
    valid_days: int | None
    per_shopper_max: int
    has: int
    claimable: bool


class ClaimableCoupons(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """At most a hundred, newest first."""

    coupons: list[ClaimableCoupon]


class MyCoupon(Struct, frozen=True, kw_only=True, omit_defaults=True):
    grant: ClaimedCoupon
    terms: CouponTerms


class MyCoupons(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """At most a hundred, newest first."""

    coupons: list[MyCoupon]


def list_coupons(
    *, limit: int = 20, cursor: str | None = None, state: Literal["draft", "active", "paused", "ended"] | None = None
) -> Pages[CouponPage, Coupon]:
    """The store's coupons, newest first."""
    return Pages(
        method="GET",
        path="/v1/coupons",
        answers={200: CouponPage},
        query={"limit": limit, "cursor": cursor, "state": state},
        rows=lambda page: page.coupons,
    )


def create_coupon(body: NewCoupon, *, idempotency_key: str | None = None) -> Call[Coupon]:
    """Create a coupon, as a draft."""
    return Call(
        method="POST",
        path="/v1/coupons",
        answers={201: Coupon},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def get_coupon(coupon_id: str) -> Call[Coupon]:
    """Get a coupon."""
    return Call(method="GET", path=f"/v1/coupons/{coupon_id}", answers={200: Coupon})


def change_coupon(coupon_id: str, body: CouponChange, *, if_match: str) -> Call[Coupon]:
    """Change a coupon; If-Match says which version was read."""
    return Call(method="PATCH", path=f"/v1/coupons/{coupon_id}", answers={200: Coupon}, body=body, headers={"If-Match": if_match})


def end_coupon(coupon_id: str) -> Call[Coupon]:
    """End a coupon for good; pieces that shoppers hold become void."""
    return Call(method="POST", path=f"/v1/coupons/{coupon_id}/end", answers={200: Coupon}, body=Nothing())


def get_coupon_figures(coupon_id: str) -> Call[CouponFigures]:
    """What came of a coupon."""
    return Call(method="GET", path=f"/v1/coupons/{coupon_id}/figures", answers={200: CouponFigures})


def list_coupon_grants(coupon_id: str, *, limit: int = 20, cursor: str | None = None) -> Pages[CouponGrants, CouponGrant]:
    """A coupon's pieces, newest first."""
    return Pages(
        method="GET",
        path=f"/v1/coupons/{coupon_id}/grants",
        answers={200: CouponGrants},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.grants,
    )


def issue_coupon(coupon_id: str, body: Issuing, *, idempotency_key: str | None = None) -> Call[Issued]:
    """Give pieces to shoppers, to all that are named or to none."""
    return Call(
        method="POST",
        path=f"/v1/coupons/{coupon_id}/grants",
        answers={201: Issued},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def pause_coupon(coupon_id: str) -> Call[Coupon]:
    """Nobody gets or uses a piece until it is resumed."""
    return Call(method="POST", path=f"/v1/coupons/{coupon_id}/pause", answers={200: Coupon}, body=Nothing())


def resume_coupon(coupon_id: str) -> Call[Coupon]:
    """Go on with a coupon that was paused."""
    return Call(method="POST", path=f"/v1/coupons/{coupon_id}/resume", answers={200: Coupon}, body=Nothing())


def start_coupon(coupon_id: str) -> Call[Coupon]:
    """Let shoppers have a draft."""
    return Call(method="POST", path=f"/v1/coupons/{coupon_id}/start", answers={200: Coupon}, body=Nothing())


def void_coupon_grant(grant_id: str) -> Call[CouponGrant]:
    """Make a piece void that a shopper holds."""
    return Call(method="POST", path=f"/v1/coupon-grants/{grant_id}/void", answers={200: CouponGrant}, body=Nothing())


def claim_coupon_by_code(body: TypedCode) -> Call[ClaimedCoupon]:
    """Claim a piece by its coupon's code; who holds one gets that."""
    return Call(method="POST", path="/v1/coupon-claims/codes", answers={200: ClaimedCoupon}, body=body)


def claim_coupon(coupon_id: str, *, idempotency_key: str | None = None) -> Call[ClaimedCoupon]:
    """Claim a piece of a public coupon. Asked again with its key it answers with the same piece; without one, with another if he may have
    more.
    """
    return Call(
        method="POST",
        path=f"/v1/coupon-claims/open/{coupon_id}",
        answers={201: ClaimedCoupon},
        body=Nothing(),
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def list_claimable_coupons() -> Call[ClaimableCoupons]:
    """What anybody may claim just now."""
    return Call(method="GET", path="/v1/coupon-claims/open", answers={200: ClaimableCoupons})


def list_my_coupons() -> Call[MyCoupons]:
    """The shopper's coupons."""
    return Call(method="GET", path="/v1/coupon-claims", answers={200: MyCoupons})
