"""HTTP for coupons as a merchant has them. Each handler is one call into `tenants.coupons`."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Controller, Request, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from api.callers import Merchant
from api.etags import Tagged, if_match
from api.guards import needs
from api.idempotency import Once
from api.paging import Page
from api.wire import END, MONEY_MAX, NOTHING, Count, Nothing, id_of
from checkout_core.ids import decode, encode
from tenants.coupons import definitions, figures, grants
from tenants.coupons.definitions import SCOPE_MAX, Terms
from tenants.db import TenantTx

CouponName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]
Minor = Annotated[int, Meta(ge=0, le=MONEY_MAX)]
Bound = Annotated[int, Meta(ge=1, le=MONEY_MAX)]
BasisPoints = Annotated[int, Meta(ge=0, le=9999, description="Hundredths of a percent: 1500 is 15 %.")]
SkuIds = Annotated[list[Annotated[str, id_of("sku")]], Meta(max_length=SCOPE_MAX)]
ProductIds = Annotated[list[Annotated[str, id_of("prd")]], Meta(max_length=SCOPE_MAX)]
CategoryIds = Annotated[list[Annotated[str, id_of("cat")]], Meta(max_length=SCOPE_MAX)]
Channels = Annotated[list[Annotated[str, Meta(pattern=f"^[a-z][a-z0-9_]{{0,14}}{END}")]], Meta(max_length=100)]
CouponCode = Annotated[str, Meta(pattern=f"^[A-Z0-9-]{{3,32}}{END}", description="Capitals, digits and hyphens; typed in any case.")]
Days = Annotated[int, Meta(ge=1, le=3650)]
PerShopper = Annotated[int, Meta(ge=1, le=100)]
StackGroup = Annotated[str, Meta(max_length=32, description="An order uses at most one coupon of each group.")]
Kind = Literal["fixed", "percent"]
Scope = Literal["all", "only", "except"]
Claim = Literal["public", "code", "staff"]
CouponState = Literal["draft", "active", "paused", "ended"]
_IDS = {"sku_ids": "sku", "product_ids": "prd", "category_ids": "cat"}


class NewCoupon(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`fixed` takes `off_minor` off, `percent` takes `off_bp`, at most `cap_minor`. Null bounds nothing. It is valid until `valid_until`,
    or for `valid_days` after it was claimed, or without end."""

    name: CouponName
    kind: Kind
    off_minor: Minor = 0
    off_bp: BasisPoints = 0
    cap_minor: Bound | None = None
    threshold_minor: Minor = 0
    scope: Scope = "all"
    sku_ids: SkuIds = []
    product_ids: ProductIds = []
    category_ids: CategoryIds = []
    channels: Channels = []
    claim: Claim = "public"
    code: CouponCode | None = None
    claim_from: dt.datetime | None = None
    claim_until: dt.datetime | None = None
    valid_from: dt.datetime | None = None
    valid_until: dt.datetime | None = None
    valid_days: Days | None = None
    per_shopper_max: PerShopper = 1
    claims_max: Count | None = None
    uses_max: Count | None = None
    budget_minor: Bound | None = None
    stack_group: StackGroup = ""
    exclusive: bool = False
    returned_on_refund: bool = True


class CouponChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is named is set, all else stays. What a coupon is worth, and how it is got, changes only while it is a draft."""

    name: CouponName | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    off_minor: Minor | UnsetType = UNSET
    off_bp: BasisPoints | UnsetType = UNSET
    cap_minor: Bound | UnsetType | None = UNSET
    threshold_minor: Minor | UnsetType = UNSET
    scope: Scope | UnsetType = UNSET
    sku_ids: SkuIds | UnsetType = UNSET
    product_ids: ProductIds | UnsetType = UNSET
    category_ids: CategoryIds | UnsetType = UNSET
    channels: Channels | UnsetType = UNSET
    claim: Claim | UnsetType = UNSET
    code: CouponCode | UnsetType | None = UNSET
    claim_from: dt.datetime | UnsetType | None = UNSET
    claim_until: dt.datetime | UnsetType | None = UNSET
    valid_from: dt.datetime | UnsetType | None = UNSET
    valid_until: dt.datetime | UnsetType | None = UNSET
    valid_days: Days | UnsetType | None = UNSET
    per_shopper_max: PerShopper | UnsetType = UNSET
    claims_max: Count | UnsetType | None = UNSET
    uses_max: Count | UnsetType | None = UNSET
    budget_minor: Bound | UnsetType | None = UNSET
    stack_group: StackGroup | UnsetType = UNSET
    exclusive: bool | UnsetType = UNSET
    returned_on_refund: bool | UnsetType = UNSET


class Coupon(Struct, frozen=True):
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
    claim_from: dt.datetime | None
    claim_until: dt.datetime | None
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None
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

    @classmethod
    def of(cls, found: definitions.Coupon) -> "Coupon":
        known = structs.asdict(found)
        ids = {name: [encode(prefix, each) for each in known[name]] for name, prefix in _IDS.items()}
        return cls(**{name: known[name] for name in cls.__struct_fields__} | ids | {"id": encode("cpn", found.id)})


class CouponPage(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    coupons: list[Coupon]
    next_cursor: str | None


class Issuing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One piece for each; a shopper who is named twice gets two, as far as he may."""

    shopper_ids: Annotated[list[Annotated[str, id_of("shp")]], Meta(min_length=1, max_length=1000)]


class Issued(Struct, frozen=True):
    """How many got a piece, and how many had as many as they may."""

    issued: int
    skipped: int


class CouponGrant(Struct, frozen=True):
    """A piece, and whose it is. `state`: held, locked by an order that waits for its payment, used, void, expired."""

    id: str
    shopper_id: str
    source: str
    state: str
    order_id: str | None
    valid_from: dt.datetime
    valid_until: dt.datetime | None
    created_at: dt.datetime

    @classmethod
    def of(cls, found: grants.Grant) -> "CouponGrant":
        return cls(
            encode("cpg", found.id), encode("shp", found.shopper_id), found.source, found.state,
            encode("ord", found.order_id) if found.order_id else None, found.valid_from, found.valid_until, found.created_at,
        )  # fmt: skip


class CouponGrants(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    grants: list[CouponGrant]
    next_cursor: str | None


class CouponFigures(Struct, frozen=True):
    """What came of a coupon. `paid_minor` is what orders that used it paid; `borne_minor` what was taken off orders that were paid when
    their pieces, or the coupon's bounds, had gone to others."""

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


def _named(data: Struct) -> dict[str, Any]:
    named = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
    return named | {name: [decode(prefix, each) for each in named[name]] for name, prefix in _IDS.items() if name in named}


def _tagged(found: definitions.Coupon) -> Tagged[Coupon]:
    return Tagged(Coupon.of(found), version=found.version)


class CouponController(Controller):
    path = "/coupons"
    tags = ("Coupons",)

    @get("/", guards=[needs("coupons:read")], operation_id="listCoupons", summary="The store's coupons, newest first")
    async def all_of(
        self,
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        coupon_state: Annotated[CouponState | None, QueryParameter(name="state", description="Only those in this state.")] = None,
    ) -> CouponPage:
        found = await definitions.latest(tx, state=coupon_state, limit=page.rows, before=page.after(UUID))
        return CouponPage(*page.cut([Coupon.of(each) for each in found], [each.id for each in found]))

    @post("/", guards=[needs("coupons:write")], problems=[404], operation_id="createCoupon", summary="Create a coupon, as a draft")
    async def create(self, data: JSONBody[NewCoupon], once: NamedDependency[Once], merchant: NamedDependency[Merchant]) -> Coupon:
        async def create() -> Coupon:
            return Coupon.of(await definitions.create(once.tx, Terms(**_named(data)), actor=merchant.actor))

        return await once(create())

    @get("/{coupon_id:str}", guards=[needs("coupons:read")], operation_id="getCoupon", summary="Get a coupon")
    async def one(self, coupon_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Tagged[Coupon]:
        return _tagged(await definitions.get(tx, decode("cpn", coupon_id)))

    @patch(
        "/{coupon_id:str}",
        guards=[needs("coupons:write")],
        problems=[409, 412, 422, 428],
        opt={"if_match": True},
        operation_id="changeCoupon",
        summary="Change a coupon; If-Match says which version was read",
    )
    async def change(
        self,
        coupon_id: FromPath[str],
        data: JSONBody[CouponChange],
        request: Request[Any, Any, Any],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> Tagged[Coupon]:
        version = if_match(request)
        return _tagged(await definitions.change(tx, decode("cpn", coupon_id), _named(data), version=version, actor=merchant.actor))

    @post(
        "/{coupon_id:str}/start", guards=[needs("coupons:write")], problems=[409], status_code=200, operation_id="startCoupon",
        summary="Let shoppers have a draft",
    )  # fmt: skip
    async def start(
        self,
        coupon_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> Coupon:
        return Coupon.of(await definitions.act(tx, decode("cpn", coupon_id), "start", actor=merchant.actor))

    @post(
        "/{coupon_id:str}/pause", guards=[needs("coupons:write")], problems=[409], status_code=200, operation_id="pauseCoupon",
        summary="Nobody gets or uses a piece until it is resumed",
    )  # fmt: skip
    async def pause(
        self,
        coupon_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> Coupon:
        return Coupon.of(await definitions.act(tx, decode("cpn", coupon_id), "pause", actor=merchant.actor))

    @post(
        "/{coupon_id:str}/resume", guards=[needs("coupons:write")], problems=[409], status_code=200, operation_id="resumeCoupon",
        summary="Go on with a coupon that was paused",
    )  # fmt: skip
    async def resume(
        self,
        coupon_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> Coupon:
        return Coupon.of(await definitions.act(tx, decode("cpn", coupon_id), "resume", actor=merchant.actor))

    @post(
        "/{coupon_id:str}/end", guards=[needs("coupons:write")], problems=[409], status_code=200, operation_id="endCoupon",
        summary="End a coupon for good; pieces that shoppers hold become void",
    )  # fmt: skip
    async def end(
        self,
        coupon_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> Coupon:
        return Coupon.of(await definitions.act(tx, decode("cpn", coupon_id), "end", actor=merchant.actor))

    @post(
        "/{coupon_id:str}/grants", guards=[needs("coupons:write")], problems=[409], operation_id="issueCoupon",
        summary="Give pieces to shoppers, to all that are named or to none",
    )  # fmt: skip
    async def issue(
        self, coupon_id: FromPath[str], data: JSONBody[Issuing], once: NamedDependency[Once], merchant: NamedDependency[Merchant]
    ) -> Issued:
        async def issue() -> Issued:
            shoppers = [decode("shp", each) for each in data.shopper_ids]
            return Issued(*await grants.issue(once.tx, decode("cpn", coupon_id), shoppers, actor=merchant.actor))

        return await once(issue())

    @get(
        "/{coupon_id:str}/grants",
        guards=[needs("coupons:read")],
        operation_id="listCouponGrants",
        summary="A coupon's pieces, newest first",
    )
    async def pieces(self, coupon_id: FromPath[str], tx: NamedDependency[TenantTx], page: NamedDependency[Page]) -> CouponGrants:
        coupon = await definitions.get(tx, decode("cpn", coupon_id))
        found = await grants.held_of(tx, coupon.id, limit=page.rows, before=page.after(UUID))
        return CouponGrants(*page.cut([CouponGrant.of(each) for each in found], [each.id for each in found]))

    @get("/{coupon_id:str}/figures", guards=[needs("coupons:read")], operation_id="getCouponFigures", summary="What came of a coupon")
    async def figures(self, coupon_id: FromPath[str], tx: NamedDependency[TenantTx]) -> CouponFigures:
        return CouponFigures(*await figures.of(tx, await definitions.get(tx, decode("cpn", coupon_id))))


class CouponGrantController(Controller):
    path = "/coupon-grants"
    tags = ("Coupons",)

    @post(
        "/{grant_id:str}/void", guards=[needs("coupons:write")], problems=[409], status_code=200, operation_id="voidCouponGrant",
        summary="Make a piece void that a shopper holds",
    )  # fmt: skip
    async def void(
        self, grant_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant], data: JSONBody[Nothing] = NOTHING
    ) -> CouponGrant:
        return CouponGrant.of(await grants.void(tx, decode("cpg", grant_id), actor=merchant.actor))
