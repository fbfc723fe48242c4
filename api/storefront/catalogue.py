"""What a store has: its front page, its categories, what was searched for, and one product."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath, FromQuery

from api.storefront import facts, goods, keeping, picking, structured
from api.storefront import visit as visits
from api.storefront.rendering import Link, Notice
from api.storefront.visit import AVisit, SeeOther, Visit
from checkout_core.errors import NotFound
from checkout_core.ids import decode, encode
from tenants import prices
from tenants.db import tenant_tx
from tenants.search import QUESTION_MAX
from tenants.showcase import Whole

FLASH_SHOWN = 12  # of the front page; more of them, if there is nothing else on it
DESCRIPTION_MAX = 160  # of what search engines show
AT_STORE = {"visit": visits.at_store}


@get("/", name="shop")
async def home(visit: AVisit, q: FromQuery[str | None] = None, category: FromQuery[str | None] = None) -> Response[bytes]:
    """What is sold now and soon, the categories, what sells and what is new. `q` and `category` are of links from before there were pages
    for them."""
    try:
        store = await visit.at_open_store()
    except NotFound:
        # The platform's own host: nobody's store.
        t = visit.words
        notice = Notice(t("landing.title"), t("landing.text"), links=(Link("/console", t("landing.console")),))
        return visit.render("notice.html", private=False, notice=notice)
    if category or q:
        raise SeeOther(f"/categories/{encode('cat', decode('cat', category))}" if category else _searched(q or ""))
    front = await keeping.remembered(keeping.kept_by(visit).fronts, (store.tenant_id, visit.channel, visit.locale))
    shelf = bool(front.best or front.newest)
    flash = front.flash[:FLASH_SHOWN] if shelf else front.flash

    def context() -> dict[str, Any]:
        return {
            "canonical": _canonical(visit), "alternates": _alternates(visit),
            "flash": [goods.of_sale(offer, front.sizes) for offer in flash], "more_flash": len(front.flash) > len(flash),
            "best": [goods.of_product(each, front.sizes) for each in front.best],
            "newest": [goods.of_product(each, front.sizes) for each in front.newest],
            "categories": goods.below(front.categories, None), "data": structured.store(visit),
        }  # fmt: skip

    return await keeping.answer(visit, "home.html", [front], context, about=["home"])


@get("/categories/{category:str}", dependencies=AT_STORE)
async def category(visit: AVisit, category: FromPath[str], after: FromQuery[str | None] = None) -> Response[bytes]:
    """What is on sale in a category and below it, newest first."""
    return await _shelf(visit, "", decode("cat", category), after)


@get("/search", dependencies=AT_STORE)
async def search(visit: AVisit, q: FromQuery[str] = "", after: FromQuery[str | None] = None) -> Response[bytes]:
    """What has all the words in its name; without words, everything."""
    return await _shelf(visit, " ".join(q.split())[:QUESTION_MAX], None, after)


@get("/products/{product:str}", dependencies=AT_STORE)
async def product(visit: AVisit, product: FromPath[str], sku: FromQuery[str] = "") -> Response[bytes]:
    """One product; `sku` is the variant that was chosen."""
    return await page(visit, decode("prd", product), sku)


async def page(
    visit: Visit, product_id: UUID, sku: str, *, status: int = 200, notice: Notice | None = None, form: dict[str, str] | None = None
) -> Response[bytes]:
    """The product's page; with a notice, after its form was refused, and what was filled in."""
    store = await visit.at_open_store()
    kept = keeping.kept_by(visit)
    whole = await keeping.remembered(kept.products, (store.tenant_id, product_id, visit.channel, visit.locale))
    steps = await _steps(visit, whole)
    variants = goods.variants(whole, steps)
    current = goods.chosen(variants, sku)
    listed = []
    if current.picked and current.on_shelf and current.status == "open":
        listed = await keeping.remembered(kept.choices, (store.tenant_id, current.sku_id, visit.channel))
    kind, t = whole.kinds[current.sku_id], visit.words
    path = f"/products/{encode('prd', product_id)}"
    visit.page.path = path

    def context() -> dict[str, Any]:
        shown = whole.product
        crumbs = goods.crumbs(whole.categories, shown.category_id)
        pictures = goods.pictures(shown.images, whole.sizes)
        return {
            "product": shown, "pictures": pictures, "variant": current, "variants": variants, "form": form or {}, "notice": notice,
            "axes": goods.axes(variants, current, path, t("product.variant")), "facts": facts.of(kind, t), "asks": kind.asks,
            "crumbs": crumbs, "related": [goods.of_product(each, whole.sizes) for each in whole.related],
            "picks": picking.view(kind, listed, current), "description": _short(shown.description),
            "canonical": _canonical(visit), "alternates": _alternates(visit),
            "data": structured.product(visit, shown, pictures, variants, crumbs),
        }  # fmt: skip

    if status != 200:
        return visit.render("product.html", status=status, **context())
    about = [encode("prd", product_id), *([encode("cat", whole.product.category_id)] if whole.product.category_id else [])]
    return await keeping.answer(visit, "product.html", [whole, listed], context, about=about, own=steps is not whole.steps)


async def _steps(visit: Visit, whole: Whole) -> dict[UUID, list[prices.Step]]:
    """What the reader pays: who has bought here may be in a group that pays less."""
    shopper = visit.shopper()
    if shopper is None or not await keeping.remembered(keeping.kept_by(visit).groups, shopper.tenant_id):
        return whole.steps
    async with tenant_tx(visit.process.app_pool, shopper.tenant_id) as tx:
        return await prices.steps(tx, shopper.id, visit.channel, list(whole.kinds))


async def _shelf(visit: Visit, q: str, category_id: UUID | None, after: str | None) -> Response[bytes]:
    store = await visit.at_open_store()
    before = decode("prd", after) if after else None
    key = (store.tenant_id, visit.channel, visit.locale, q, category_id, before)
    shelf = await keeping.remembered(keeping.kept_by(visit).shelves, key)
    crumbs = goods.crumbs(shelf.categories, category_id)
    here = crumbs[-1].href if crumbs else _searched(q)
    visit.page.path = here

    def context() -> dict[str, Any]:
        join = "&" if "?" in here else "?"
        more = f"{here}{join}after={encode('prd', shelf.products[-1].id)}" if shelf.more else None
        found = [goods.of_product(each, shelf.sizes) for each in shelf.products]
        return {
            "found": found, "more": more, "first": here if after else None, "q": q,
            "crumbs": crumbs[:-1], "here": crumbs[-1] if crumbs else None,
            "below": goods.below(shelf.categories, category_id), "canonical": _canonical(visit) if crumbs and not after else None,
            "alternates": _alternates(visit) if crumbs and not after else {}, "data": structured.trail(visit, crumbs) if crumbs else None,
        }  # fmt: skip

    about = [encode("cat", category_id)] if category_id else ["search"]
    return await keeping.answer(visit, "shelf.html", [shelf], context, about=about)


def _searched(q: str) -> str:
    return f"/search?q={quote(q, safe='')}" if q else "/search"


def _canonical(visit: Visit) -> str:
    """The page's one address; in a language that was asked for by address, that language's."""
    named = visit.request.query_params.get("lang")
    return visit.canonical() + (f"?lang={visit.locale}" if named == visit.locale else "")


def _alternates(visit: Visit) -> dict[str, str]:
    """The page's address in each of the store's languages, for search engines; nothing for a store of one language."""
    languages = visit.page.shared["languages"]
    here = visit.canonical()
    return {locale: f"{here}?lang={locale}" for locale in languages} | {"x-default": here} if len(languages) > 1 else {}


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= DESCRIPTION_MAX else line[: DESCRIPTION_MAX - 1] + "…"
