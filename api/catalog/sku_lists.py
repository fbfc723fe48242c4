"""HTTP for many SKUs: found, and changed row by row as in a grid. Each handler is one call into `tenants.catalog`."""

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct, structs

from api.callers import Merchant
from api.catalog.skus import Sku, SkuChange, named, view
from api.etags import tag_of, version_of
from api.guards import needs
from api.paging import LIMIT_MAX, Page
from api.wire import id_of
from checkout_core.errors import BadRequest
from checkout_core.ids import decode, encode
from tenants import catalog, permissions
from tenants.catalog import grid
from tenants.db import TenantTx
from tenants.search import QUESTION_MAX

ROWS_BYTES_MAX: Final = 2 * 1024 * 1024  # two hundred usage notes in Chinese, and more
IDS_MAX: Final = LIMIT_MAX * 40  # characters


class OnShelf(Struct, frozen=True):
    """`free` units of it nobody holds or bought."""

    sale_id: str
    state: str
    free: int
    limit_per_shopper: int
    takes_new_stock: bool

    @classmethod
    def of(cls, place: grid.Place) -> "OnShelf":
        return cls(**structs.asdict(place) | {"sale_id": encode("sal", place.sale_id)})


class ListedSku(Sku, frozen=True, kw_only=True):
    """`etag` is what a change of it names; `shelf` is null while it is not there."""

    etag: str
    product_name: str
    shelf: OnShelf | None


class Skus(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    skus: list[ListedSku]
    next_cursor: str | None


class SkuRow(SkuChange, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`etag` is the one that was read, or `*` for whichever is current. `limit_per_shopper` is that on the shelf (`sales:write`)."""

    sku_id: Annotated[str, id_of("sku")]
    etag: Annotated[str, Meta(min_length=1, max_length=64)]
    limit_per_shopper: Annotated[int, Meta(ge=0, le=1000)] | None = None


class SkuRows(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rows: Annotated[list[SkuRow], Meta(min_length=1, max_length=grid.ROWS_MAX)]


class SavedRows(Struct, frozen=True):
    """As they are now, in the order they were sent in."""

    skus: list[ListedSku]


class SkuListController(Controller):
    path = "/skus"
    tags = ("SKU lists",)

    @get(
        "/",
        guards=[needs("catalog:read")],
        operation_id="listSkus",
        summary="List SKUs, newest first; with `q`, those whose names, choices or references have its words",
    )
    async def latest(
        self,
        request: Request[Any, Any, Any],
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        product_id: Annotated[str | None, QueryParameter(description="Only those of this product.")] = None,
        q: Annotated[
            str | None, QueryParameter(min_length=1, max_length=QUESTION_MAX, description="Words of their names, or their product's.")
        ] = None,
        ids: Annotated[
            str | None, QueryParameter(min_length=1, max_length=IDS_MAX, description="Only these, up to 100 with commas between.")
        ] = None,
    ) -> Skus:
        product = decode("prd", product_id) if product_id is not None else None
        wanted = [decode("sku", each) for each in ids.split(",")] if ids is not None else None
        if wanted is not None and len(wanted) > LIMIT_MAX:
            raise BadRequest(f"At most {LIMIT_MAX} at once.", code="too_many_ids")
        found = await catalog.list_skus(tx, product_id=product, limit=page.rows, before=page.after(UUID), q=q, ids=wanted)
        return Skus(*page.cut(await _listed(request, tx, found), [sku.id for sku in found]))

    @post(
        "/changes",
        guards=[needs("catalog:write")],
        status_code=200,
        request_max_body_size=ROWS_BYTES_MAX,
        problems=[404],  # one of them is not there: nothing was changed
        operation_id="changeSkus",
        summary="Change up to 200 SKUs, each in its own way, all of them or none",
        description=(
            "What cannot be saved is told by row (422 `changes_refused`, with `sku_id`, `code` and `why` of each): "
            "`precondition_failed` where somebody else was first."
        ),
    )
    async def change(
        self, data: JSONBody[SkuRows], request: Request[Any, Any, Any], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> SavedRows:
        if any(row.limit_per_shopper is not None for row in data.rows):
            permissions.need("sales:write", merchant.scopes)
        wanted = [_wanted(request, row) for row in data.rows]
        return SavedRows(await _listed(request, tx, await grid.change_skus(tx, wanted, actor=merchant.actor)))


def _wanted(request: Request[Any, Any, Any], row: SkuRow) -> grid.Wanted:
    own = {"sku_id", "etag", "limit_per_shopper"}
    changes = {name: value for name, value in named(row).items() if name not in own}
    return grid.Wanted(decode("sku", row.sku_id), version_of(request, row.etag), changes, row.limit_per_shopper)


async def _listed(request: Request[Any, Any, Any], tx: TenantTx, skus: list[catalog.Sku]) -> list[ListedSku]:
    shelves = await grid.places(tx, [sku.id for sku in skus])
    names = await grid.product_names(tx, {sku.product_id for sku in skus})
    return [
        ListedSku(
            **structs.asdict(view(sku)),
            etag=tag_of(request, sku.version),
            product_name=names[sku.product_id],
            shelf=OnShelf.of(shelves[sku.id]) if sku.id in shelves else None,
        )
        for sku in skus
    ]
