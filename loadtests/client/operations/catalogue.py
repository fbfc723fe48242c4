"""Catalogue. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from loadtests.client.core import Call, Pages, new_key


class ProductOption(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An axis along which the product's SKUs differ."""

    name: str
    values: list[str]


class ProductImage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`path` is below any of the store's hosts, and never changes its content. `id` names the picture at its product."""

    id: str
    path: str
    media_type: str
    width: int
    height: int


class Product(Struct, frozen=True, kw_only=True, omit_defaults=True):
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


class ProductChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is named is set, all else stays. A state that is set by hand ends what was scheduled for it."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    category: Literal["game_topup", "general", "gift_cards"] | UnsetType = UNSET
    category_id: str | UnsetType | None = UNSET
    reference: str | UnsetType | None = UNSET
    state: Literal["archived", "draft", "published"] | UnsetType = UNSET
    publish_at: dt.datetime | UnsetType | None = UNSET
    unpublish_at: dt.datetime | UnsetType | None = UNSET
    options: list[ProductOption] | UnsetType = UNSET


class Products(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    products: list[Product]
    next_cursor: str | None


class NewProduct(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """For real money every `category` but general takes a licence. `category_id` is where it stands in the store's own tree."""

    name: str
    description: str = ""
    category: Literal["game_topup", "general", "gift_cards"] = "general"
    category_id: str | None = None
    reference: str | None = None
    state: Literal["archived", "draft", "published"] = "published"
    publish_at: dt.datetime | None = None
    unpublish_at: dt.datetime | None = None
    options: list[ProductOption] = []


class ProductReview(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`state`: waiting, approved, refused for the `reasons`, or withdrawn by a later edit."""

    id: str
    state: str
    reasons: list[str]
    created_at: dt.datetime
    decided_at: dt.datetime | None


class ProductReviews(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    reviews: list[ProductReview]
    next_cursor: str | None


class NewSku(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`currency` is the store's, whether it is named or not. `config` is what the product type must be told (`listTypes`)."""

    product_id: str
    name: str
    price_minor: int
    currency: str | None = None
    code_pattern: str | None = None
    type: str = "code"
    config: dict[str, Any] = {}
    reference: str | None = None
    state: Literal["archived", "draft", "published"] = "published"
    choices: dict[str, Any] = {}
    cost_minor: int | None = None
    face_value: str | None = None
    usage_note: str = ""


class Sku(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    product_id: str
    name: str
    price_minor: int
    currency: str
    code_pattern: str | None
    type: str
    config: dict[str, Any]
    created_at: dt.datetime
    reference: str | None
    state: str
    choices: dict[str, Any]
    cost_minor: int | None
    face_value: str | None
    usage_note: str


class Stock(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a SKU by state; `unallotted` is the part of `available` that no sale has. `loading` are no stock yet: their import has not
    come to its end.
    """

    available: int = 0
    held: int = 0
    sold: int = 0
    void: int = 0
    quarantined: int = 0
    locked: int = 0
    expired: int = 0
    unallotted: int = 0
    loading: int = 0


class SkuWithStock(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    product_id: str
    name: str
    price_minor: int
    currency: str
    code_pattern: str | None
    type: str
    config: dict[str, Any]
    created_at: dt.datetime
    reference: str | None
    state: str
    choices: dict[str, Any]
    cost_minor: int | None
    face_value: str | None
    usage_note: str
    stock: Stock


class SkuChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is named is set, all else stays. A price is that of sales to come; those that are open keep theirs."""

    name: str | UnsetType = UNSET
    price_minor: int | UnsetType = UNSET
    code_pattern: str | UnsetType | None = UNSET
    config: dict[str, Any] | UnsetType = UNSET
    reference: str | UnsetType | None = UNSET
    state: Literal["archived", "draft", "published"] | UnsetType = UNSET
    choices: dict[str, Any] | UnsetType = UNSET
    cost_minor: int | UnsetType | None = UNSET
    face_value: str | UnsetType | None = UNSET
    usage_note: str | UnsetType = UNSET


class SkuEdit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is named is set for all of the SKUs. `category_id` is set for their products, and null takes them out of theirs."""

    sku_ids: list[str]
    state: Literal["archived", "draft", "published"] | UnsetType = UNSET
    price_minor: int | UnsetType = UNSET
    cost_minor: int | UnsetType | None = UNSET
    category_id: str | UnsetType | None = UNSET


class Edited(Struct, frozen=True, kw_only=True, omit_defaults=True):
    skus: int


class NewPick(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What shoppers choose units by. What is left out the type says, or it stays as it is."""

    pick: str
    label: str | None = None
    surcharge_minor: int | None = None
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None


class NewSpan(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All picks from `first` to `last`, of a type that counts them: nights, or those on `weekdays` (1 for Monday)."""

    first: str
    last: str
    weekdays: list[int] = []
    surcharge_minor: int | None = None


class NewUnits(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """So many units, for a type whose stock is made; of a picked type so many of each pick that is named or in the span. `cost_minor` is
    what they cost together.
    """

    quantity: int
    note: str = ""
    cost_minor: int | None = None
    picks: list[NewPick] = []
    span: NewSpan | None = None


class MadeUnits(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The batch that they are, and the SKU's stock with them."""

    batch_id: str
    stock: Stock


class Translation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    locale: str
    name: str
    description: str | None


class Translations(Struct, frozen=True, kw_only=True, omit_defaults=True):
    translations: list[Translation]


class NewTranslation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Only a product has a description; null leaves the one it was made with."""

    name: str
    description: str | None = None


class TypeAct(Struct, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    who: str
    summary: str


class TypeView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`config` is the JSON Schema of what a SKU of this type is told. `stock` is where its units come from: `imported` from files of codes,
    or `made` by `POST /v1/skus/{id}/units`; one that is sold as its `parts` has none. `picked` units are chosen one by one.
    """

    name: str
    label: dict[str, Any]
    summary: dict[str, Any]
    stock: str
    picked: bool
    config: dict[str, Any]
    acts: list[TypeAct]


class TypeList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    types: list[TypeView]


def get_product(product_id: str) -> Call[Product]:
    """Get a product; the ETag is its version."""
    return Call(method="GET", path=f"/v1/products/{product_id}", answers={200: Product})


def change_product(product_id: str, body: ProductChange, *, if_match: str) -> Call[Product]:
    """Change a product; If-Match says which version was read."""
    return Call(method="PATCH", path=f"/v1/products/{product_id}", answers={200: Product}, body=body, headers={"If-Match": if_match})


def list_products(
    *, limit: int = 20, cursor: str | None = None, q: str | None = None, category_id: str | None = None, state: str | None = None
) -> Pages[Products, Product]:
    """List products, newest first; with `q`, those whose names have its words."""
    return Pages(
        method="GET",
        path="/v1/products",
        answers={200: Products},
        query={"limit": limit, "cursor": cursor, "q": q, "category_id": category_id, "state": state},
        rows=lambda page: page.products,
    )


def create_product(body: NewProduct, *, idempotency_key: str | None = None) -> Call[Product]:
    """Create a product."""
    return Call(
        method="POST",
        path="/v1/products",
        answers={201: Product},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def list_product_reviews(product_id: str, *, limit: int = 20, cursor: str | None = None) -> Pages[ProductReviews, ProductReview]:
    """What the platform said of a product, newest first."""
    return Pages(
        method="GET",
        path=f"/v1/products/{product_id}/reviews",
        answers={200: ProductReviews},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.reviews,
    )


def create_sku(body: NewSku, *, idempotency_key: str | None = None) -> Call[Sku]:
    """Create a SKU of a product."""
    return Call(
        method="POST",
        path="/v1/skus",
        answers={201: Sku},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def get_sku(sku_id: str) -> Call[SkuWithStock]:
    """Get a SKU and its stock by state."""
    return Call(method="GET", path=f"/v1/skus/{sku_id}", answers={200: SkuWithStock})


def change_sku(sku_id: str, body: SkuChange, *, if_match: str) -> Call[SkuWithStock]:
    """Change a SKU; If-Match says which version was read."""
    return Call(method="PATCH", path=f"/v1/skus/{sku_id}", answers={200: SkuWithStock}, body=body, headers={"If-Match": if_match})


def edit_skus(body: SkuEdit) -> Call[Edited]:
    """Change state, price, cost or category of up to 1,000 SKUs, of all or of none."""
    return Call(method="POST", path="/v1/skus/edits", answers={200: Edited}, body=body)


def make_units(sku_id: str, body: NewUnits, *, idempotency_key: str | None = None) -> Call[MadeUnits]:
    """Make stock of a SKU whose units come from no file."""
    return Call(
        method="POST",
        path=f"/v1/skus/{sku_id}/units",
        answers={201: MadeUnits},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def list_translations(subject_id: str) -> Call[Translations]:
    """Texts of a product, SKU or sale in other languages."""
    return Call(method="GET", path=f"/v1/translations/{subject_id}", answers={200: Translations})


def put_translation(subject_id: str, locale: str, body: NewTranslation) -> Call[Translation]:
    """Set the text in one of the store's languages."""
    return Call(method="PUT", path=f"/v1/translations/{subject_id}/{locale}", answers={200: Translation}, body=body)


def remove_translation(subject_id: str, locale: str) -> Call[None]:
    """Show what was written again."""
    return Call(method="DELETE", path=f"/v1/translations/{subject_id}/{locale}", answers={204: None})


def list_types() -> Call[TypeList]:
    """The product types there are, and what each must be told."""
    return Call(method="GET", path="/v1/types", answers={200: TypeList})
