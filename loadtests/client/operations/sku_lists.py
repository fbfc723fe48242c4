"""SKU lists. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from loadtests.client.core import Call, Pages


class SkuRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`etag` is the one that was read, or `*` for whichever is current. `limit_per_shopper` is that on the shelf (`sales:write`)."""

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
    sku_id: str
    etag: str
    limit_per_shopper: int | None = None


class SkuRows(Struct, frozen=True, kw_only=True, omit_defaults=True):
    rows: list[SkuRow]


class OnShelf(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`free` units of it nobody holds or bought."""

    sale_id: str
    state: str
    free: int
    limit_per_shopper: int
    takes_new_stock: bool


class ListedSku(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`etag` is what a change of it names; `shelf` is null while it is not there."""

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
    etag: str
    product_name: str
    shelf: OnShelf | None


class SavedRows(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As they are now, in the order they were sent in."""

    skus: list[ListedSku]


class Skus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    skus: list[ListedSku]
    next_cursor: str | None


def change_skus(body: SkuRows) -> Call[SavedRows]:
    """Change up to 200 SKUs, each in its own way, all of them or none. What cannot be saved is told by row (422 `changes_refused`, with
    `sku_id`, `code` and `why` of each): `precondition_failed` where somebody else was first.
    """
    return Call(method="POST", path="/v1/skus/changes", answers={200: SavedRows}, body=body)


def list_skus(
    *, limit: int = 20, cursor: str | None = None, product_id: str | None = None, q: str | None = None, ids: str | None = None
) -> Pages[Skus, ListedSku]:
    """List SKUs, newest first; with `q`, those whose names, choices or references have its words."""
    return Pages(
        method="GET",
        path="/v1/skus",
        answers={200: Skus},
        query={"limit": limit, "cursor": cursor, "product_id": product_id, "q": q, "ids": ids},
        rows=lambda page: page.skus,
    )
