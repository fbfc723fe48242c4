"""HTTP for SKUs. Each handler is one call into `tenants.catalog`."""

import datetime as dt
from typing import Annotated, Any

from litestar import Controller, Request, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from api.callers import Merchant
from api.catalog.categories import CategoryId
from api.catalog.products import OptionText, Reference, State
from api.etags import Tagged, if_match
from api.guards import needs
from api.idempotency import Once
from api.picks import PickLabel, PickName, Surcharge
from api.process import Process
from api.wire import END, MONEY_MAX, Currency, Name, PriceMinor, id_of
from checkout_core.ids import decode, encode
from tenants import catalog, vault
from tenants.catalog import edits
from tenants.db import TenantTx
from tenants.picking import Span
from tenants.picks import Pick
from tenants.vault.making import COUNT_MAX

CodePattern = Annotated[str, Meta(min_length=1, max_length=200)]
Choices = Annotated[dict[OptionText, OptionText], Meta(max_length=3, description="A value of each of its product's options, by name.")]
Cost = Annotated[int, Meta(ge=0, le=MONEY_MAX, description="What one costs the merchant, in minor units. No shopper is told.")]
FaceValue = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\S")]
UsageNote = Annotated[str, Meta(max_length=5_000, description="Shown with the codes, after payment.")]


class NewSku(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`currency` is the store's, whether it is named or not. `config` is what the product type must be told (`listTypes`)."""

    product_id: Annotated[str, id_of("prd")]
    name: Name
    price_minor: PriceMinor
    currency: Currency | None = None
    code_pattern: CodePattern | None = None
    type: Annotated[str, Meta(pattern=f"^[a-z][a-z_]{{0,31}}{END}")] = "code"
    config: dict[str, Any] = {}
    reference: Reference | None = None
    state: State = "published"
    choices: Choices = {}
    cost_minor: Cost | None = None
    face_value: FaceValue | None = None
    usage_note: UsageNote = ""


class SkuChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is named is set, all else stays. A price is that of sales to come; those that are open keep theirs."""

    name: Name | UnsetType = UNSET
    price_minor: PriceMinor | UnsetType = UNSET
    code_pattern: CodePattern | UnsetType | None = UNSET
    config: dict[str, Any] | UnsetType = UNSET
    reference: Reference | UnsetType | None = UNSET
    state: State | UnsetType = UNSET
    choices: Choices | UnsetType = UNSET
    cost_minor: Cost | UnsetType | None = UNSET
    face_value: FaceValue | UnsetType | None = UNSET
    usage_note: UsageNote | UnsetType = UNSET


class SkuEdit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is named is set for all of the SKUs. `category_id` is set for their products, and null takes them out of theirs."""

    sku_ids: Annotated[list[Annotated[str, id_of("sku")]], Meta(min_length=1, max_length=edits.EDITED_MAX)]
    state: State | UnsetType = UNSET
    price_minor: PriceMinor | UnsetType = UNSET
    cost_minor: Cost | UnsetType | None = UNSET
    category_id: CategoryId | UnsetType | None = UNSET


class Edited(Struct, frozen=True):
    skus: int


class Sku(Struct, frozen=True):
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
    choices: dict[str, str]
    cost_minor: int | None
    face_value: str | None
    usage_note: str


class NewPick(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shoppers choose units by. What is left out the type says, or it stays as it is."""

    pick: PickName
    label: PickLabel | None = None
    surcharge_minor: Surcharge | None = None
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None


class NewSpan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All picks from `first` to `last`, of a type that counts them: nights, or those on `weekdays` (1 for Monday)."""

    first: PickName
    last: PickName
    weekdays: Annotated[list[Annotated[int, Meta(ge=1, le=7)]], Meta(max_length=7)] = []
    surcharge_minor: Surcharge | None = None


class NewUnits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many units, for a type whose stock is made; of a picked type so many of each pick that is named or in the span. `cost_minor` is
    what they cost together."""

    quantity: Annotated[int, Meta(ge=1, le=COUNT_MAX)]
    note: Annotated[str, Meta(max_length=200)] = ""
    cost_minor: Annotated[int, Meta(ge=0, le=10**15)] | None = None
    picks: Annotated[list[NewPick], Meta(max_length=1000)] = []
    span: NewSpan | None = None


class MadeUnits(Struct, frozen=True):
    """The batch that they are, and the SKU's stock with them."""

    batch_id: str
    stock: vault.Stock


class SkuWithStock(Sku, frozen=True, kw_only=True):
    stock: vault.Stock


def view(sku: catalog.Sku) -> Sku:
    values = structs.asdict(sku)
    del values["version"]
    return Sku(**values | {"id": encode("sku", sku.id), "product_id": encode("prd", sku.product_id)})


def named(data: Struct) -> dict[str, Any]:
    return {name: value for name, value in structs.asdict(data).items() if value is not UNSET}


async def _tagged(tx: TenantTx, sku: catalog.Sku) -> Tagged[SkuWithStock]:
    """Its version is what a change asks for; its stock changes by itself."""
    stock = await vault.stock(tx, sku.id)
    return Tagged(SkuWithStock(**structs.asdict(view(sku)), stock=stock), version=sku.version, besides=stock)


class SkuController(Controller):
    path = "/skus"
    tags = ("Catalogue",)

    @post("/", guards=[needs("catalog:write")], operation_id="createSku", summary="Create a SKU of a product")
    async def create(self, data: JSONBody[NewSku], once: NamedDependency[Once], merchant: NamedDependency[Merchant]) -> Sku:
        async def create() -> Sku:
            values = structs.asdict(data) | {"product_id": decode("prd", data.product_id)}
            return view(await catalog.create_sku(once.tx, **values, actor=merchant.actor))

        return await once(create())

    @post(
        "/edits",
        guards=[needs("catalog:write")],
        status_code=200,
        problems=[404],  # one of them is not there: nothing was changed
        operation_id="editSkus",
        summary="Change state, price, cost or category of up to 1,000 SKUs, of all or of none",
    )
    async def edit(self, data: JSONBody[SkuEdit], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> Edited:
        changes = named(data)
        sku_ids = [decode("sku", each) for each in changes.pop("sku_ids")]
        if changes.get("category_id") is not None:
            changes["category_id"] = decode("cat", changes["category_id"])
        return Edited(await edits.edit_skus(tx, sku_ids, changes, actor=merchant.actor))

    @get("/{sku_id:str}", guards=[needs("catalog:read")], operation_id="getSku", summary="Get a SKU and its stock by state")
    async def get(self, sku_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Tagged[SkuWithStock]:
        return await _tagged(tx, await catalog.get_sku(tx, decode("sku", sku_id)))

    @patch(
        "/{sku_id:str}",
        guards=[needs("catalog:write")],
        problems=[409, 412, 428],
        opt={"if_match": True},
        operation_id="changeSku",
        summary="Change a SKU; If-Match says which version was read",
    )
    async def change(
        self,
        sku_id: FromPath[str],
        data: JSONBody[SkuChange],
        request: Request[Any, Any, Any],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> Tagged[SkuWithStock]:
        version = if_match(request)
        return await _tagged(tx, await catalog.change_sku(tx, decode("sku", sku_id), named(data), version=version, actor=merchant.actor))

    @post(
        "/{sku_id:str}/units",
        guards=[needs("vault:write")],
        problems=[409],
        operation_id="makeUnits",
        summary="Make stock of a SKU whose units come from no file",
    )
    async def make(
        self,
        sku_id: FromPath[str],
        data: JSONBody[NewUnits],
        once: NamedDependency[Once],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
    ) -> MadeUnits:
        sku = decode("sku", sku_id)
        picks = [
            Pick(name=p.pick, label=p.label or "", surcharge_minor=p.surcharge_minor, starts_at=p.starts_at, ends_at=p.ends_at)
            for p in data.picks
        ]
        span = Span(**structs.asdict(data.span)) if data.span else None

        async def make() -> MadeUnits:
            batch_id = await catalog.make_units(
                once.tx, process.keyring, sku, data.quantity, actor=merchant.actor, note=data.note, cost_minor=data.cost_minor,
                picks=picks, span=span,
            )  # fmt: skip
            return MadeUnits(encode("bat", batch_id), await vault.stock(once.tx, sku))

        return await once(make())
