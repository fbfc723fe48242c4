"""HTTP for products. Each handler is one call into `tenants.catalog`."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Controller, Request, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, Meta, Struct, UnsetType

from api.callers import Merchant
from api.catalog.categories import CategoryId
from api.etags import Tagged, if_match
from api.guards import needs
from api.idempotency import Once
from api.paging import Page
from api.wire import Name
from checkout_core.ids import decode, encode
from tenants import catalog
from tenants.catalog import images, options, review
from tenants.db import TenantTx
from tenants.search import QUESTION_MAX

Words = QueryParameter(min_length=1, max_length=QUESTION_MAX, description="Words of their names.")
InCategory = QueryParameter(description="Only those in this category, or below it.")
State = Literal["draft", "published", "archived"]
Goods = Literal["general", "game_topup", "gift_cards"]
Description = Annotated[str, Meta(max_length=10_000)]
Reference = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\S", description="By what another system knows it.")]
Instant = Annotated[dt.datetime, Meta(tz=True)]
OptionText = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\S")]


class ProductOption(Struct, frozen=True, forbid_unknown_fields=True):
    """An axis along which the product's SKUs differ."""

    name: OptionText
    values: Annotated[list[OptionText], Meta(min_length=1, max_length=options.VALUES_MAX)]


ProductOptions = Annotated[list[ProductOption], Meta(max_length=options.AXES_MAX)]


class NewProduct(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For real money every `category` but general takes a licence. `category_id` is where it stands in the store's own tree."""

    name: Name
    description: Description = ""
    category: Goods = "general"
    category_id: CategoryId | None = None
    reference: Reference | None = None
    state: State = "published"
    publish_at: Instant | None = None
    unpublish_at: Instant | None = None
    options: ProductOptions = []


class ProductChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is named is set, all else stays. A state that is set by hand ends what was scheduled for it."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    category: Goods | UnsetType = UNSET
    category_id: CategoryId | UnsetType | None = UNSET
    reference: Reference | UnsetType | None = UNSET
    state: State | UnsetType = UNSET
    publish_at: Instant | UnsetType | None = UNSET
    unpublish_at: Instant | UnsetType | None = UNSET
    options: ProductOptions | UnsetType = UNSET


class ProductImage(Struct, frozen=True):
    """`path` is below any of the store's hosts, and never changes its content. `id` names the picture at its product."""

    id: str
    path: str
    media_type: str
    width: int
    height: int


class Product(Struct, frozen=True):
    """`moderation`: clear, or what the platform's review says of it: waiting or refused."""

    id: str
    name: str
    description: str
    category: str
    category_id: str | None
    reference: str | None
    state: str
    publish_at: dt.datetime | None
    unpublish_at: dt.datetime | None
    options: list[ProductOption]
    moderation: str
    images: list[ProductImage]
    created_at: dt.datetime


class Products(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    products: list[Product]
    next_cursor: str | None


class ProductReview(Struct, frozen=True):
    """`state`: waiting, approved, refused for the `reasons`, or withdrawn by a later edit."""

    id: str
    state: str
    reasons: list[str]
    created_at: dt.datetime
    decided_at: dt.datetime | None


class ProductReviews(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    reviews: list[ProductReview]
    next_cursor: str | None


def image_view(image: images.ProductImage) -> ProductImage:
    return ProductImage(f"pic_{image.digest}", image.path, image.media_type, image.width, image.height)


def view(product: catalog.Product, pictures: Sequence[images.ProductImage] = ()) -> Product:
    category_id = encode("cat", product.category_id) if product.category_id else None
    axes = [ProductOption(option.name, option.values) for option in product.options]
    return Product(
        encode("prd", product.id), product.name, product.description, product.category, category_id, product.reference, product.state,
        product.publish_at, product.unpublish_at, axes, product.moderation, [image_view(each) for each in pictures], product.created_at,
    )  # fmt: skip


async def tagged(tx: TenantTx, product: catalog.Product) -> Tagged[Product]:
    """With its pictures; the tag is its version."""
    return Tagged(view(product, (await images.all_of(tx, [product.id]))[product.id]), version=product.version)


def _values(data: NewProduct | ProductChange) -> dict[str, Any]:
    """What is named, as the domain has it."""
    values = {name: value for name in data.__struct_fields__ if (value := getattr(data, name)) is not UNSET}
    if values.get("category_id") is not None:
        values["category_id"] = decode("cat", values["category_id"])
    if "options" in values:
        values["options"] = [catalog.Option(option.name, option.values) for option in values["options"]]
    return values


class ProductController(Controller):
    path = "/products"
    tags = ("Catalogue",)

    @post("/", guards=[needs("catalog:write")], operation_id="createProduct", summary="Create a product")
    async def create(self, data: JSONBody[NewProduct], once: NamedDependency[Once], merchant: NamedDependency[Merchant]) -> Product:
        async def create() -> Product:
            return view(await catalog.create_product(once.tx, **_values(data), actor=merchant.actor))

        return await once(create())

    @get(
        "/",
        guards=[needs("catalog:read")],
        operation_id="listProducts",
        summary="List products, newest first; with `q`, those whose names have its words",
    )
    async def latest(
        self,
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        q: Annotated[str | None, Words] = None,
        category_id: Annotated[str | None, InCategory] = None,
        product_state: Annotated[str | None, QueryParameter(name="state", max_length=16, description="draft, published, archived.")] = None,
    ) -> Products:
        within = decode("cat", category_id) if category_id is not None else None
        found = await catalog.list_products(tx, limit=page.rows, before=page.after(UUID), q=q, category_id=within, state=product_state)
        pictures = await images.all_of(tx, [product.id for product in found])
        return Products(*page.cut([view(product, pictures[product.id]) for product in found], [product.id for product in found]))

    @get(
        "/{product_id:str}/reviews",
        guards=[needs("catalog:read")],
        operation_id="listProductReviews",
        summary="What the platform said of a product, newest first",
    )
    async def reviews(self, product_id: FromPath[str], tx: NamedDependency[TenantTx], page: NamedDependency[Page]) -> ProductReviews:
        product = await catalog.get_product(tx, decode("prd", product_id))
        found = await review.history(tx, product.id, limit=page.rows, before=page.after(UUID))
        shown = [ProductReview(encode("prv", each.id), each.state, each.reasons, each.created_at, each.decided_at) for each in found]
        return ProductReviews(*page.cut(shown, [each.id for each in found]))

    @get("/{product_id:str}", guards=[needs("catalog:read")], operation_id="getProduct", summary="Get a product; the ETag is its version")
    async def get(self, product_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Tagged[Product]:
        return await tagged(tx, await catalog.get_product(tx, decode("prd", product_id)))

    @patch(
        "/{product_id:str}",
        guards=[needs("catalog:write")],
        problems=[409, 412, 428],
        opt={"if_match": True},
        operation_id="changeProduct",
        summary="Change a product; If-Match says which version was read",
    )
    async def change(
        self,
        product_id: FromPath[str],
        data: JSONBody[ProductChange],
        request: Request[Any, Any, Any],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> Tagged[Product]:
        version = if_match(request)
        changed = await catalog.change_product(tx, decode("prd", product_id), _values(data), version=version, actor=merchant.actor)
        return await tagged(tx, changed)
