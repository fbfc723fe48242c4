"""The console's one page, for every address in it, and the files that the page asks for."""

import gzip
import secrets
from typing import Final

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from api.console.built import NONCE, Built, File, built
from api.directory import host_of
from api.headers import SECURITY_HEADERS
from api.process import Process
from api.strict import AnyRequest

YEAR_S: Final = 365 * 24 * 3600
ASSETS: Final = "assets/"  # under names that hold their hash
NOT_BUILT: Final = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Tessera</title>"
    "<h1>控制台尚未构建 · The console is not built</h1>"
    "<p>在项目目录中运行 <code>make console</code>，然后刷新本页。</p>"
    "<p>Run <code>make console</code> in the project's folder, then reload this page.</p></html>"
)


@get("/")
async def root(request: AnyRequest) -> Response[bytes]:
    return await _answer(request, "")


@get("/{path:path}")
async def at(request: AnyRequest, path: FromPath[str]) -> Response[bytes]:
    """A file of the console, or else its page: what the address means, the page knows."""
    return await _answer(request, path.strip("/"))


async def _answer(request: AnyRequest, path: str) -> Response[bytes]:
    await at_platform(request)
    found, gzips = built(), "gzip" in request.headers.get("accept-encoding", "")
    if found is None:
        headers = policy("") | {"Cache-Control": "no-store", "Retry-After": "60"}
        return Response(NOT_BUILT.encode(), status_code=503, media_type="text/html", headers=headers)
    if file := found.files.get(path):
        return _file(file, gzips=gzips, forever=path.startswith(ASSETS))
    if path.startswith(ASSETS):
        raise NotFoundException
    return _page(found, gzips=gzips)


def _file(file: File, *, gzips: bool, forever: bool) -> Response[bytes]:
    headers = SECURITY_HEADERS | {
        "Cache-Control": f"public, max-age={YEAR_S}, immutable" if forever else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if gzips and file.gzipped:
        return Response(file.gzipped, media_type=file.media_type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(file.body, media_type=file.media_type, headers=headers)


def _page(found: Built, *, gzips: bool) -> Response[bytes]:
    nonce = secrets.token_urlsafe(16)
    body = found.page.replace(NONCE, nonce).encode()
    headers = policy(nonce) | {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if gzips:
        body = gzip.compress(body, 5)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type="text/html", headers=headers)


def policy(nonce: str) -> dict[str, str]:
    """Scripts are files of ours. The component library writes styles as the page goes on: its elements show the answer's nonce."""
    styles = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
    rules = (
        f"default-src 'none'; script-src 'self'; style-src {styles}; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return SECURITY_HEADERS | {
        "Content-Security-Policy": rules,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


async def at_platform(request: AnyRequest) -> None:
    """The console is of the platform's own host: a store's cookies and its merchant's never share one. Raises `NotFoundException`."""
    process: Process = request.app.state.process
    if not await process.directory.is_platform(host_of(request)):
        raise NotFoundException
