"""From a template to an answer: the one Jinja environment, and the headers every page carries."""

import datetime as dt
import gzip
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response

from api.headers import SECURITY_HEADERS
from api.storefront import formats
from api.storefront.art import mosaic
from api.storefront.language import Words
from api.storefront.statics import address
from checkout_core.ids import encode

GZIP_FROM_BYTES = 1024

templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,  # a name that is missing is a mistake, never an empty place on the page
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
    cache_size=-1,
)
templates.globals.update(
    asset=address, mosaic=mosaic, ref=encode,
    money=formats.money, currency=formats.currency, instant=formats.instant, unix_ms=formats.unix_ms, duration=formats.duration,
)  # fmt: skip


class Link(msgspec.Struct, frozen=True):
    href: str
    text: str


class Notice(msgspec.Struct, frozen=True):
    """A word to the reader: what happened, what was kept, what to do. `tone` is empty, `warn` or `bad`."""

    title: str
    text: str
    tone: str = "warn"
    links: tuple[Link, ...] = ()


class Page(msgspec.Struct, kw_only=True):
    """How one answer is to be written."""

    words: Words
    path: str  # where this page can be read again
    gzip: bool
    pay_origin: str  # the only foreign place a form may end at
    shared: dict[str, Any] = {}  # what every template of this page sees

    def render(self, template: str, *, status: int = 200, private: bool = True, **context: Any) -> Response[bytes]:
        """The answer. `private` pages are never stored: they hold somebody's order, form or code."""
        html = templates.get_template(template).render(
            t=self.words, lang=self.words.language, path=self.path, now_ms=formats.unix_ms(dt.datetime.now(dt.UTC)), **self.shared | context
        )
        body = html.encode()
        headers = page_headers(self.pay_origin)
        headers["Cache-Control"] = "no-store" if private else "private, no-cache"
        headers["Vary"] = "accept-encoding, accept-language, cookie, x-tessera-store"
        headers["Content-Language"] = self.words.language
        if self.gzip and len(body) >= GZIP_FROM_BYTES:
            body = gzip.compress(body, 5)
            headers["Content-Encoding"] = "gzip"
        return Response(body, status_code=status, media_type="text/html", headers=headers)


def page_headers(pay_origin: str = "") -> dict[str, str]:
    """Nothing inline, nothing from elsewhere, no frame; a form may end at our own pages and at the payment provider's."""
    targets = f"'self' {pay_origin}".strip()
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    )
    return SECURITY_HEADERS | {
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def origin_of(url: str) -> str:
    """`https://pay.example` of any address below it; empty for none."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.netloc else ""
