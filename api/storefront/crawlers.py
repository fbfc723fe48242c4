"""What programs ask a store for: where they may look, what there is, and what it is called and looks like on a home screen."""

from typing import Any

from litestar import Response, get
from msgspec import json

from api.storefront import keeping
from api.storefront import visit as visits
from api.storefront.statics import address
from api.storefront.visit import AVisit
from checkout_core.ids import encode

AT_STORE = {"visit": visits.at_store}
HOUR_S = 3600
PRIVATE = ("/cart", "/checkout", "/orders", "/search", "/language", "/merchant", "/v1/")
VARY = {"Vary": "accept-language, cookie, x-tessera-store"}


@get("/robots.txt", dependencies=AT_STORE)
async def robots(visit: AVisit) -> Response[bytes]:
    """A test store is left alone altogether."""
    is_test = visit.page.shared["store"].is_test
    lines = ["User-agent: *", *(["Disallow: /"] if is_test else [f"Disallow: {path}" for path in PRIVATE])]
    if not is_test:
        lines.append(f"Sitemap: {visit.at_primary('/sitemap.xml')}")
    return _public("\n".join(lines).encode() + b"\n", "text/plain")


@get("/sitemap.xml", dependencies=AT_STORE)
async def sitemap(visit: AVisit) -> Response[bytes]:
    """The front page, the categories and the products of which something is on sale, the newest five thousand."""
    store = await visit.at_open_store()
    tree, products = await keeping.remembered(keeping.kept_by(visit).items, store.tenant_id)
    places = ["/", *(f"/categories/{encode('cat', each)}" for each in tree), *(f"/products/{encode('prd', each)}" for each in products)]
    urls = "".join(f"<url><loc>{visit.at_primary(place)}</loc></url>\n" for place in places)
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n'
    return _public(text.encode(), "application/xml")


@get("/manifest.webmanifest", dependencies=AT_STORE)
async def manifest(visit: AVisit) -> Response[bytes]:
    """For a home screen. Nothing runs without the network: what a page says of prices and stock is never an old page's word."""
    shown = visit.page.shared["store"]
    icons: list[dict[str, Any]] = [
        {"src": image.path, "type": image.media_type, "sizes": f"{image.width}x{image.height}"}
        for image in (shown.favicon, shown.logo)
        if image
    ]
    told = {
        "name": shown.name, "short_name": shown.name[:12],
        "start_url": "/", "scope": "/", "display": "minimal-ui", "lang": visit.words.language,
        "theme_color": shown.color or "#ffffff", "background_color": "#faf8f4",
        "icons": icons or [{"src": address("favicon.svg"), "type": "image/svg+xml", "sizes": "any"}],
    }  # fmt: skip
    return _public(json.encode(told), "application/manifest+json")


def _public(body: bytes, media_type: str) -> Response[bytes]:
    headers = {"Cache-Control": f"public, max-age={HOUR_S}", "X-Content-Type-Options": "nosniff"} | VARY
    return Response(body, media_type=media_type, headers=headers)
