"""A store's orders, newest first, by what they are asked for: state, sale, channel, time, and words.

One statement, so one look at the database: the index and the notes of what is not indexed yet fit together (`orders.index`). Whatever is
filtered, a page is a range of one list that lies in the order of time, so the thousandth costs what the first does. A filter that is not
the leading list's own is looked up order by order; the leading list is the most particular one.
"""

import datetime as dt
import hashlib
import re
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import Unprocessable
from tenants import search
from tenants.db import EARLIEST, LATEST, NEWEST, OLDEST, TenantTx
from tenants.orders import index
from tenants.orders.read import COLUMNS, KNOWN, Order, with_lines

CONTACTS_MAX = 200  # contacts that have the words; with more, orders are read in the order of time instead, where they are met soon
READ_MAX = 2_500  # orders that are read so for a page: what is rarer than it seemed comes in short pages, none of them slow
TAG_READ_MAX = 1_500  # with a tag, which may have next to nothing in common with what else is asked
SALES_MAX = 300
NUMBER_DIGITS_MIN = 4  # of the beginning of an order's number
_NUMBER = re.compile(rf"(?:ord_)?([0-9a-f]{{{NUMBER_DIGITS_MIN},32}})")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What orders must all be. `q`: words in a contact, or in the names of sale, SKU or product; or how an order's number begins."""

    state: str | None = None
    sale_id: UUID | None = None
    channel: str | None = None
    tag_id: UUID | None = None
    shopper_id: UUID | None = None  # not together with `q`
    since: dt.datetime | None = None  # made then or later
    until: dt.datetime | None = None  # made before
    q: str | None = None


class Page(NamedTuple):
    """`next` is where the following page begins, None behind the last. A page may be short, or empty, and yet not the last."""

    orders: list[Order]
    next: tuple[dt.datetime, UUID] | None


# $1 tenant, $2 and $3 the place in time before which the page begins, $4 since when, $5 how many; $6 state, $7 sale, $8 channel, $9 tag;
# $10 terms that each order must have besides the leading one; $11 the leading term, or the words; $12 and $13 between which an order's
# number lies; $14 those of $10 that say neither state nor sale.
_PLACE = "tenant_id = $1 AND ({at}, {id}) < ($2::timestamptz, $3::uuid) AND {at} >= $4::timestamptz"
_PAGE = "AND {id} NOT IN (SELECT id FROM tail) ORDER BY {at} DESC, {id} DESC LIMIT $5"
_HAS_ALL = """AND NOT EXISTS (SELECT FROM unnest({need}) AS need(term) WHERE NOT EXISTS (
                  SELECT FROM order_posting AS has
                  WHERE has.tenant_id = $1 AND has.term = need.term AND has.at = {at} AND has.order_id = {id} OFFSET 0) OFFSET 0)"""
_TAIL = """tail AS MATERIALIZED (
    SELECT id, created_at AS at, state, channel, contact FROM orders
    WHERE tenant_id = $1 AND id = ANY(ARRAY(SELECT unnest(order_ids) FROM order_change WHERE tenant_id = $1)))"""
_TAGGED = "EXISTS (SELECT FROM order_tag WHERE tenant_id = $1 AND order_id = {id} AND tag_id = $9 OFFSET 0)"
_FRESH = f"""fresh AS (
    SELECT at, id FROM tail
    WHERE (at, id) < ($2::timestamptz, $3::uuid) AND at >= $4::timestamptz AND ($6::text IS NULL OR state = $6)
      AND ($8::text IS NULL OR channel = $8)
      AND ($7::uuid IS NULL OR EXISTS (SELECT FROM order_line WHERE tenant_id = $1 AND order_id = tail.id AND sale_id = $7 OFFSET 0))
      AND ($9::uuid IS NULL OR {_TAGGED.format(id="tail.id")})
      {{words}}
    ORDER BY at DESC, id DESC LIMIT $5)"""
_FOUND = "SELECT at, id FROM (SELECT at, id FROM listed UNION SELECT at, id FROM fresh) AS found {upto} ORDER BY at DESC, id DESC LIMIT $5"
_COLUMNS = f"{', '.join(f'o.{column}' for column in COLUMNS)}, {KNOWN.format(order='o')}"
_READ = "CROSS JOIN LATERAL (SELECT * FROM orders WHERE tenant_id = $1 AND id = page.id OFFSET 0) AS o"

_UP_TO_REACHED = f"""
    page AS ({_FOUND.format(upto="WHERE NOT EXISTS (SELECT FROM reached WHERE (found.at, found.id) < (reached.at, reached.id))")})
    SELECT reached.at AS reached_at, reached.id AS reached_id, answer.*
    FROM (VALUES (1)) AS always LEFT JOIN reached ON true
    LEFT JOIN LATERAL (SELECT page.at AS place_at, page.id AS place_id, {_COLUMNS} FROM page {_READ}) AS answer ON true
    ORDER BY answer.place_at DESC, answer.place_id DESC"""


def _plain(listed: str) -> str:
    parts = f"{_TAIL},\nlisted AS ({listed}),\n{_FRESH.format(words='')}"
    return f"WITH {parts} SELECT {_COLUMNS} FROM ({_FOUND.format(upto='')}) AS page {_READ} ORDER BY page.at DESC, page.id DESC"


def _among(table: str, alias: str, more: str, **named: str) -> str:
    """A range of a list that lies in the order of time."""
    names = {"at": f"{alias}.at", "id": f"{alias}.order_id"}
    return f"SELECT {alias}.at, {alias}.order_id AS id FROM {table} AS {alias} WHERE {_PLACE} {more} {_PAGE}".format(**names, **named)


_ALL = _plain(_among("order_entry", "e", ""))
_BY_TERM = _plain(_among("order_posting", "p", f"AND p.term = $11 {_HAS_ALL}", need="$10::uuid[]"))


def by_tag(read_max: int) -> str:
    """The statement for a tag with other filters, which may have next to nothing in common: `read_max` of the leading list are looked at,
    and the page then ends at the place that was `reached`."""
    at = {"at": "h.at", "id": "h.order_id"}
    in_list = f"{_PLACE.format(**at)} AND h.term = $11 AND h.order_id NOT IN (SELECT id FROM tail) ORDER BY at DESC, order_id DESC"
    return f"""
    WITH {_TAIL},
    listed AS MATERIALIZED (
        SELECT h.at, h.id FROM (SELECT at, order_id AS id FROM order_posting AS h WHERE {in_list} LIMIT {read_max}) AS h
        WHERE true {_HAS_ALL.format(at="h.at", id="h.id", need="$10::uuid[]")} ORDER BY h.at DESC, h.id DESC LIMIT $5),
    reached AS MATERIALIZED (
        SELECT at, order_id AS id FROM order_posting AS h
        WHERE (SELECT count(*) FROM listed) < $5 AND {in_list} OFFSET {read_max} - 1 LIMIT 1),
    {_FRESH.format(words="")},
    {_UP_TO_REACHED}"""


_RARER = """SELECT x.term FROM unnest($2::uuid[]) AS x(term) CROSS JOIN LATERAL (
                SELECT count(*) AS rows FROM (
                    SELECT FROM order_posting WHERE tenant_id = $1 AND term = x.term LIMIT 1000) AS first OFFSET 0) AS c
            ORDER BY c.rows LIMIT 1"""
_IS_SO = f"""AND EXISTS (SELECT FROM word) AND (
    tail.id BETWEEN $12::uuid AND $13::uuid
    OR (tail.contact IS NOT NULL AND NOT EXISTS (SELECT FROM word WHERE strpos({search.FOLDED.format("tail.contact")}, w) = 0))
    OR EXISTS (
        SELECT FROM order_line WHERE tenant_id = $1 AND order_id = tail.id AND sale_id IN (SELECT id FROM found_sale) OFFSET 0))"""


def by_words(contacts_max: int, sales_max: int, read_max: int) -> str:
    """The statement for words. They lead to sales and contacts, and those to lists, of each of which the newest are read (`candidate`);
    with more than `contacts_max` contacts all orders are read in the order of time (`met`). What else is asked is looked up order by order,
    newest first, until the page is full (`run`), of `read_max` at most: the page then ends at the place that was `reached`.
    """
    numbers = {"at": "n.created_at", "id": "n.id"}
    place, has_all = _PLACE.format(at="e.at", id="e.order_id"), _HAS_ALL.format(at="e.at", id="e.order_id", need="$10::uuid[]")
    in_list = f"{_PLACE.format(at='h.at', id='h.order_id')} AND h.term = list.term AND h.order_id NOT IN (SELECT id FROM tail)"
    state_in_sale = index.STATE_IN_SALE.format(state="$6::text", sale="id")
    return f"""
    WITH {search.finding("$11", contact=contacts_max, sale=sales_max)},
    {_TAIL},
    list AS MATERIALIZED (
        SELECT term, need, CASE cardinality(need) WHEN 0 THEN $5 ELSE greatest($5, {read_max} / count(*) OVER ()) END AS most FROM (
            SELECT CASE WHEN $7::uuid IS NOT NULL THEN ($10::uuid[])[1] WHEN $6::text IS NULL THEN id ELSE {state_in_sale} END AS term,
                   $14::uuid[] AS need
            FROM found_sale WHERE $7::uuid IS NULL OR id = $7
            UNION ALL SELECT id, $10::uuid[] FROM found_contact WHERE NOT (SELECT many FROM many_contact)) AS lists),
    candidate AS MATERIALIZED (
        SELECT list.need, list.most, h.at, h.id, h.nth FROM list CROSS JOIN LATERAL (
            SELECT at, order_id AS id, row_number() OVER (ORDER BY at DESC, order_id DESC) AS nth FROM order_posting AS h
            WHERE {in_list} ORDER BY at DESC, order_id DESC LIMIT list.most) AS h),
    run AS MATERIALIZED (
        SELECT c.at, c.id FROM (
            SELECT DISTINCT ON (at, id) at, id, need FROM candidate ORDER BY at DESC, id DESC, cardinality(need) OFFSET 0) AS c
        WHERE true {_HAS_ALL.format(at="c.at", id="c.id", need="c.need")} ORDER BY c.at DESC, c.id DESC LIMIT $5),
    met AS MATERIALIZED (
        SELECT e.at, e.order_id AS id FROM (
            SELECT at, order_id, contact FROM order_entry AS e WHERE (SELECT many FROM many_contact) AND {place}
            ORDER BY at DESC, order_id DESC LIMIT {read_max}) AS e
        WHERE e.contact IS NOT NULL AND NOT EXISTS (SELECT FROM word WHERE strpos(e.contact, w) = 0) {has_all}
        {_PAGE.format(at="e.at", id="e.order_id")}),
    reached AS MATERIALIZED (
        SELECT at, id FROM (
            (SELECT at, order_id AS id FROM order_entry AS e
             WHERE (SELECT many FROM many_contact) AND (SELECT count(*) FROM met) < $5 AND {place}
             ORDER BY at DESC, order_id DESC OFFSET {read_max} - 1 LIMIT 1)
            UNION ALL
            SELECT at, id FROM candidate WHERE cardinality(need) > 0 AND nth = most) AS ends
        ORDER BY at DESC, id DESC LIMIT 1),
    listed AS (
        SELECT at, id FROM (
            SELECT at, id FROM run
            UNION ALL
            SELECT at, id FROM met
            UNION ALL
            (SELECT n.created_at, n.id FROM orders AS n WHERE n.id BETWEEN $12::uuid AND $13::uuid AND {_PLACE.format(**numbers)}
             {_HAS_ALL.format(**numbers, need="$10::uuid[]")} {_PAGE.format(**numbers)})) AS any_way
        ORDER BY at DESC, id DESC),
    {_FRESH.format(words=_IS_SO)},
    {_UP_TO_REACHED}"""


# A shopper has few orders, and an index of his own: no list needs keeping for him.
_OF_SHOPPER = f"""
    SELECT {_COLUMNS} FROM orders AS o
    WHERE o.tenant_id = $1 AND o.shopper_id = $10 AND (o.created_at, o.id) < ($2::timestamptz, $3::uuid) AND o.created_at >= $4::timestamptz
      AND ($6::text IS NULL OR o.state = $6) AND ($8::text IS NULL OR o.channel = $8)
      AND ($7::uuid IS NULL OR EXISTS (SELECT FROM order_line WHERE tenant_id = $1 AND order_id = o.id AND sale_id = $7 OFFSET 0))
      AND ($9::uuid IS NULL OR {_TAGGED.format(id="o.id")})
    ORDER BY o.created_at DESC, o.id DESC LIMIT $5"""
_BY_WORDS = by_words(CONTACTS_MAX, SALES_MAX, READ_MAX)
_BY_WORDS_AND_TAG = by_words(CONTACTS_MAX, SALES_MAX, TAG_READ_MAX)
_BY_TAG = by_tag(TAG_READ_MAX)


async def latest(tx: TenantTx, asked: Asked | None = None, *, limit: int, before: tuple[dt.datetime, UUID] | None = None) -> Page:
    """Orders that are as asked, newest first, at most `limit`, older than the order `before` (its created_at and id).

    Raises `Unprocessable` (`words_of_a_shopper`) for words among a shopper's orders.
    """
    asked = asked or Asked()
    at, last = min(before or (LATEST, NEWEST), (asked.until or LATEST, OLDEST if asked.until else NEWEST))
    args: list[Any] = [tx.tenant_id, at, last, asked.since or EARLIEST, limit + 1]
    args += [asked.state, asked.sale_id, asked.channel, asked.tag_id]
    terms = _terms(asked)
    reached = None
    if asked.shopper_id is not None:
        if asked.q is not None:
            raise Unprocessable("Ask either for words or for a shopper.", code="words_of_a_shopper")
        rows = await tx.conn.fetch(_OF_SHOPPER, *args, asked.shopper_id)
    elif asked.q is not None:
        rows = await tx.conn.fetch(
            _BY_WORDS_AND_TAG if asked.tag_id else _BY_WORDS,
            *args,
            terms,
            asked.q,
            *_numbers(asked.q),
            terms[asked.sale_id is not None or asked.state is not None :],
        )
        rows, reached = _reached(rows)
    elif terms:
        # A state within a sale is more particular than a channel; of any others, the one that fewer orders have leads.
        is_clear = len(terms) == 1 or (asked.sale_id and not asked.tag_id)
        leading = terms[0] if is_clear else await tx.conn.fetchval(_RARER, tx.tenant_id, terms)
        others = [term for term in terms if term != leading]
        if asked.tag_id and others:
            rows, reached = _reached(await tx.conn.fetch(_BY_TAG, *args, others, leading))
        else:
            rows = await tx.conn.fetch(_BY_TERM, *args, others, leading)
    else:
        rows = await tx.conn.fetch(_ALL, *args)
    # One more than asked for tells whether there is a next page.
    full = (rows[limit - 1]["created_at"], rows[limit - 1]["id"]) if len(rows) > limit else None
    return Page(await with_lines(tx, rows[:limit]), full or reached)


def _reached(rows: list[asyncpg.Record]) -> tuple[list[asyncpg.Record], tuple[dt.datetime, UUID] | None]:
    """The orders among the rows, and the place where reading ended before the page was full."""
    place = (rows[0]["reached_at"], rows[0]["reached_id"]) if rows[0]["reached_id"] else None
    return [row for row in rows if row["id"]], place


def _terms(asked: Asked) -> list[UUID]:
    """What an order must be listed under, the most particular first."""
    terms = []
    if asked.sale_id:
        terms.append(_md5(f"state:{asked.state}|sale:{asked.sale_id}") if asked.state else asked.sale_id)
    elif asked.state:
        terms.append(_md5(f"state:{asked.state}"))
    if asked.channel:
        terms.append(_md5(f"channel:{asked.channel}"))
    if asked.tag_id:
        terms.append(asked.tag_id)
    return terms


def _md5(text: str) -> UUID:
    return UUID(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())


def _numbers(q: str) -> tuple[UUID, UUID]:
    """Between which an order's number lies that begins so; a range of nothing for what is no such beginning."""
    found = _NUMBER.fullmatch(q.strip().lower())
    if found is None:
        return NEWEST, OLDEST
    return UUID(found[1].ljust(32, "0")), UUID(found[1].ljust(32, "f"))
