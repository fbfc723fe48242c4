"""A store's own looks: its colours as a stylesheet of custom properties, and its pictures. Nothing of it is inline."""

from hashlib import blake2b

from litestar import Response, get
from litestar.params import FromPath

from api.storefront import visit as visits
from api.storefront.visit import AVisit
from api.strict import AnyRequest
from checkout_core.errors import NotFound
from tenants import colors, stores
from tenants.images import SMALLER

YEAR_S = 365 * 24 * 3600
IMAGE_POLICY = "default-src 'none'; sandbox"
AT_STORE = {"visit": visits.at_store}


def stylesheet(store: stores.Settings) -> str:
    """The custom properties of `static/style.css` that the store sets; empty when it sets none. Only checked colours ever enter."""
    dark_accent = store.accent_color_dark or (colors.for_dark_pages(store.accent_color) if store.accent_color else None)
    light = _properties(store.primary_color, store.accent_color, dark=False)
    dark = _properties(store.primary_color_dark, dark_accent, dark=True)
    if store.primary_color and not store.primary_color_dark:
        dark += ["--bar: #1c1b18", "--on-bar: #f0ede6", f"--bar-link: {dark_accent or '#62c9af'}"]  # as without colours
    sheet = f":root {{ {'; '.join(light)} }}\n" if light else ""
    return sheet + (f"@media (prefers-color-scheme: dark) {{ :root {{ {'; '.join(dark)} }} }}\n" if dark else "")


def _properties(primary: str | None, accent: str | None, *, dark: bool) -> list[str]:
    found = []
    if primary:
        ink = colors.on(primary)
        found += [f"--bar: {primary}", f"--on-bar: {ink}", f"--bar-link: {ink}"]
    if accent:
        made = colors.tones(accent, dark=dark)
        found += [f"--accent: {made.accent}", f"--accent-strong: {made.strong}", f"--on-accent: {made.on_accent}", f"--wash: {made.wash}"]
        found += [] if primary else [f"--bar-link: {made.accent}"]
    return found


@get("/brand.css", dependencies=AT_STORE)
async def brand(visit: AVisit, request: AnyRequest) -> Response[bytes]:
    """The store's colours: asked for with every page, and answered with 304 while they are the same."""
    store = await visit.face()
    body = stylesheet(store).encode()
    etag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
    headers = {"Cache-Control": "private, no-cache", "ETag": etag, "Vary": "x-tessera-store"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type="text/css", headers=headers)


@get("/images/{name:str}", dependencies=AT_STORE)
async def image(visit: AVisit, name: FromPath[str]) -> Response[bytes]:
    """A picture of this store under the name of its content; another store's is not found here."""
    store = await visit.at_store()
    named, dot, suffix = name.partition(".")
    digest, dash, size = named.partition("-")
    is_named = dot and _is_digest(digest) and (size in SMALLER if dash else True)
    found = await visit.remembered.images.get((store.tenant_id, digest, size)) if is_named else None
    if found is None or found[0] != f"image/{suffix}":
        raise NotFound("There is no such picture.")
    headers = {
        "Cache-Control": f"public, max-age={YEAR_S}, immutable",
        "Content-Security-Policy": IMAGE_POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return Response(found[1], media_type=found[0], headers=headers)


def _is_digest(text: str) -> bool:
    return len(text) == 32 and set(text) <= set("0123456789abcdef")
