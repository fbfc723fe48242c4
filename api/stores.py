"""HTTP for a store's settings and pictures. Each handler is one call into `tenants.stores` or `tenants.images`."""

import datetime as dt
from typing import Annotated, Any

from litestar import Controller, Request, delete, get, patch, put
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from api.callers import Merchant
from api.etags import Tagged, if_match
from api.guards import needs
from api.process import Process
from api.wire import END, Currency, check_times
from checkout_core.errors import NotFound, UnsupportedMedia
from tenants import images, stores
from tenants.db import TenantTx, tenant_tx

# Neither control characters nor marks that turn the direction of what follows: a text may say nothing of the page around it.
_UNSEEN = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff"
LINE = rf"^[^{_UNSEEN}\n\t]*{END}"
TEXT = rf"^[^{_UNSEEN}\t]*{END}"
MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp")

Color = Annotated[str, Meta(pattern=f"^#[0-9a-f]{{6}}{END}", description="`#rrggbb` in lower case.")]
Locale = Annotated[
    str, Meta(pattern=f"^[a-z]{{2,3}}(-[A-Z][a-z]{{3}})?(-([A-Z]{{2}}|[0-9]{{3}}))?{END}", description="BCP 47, in its canonical case.")
]
Policy = Annotated[str, Meta(max_length=10_000, pattern=TEXT)]


class StoreChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is named is set, all else stays. A colour that is null is the platform's own again. A `closed` store sells nothing until it
    is opened again: its pages say so with `closed_notice` and, as long as that is to come, `opens_at`, which opens nothing by itself."""

    name: Annotated[str, Meta(min_length=1, max_length=80, pattern=rf"^(?=.*\S)[^{_UNSEEN}\n\t]*{END}")] | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    zone: Annotated[str, Meta(min_length=1, max_length=64, description="IANA's name, such as Europe/Berlin.")] | UnsetType = UNSET
    locale: Locale | UnsetType = UNSET
    locales: Annotated[list[Locale], Meta(min_length=1, max_length=20)] | UnsetType = UNSET
    contact: Annotated[str, Meta(max_length=254, pattern=LINE)] | UnsetType = UNSET
    primary_color: Color | UnsetType | None = UNSET
    primary_color_dark: Color | UnsetType | None = UNSET
    accent_color: Color | UnsetType | None = UNSET
    accent_color_dark: Color | UnsetType | None = UNSET
    banner: Annotated[str, Meta(max_length=200, pattern=LINE)] | UnsetType = UNSET
    notice: Annotated[str, Meta(max_length=500, pattern=TEXT)] | UnsetType = UNSET
    footer: Annotated[str, Meta(max_length=500, pattern=TEXT)] | UnsetType = UNSET
    seo_title: Annotated[str, Meta(max_length=70, pattern=LINE)] | UnsetType = UNSET
    seo_description: Annotated[str, Meta(max_length=300, pattern=LINE)] | UnsetType = UNSET
    refund_policy: Policy | UnsetType = UNSET
    privacy_policy: Policy | UnsetType = UNSET
    terms: Policy | UnsetType = UNSET
    closed: bool | UnsetType = UNSET
    closed_notice: Annotated[str, Meta(max_length=500, pattern=TEXT)] | UnsetType = UNSET
    opens_at: Annotated[dt.datetime, Meta(tz=True)] | UnsetType | None = UNSET


class StoreImage(Struct, frozen=True):
    """`path` is below any of the store's hosts, and never changes its content."""

    path: str
    media_type: str
    width: int
    height: int


class Store(stores.Settings, frozen=True, kw_only=True):
    """A store's settings, with its pictures by kind: `logo`, `banner`, `favicon`. `mode` is `live`, or `test` in a sandbox."""

    slug: str
    mode: str
    images: dict[str, StoreImage]


def _answer(store: stores.Store) -> Tagged[Store]:
    values = structs.asdict(store)
    version = values.pop("version")
    values["images"] = {kind: _image(image) for kind, image in store.images.items()}
    return Tagged(Store(**values), version=version)


def _image(image: images.Image) -> StoreImage:
    return StoreImage(image.path, image.media_type, image.width, image.height)


class StoreController(Controller):
    path = "/store"
    tags = ("Store",)

    @get("/", guards=[needs("store:read")], operation_id="getStore", summary="The store's settings; the ETag is their version")
    async def get(self, tx: NamedDependency[TenantTx]) -> Tagged[Store]:
        return _answer(await stores.get(tx))

    @patch(
        "/",
        guards=[needs("store:write")],
        problems=[412, 428],
        opt={"if_match": True},
        operation_id="changeStore",
        summary="Change settings; If-Match says which version was read",
    )
    async def change(
        self,
        data: JSONBody[StoreChange],
        request: Request[Any, Any, Any],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> Tagged[Store]:
        check_times(data.opens_at or None)
        changes = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
        return _answer(await stores.change(tx, changes, version=if_match(request), actor=merchant.actor))

    @put(
        "/images/{kind:str}",
        guards=[needs("store:write")],
        request_max_body_size=images.BYTES_MAX,
        opt={"body": MEDIA_TYPES},
        responses={200: ResponseSpec(StoreImage, description="The picture as it is kept")},
        operation_id="putStoreImage",
        summary="Set the logo, banner or favicon: a PNG, JPEG or WebP, which is encoded anew",
    )
    async def put_image(
        self,
        kind: FromPath[str],
        request: Request[Any, Any, Any],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
    ) -> StoreImage:
        _known(kind)
        if request.content_type[0] not in MEDIA_TYPES:
            raise UnsupportedMedia(f"Send the picture itself as the body, as one of {', '.join(MEDIA_TYPES)}.")
        await process.limits.check(("pictures", merchant.tenant_id.hex))
        # No transaction waits while a picture is read and decoded.
        encoded = await images.encode_anew(kind, await request.body())
        async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
            if await images.put(tx, encoded):
                await stores.touched(tx, merchant.actor, "store.image_set", kind=kind, digest=encoded.image.digest)
        return _image(encoded.image)

    @delete("/images/{kind:str}", guards=[needs("store:write")], operation_id="deleteStoreImage", summary="Remove the picture of a kind")
    async def delete_image(self, kind: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> None:
        _known(kind)
        if await images.remove(tx, kind):
            await stores.touched(tx, merchant.actor, "store.image_removed", kind=kind)


def _known(kind: str) -> None:
    if kind not in images.KINDS:
        raise NotFound(f"There are pictures of the kinds {', '.join(images.KINDS)}.")
