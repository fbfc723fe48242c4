"""What a visitor sees of a store: published products, by category and by words, and the sales that are on or to come with their true stock.

Of a product that waits for the platform's review what was approved last is shown, and nothing of one that was refused
(`tenants.catalog.review`).
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import NotFound
from tenants import prices
from tenants.catalog import categories, images, options, texts
from tenants.catalog.options import Option
from tenants.catalog.review import VISIBLE
from tenants.db import NEWEST, TenantTx
from tenants.orders import bundles
from tenants.prices import Ask

LIMIT_MAX = 200
OF_PRODUCT_MAX: Final = 100  # sales of one product that are shown with it


class Offer(msgspec.Struct, frozen=True):
    """`stock` is what nobody holds or bought, as of the last commit; of a bundle what its parts allow. On the shelf, which `door` says, the
    price is what the SKU costs a visitor of the channel, and `base_price_minor` what it costs without price lists; of a `picked` one
    shoppers choose the units. `images` are paths below the store's hosts, in order."""

    sale_id: UUID
    name: str
    product_name: str
    description: str
    sku_name: str
    state: str
    price_minor: int
    currency: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    limit_per_shopper: int
    hold_s: int
    stock: int
    product_id: UUID
    category_id: UUID | None
    choices: dict[str, str]
    face_value: str | None
    images: list[str]
    sku_id: UUID
    door: str
    base_price_minor: int
    picked: bool
    waiting_room: str


class Shown(msgspec.Struct, frozen=True):
    """A published product with its current sales, newest first."""

    id: UUID
    name: str
    description: str
    category_id: UUID | None
    images: list[str]
    offers: list[Offer]


_SHOWN_IN = """NOT EXISTS (SELECT 1 FROM visibility v
                           WHERE v.tenant_id = $1 AND v.subject_id IN (s.id, p.id) AND $2 <> ALL (v.channels))"""
_CURRENT = "s.state <> 'ended' AND (s.ends_at IS NULL OR s.ends_at > now())"
_COLUMNS = """s.id AS sale_id, coalesce(ts.name, s.name) AS name, coalesce(tp.name, p.name) AS product_name,
              coalesce(tp.description, p.description) AS description, coalesce(tk.name, k.name) AS sku_name,
              CASE WHEN s.state = 'ended' OR s.ends_at <= now() THEN 'ended'
                   WHEN s.starts_at > now() THEN 'not_started' ELSE s.state END AS state,
              s.price_minor, s.price_minor AS base_price_minor, s.currency, s.starts_at, s.ends_at, s.limit_per_shopper, s.hold_s,
              s.allotted - s.committed AS stock, s.door, k.picked, s.waiting_room,
              p.id AS product_id, p.category_id, k.choices, k.face_value, p.options, p.shown, k.id AS sku_id, k.stock = 'parts' AS of_parts,
              ARRAY(SELECT digest FROM product_image i WHERE i.tenant_id = $1 AND i.product_id = p.id AND i.position IS NOT NULL
                    ORDER BY i.position, i.digest) AS images"""
_JOINED = """LEFT JOIN translation ts ON ts.tenant_id = $1 AND ts.subject_id = s.id AND ts.locale = $3
             LEFT JOIN translation tp ON tp.tenant_id = $1 AND tp.subject_id = p.id AND tp.locale = $3
             LEFT JOIN translation tk ON tk.tenant_id = $1 AND tk.subject_id = k.id AND tk.locale = $3"""
_SELECT = f"""SELECT {_COLUMNS} FROM sale s JOIN sku k ON k.tenant_id = s.tenant_id AND k.id = s.sku_id
                                  JOIN product p ON p.tenant_id = k.tenant_id AND p.id = k.product_id {_JOINED}
              WHERE s.tenant_id = $1 AND {VISIBLE} AND {_SHOWN_IN}"""


async def _offers(tx: TenantTx, rows: Sequence[asyncpg.Record], channel: str, locale: str) -> list[Offer]:
    """With what is on the shelf at its price of this moment, for one who has not said who he is; and what there is of a bundle."""
    asks = [Ask(row["sku_id"], 1) for row in rows if row["door"] == "shelf"]
    costs = {ask.sku_id: price for ask, price in zip(asks, await prices.of(tx, None, channel, asks), strict=True)} if asks else {}
    of_parts = [row["sku_id"] for row in rows if row["of_parts"]]
    bundled = await bundles.available(tx, of_parts) if of_parts else {}
    found = []
    for row in rows:
        values = dict(row) | ({"stock": bundled[row["sku_id"]]} if row["of_parts"] else {})
        if row["door"] == "shelf":
            price = costs[row["sku_id"]]
            values |= {"price_minor": price.unit_minor, "base_price_minor": price.base_minor}
        found.append(_offer(values, locale))
    return found


def _offer(values: dict[str, Any], locale: str) -> Offer:
    shown, sku_id, _ = values.pop("shown"), str(values["sku_id"]), values.pop("of_parts")
    axes = msgspec.json.decode(values.pop("options"), type=list[Option])
    if shown is not None:
        approved = msgspec.json.decode(shown)
        sku = approved["skus"][sku_id]
        axes = msgspec.convert(approved["options"], list[Option])
        values |= {"sku_name": sku["translations"].get(locale, sku["name"]), "choices": sku["choices"], "face_value": sku["face_value"]}
        values |= {"product_name" if name == "name" else name: value for name, value in _approved(approved, locale).items()}
    values["choices"] = options.named(axes, values["choices"])
    values["images"] = [images.path_of(digest) for digest in values["images"]]
    return Offer(**values)


def _approved(content: Any, locale: str) -> dict[str, Any]:
    """Name, description and pictures of what a reviewer approved."""
    translated = content["translations"].get(locale, {})
    return {
        "name": translated.get("name") or content["name"], "description": translated.get("description") or content["description"],
        "images": content["images"],
    }  # fmt: skip


async def store_name(tx: TenantTx) -> str:
    """Raises `NotFound`."""
    if name := await tx.conn.fetchval("SELECT name FROM store WHERE tenant_id = $1", tx.tenant_id):
        return str(name)
    raise NotFound("There is no such store.")


async def current(tx: TenantTx, channel: str, locale: str) -> list[Offer]:
    """The newest sales that have not ended and are shown in `channel`, at most 200; texts in `locale` where they are translated."""
    sql = f"{_SELECT} AND {_CURRENT} ORDER BY s.id DESC LIMIT {LIMIT_MAX}"
    return await _offers(tx, await tx.conn.fetch(sql, tx.tenant_id, channel, locale), channel, locale)


async def flash(tx: TenantTx, channel: str, locale: str, *, limit: int) -> list[Offer]:
    """What is sold in a sale of its own, not from the shelf: running ones, newest first, and then those to come, soonest first."""
    sql = f"""{_SELECT} AND {_CURRENT} AND s.door <> 'shelf'
              ORDER BY s.starts_at > now(), CASE WHEN s.starts_at > now() THEN s.starts_at END, s.id DESC LIMIT $4"""
    return await _offers(tx, await tx.conn.fetch(sql, tx.tenant_id, channel, locale, limit), channel, locale)


async def on_shelf(tx: TenantTx, sku_ids: Sequence[UUID], channel: str, locale: str) -> dict[UUID, Offer]:
    """By SKU, those of the SKUs that are on the shelf and shown in `channel`."""
    sql = f"{_SELECT} AND s.sku_id = ANY($4) AND s.door = 'shelf' AND s.state <> 'ended'"
    rows = await tx.conn.fetch(sql, tx.tenant_id, channel, locale, list(sku_ids))
    return {offer.sku_id: offer for offer in await _offers(tx, rows, channel, locale)}


async def best(tx: TenantTx, *, limit: int) -> list[UUID]:
    """The products of which the most units went from the shelf, as its open sales count them; the most first."""
    sql = """SELECT k.product_id FROM (SELECT sku_id, committed FROM sale WHERE tenant_id = $1 AND door = 'shelf' AND state = 'open'
                                         AND committed > 0) AS s
             CROSS JOIN LATERAL (SELECT product_id FROM sku WHERE tenant_id = $1 AND id = s.sku_id OFFSET 0) AS k
             GROUP BY k.product_id ORDER BY sum(s.committed) DESC, k.product_id DESC LIMIT $2"""
    return [row["product_id"] for row in await tx.conn.fetch(sql, tx.tenant_id, limit)]


async def get(tx: TenantTx, sale_id: UUID, channel: str, locale: str) -> Offer:
    """Also of a sale that has ended. Raises `NotFound`, also for one that `channel` does not show, or whose product is not published."""
    if row := await tx.conn.fetchrow(f"{_SELECT} AND s.id = $4", tx.tenant_id, channel, locale, sale_id):
        [offer] = await _offers(tx, [row], channel, locale)
        return offer
    raise NotFound("There is no such sale.")


# The sales of one product, each looked up by its SKU.
_OF_PRODUCT = f"""(SELECT k.* FROM sku k WHERE k.tenant_id = $1 AND k.product_id = p.id OFFSET 0) AS k
                  CROSS JOIN LATERAL (SELECT s.* FROM sale s WHERE s.tenant_id = $1 AND s.sku_id = k.id AND {_CURRENT} OFFSET 0) AS s"""


async def products(
    tx: TenantTx,
    channel: str,
    locale: str,
    *,
    limit: int,
    before: UUID | None = None,
    q: str | None = None,
    category_id: UUID | None = None,
) -> list[Shown]:
    """At most `limit` products of which something is on sale or to come, newest first, older than the product `before`.

    With `q` those that have all its words in their names or those of one of their SKUs, with `category_id` those in the category or below
    it. Raises `NotFound` for an unknown category.
    """
    arguments: list[Any] = [tx.tenant_id, channel, before or NEWEST, limit]
    parts, where = [], ""
    if category_id is not None:
        await categories.get(tx, category_id)
        arguments.append(category_id)
        parts.append(categories.SUBTREE.format(of=f"${len(arguments)}"))
        where = "AND category_id = ANY(ARRAY(TABLE subtree))"
    source = f"SELECT * FROM product WHERE tenant_id = $1 AND id < $3 AND state = 'published' {where} ORDER BY id DESC"
    if q is not None:
        arguments.append(q)
        parts.append(texts.finding_products(f"${len(arguments)}"))
        source = f"""SELECT p.* FROM (SELECT id FROM found WHERE id < $3 ORDER BY id DESC OFFSET 0) AS f CROSS JOIN LATERAL (
                         SELECT * FROM product WHERE tenant_id = $1 AND id = f.id AND state = 'published' {where} OFFSET 0) AS p"""
    sql = f"""{f"WITH RECURSIVE {', '.join(parts)}" if parts else ""}
              SELECT p.id FROM ({source} OFFSET 0) AS p
              WHERE EXISTS (SELECT 1 FROM {_OF_PRODUCT} WHERE {VISIBLE} AND {_SHOWN_IN} OFFSET 0) LIMIT $4"""
    found = [row["id"] for row in await tx.conn.fetch(sql, *arguments)]
    return await _with_offers(tx, found, channel, locale)


async def ids(tx: TenantTx, channel: str, *, limit: int) -> list[UUID]:
    """The products of which something is on sale or to come, newest first."""
    sql = f"""SELECT p.id FROM (SELECT * FROM product WHERE tenant_id = $1 AND state = 'published' ORDER BY id DESC OFFSET 0) AS p
              WHERE EXISTS (SELECT 1 FROM {_OF_PRODUCT} WHERE {VISIBLE} AND {_SHOWN_IN} OFFSET 0) LIMIT $3"""
    return [row["id"] for row in await tx.conn.fetch(sql, tx.tenant_id, channel, limit)]


async def chosen(tx: TenantTx, product_ids: Sequence[UUID], channel: str, locale: str) -> list[Shown]:
    """Those of the products of which something is on sale or to come, in their order."""
    return await _with_offers(tx, list(product_ids), channel, locale)


async def product(tx: TenantTx, product_id: UUID, channel: str, locale: str) -> Shown:
    """Raises `NotFound`, also for one of which nothing is on sale."""
    if found := await _with_offers(tx, [product_id], channel, locale):
        return found[0]
    raise NotFound("There is no such product.")


async def _with_offers(tx: TenantTx, product_ids: list[UUID], channel: str, locale: str) -> list[Shown]:
    sql = f"""SELECT o.* FROM unnest($4::uuid[]) WITH ORDINALITY AS x(id, n)
              CROSS JOIN LATERAL (SELECT * FROM product WHERE tenant_id = $1 AND id = x.id OFFSET 0) AS p
              CROSS JOIN LATERAL (SELECT {_COLUMNS} FROM {_OF_PRODUCT} {_JOINED}
                                  WHERE {VISIBLE} AND {_SHOWN_IN} ORDER BY s.id DESC LIMIT {OF_PRODUCT_MAX}) AS o
              ORDER BY x.n, o.sale_id DESC"""
    offers: dict[UUID, list[Offer]] = {}
    for offer in await _offers(tx, await tx.conn.fetch(sql, tx.tenant_id, channel, locale, product_ids), channel, locale):
        offers.setdefault(offer.product_id, []).append(offer)
    return [
        Shown(product_id, each[0].product_name, each[0].description, each[0].category_id, each[0].images, each)
        for product_id, each in offers.items()
    ]
