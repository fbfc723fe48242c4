"""HTTP for the coupons of a shopper: what he may claim, claiming it, and what he has."""

import datetime as dt
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.guards import shopper, while_open
from api.idempotency import key_of
from api.limits import address
from api.process import Process
from api.wire import NOTHING, Nothing
from checkout_core.ids import decode, encode
from checkout_core.intents import order_id
from checkout_core.tokens import Shopper
from tenants.coupons import grants
from tenants.coupons.definitions import Coupon
from tenants.db import TenantTx


class CouponTerms(Struct, frozen=True):
    """What it takes off, as a shopper is told: `off_minor`, or `off_bp` hundredths of a percent and at most `cap_minor`; from
    `threshold_minor` on; off everything, or off some things (`scope` is not `all`)."""

    name: str
    currency: str
    kind: str
    off_minor: int
    off_bp: int
    cap_minor: int | None
    threshold_minor: int
    scope: str

    @classmethod
    def of(cls, found: Coupon) -> "CouponTerms":
        return cls(**{name: getattr(found, name) for name in cls.__struct_fields__})


class ClaimableCoupon(Struct, frozen=True):
    """One that everybody may claim. `has` counts his pieces of it, whatever became of them; `claimable` says whether he may get one more
    now."""

    id: str
    terms: CouponTerms
    claim_until: dt.datetime | None
    valid_until: dt.datetime | None
    valid_days: int | None
    per_shopper_max: int
    has: int
    claimable: bool

    @classmethod
    def of(cls, found: grants.Claimable) -> "ClaimableCoupon":
        coupon = found.coupon
        return cls(
            encode("cpn", coupon.id), CouponTerms.of(coupon), coupon.claim_until, coupon.valid_until, coupon.valid_days,
            coupon.per_shopper_max, found.has, found.left,
        )  # fmt: skip


class ClaimableCoupons(Struct, frozen=True):
    """At most a hundred, newest first."""

    coupons: list[ClaimableCoupon]


class ClaimedCoupon(Struct, frozen=True):
    """A piece that is his. `state`: held, locked by an order that waits for its payment, used, void, expired."""

    id: str
    coupon_id: str
    state: str
    order_id: str | None
    valid_from: dt.datetime
    valid_until: dt.datetime | None
    created_at: dt.datetime

    @classmethod
    def of(cls, found: grants.Grant) -> "ClaimedCoupon":
        order_id = encode("ord", found.order_id) if found.order_id else None
        ids = encode("cpg", found.id), encode("cpn", found.coupon_id)
        return cls(*ids, found.state, order_id, found.valid_from, found.valid_until, found.created_at)


class MyCoupon(Struct, frozen=True):
    grant: ClaimedCoupon
    terms: CouponTerms


class MyCoupons(Struct, frozen=True):
    """At most a hundred, newest first."""

    coupons: list[MyCoupon]


class TypedCode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: Annotated[str, Meta(min_length=1, max_length=64)]


class CouponClaimController(Controller):
    path = "/coupon-claims"
    tags = ("Coupons",)

    @get("/", guards=[shopper], operation_id="listMyCoupons", summary="The shopper's coupons")
    async def mine(self, shopper: NamedDependency[Shopper], tx: NamedDependency[TenantTx]) -> MyCoupons:
        return MyCoupons(
            [MyCoupon(ClaimedCoupon.of(each.grant), CouponTerms.of(each.coupon)) for each in await grants.mine(tx, shopper.id)]
        )

    @get("/open", guards=[shopper], operation_id="listClaimableCoupons", summary="What anybody may claim just now")
    async def claimable(self, shopper: NamedDependency[Shopper], tx: NamedDependency[TenantTx]) -> ClaimableCoupons:
        found = await grants.claimable(tx, shopper.id, shopper.channel or "api")
        return ClaimableCoupons([ClaimableCoupon.of(each) for each in found])

    @post(
        "/open/{coupon_id:str}",
        guards=[shopper, while_open],
        opt={"idempotency_key": True},
        problems=[403, 409, 429],
        operation_id="claimCoupon",
        summary="Claim a piece of a public coupon",
    )
    async def claim(
        self,
        coupon_id: FromPath[str],
        request: Request[Any, Any, Any],
        process: NamedDependency[Process],
        shopper: NamedDependency[Shopper],
        tx: NamedDependency[TenantTx],
        data: JSONBody[Nothing] = NOTHING,
    ) -> ClaimedCoupon:
        """Asked again with its key it answers with the same piece; without one, with another if he may have more."""
        await process.limits.check(("coupon-claims", shopper.id.hex), connection=request)
        key = key_of(request)
        grant_id = order_id(process.keys.orders, shopper.tenant_id, shopper.id, f"coupon {coupon_id} {key}") if key else None
        return ClaimedCoupon.of(await grants.claim(tx, decode("cpn", coupon_id), shopper.id, shopper.channel or "api", grant_id))

    @post(
        "/codes",
        guards=[shopper, while_open],
        status_code=200,
        problems=[403, 404, 409, 429],
        operation_id="claimCouponByCode",
        summary="Claim a piece by its coupon's code; who holds one gets that",
    )
    async def by_code(
        self,
        data: JSONBody[TypedCode],
        request: Request[Any, Any, Any],
        process: NamedDependency[Process],
        shopper: NamedDependency[Shopper],
        tx: NamedDependency[TenantTx],
    ) -> ClaimedCoupon:
        # Two, each at its own home: who guesses makes himself another shopper, but not another address.
        await process.limits.check(("coupon-guesses", address(request)), connection=request)
        await process.limits.check(("coupon-codes", shopper.id.hex), connection=request)
        return ClaimedCoupon.of(await grants.by_code(tx, data.code, shopper.id, shopper.channel or "api"))
