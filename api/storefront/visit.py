"""One visit of one page: who reads it, in which language, at which store, and the proof that its forms are ours.

The proof is bound to a cookie of the page's own, so that a form works before there is a shopper or a session.
"""

import datetime as dt
import re
import secrets
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, quote
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Response
from litestar.datastructures import Cookie
from litestar.di import NamedDependency, Provide

from api import cookies, csrf
from api.directory import HEADER, Store, host_of
from api.limits import address
from api.memory import Memory
from api.process import Process
from api.storefront import language
from api.storefront.rendering import Page, origin_of
from api.storefront.views import POLICIES, StoreView
from api.strict import AnyRequest
from checkout_core import tokens
from checkout_core.errors import BadRequest, Forbidden, Unauthorized, UnsupportedMedia
from checkout_core.secrets import mac128
from checkout_core.tokens import Shopper
from tenants import images, overview, stores
from tenants.db import tenant_tx

CHANNEL_COOKIE = "tessera_channel"
CHANNEL_COOKIE_S = 30 * 24 * 3600  # from the last link that named one
FORM_COOKIE_S = 7 * 24 * 3600
FACES_TTL_S = 1.9  # two seconds after a change nobody sees what was before
IMAGES_TTL_S = 60.0
IMAGES_MAX = 256  # 2 MiB at most, of those in lists 10 kB
HELD_TTL_S = 2.0
REMEMBERED_MAX = 10_000
FIELDS_MAX = 40
CART_COOKIE = "tessera_cart"  # how many things lie in the cart, for the head of each page; the cart itself is Postgres'
CART_COOKIE_S = 90 * 24 * 3600
OURS = re.compile(r"(?:__Host-|__Secure-)?tessera_")
_SEED = re.compile(r"[A-Za-z0-9_-]{22}")


class Remembered:
    """What pages of one process ask again and again: how stores look, their pictures, and which emptied sales have units on hold."""

    def __init__(self, process: Process) -> None:
        async def face(tenant_id: UUID) -> stores.Store | None:
            async with tenant_tx(process.app_pool, tenant_id) as tx:
                return await stores.get(tx)

        async def image(key: tuple[UUID, str, str]) -> tuple[str, bytes] | None:
            async with tenant_tx(process.app_pool, key[0]) as tx:
                return await images.content(tx, *key[1:])

        async def held(key: tuple[UUID, UUID]) -> bool | None:
            async with tenant_tx(process.app_pool, key[0]) as tx:
                return await overview.held(tx, key[1])

        self.faces = Memory(face, ttl_s=FACES_TTL_S, size=REMEMBERED_MAX)
        self.images = Memory(image, ttl_s=IMAGES_TTL_S, size=IMAGES_MAX)
        self.held = Memory(held, ttl_s=HELD_TTL_S, size=REMEMBERED_MAX)


class SeeOther(Exception):
    """The reader belongs on another page first."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


class Moved(SeeOther):
    """The store has another address now."""


class Unproven(Forbidden):
    """Nothing says whether our own page sent the form. It is shown with a proof, to be sent once more."""

    code = "csrf"

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("This form needs one more press.")
        self.fields = fields


class Visit:
    def __init__(self, request: AnyRequest) -> None:
        self.request = request
        self.process: Process = request.app.state.process
        self.secure = self.process.secure
        self.store: Store | None = None
        self.channel = "web"  # that he came through, and his orders carry
        self.locale = language.DEFAULT  # which of the store's languages the visitor reads its own texts in
        given = request.cookies.get(self._form_cookie, "")
        self._known = bool(_SEED.fullmatch(given))
        self._seed = given if self._known else secrets.token_urlsafe(16)
        self._cookies: list[Cookie] = []
        self.page = Page(
            words=language.WORDS[self._locale(list(language.LANGUAGES), language.DEFAULT)],
            path=request.url.path if request.method == "GET" else "/",
            gzip="gzip" in request.headers.get("accept-encoding", ""),
            pay_origin=origin_of(self.process.settings.provider_url),
            shared={
                "store": None, "csrf": self._proof, "notice": None, "zone": dt.UTC, "languages": language.LANGUAGES, "locale": None,
                "in_cart": self._in_cart(), "canonical": None, "q": "",
            },
        )  # fmt: skip

    @property
    def is_anonymous(self) -> bool:
        """Whether nothing but the address and the wished language decides what this visitor sees: no cookie of ours, no link's channel."""
        return "channel" not in self.request.query_params and not any(map(OURS.match, self.request.cookies))

    def _in_cart(self) -> int:
        told = self.request.cookies.get(CART_COOKIE, "")
        return int(told) if told.isascii() and told.isdigit() and len(told) <= 5 else 0

    def now_in_cart(self, units: int) -> None:
        """For the pages to come, and for this one."""
        self.page.shared["in_cart"] = units
        self.set_cookie(CART_COOKIE, str(units), CART_COOKIE_S if units else 0)

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
            store = await self.process.directory.store_of(self.request)
            if store.moved and self.request.method == "GET" and host_of(self.request) != store.host:
                raise Moved(self.at_host(store.host, self._asked))
            self.store = store
            self._show(await self.face())
            self.channel = await self._channel()
        return self.store

    async def at_open_store(self) -> Store:
        """The same, for pages that sell. Raises `Suspended` and `Closed`."""
        store = await self.at_store()
        store.must_be_open()
        return store

    def recall(self) -> None:
        """For a page that tells of a problem, and waits for nothing: the store's looks, if this process remembers them."""
        if self.store is None:
            store = self.process.directory.peek(host_of(self.request), self.request.headers.get(HEADER, ""))
            face = self.remembered.faces.peek(store.tenant_id) if store else None
            if face is not None:
                self._show(face)

    async def _channel(self) -> str:
        """Where this visitor comes from: by the link he followed, else by one he followed before, else by what he reads with.

        A name that is no channel of the store is nobody's word: links are written by anybody.
        """
        assert self.store is not None
        named, kept = self.request.query_params.get("channel"), self.request.cookies.get(CHANNEL_COOKIE)
        if named or kept:
            known = await self.process.channels_of(self.store.tenant_id)
            if named in known:
                self.set_cookie(CHANNEL_COOKIE, named, CHANNEL_COOKIE_S)
                return str(named)
            if kept in known:
                return str(kept)
        headers = self.request.headers
        mobile = headers.get("sec-ch-ua-mobile") == "?1" or "Mobi" in headers.get("user-agent", "")
        return "h5" if mobile else "web"

    async def face(self) -> stores.Store:
        """How the visited store looks and speaks; a change is seen within two seconds."""
        assert self.store is not None, "the page is `at_store`"
        face = await self.remembered.faces.get(self.store.tenant_id)
        assert face is not None, "`stores.get` raises instead"
        return face

    def _show(self, face: stores.Store) -> None:
        self.locale = self._locale(face.locales, face.locale)
        self.page.words = language.words_for(self.locale, face.locale)
        self.page.shared |= {
            "store": store_view(face), "zone": ZoneInfo(face.zone), "locale": self.locale, "languages": language.offered(face.locales),
        }  # fmt: skip

    def _locale(self, locales: list[str], default: str) -> str:
        # A page names itself in each language by `lang`: what was asked for by address goes before what was chosen once.
        if (named := self.request.query_params.get("lang")) in locales:
            return str(named)
        cookie, header = self.request.cookies.get(language.COOKIE), self.request.headers.get("accept-language", "")
        return language.choose(cookie, header, locales, default)

    @property
    def _asked(self) -> str:
        """Path and query as they were sent, percent-encoded: nothing in them ends a header."""
        path = quote(self.request.scope["path"], safe="/~:@!$&'()*+,;=")
        query = self.request.scope["query_string"].decode("latin-1")
        return f"{path}?{query}" if query and query.isascii() and query.isprintable() else path

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
        return self.finish(response)

    def go(self, place: str, *, status: int = 303) -> Response[bytes]:
        """See `place` instead: after a form has done its work a reload repeats nothing."""
        return self.finish(Response(b"", status_code=status, headers={"Location": place, "Cache-Control": "no-store"}))

    @property
    def sets_cookies(self) -> bool:
        return bool(self._cookies)

    def finish(self, response: Response[bytes]) -> Response[bytes]:
        for cookie in self._cookies:
            response.set_cookie(cookie)
        return response

    def set_cookie(self, name: str, value: str, max_age_s: int, *, path: str = "/") -> None:
        self._cookies.append(Cookie(key=name, value=value, max_age=max_age_s, path=path, secure=self.secure, httponly=True, samesite="lax"))

    def keep(self, cookie: Cookie) -> None:
        self._cookies.append(cookie)

    async def form(self, *, proofless: bool = False, fields_max: int = FIELDS_MAX) -> dict[str, str]:
        """The fields of a posted form, trimmed. Raises `UnsupportedMedia`, `BadRequest`, `Forbidden` unless our own page sent it.

        A `proofless` form stands on a page that is the same for everybody, and carries no proof: the browser's word must do, or else
        `Unproven` is raised.
        """
        if self.request.content_type[0] != "application/x-www-form-urlencoded":
            raise UnsupportedMedia("This takes a form.")
        try:
            text = (await self.request.body()).decode("ascii")
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=fields_max, errors="strict") if text else []
        except ValueError:
            raise BadRequest("The form is not encoded as forms are.") from None
        fields = dict(pairs)
        if len(fields) != len(pairs) or any("\0" in value for value in fields.values()):
            raise BadRequest("A field comes twice, or holds what no text holds.")
        proof = fields.pop("csrf", "")
        stripped = {name: value.strip() for name, value in fields.items()}
        if proofless and not proof:
            self.check_origin(stripped)
        else:
            self.check(proof)
        return stripped

    def check(self, proof: str) -> None:
        """Raises `Forbidden` unless the form is ours and came from our own page."""
        if self.request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Forbidden("This form was sent by another site's page.", code="csrf")
        if not self._known:
            raise Forbidden("This form needs cookies.", code="csrf")
        csrf.check(self.process.keys.csrf, self._seed, proof, self.request)

    def check_origin(self, fields: dict[str, str]) -> None:
        """Raises `Forbidden` when the browser says that another page sent the form, and `Unproven` when it does not say.

        Pages cannot write these headers: `Sec-Fetch-Site` is sent over TLS and to localhost, `Origin` with every form of a browser of the
        last years. Neighbours below the platform's domain are `same-site`, and others to us.
        """
        site, origin = self.request.headers.get("sec-fetch-site"), self.request.headers.get("origin")
        if site not in (None, "same-origin"):
            raise Forbidden("This form was sent by another site's page.", code="csrf")
        if origin is not None and origin.partition("://")[2] != self.request.headers.get("host"):
            raise Forbidden("This form was sent by another site's page.", code="csrf")
        if site is None and origin is None:
            raise Unproven(fields)

    def shopper(self) -> Shopper | None:
        """Who this browser is at this store, if it has bought here before."""
        token = cookies.read("shopper", self.request, secure=self.secure)
        try:
            shopper = self.process.erased.check(tokens.verify(self.process.keys.shoppers, token or ""))
        except Unauthorized:
            return None
        return shopper if self.store and shopper.tenant_id == self.store.tenant_id else None

    async def shopper_or_guest(self) -> Shopper:
        """Who buys. A new guest follows from the form's own cookie, so that two presses of one form are one guest, and so one order."""
        if shopper := self.shopper():
            return shopper
        assert self.store is not None
        await self.process.limits.check(("guests", address(self.request)))
        # One who was erased and buys again is somebody else.
        for nth in count():
            words = (b"guest", self.store.tenant_id.bytes, self._seed.encode(), *([str(nth).encode()] if nth else []))
            guest_id = UUID(bytes=mac128(self.process.keys.shoppers, *words))
            if not self.process.erased.among(self.store.tenant_id, [guest_id]):
                break
        token, guest = tokens.issue(self.process.keys.shoppers, self.store.tenant_id, shopper_id=guest_id)
        self.keep(cookies.make("shopper", token, secure=self.secure, max_age_s=tokens.TTL_S))
        return guest

    def forget(self) -> None:
        """This browser is nobody from now on; nor does its form's cookie make the same guest again."""
        self.keep(cookies.clear("shopper", secure=self.secure))
        self._seed, self._known = secrets.token_urlsafe(16), False
        self._proof()

    def here(self, path: str) -> str:
        """The absolute address of `path` as this browser reaches us."""
        scheme = "https" if self.secure else self.request.url.scheme
        return f"{scheme}://{self.request.headers['host']}{path}"

    def canonical(self) -> str:
        """The address that links to this page name: at the store's primary host, whatever this browser calls it."""
        return self.at_primary(self.page.path)

    def at_primary(self, path: str) -> str:
        assert self.store is not None, "the page is `at_store`"
        return self.process.at(self.store.host, path)

    def at_host(self, host: str, path: str) -> str:
        """The absolute address of `path` at another host of ours, on the port that this browser used."""
        mine, port = host_of(self.request), ""
        given = self.request.headers.get("host", "")
        if given.lower().startswith(f"{mine}:"):
            port = given[len(mine) :]
        return f"{'https' if self.secure else self.request.url.scheme}://{host}{port}{path}"


def store_view(face: stores.Store) -> StoreView:
    return StoreView(
        name=face.name, slug=face.slug, banner=face.banner, notice=face.notice, footer=face.footer, contact=face.contact,
        seo_title=face.seo_title, seo_description=face.seo_description,
        logo=face.images.get("logo"), hero=face.images.get("banner"), favicon=face.images.get("favicon"),
        color=face.primary_color, color_dark=face.primary_color_dark, is_test=face.mode == "test",
        closed=face.closed, closed_notice=face.closed_notice, opens_at=face.opens_at,
        policies=tuple(name for name, field in POLICIES.items() if getattr(face, field)),
        has_colors=any((face.primary_color, face.primary_color_dark, face.accent_color, face.accent_color_dark)),
    )  # fmt: skip


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
