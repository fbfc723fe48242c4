"""Lists in pages, the one way: keyset, newest (or oldest) first, and a cursor that only goes on where it came from.

async def latest(self, tx: NamedDependency[TenantTx], page: NamedDependency[Page]) -> Products:
    found = await catalog.list_products(tx, limit=page.rows, before=page.after(UUID))
    return Products(*page.cut([_product(each) for each in found], [each.id for each in found]))

The key is what the list is ordered by and unique: an id (ids grow with time), or a time and an id. What is added while somebody turns the
pages comes before the first of a newest-first list, so nothing is shown twice, and nothing that was there is left out.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Final, TypeVar

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.process import Process
from checkout_core.errors import BadRequest
from checkout_core.secrets import mac128
from tenants.platform.sessions import Staff

LIMIT_DEFAULT: Final = 20
LIMIT_MAX: Final = 100
CURSOR_MAX: Final = 400  # characters; that of a pick of 64 characters beyond Latin has 390, others at most 86
PARAMETERS: Final = ("limit", "cursor")
_MAC: Final = 16  # bytes before the key

Row = TypeVar("Row")
Key = TypeVar("Key")


class Page:
    """One page of a list: `rows` to ask Postgres for, and the key to go on `after`."""

    def __init__(self, key: bytes, what: bytes, limit: int, cursor: str | None) -> None:
        self.rows: Final = limit + 1  # one more than asked for tells whether there is a next page
        self.limit: Final = limit
        self._key = key
        self._what = what
        self._cursor = cursor

    def after(self, type_: type[Key]) -> Key | None:
        """The key that the page before ended with; None on the first page.

        Raises `BadRequest` (code `bad_cursor`) for what is no cursor of this very list: of this tenant, route and filters.
        """
        if self._cursor is None:
            return None
        try:
            kind: Any = type_
            decoder: msgspec.msgpack.Decoder[Key] = _decoder(kind)
            raw = urlsafe_b64decode(self._cursor.encode("ascii") + b"=" * (-len(self._cursor) % 4))
            if self._mac(raw[_MAC:]) == raw[:_MAC]:
                return decoder.decode(raw[_MAC:])
        except (ValueError, msgspec.MsgspecError):
            pass
        raise BadRequest("The cursor is not of this list. Take it from `next_cursor` and keep the filters.", code="bad_cursor")

    def cut(self, found: Sequence[Row], keys: Sequence[Any]) -> tuple[list[Row], str | None]:
        """Of up to `rows` that were found with their keys: those of this page, and the cursor of the next, None on the last."""
        more = len(found) > self.limit
        return list(found[: self.limit]), self.turn(keys[self.limit - 1] if more else None)

    def turn(self, ended: Any | None) -> str | None:
        """The cursor of the page after the one that ended with this key; None when that was the last."""
        if ended is None:
            return None
        key = msgspec.msgpack.encode(ended)
        return urlsafe_b64encode(self._mac(key) + key).rstrip(b"=").decode()

    def _mac(self, key: bytes) -> bytes:
        return mac128(self._key, self._what, key)


@cache
def _decoder(type_: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(type_)


async def provide_page(
    request: Request[Any, Any, Any],
    process: NamedDependency[Process],
    limit: Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX, description="How many at most.")] = LIMIT_DEFAULT,
    cursor: Annotated[str | None, QueryParameter(max_length=CURSOR_MAX, description="`next_cursor` of the page before.")] = None,
) -> Page:
    filters = sorted((name, value) for name, value in request.query_params.multi_items() if name not in PARAMETERS)
    # The platform's staff have no tenant: all of them turn the pages of the same lists.
    tenant_id = None if request.auth is None or isinstance(request.auth, Staff) else request.auth.tenant_id
    what = msgspec.msgpack.encode((tenant_id, request.scope["path"], filters))
    return Page(process.keys.cursors, what, limit, cursor)
