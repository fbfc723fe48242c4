"""HTTP for the catalogue. Each handler is one call into `tenants.catalog`."""

import datetime as dt
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct, structs

from api.callers import Merchant
from api.guards import needs
from api.idempotency import Once
from api.wire import Currency, Name, PriceMinor, id_of
from checkout_core.ids import decode, encode
from tenants import catalog, vault
from tenants.db import TenantTx


class NewProduct(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    description: Annotated[str, Meta(max_length=10_000)] = ""


class Product(Struct, frozen=True):
    id: str
    name: str
    description: str
    created_at: dt.datetime


class Products(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    products: list[Product]
    next_cursor: str | None


class NewSku(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    product_id: Annotated[str, id_of("prd")]
    name: Name
    price_minor: PriceMinor
    currency: Currency
    code_pattern: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class Sku(Struct, frozen=True):
    id: str
    product_id: str
    name: str
    price_minor: int
    currency: str
    code_pattern: str | None
    created_at: dt.datetime


class SkuWithStock(Sku, frozen=True, kw_only=True):
    stock: vault.Stock


def _product(product: catalog.Product) -> Product:
    return Product(encode("prd", product.id), product.name, product.description, product.created_at)


def _sku(sku: catalog.Sku) -> Sku:
    product_id = encode("prd", sku.product_id)
    return Sku(encode("sku", sku.id), product_id, sku.name, sku.price_minor, sku.currency, sku.code_pattern, sku.created_at)


class ProductController(Controller):
    path = "/products"
    tags = ("Catalogue",)

    @post("/", guards=[needs("catalog:write")], operation_id="createProduct", summary="Create a product")
    async def create(self, data: JSONBody[NewProduct], once: NamedDependency[Once], merchant: NamedDependency[Merchant]) -> Product:
        async def create() -> Product:
            return _product(await catalog.create_product(once.tx, name=data.name, description=data.description, actor=merchant.actor))

        return await once(create())

    @get("/", guards=[needs("catalog:read")], operation_id="listProducts", summary="List products, newest first")
    async def latest(
        self,
        tx: NamedDependency[TenantTx],
        limit: Annotated[int, QueryParameter(ge=1, le=catalog.LIMIT_MAX)] = 20,
        cursor: Annotated[str | None, QueryParameter()] = None,
    ) -> Products:
        # One more than asked for tells whether there is a next page.
        found = await catalog.list_products(tx, limit=limit + 1, before=decode("prd", cursor) if cursor else None)
        page = [_product(product) for product in found[:limit]]
        return Products(page, page[-1].id if len(found) > limit else None)

    @get("/{product_id:str}", guards=[needs("catalog:read")], operation_id="getProduct", summary="Get a product")
    async def get(self, product_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Product:
        return _product(await catalog.get_product(tx, decode("prd", product_id)))


class SkuController(Controller):
    path = "/skus"
    tags = ("Catalogue",)

    @post("/", guards=[needs("catalog:write")], operation_id="createSku", summary="Create a SKU of a product")
    async def create(self, data: JSONBody[NewSku], once: NamedDependency[Once], merchant: NamedDependency[Merchant]) -> Sku:
        async def create() -> Sku:
            sku = await catalog.create_sku(
                once.tx, product_id=decode("prd", data.product_id), name=data.name, price_minor=data.price_minor,
                currency=data.currency, code_pattern=data.code_pattern, actor=merchant.actor,
            )  # fmt: skip
            return _sku(sku)

        return await once(create())

    @get("/{sku_id:str}", guards=[needs("catalog:read")], operation_id="getSku", summary="Get a SKU and its stock by state")
    async def get(self, sku_id: FromPath[str], tx: NamedDependency[TenantTx]) -> SkuWithStock:
        sku = _sku(await catalog.get_sku(tx, decode("sku", sku_id)))
        stock = await vault.stock(tx, decode("sku", sku_id))
        return SkuWithStock(**structs.asdict(sku), stock=stock)
