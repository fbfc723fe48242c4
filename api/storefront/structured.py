"""What search engines read of a page: schema.org as JSON-LD, in a data block that no browser runs.

A template writes it with `tojson`, which leaves no angle bracket, ampersand or quote of what a merchant wrote.
"""

from collections.abc import Sequence
from typing import Any

from api.storefront.goods import CrumbView, PictureView, VariantView
from api.storefront.visit import Visit
from tenants.money import digits
from tenants.offers import Shown

CONTEXT = "https://schema.org"
OFFERS_MAX = 50  # a product of a thousand variants says its range of prices, and the first of them
_STOCK = {"open": "InStock", "soon": "PreOrder", "paused": "OutOfStock", "gone": "SoldOut", "ended": "Discontinued"}


def store(visit: Visit) -> dict[str, Any]:
    shown = visit.page.shared["store"]
    described: dict[str, Any] = {"@context": CONTEXT, "@type": "OnlineStore", "name": shown.name, "url": visit.at_primary("/")}
    if shown.logo:
        described["logo"] = visit.at_primary(shown.logo.path)
    if shown.seo_description:
        described["description"] = shown.seo_description
    return described


def product(
    visit: Visit, shown: Shown, pictures: Sequence[PictureView], variants: Sequence[VariantView], crumbs: Sequence[CrumbView]
) -> list[dict[str, Any]]:
    offers = [_offer(visit, each) for each in variants[:OFFERS_MAX]]
    amounts = [each.price_minor for each in variants]
    currency = variants[0].currency
    described: dict[str, Any] = {
        "@context": CONTEXT, "@type": "Product", "name": shown.name, "url": visit.canonical(),
        "offers": offers[0] if len(variants) == 1 else {
            "@type": "AggregateOffer", "lowPrice": amount(min(amounts), currency), "highPrice": amount(max(amounts), currency),
            "priceCurrency": currency, "offerCount": len(variants), "offers": offers,
        },
    }  # fmt: skip
    if shown.description:
        described["description"] = shown.description[:5000]
    if pictures:
        described["image"] = [visit.at_primary(each.path) for each in pictures]
    return [described, *([trail(visit, [*crumbs, CrumbView(visit.page.path, shown.name)])] if crumbs else [])]


def trail(visit: Visit, crumbs: Sequence[CrumbView]) -> dict[str, Any]:
    items = [
        {"@type": "ListItem", "position": n, "name": crumb.name, "item": visit.at_primary(crumb.href)} for n, crumb in enumerate(crumbs, 1)
    ]
    return {"@context": CONTEXT, "@type": "BreadcrumbList", "itemListElement": items}


def _offer(visit: Visit, variant: VariantView) -> dict[str, Any]:
    return {
        "@type": "Offer", "name": variant.name, "price": amount(variant.price_minor, variant.currency), "priceCurrency": variant.currency,
        "availability": f"{CONTEXT}/{_STOCK[variant.status]}", "url": visit.at_primary(f"{visit.page.path}?sku={variant.ref}"),
    }  # fmt: skip


def amount(minor: int, currency: str) -> str:
    """`123.45`: a point, no separators, as schema.org wants it."""
    decimals = digits(currency)
    whole, rest = divmod(minor, 10**decimals)
    return f"{whole}.{rest:0{decimals}d}" if decimals else str(whole)
