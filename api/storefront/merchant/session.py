"""Signing in and out, and who is at the desk."""

from litestar import Response, get, post
from litestar.di import Provide

from api import cookies
from api.directory import host_of
from api.limits import address
from api.storefront.rendering import Notice
from api.storefront.views import StoreView
from api.storefront.visit import AnyRequest, AVisit, SeeOther, Visit, visit_of
from checkout_core.errors import Forbidden, Unauthorized
from tenants import accounts, overview
from tenants.db import TenantTx

SESSION_S = int(accounts.SESSION_TTL.total_seconds())
SIGN_IN = "/merchant/sign-in"


@get("/merchant/sign-in")
async def form(visit: AVisit) -> Response[bytes]:
    _at_platform(visit)
    return visit.render("merchant/sign_in.html", form={"mail": ""})


@post("/merchant/sign-in", status_code=200)
async def sign_in(visit: AVisit) -> Response[bytes]:
    _at_platform(visit)
    fields = await visit.form()
    mail, password = fields.get("mail", "").lower()[:254], fields.get("password", "")[:128]
    limits = visit.process.limits
    limits.check("sign-ins", address(visit.request), per_minute=10, burst=20)
    limits.check("sign-ins of one mail", mail, per_minute=5, burst=10)
    try:
        session = await accounts.sign_in(visit.process.platform_pool, passwords=visit.process.passwords, mail=mail, password=password)
    except Unauthorized as error:
        t = visit.words
        notice = Notice(t("merchant.wrong.title"), t("merchant.wrong.text"), "bad")
        return visit.render("merchant/sign_in.html", status=error.status, form={"mail": mail}, notice=notice)
    visit.keep(cookies.make("session", session.token, secure=visit.secure, max_age_s=SESSION_S))
    return visit.go("/merchant")


@post("/merchant/sign-out", status_code=200)
async def sign_out(visit: AVisit) -> Response[bytes]:
    await visit.form()
    if token := cookies.read("session", visit.request, secure=visit.secure):
        await accounts.sign_out(visit.process.platform_pool, token)
        visit.process.callers.forget(token)
    visit.keep(cookies.clear("session", secure=visit.secure))
    return visit.go(SIGN_IN)


async def provide_merchant_visit(request: AnyRequest) -> Visit:
    """A visit of somebody signed in; others are sent to sign in first."""
    visit = visit_of(request)
    _at_platform(visit)
    token = cookies.read("session", request, secure=visit.secure)
    visit.merchant = await visit.process.callers.merchant(token) if token else None
    if visit.merchant is None:
        raise SeeOther(SIGN_IN)
    return visit


signed_in = {"visit": Provide(provide_merchant_visit)}


def allow(visit: Visit, *scopes: str) -> str:
    """Who acts, for the audit. Raises `Forbidden` unless he has every permission in `scopes`."""
    assert visit.merchant is not None
    for scope in scopes:
        if scope not in visit.merchant.scopes:
            raise Forbidden(f"This needs the permission {scope}.", code="missing_permission", permission=scope)
    return visit.merchant.actor


async def card(visit: Visit, tx: TenantTx) -> overview.StoreCard:
    """The store whose desk this is, told to the page as well."""
    store = await overview.store(tx)
    host = f"{store.slug}.{visit.process.settings.base_domain}"
    visit.page.shared |= {
        "store": StoreView(name=store.name, slug=store.slug),
        "store_url": visit.at_host(host, ""),
        "currency_code": store.currency,
    }
    return store


def _at_platform(visit: Visit) -> None:
    """A session is of the platform's own host. A store's host sends its merchant there."""
    domain = visit.process.settings.base_domain
    if host_of(visit.request).endswith(f".{domain}"):
        raise SeeOther(visit.at_host(domain, visit.request.url.path))
