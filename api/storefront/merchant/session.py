"""Signing in and out, and who is at the desk."""

from zoneinfo import ZoneInfo

from litestar import Response, get, post
from litestar.di import Provide

from api import cookies
from api.csrf import SAFE_METHODS
from api.directory import host_of
from api.limits import address, visitor
from api.storefront.rendering import Notice
from api.storefront.views import StoreView
from api.storefront.visit import AVisit, SeeOther, Visit, visit_of
from api.strict import AnyRequest
from checkout_core.errors import Unauthorized
from checkout_core.ids import decode
from tenants import memberships, overview, permissions, sessions
from tenants.db import TenantTx

SESSION_S = int(sessions.TTL.total_seconds())
SIGN_IN = "/merchant/sign-in"


@get("/merchant/sign-in")
async def form(visit: AVisit) -> Response[bytes]:
    await at_platform(visit)
    return visit.render("merchant/sign_in.html", form={"mail": "", "tenant_id": ""}, second=False, merchants=[])


@post("/merchant/sign-in", status_code=200)
async def sign_in(visit: AVisit) -> Response[bytes]:
    await at_platform(visit)
    fields = await visit.form()
    mail, password, code = fields.get("mail", "").lower()[:254], fields.get("password", "")[:256], fields.get("code", "")[:16]
    process, t = visit.process, visit.words
    await process.limits.check(("sign-ins", address(visit.request)))
    form = {"mail": mail, "tenant_id": fields.get("tenant_id", "")}
    merchants: list[dict[str, str]] = []
    second, tone = bool(code), "bad"
    try:
        session = await sessions.sign_in(
            process.platform_pool, process.app_pool, passwords=process.passwords, totp=process.totp, mail=mail, password=password,
            code=code or None, tenant_id=decode("ten", form["tenant_id"]) if form["tenant_id"] else None, visitor=visitor(visit.request),
            address_factor=process.settings.ip_limit_factor,
        )  # fmt: skip
    except Unauthorized as error:
        # The second step is the same form with a field more: the password is typed again, and lies nowhere meanwhile.
        status, second = error.status, error.code in ("totp_required", "wrong_code")
        said, tone = ("code", "") if error.code == "totp_required" else ("wrong_code" if second else "wrong", tone)
    except memberships.NoMerchant as error:
        status, said, form["tenant_id"] = error.status, "nowhere", ""
    except memberships.SeveralMerchants as error:
        status, said, tone = error.status, "several", ""
        merchants = error.extra["merchants"]
    else:
        visit.keep(cookies.make("session", session.token, secure=visit.secure, max_age_s=SESSION_S))
        return visit.go("/merchant")
    notice = Notice(t(f"merchant.{said}.title"), t(f"merchant.{said}.text"), tone)
    return visit.render("merchant/sign_in.html", status=status, form=form, second=second, merchants=merchants, notice=notice)


@post("/merchant/sign-out", status_code=200)
async def sign_out(visit: AVisit) -> Response[bytes]:
    await visit.form()
    if token := cookies.read("session", visit.request, secure=visit.secure):
        await sessions.sign_out(visit.process.platform_pool, token)
        visit.process.callers.forget(token)
    visit.keep(cookies.clear("session", secure=visit.secure))
    return visit.go(SIGN_IN)


async def provide_merchant_visit(request: AnyRequest) -> Visit:
    """A visit of somebody signed in; others are sent to sign in first."""
    visit = visit_of(request)
    await at_platform(visit)
    token = cookies.read("session", request, secure=visit.secure)
    visit.merchant = await visit.process.callers.merchant(token) if token else None
    if visit.merchant is None:
        raise SeeOther(SIGN_IN)
    if request.method not in SAFE_METHODS:
        await visit.process.directory.may_change(visit.merchant.tenant_id)
    return visit


signed_in = {"visit": Provide(provide_merchant_visit)}


def allow(visit: Visit, *scopes: str) -> str:
    """Who acts, for the audit. Raises `Forbidden` unless he has every permission in `scopes`."""
    assert visit.merchant is not None
    for scope in scopes:
        permissions.need(scope, visit.merchant.scopes)
    return visit.merchant.actor


async def card(visit: Visit, tx: TenantTx) -> overview.StoreCard:
    """The store whose desk this is, told to the page as well."""
    store = await overview.store(tx)
    host = (await visit.process.directory.find("", store.slug)).host
    visit.page.shared |= {
        "store": StoreView(name=store.name, slug=store.slug),
        "store_url": visit.at_host(host, ""),
        "currency_code": store.currency,
        "zone": ZoneInfo(store.zone),
    }
    return store


async def at_platform(visit: Visit) -> None:
    """A session is of the platform's own host. A store's host sends its merchant there."""
    domain, host = visit.process.settings.base_domain, host_of(visit.request)
    if host.endswith(f".{domain}") or (host != domain and await visit.process.directory.serves(host)):
        raise SeeOther(visit.at_host(domain, visit.request.url.path))
