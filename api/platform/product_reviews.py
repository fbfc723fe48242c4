"""HTTP for the review of products: of which merchants it is asked, what waits, and the decisions."""

import datetime as dt
from typing import Literal
from uuid import UUID

from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct, convert

from api.catalog.products import ProductOption
from api.guards import platform
from api.paging import Page
from api.platform.qualifications import Decision
from api.provide import PlatformTx
from api.wire import NOTHING, Nothing
from checkout_core.ids import decode, encode
from tenants.catalog.images import path_of
from tenants.db import TenantTx
from tenants.platform import product_reviews
from tenants.platform.sessions import Staff


class WaitingProduct(Struct, frozen=True):
    merchant_id: str
    slug: str
    id: str
    product_id: str
    name: str
    created_at: dt.datetime


class WaitingProducts(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    reviews: list[WaitingProduct]
    next_cursor: str | None


class ReviewedText(Struct, frozen=True):
    """In one of the store's languages."""

    name: str
    description: str | None


class ReviewedSku(Struct, frozen=True):
    """`translations` are its names by language."""

    name: str
    choices: list[str]
    face_value: str | None
    translations: dict[str, str]


class SubmittedProduct(Struct, frozen=True):
    """All that the product said and showed when it was handed in. `images` are paths below the store's hosts."""

    id: str
    product_id: str
    state: str
    name: str
    description: str
    options: list[ProductOption]
    translations: dict[str, ReviewedText]
    skus: dict[str, ReviewedSku]
    images: list[str]
    reasons: list[str]
    created_at: dt.datetime
    decided_at: dt.datetime | None


class ReviewRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`after`: what is published or edited is shown and looked at. `before`: shoppers see it when it was approved. `off`: neither."""

    mode: Literal["off", "after", "before"]


def _view(found: product_reviews.Submission) -> SubmittedProduct:
    said = found.content | {
        "id": encode("prv", found.id), "product_id": encode("prd", found.product_id), "state": found.state, "reasons": found.reasons,
        "created_at": found.created_at, "decided_at": found.decided_at, "images": [path_of(digest) for digest in found.content["images"]],
        "skus": {encode("sku", UUID(sku_id)): sku for sku_id, sku in found.content["skus"].items()},
    }  # fmt: skip
    return convert(said, SubmittedProduct)


class WaitingProductController(Controller):
    path = "/platform/product-reviews"
    tags = ("Platform reviews",)

    @get("/", guards=[platform("products:read")], operation_id="listWaitingProducts", summary="Products that wait, of all merchants")
    async def waiting(self, platform_tx: NamedDependency[PlatformTx], page: NamedDependency[Page]) -> WaitingProducts:
        found = await product_reviews.waiting(platform_tx.conn, limit=page.rows, after=page.after(tuple[dt.datetime, UUID]))
        shown = [
            WaitingProduct(encode("ten", w.tenant_id), w.slug, encode("prv", w.id), encode("prd", w.product_id), w.name, w.created_at)
            for w in found
        ]
        return WaitingProducts(*page.cut(shown, [(each.created_at, each.id) for each in found]))


class ProductReviewController(Controller):
    path = "/platform/merchants/{merchant_id:str}/product-reviews/{review_id:str}"
    tags = ("Platform reviews",)

    @get("/", guards=[platform("products:read")], operation_id="getProductReview", summary="What a product said and showed")
    async def one(self, merchant_id: FromPath[str], review_id: FromPath[str], on_tenant: NamedDependency[TenantTx]) -> SubmittedProduct:
        return _view(await product_reviews.get(on_tenant, decode("prv", review_id)))

    @post(
        "/approve",
        guards=[platform("products:review")],
        operation_id="approveProduct",
        summary="Let shoppers see it as it was handed in",
        status_code=200,
    )
    async def approve(
        self,
        merchant_id: FromPath[str],
        review_id: FromPath[str],
        on_tenant: NamedDependency[TenantTx],
        staff: NamedDependency[Staff],
        data: JSONBody[Nothing] = NOTHING,
    ) -> SubmittedProduct:
        return _view(await product_reviews.approve(on_tenant, decode("prv", review_id), actor=staff.actor))

    @post(
        "/refuse",
        guards=[platform("products:review")],
        operation_id="refuseProduct",
        summary="Hide it at once, for reasons that the merchant is told by mail",
        status_code=200,
    )
    async def refuse(
        self,
        merchant_id: FromPath[str],
        review_id: FromPath[str],
        data: JSONBody[Decision],
        on_tenant: NamedDependency[TenantTx],
        staff: NamedDependency[Staff],
    ) -> SubmittedProduct:
        return _view(await product_reviews.refuse(on_tenant, decode("prv", review_id), reasons=data.reasons, actor=staff.actor))


class ReviewRuleController(Controller):
    path = "/platform/merchants/{merchant_id:str}/product-review-rule"
    tags = ("Platform reviews",)

    @get("/", guards=[platform("products:read")], operation_id="getProductReviewRule", summary="Whether a merchant's products are reviewed")
    async def rule(self, merchant_id: FromPath[str], on_tenant: NamedDependency[TenantTx]) -> ReviewRule:
        return ReviewRule(mode=await product_reviews.mode_of(on_tenant))  # type: ignore[arg-type]  # checked by the table

    @put(
        "/",
        guards=[platform("products:review")],
        operation_id="setProductReviewRule",
        summary="Have a merchant's products reviewed before or after they are shown, or not",
    )
    async def set_rule(
        self, merchant_id: FromPath[str], data: JSONBody[ReviewRule], on_tenant: NamedDependency[TenantTx], staff: NamedDependency[Staff]
    ) -> ReviewRule:
        await product_reviews.set_mode(on_tenant, data.mode, actor=staff.actor)
        return data
