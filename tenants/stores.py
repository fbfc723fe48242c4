"""A store's settings: what it is called, how it counts money and time, which languages it speaks, how it looks, what it promises.

Each change adds one to `version`, under the row's lock; who changes says which version he has read.
"""

import datetime as dt
import zoneinfo
from functools import cache
from typing import Any

import msgspec

from checkout_core.errors import Conflict, NotFound, PreconditionFailed, Unprocessable
from checkout_core.ids import encode
from tenants import colors
from tenants.db import TenantTx
from tenants.images import Image


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`zone` is IANA's name, locales are BCP 47 tags, colours `#rrggbb` in lower case or None for the platform's own.

    The policies are plain text with the few marks that `api.storefront.markdown` knows; all other texts are plain. A `closed` store sells
    nothing until it is opened again; `opens_at` is what its visitors are told, and opens nothing.
    """

    name: str
    currency: str
    zone: str
    locale: str
    locales: list[str]
    contact: str
    primary_color: str | None
    primary_color_dark: str | None
    accent_color: str | None
    accent_color_dark: str | None
    banner: str
    notice: str
    footer: str
    seo_title: str
    seo_description: str
    refund_policy: str
    privacy_policy: str
    terms: str
    closed: bool
    closed_notice: str
    opens_at: dt.datetime | None


class Store(Settings, frozen=True, kw_only=True):
    """`images` are the current ones, by kind; `mode` is `live`, or `test` in a sandbox."""

    slug: str
    version: int
    mode: str
    images: dict[str, Image]


_COLUMNS = ", ".join([*Settings.__struct_fields__, "slug", "version", "mode"])


async def get(tx: TenantTx) -> Store:
    """Raises `NotFound`."""
    row = await tx.conn.fetchrow(f"SELECT {_COLUMNS} FROM store WHERE tenant_id = $1", tx.tenant_id)
    if row is None:
        raise NotFound("There is no such store.")
    sql = "SELECT kind, digest, media_type, width, height FROM store_image WHERE tenant_id = $1 AND is_current"
    found = [Image(*image) for image in await tx.conn.fetch(sql, tx.tenant_id)]
    return Store(**row, images={image.kind: image for image in found})


async def change(tx: TenantTx, changes: dict[str, Any], *, version: int | None, actor: str) -> Store:
    """Set the fields of `Settings` that `changes` names. `version` is the one that was read, None for whichever is current.

    Raises `PreconditionFailed` when another change came first, `Unprocessable` for a zone, locale or colour that cannot be,
    `Conflict` (`currency_in_use`) when the currency would change under SKUs that have prices in it.
    """
    assert changes.keys() <= set(Settings.__struct_fields__), changes.keys()
    await _lock(tx, version)
    before = await get(tx)
    after = msgspec.structs.replace(before, **changes)
    changed = [name for name in sorted(changes) if getattr(after, name) != getattr(before, name)]
    if not changed:
        return before
    _check(after, set(changed))
    if "currency" in changed and await tx.conn.fetchval("SELECT EXISTS (SELECT 1 FROM sku WHERE tenant_id = $1)", tx.tenant_id):
        raise Conflict(
            f"There are SKUs with prices in {before.currency}. Nothing was changed; open another store for another currency.",
            code="currency_in_use",
        )
    assignments = ", ".join(f"{name} = ${n}" for n, name in enumerate(changed, 2))
    await tx.conn.execute(f"UPDATE store SET {assignments} WHERE tenant_id = $1", tx.tenant_id, *(getattr(after, name) for name in changed))
    return await touched(tx, actor, "store.changed", fields=changed)


async def touched(tx: TenantTx, actor: str, action: str, **detail: Any) -> Store:
    """Count and record a change of the store that was just made; the store as it is now."""
    await tx.conn.execute("UPDATE store SET version = version + 1 WHERE tenant_id = $1", tx.tenant_id)
    await tx.audit(actor, action, encode("ten", tx.tenant_id), **detail)
    return await get(tx)


async def moved(tx: TenantTx, slug: str, host: str, *, actor: str) -> None:
    """The store has the sub-domain `slug` now (`hosts.move`). Again is no error, and is recorded once."""
    sql = "UPDATE store SET slug = $2 WHERE tenant_id = $1 AND slug <> $2 RETURNING 1"
    if await tx.conn.fetchval(sql, tx.tenant_id, slug):
        await touched(tx, actor, "store.moved", host=host)


async def zone(tx: TenantTx) -> zoneinfo.ZoneInfo:
    """Where the store's days begin."""
    return zoneinfo.ZoneInfo(await tx.conn.fetchval("SELECT zone FROM store WHERE tenant_id = $1", tx.tenant_id))


async def _lock(tx: TenantTx, version: int | None) -> None:
    current = await tx.conn.fetchval("SELECT version FROM store WHERE tenant_id = $1 FOR NO KEY UPDATE", tx.tenant_id)
    if version is not None and current != version:
        raise PreconditionFailed("The store was changed since you read it. Nothing was overwritten; read it again and repeat your change.")


def _check(store: Store, changed: set[str]) -> None:
    if "zone" in changed and store.zone not in _zones():
        raise Unprocessable(f"There is no time zone {store.zone!r}. Use a name of IANA's list, such as Asia/Shanghai.", code="unknown_zone")
    if store.locale not in store.locales or len(set(store.locales)) != len(store.locales):
        raise Unprocessable("`locales` names each language once, and the default `locale` is one of them.", code="bad_locales")
    for name, dark in (("accent_color", False), ("accent_color_dark", True)):
        color = getattr(store, name)
        if name in changed and color is not None:
            colors.check(name, color, dark=dark)


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
