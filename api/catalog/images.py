"""HTTP for the pictures of a product. Each handler is one call into `tenants.catalog.images`."""

from typing import Annotated, Any

from litestar import Controller, Request, delete, post, put
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.callers import Merchant
from api.catalog.products import Product, ProductImage, image_view, tagged
from api.etags import Tagged
from api.guards import needs
from api.process import Process
from api.stores import MEDIA_TYPES
from api.wire import id_of
from checkout_core.errors import UnsupportedMedia
from checkout_core.ids import decode
from tenants import catalog
from tenants import images as pictures
from tenants.catalog import images
from tenants.db import TenantTx, tenant_tx


class ImageOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All pictures of the product; the first is its face."""

    image_ids: Annotated[list[Annotated[str, id_of("pic")]], Meta(max_length=images.IMAGES_MAX)]


class ProductImageController(Controller):
    path = "/products/{product_id:str}/images"
    tags = ("Catalogue files",)

    @post(
        "/",
        guards=[needs("catalog:write")],
        request_max_body_size=pictures.BYTES_MAX,
        opt={"body": MEDIA_TYPES},
        responses={201: ResponseSpec(ProductImage, description="The picture as it is kept")},
        problems=[409],  # too many
        operation_id="addProductImage",
        summary="Add a picture: a PNG, JPEG or WebP, which is encoded anew",
    )
    async def add(
        self,
        product_id: FromPath[str],
        request: Request[Any, Any, Any],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
    ) -> ProductImage:
        if request.content_type[0] not in MEDIA_TYPES:
            raise UnsupportedMedia(f"Send the picture itself as the body, as one of {', '.join(MEDIA_TYPES)}.")
        await process.limits.check(("pictures", merchant.tenant_id.hex))
        async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
            product = await catalog.get_product(tx, decode("prd", product_id))
        # No transaction waits while a picture is read and decoded.
        encoded = await pictures.encode_anew(images.KIND, await request.body())
        smaller = await pictures.smaller(encoded)
        async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
            return image_view(await images.add(tx, product.id, encoded, smaller, actor=merchant.actor))

    @put("/order", guards=[needs("catalog:write")], operation_id="orderProductImages", summary="Put a product's pictures in order")
    async def order(
        self,
        product_id: FromPath[str],
        data: JSONBody[ImageOrder],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> Tagged[Product]:
        product = decode("prd", product_id)
        await images.order(tx, product, [image_id.removeprefix("pic_") for image_id in data.image_ids], actor=merchant.actor)
        return await tagged(tx, await catalog.get_product(tx, product))

    @delete("/{image_id:str}", guards=[needs("catalog:write")], operation_id="removeProductImage", summary="Take a picture away")
    async def remove(
        self, product_id: FromPath[str], image_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> None:
        await images.remove(tx, decode("prd", product_id), decode("pic", image_id).hex, actor=merchant.actor)
