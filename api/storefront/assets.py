"""What every page needs besides itself: its static files, and the switch of language."""

from contextlib import suppress

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from api.storefront import language
from api.storefront.statics import BY_HASHED_NAME
from api.storefront.visit import AVisit
from api.strict import AnyRequest
from checkout_core.errors import NotFound

YEAR_S = 365 * 24 * 3600


@get("/static/{name:str}")
async def static(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
    """A file under the name that holds its hash; it never changes, so a browser asks once."""
    asset = BY_HASHED_NAME.get(name)
    if asset is None:
        raise NotFoundException
    headers = {"Cache-Control": f"public, max-age={YEAR_S}, immutable", "ETag": asset.etag, "Vary": "Accept-Encoding"}
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    body = asset.body
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = asset.gzipped, "gzip"
    return Response(body, media_type=asset.media_type, headers=headers)


@get("/language")
async def switch(visit: AVisit, to: FromQuery[str], back: FromQuery[str] = "/") -> Response[bytes]:
    """Remember the language a visitor chose, and return to the page he chose it on."""
    offered = set(language.LANGUAGES)
    with suppress(NotFound):  # the platform's own host has our languages only
        await visit.at_store()
        offered |= set((await visit.face()).locales)
    if to in offered:
        visit.set_cookie(language.COOKIE, to, YEAR_S)
    # A path of ours and nothing else: `//host` and `/\host` would lead away.
    safe = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isascii() and back.isprintable()
    return visit.go(back if safe else "/")
