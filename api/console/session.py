"""A browser's session with the console: begun with a password, kept in a cookie that scripts cannot read, shown without its token.

The rules are those of POST /v1/sessions. What the cookie asks of /v1 needs the proof `csrf` as X-CSRF-Token.
"""

import datetime as dt
from typing import Any, Literal
from urllib.parse import urlsplit

from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Struct

from api import cookies, csrf, modes
from api.callers import Merchant
from api.console.pages import at_platform
from api.guards import anyone, needs, signed_in
from api.limits import per_address, visitor
from api.process import Process
from api.sessions import Credentials
from api.strict import AnyRequest
from api.wire import NOTHING, Locale, Nothing
from checkout_core.errors import Unauthorized
from checkout_core.ids import decode, encode
from tenants import profile, sandboxes, sessions, stores
from tenants.db import tenant_tx

SESSION_S = int(sessions.TTL.total_seconds())


class Who(Struct, frozen=True):
    id: str
    mail: str
    locale: Locale
    totp: bool


class Store(Struct, frozen=True):
    """The store that the console shows: in test mode the sandbox. `url` is where shoppers see it."""

    tenant_id: str
    slug: str
    name: str
    url: str
    currency: str
    zone: str
    locale: str
    locales: list[str]


class Session(Struct, frozen=True):
    """`who` is null for a browser that is not signed in, and then only `base_domain` says something."""

    base_domain: str
    csrf: str = ""
    who: Who | None = None
    store: Store | None = None
    permissions: list[str] = []
    mode: Literal["live", "test"] = "live"
    has_sandbox: bool = False
    expires_at: dt.datetime | None = None


@get("/session", guards=[anyone])
async def show(request: AnyRequest, process: NamedDependency[Process]) -> Session:
    await at_platform(request)
    token = cookies.read("session", request, secure=process.secure)
    merchant = await process.callers.merchant(token) if token else None
    return await _shown(request, process, token, merchant)


@post("/session", guards=[anyone, per_address("sign-ins")], status_code=200)
async def begin(data: JSONBody[Credentials], request: Request[Any, Any, Any], process: NamedDependency[Process]) -> Response[Session]:
    await at_platform(request)
    _own_page(request)
    begun = await sessions.sign_in(
        process.platform_pool, process.app_pool, passwords=process.passwords, totp=process.totp, mail=data.mail,
        password=data.password, code=data.code, tenant_id=decode("ten", data.tenant_id) if data.tenant_id else None,
        visitor=visitor(request), address_factor=process.settings.ip_limit_factor,
    )  # fmt: skip
    merchant = await process.callers.merchant(begun.token)
    answer = Response(await _shown(request, process, begun.token, merchant))
    answer.set_cookie(cookies.make("session", begun.token, secure=process.secure, max_age_s=SESSION_S))
    return answer


@delete("/session", guards=[signed_in], while_suspended=True, status_code=200)
async def end(request: AnyRequest, process: NamedDependency[Process]) -> Response[Session]:
    await at_platform(request)
    token = _cookie(request, process)
    await sessions.sign_out(process.platform_pool, token)
    process.callers.forget(token)
    answer = Response(Session(process.settings.base_domain))
    answer.set_cookie(cookies.clear("session", secure=process.secure))
    return answer


@post("/sandbox", guards=[needs("store:write")], status_code=204)
async def open_sandbox(
    request: AnyRequest, merchant: NamedDependency[Merchant], process: NamedDependency[Process], data: JSONBody[Nothing] = NOTHING
) -> None:
    """So that there is one to switch to. Asked again it changes nothing."""
    await at_platform(request)
    _cookie(request, process)
    await sandboxes.open_for(
        process.platform_pool, process.app_pool, merchant.tenant_id, base_domain=process.settings.base_domain, actor=merchant.actor
    )
    process.callers.forget_sandbox(merchant.tenant_id)


async def _shown(request: AnyRequest, process: Process, token: str | None, merchant: Merchant | None) -> Session:
    if token is None or merchant is None or merchant.person is None:
        return Session(process.settings.base_domain)
    sandbox = await process.callers.sandbox_of(merchant.tenant_id)
    is_test = sandbox is not None and request.headers.get(modes.HEADER) == modes.TEST
    tenant_id = sandbox if is_test and sandbox is not None else merchant.tenant_id
    person = await profile.get(process.platform_pool, merchant.person.id)
    async with tenant_tx(process.app_pool, tenant_id) as tx:
        store = await stores.get(tx)
    home = await process.directory.find("", store.slug)
    return Session(
        base_domain=process.settings.base_domain,
        csrf=csrf.token(process.keys.csrf, token),
        who=Who(encode("usr", person.id), person.mail, "en" if person.locale == "en" else "zh-CN", person.has_totp),
        store=Store(
            encode("ten", tenant_id),
            store.slug,
            store.name,
            process.at(home.host, "/"),
            store.currency,
            store.zone,
            store.locale,
            store.locales,
        ),
        permissions=sorted(merchant.scopes),
        mode="test" if is_test else "live",
        has_sandbox=sandbox is not None,
        expires_at=merchant.expires_at,
    )


def _cookie(request: AnyRequest, process: Process) -> str:
    """The session's token. Raises `Unauthorized` for who came by another way: this is for browsers."""
    if token := cookies.read("session", request, secure=process.secure):
        return token
    raise Unauthorized("This is for browsers that are signed in to the console.")


def _own_page(request: AnyRequest) -> None:
    """Nobody is signed in by another site's page. Raises `csrf.Forged`."""
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if foreign or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise csrf.Forged("This request comes from another site's page.")
