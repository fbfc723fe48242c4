"""Public pages, kept: what everybody sees alike is read once a second, and written once as long as it says the same.

A page that is the same for all anonymous readers may be kept by whoever stands between (`s-maxage`), for as long as what it is made of
may be old here: together that is less than two seconds, in every process, and nothing has to be purged for it
(docs/decisions/0046-kept-pages.md).
"""

import gzip
from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Response

from api.memory import Memory
from api.process import Process
from api.storefront.visit import Visit
from tenants import channels, prices, showcase
from tenants.db import tenant_tx
from tenants.picks import Listed
from tenants.showcase import Front, Shelf, Sold, Whole

FRESH_S = 0.9  # what pages are made of
SHARED_S = 1  # how long others may keep a page
READ_MAX = 5_000  # fronts, shelves, products …, of each
PAGES_MAX = 4_000  # compressed: 8 kB each, 32 MB
MAP_TTL_S = 300.0
MAPS_MAX = 100

V = TypeVar("V")
ShelfKey = tuple[UUID, str, str, str, UUID | None, UUID | None]


class Written(msgspec.Struct, frozen=True):
    """`sources` are what it was made of: as long as they are equal, so is the page."""

    sources: Sequence[Any]
    gzipped: bytes
    etag: str


class Kept:
    """What the public pages of one process are made of, and the pages themselves."""

    def __init__(self, process: Process) -> None:
        async def front(key: tuple[UUID, str, str]) -> Front:
            async with tenant_tx(process.app_pool, key[0]) as tx:
                return await showcase.front(tx, *key[1:])

        async def shelf(key: ShelfKey) -> Shelf:
            async with tenant_tx(process.app_pool, key[0]) as tx:
                return await showcase.shelf(tx, *key[1:])

        async def whole(key: tuple[UUID, UUID, str, str]) -> Whole:
            async with tenant_tx(process.app_pool, key[0]) as tx:
                return await showcase.whole(tx, *key[1:])

        async def sold(key: tuple[UUID, UUID, str, str]) -> Sold:
            async with tenant_tx(process.app_pool, key[0]) as tx:
                return await showcase.sold(tx, *key[1:])

        async def choices(key: tuple[UUID, UUID, str]) -> list[Listed]:
            async with tenant_tx(process.app_pool, key[0]) as tx:
                return await showcase.choices(tx, *key[1:])

        async def apart(tenant_id: UUID) -> bool:
            async with tenant_tx(process.app_pool, tenant_id) as tx:
                return await channels.tells_apart(tx, "web", "h5")

        async def groups(tenant_id: UUID) -> bool:
            async with tenant_tx(process.app_pool, tenant_id) as tx:
                return await prices.any_for_groups(tx)

        async def items(tenant_id: UUID) -> tuple[list[UUID], list[UUID]]:
            async with tenant_tx(process.app_pool, tenant_id) as tx:
                return await showcase.items(tx, "web")

        self.fronts = Memory(front, ttl_s=FRESH_S, size=READ_MAX)
        self.shelves = Memory(shelf, ttl_s=FRESH_S, size=READ_MAX)
        self.products = Memory(whole, ttl_s=FRESH_S, size=READ_MAX)
        self.sales = Memory(sold, ttl_s=FRESH_S, size=READ_MAX)
        self.choices = Memory(choices, ttl_s=FRESH_S, size=READ_MAX)
        self.apart = Memory(apart, ttl_s=FRESH_S, size=READ_MAX)
        self.groups = Memory(groups, ttl_s=FRESH_S, size=READ_MAX)
        self.items = Memory(items, ttl_s=MAP_TTL_S, size=MAPS_MAX)
        self._pages: OrderedDict[tuple[Any, ...], Written] = OrderedDict()

    def page(self, key: tuple[Any, ...], sources: Sequence[Any], write: Callable[[], bytes]) -> Written:
        """The page of these sources, written anew only if they say something else than before."""
        known = self._pages.get(key)
        if known is None or known.sources != sources:
            body = write()
            known = Written(sources, gzip.compress(body, 5, mtime=0), _etag(body))
            self._pages[key] = known
            if len(self._pages) > PAGES_MAX:
                self._pages.popitem(last=False)
        self._pages.move_to_end(key)
        return known


def kept_by(visit: Visit) -> Kept:
    state = visit.request.app.state
    if getattr(state, "kept", None) is None:
        state.kept = Kept(visit.process)
    kept: Kept = state.kept
    return kept


async def remembered(memory: Memory[Any, V], key: Any) -> V:
    """What is known of `key`: without waiting while it is fresh, and looked up anew beside its use before it is not."""
    found = memory.peek(key)
    if found is None:
        found = await memory.get(key)
    assert found is not None, "these look-ups raise `NotFound` instead"
    return found


async def answer(
    visit: Visit,
    template: str,
    sources: Sequence[Any],
    context: Callable[[], dict[str, Any]],
    *,
    about: Sequence[str] = (),
    own: bool = False,
) -> Response[bytes]:
    """A public page made of `sources`, with its ETag. `about` are the ids of what it shows, by which a cache in front of us may purge it.

    It may be shared when no cookie of ours came, and when it does not matter which of our own channels a visitor came by. With `own` it is
    made for this reader alone, and not kept.
    """
    store = await visit.at_open_store()
    kept, face = kept_by(visit), await visit.face()

    def write() -> bytes:
        return visit.page.write(template, **context())

    if own:
        body = write()
        page = Written((), gzip.compress(body, 5), _etag(body))
    else:
        asked = (visit.request.url.path, visit.request.scope["query_string"], visit.page.shared["in_cart"])
        key = (store.tenant_id, visit.channel, visit.locale, visit.words.language, *asked)
        page = kept.page(key, (face, store.host, *sources), write)
    is_shared = visit.is_anonymous and not visit.sets_cookies and not await remembered(kept.apart, store.tenant_id)
    cached = f"public, max-age=0, s-maxage={SHARED_S}, must-revalidate" if is_shared else "private, no-cache"
    headers = visit.page.headers(cached) | {"ETag": page.etag}
    if cached.startswith("public"):
        headers["Surrogate-Key"] = " ".join([f"store-{store.slug}", *about])
    if page.etag in visit.request.headers.get("if-none-match", ""):
        return visit.finish(Response(b"", status_code=304, headers=headers))
    if visit.page.gzip:
        headers["Content-Encoding"] = "gzip"
    return visit.finish(
        Response(page.gzipped if visit.page.gzip else gzip.decompress(page.gzipped), media_type="text/html", headers=headers)
    )


def _etag(body: bytes) -> str:
    return f'W/"{blake2b(body, digest_size=12).hexdigest()}"'
