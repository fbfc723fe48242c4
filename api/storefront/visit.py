"""One visit of one page: who reads it, in which language, at which store, and the proof that its forms are ours.

The proof is bound to a cookie of the page's own, so that a form works before there is a shopper or a session.
"""

import re
import secrets
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.di import NamedDependency, Provide

from api import cookies, csrf
from api.callers import Merchant
from api.directory import Store, host_of
from api.limits import address
from api.memory import Memory
from api.process import Process
from api.storefront import language
from api.storefront.rendering import Page, origin_of
from api.storefront.views import StoreView
from checkout_core import tokens
from checkout_core.errors import BadRequest, Forbidden, Unauthorized, UnsupportedMedia
from checkout_core.secrets import mac128
from checkout_core.tokens import Shopper
from tenants import offers, overview
from tenants.db import tenant_tx

AnyRequest = Request[Any, Any, Any]

FORM_COOKIE_S = 7 * 24 * 3600
NAMES_TTL_S = 10.0
HELD_TTL_S = 2.0
REMEMBERED_MAX = 10_000
FIELDS_MAX = 40
_SEED = re.compile(r"[A-Za-z0-9_-]{22}")


class Remembered:
    """What pages of one process ask again and again: names of stores, and which emptied sales have units on hold."""

    def __init__(self, process: Process) -> None:
        async def name(tenant_id: UUID) -> str | None:
            async with tenant_tx(process.app_pool, tenant_id) as tx:
                return await offers.store_name(tx)

        async def held(key: tuple[UUID, UUID]) -> bool | None:
            async with tenant_tx(process.app_pool, key[0]) as tx:
                return await overview.held(tx, key[1])

        self.names = Memory(name, ttl_s=NAMES_TTL_S, size=REMEMBERED_MAX)
        self.held = Memory(held, ttl_s=HELD_TTL_S, size=REMEMBERED_MAX)


class SeeOther(Exception):
    """The reader belongs on another page first."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


class Visit:
    def __init__(self, request: AnyRequest) -> None:
        self.request = request
        self.process: Process = request.app.state.process
        self.secure = self.process.secure
        self.store: Store | None = None
        self.merchant: Merchant | None = None
        given = request.cookies.get(self._form_cookie, "")
        self._known = bool(_SEED.fullmatch(given))
        self._seed = given if self._known else secrets.token_urlsafe(16)
        self._cookies: list[Cookie] = []
        self.page = Page(
            words=language.choose(request.cookies.get(language.COOKIE), request.headers.get("accept-language", "")),
            path=request.url.path if request.method == "GET" else "/",
            gzip="gzip" in request.headers.get("accept-encoding", ""),
            pay_origin=origin_of(self.process.settings.provider_url),
            shared={"store": None, "csrf": self._proof, "notice": None},
        )

    @property
    def words(self) -> language.Words:
        return self.page.words

    @property
    def _form_cookie(self) -> str:
        return "__Host-tessera_form" if self.secure else "tessera_form"

    def _proof(self) -> str:
        if not self._known:
            self.set_cookie(self._form_cookie, self._seed, FORM_COOKIE_S)
            self._known = True
        return csrf.token(self.process.keys.csrf, self._seed)

    async def at_store(self) -> Store:
        """The store this page belongs to. Raises `NotFound` (`no_store`)."""
        if self.store is None:
            self.store = await self.process.directory.store_of(self.request)
            name = await self.remembered.names.get(self.store.tenant_id)
            self.page.shared["store"] = StoreView(name=name or self.store.slug, slug=self.store.slug)
        return self.store

    @property
    def remembered(self) -> Remembered:
        state = self.request.app.state
        if getattr(state, "storefront", None) is None:
            state.storefront = Remembered(self.process)
        remembered: Remembered = state.storefront
        return remembered

    def render(
        self, template: str, *, status: int = 200, private: bool = True, headers: dict[str, str] | None = None, **context: Any
    ) -> Response[bytes]:
        response = self.page.render(template, status=status, private=private, **context)
        response.headers.update(headers or {})
        return self._with_cookies(response)

    def go(self, place: str) -> Response[bytes]:
        """See `place` instead: after a form has done its work a reload repeats nothing."""
        return self._with_cookies(Response(b"", status_code=303, headers={"Location": place, "Cache-Control": "no-store"}))

    def _with_cookies(self, response: Response[bytes]) -> Response[bytes]:
        for cookie in self._cookies:
            response.set_cookie(cookie)
        return response

    def set_cookie(self, name: str, value: str, max_age_s: int, *, path: str = "/") -> None:
        self._cookies.append(Cookie(key=name, value=value, max_age=max_age_s, path=path, secure=self.secure, httponly=True, samesite="lax"))

    def keep(self, cookie: Cookie) -> None:
        self._cookies.append(cookie)

    async def form(self) -> dict[str, str]:
        """The fields of a posted form, trimmed. Raises `UnsupportedMedia`, `BadRequest`, `Forbidden` unless our own page sent it."""
        if self.request.content_type[0] != "application/x-www-form-urlencoded":
            raise UnsupportedMedia("This takes a form.")
        try:
            text = (await self.request.body()).decode("ascii")
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict") if text else []
        except ValueError:
            raise BadRequest("The form is not encoded as forms are.") from None
        fields = dict(pairs)
        if len(fields) != len(pairs) or any("\0" in value for value in fields.values()):
            raise BadRequest("A field comes twice, or holds what no text holds.")
        self.check(fields.pop("csrf", ""))
        return {name: value.strip() for name, value in fields.items()}

    def check(self, proof: str) -> None:
        """Raises `Forbidden` unless the form is ours and came from our own page."""
        if self.request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Forbidden("This form was sent by another site's page.", code="csrf")
        if not self._known:
            raise Forbidden("This form needs cookies.", code="csrf")
        csrf.check(self.process.keys.csrf, self._seed, proof, self.request)

    def shopper(self) -> Shopper | None:
        """Who this browser is at this store, if it has bought here before."""
        token = cookies.read("shopper", self.request, secure=self.secure)
        try:
            shopper = tokens.verify(self.process.keys.shoppers, token or "")
        except Unauthorized:
            return None
        return shopper if self.store and shopper.tenant_id == self.store.tenant_id else None

    def shopper_or_guest(self) -> Shopper:
        """Who buys. A new guest follows from the form's own cookie, so that two presses of one form are one guest, and so one order."""
        if shopper := self.shopper():
            return shopper
        assert self.store is not None
        self.process.limits.check("guests", address(self.request), per_minute=30, burst=60)
        guest_id = UUID(bytes=mac128(self.process.keys.shoppers, b"guest", self.store.tenant_id.bytes, self._seed.encode()))
        token, guest = tokens.issue(self.process.keys.shoppers, self.store.tenant_id, shopper_id=guest_id)
        self.keep(cookies.make("shopper", token, secure=self.secure, max_age_s=tokens.TTL_S))
        return guest

    def here(self, path: str) -> str:
        """The absolute address of `path` as this browser reaches us."""
        scheme = "https" if self.secure else self.request.url.scheme
        return f"{scheme}://{self.request.headers['host']}{path}"

    def at_host(self, host: str, path: str) -> str:
        """The absolute address of `path` at another host of ours, on the port that this browser used."""
        mine, port = host_of(self.request), ""
        given = self.request.headers.get("host", "")
        if given.lower().startswith(f"{mine}:"):
            port = given[len(mine) :]
        return f"{'https' if self.secure else self.request.url.scheme}://{host}{port}{path}"


def visit_of(request: AnyRequest) -> Visit:
    """The visit of this request, one for handlers and error pages alike."""
    visit: Visit | None = request.scope["state"].get("visit")
    if visit is None:
        visit = request.scope["state"]["visit"] = Visit(request)
    return visit


async def provide_visit(request: AnyRequest) -> Visit:
    return visit_of(request)


async def provide_store_visit(request: AnyRequest) -> Visit:
    """A visit of a page that belongs to a store."""
    visit = visit_of(request)
    await visit.at_store()
    return visit


AVisit = NamedDependency[Visit]
at_store = Provide(provide_store_visit)
