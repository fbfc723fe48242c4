"""Orders are found by anything they are asked for, at once and exactly: what a search answers is what reading all of them would."""

import datetime as dt
import itertools
import random
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from checkout_core.ids import decode, new_id
from checkout_core.intents import Intent, SaleKey
from tenants import search
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.orders import Asked, cancel, commit_batch, find, index, latest, tags
from tests.plans import joined, scans
from tests.shop import Store

CONTACTS = ["ann.lee84@example.org", "Bob@Example.org", "13800138000", "王小明@例子.cn", "ＡＢＣ@x.org", None]
CHANNELS = ["web", "api", "h5"]
NAMES = ["Steam 充值卡 100", "Spring Launch", "春节特惠"]
WORDS = [
    "lee84", "example.org", "38001", "王小", "小明", "明", "abc@x", "steam", "充值", "spring", "特惠", "ann example", "nothing at all", " ",
]  # fmt: skip


class Book:
    """A store's orders, and a plain reading of them."""

    def __init__(self, store: Store, sales: list[str], tag_ids: list[UUID], dice: random.Random) -> None:
        self.store, self.sales, self.tag_ids, self.dice = store, sales, tag_ids, dice
        self.pool: Pool = store.process.app_pool

    @classmethod
    async def of(cls, store: Store, seed: int) -> "Book":
        async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
            tag_ids = [(await tags.create(tx, name, actor="test")).id for name in ("VIP", "Call back")]
        return cls(store, [await store.sale(40, name=name) for name in NAMES], tag_ids, random.Random(seed))

    async def sell(self, count: int) -> None:
        for _ in range(count):
            key = SaleKey(self.store.tenant_id, decode("sal", self.dice.choice(self.sales)))
            batch = [
                Intent(new_id(), new_id(), new_id(), 1, bytes(16), None, self.dice.choice(CONTACTS), None, self.dice.choice(CHANNELS))
                for _ in range(self.dice.randint(1, 4))
            ]
            await commit_batch(self.pool, key, batch)

    async def cancel(self, count: int) -> None:
        async with tenant_tx(self.pool, self.store.tenant_id) as tx:
            ids = [row[0] for row in await tx.conn.fetch("SELECT id FROM orders WHERE tenant_id = $1 AND state = 'awaiting'", tx.tenant_id)]
            for order_id in self.dice.sample(ids, min(count, len(ids))):
                await cancel(tx, order_id)

    async def tag(self, count: int) -> None:
        """Give some orders some of the tags, and take others from them."""
        async with tenant_tx(self.pool, self.store.tenant_id) as tx:
            ids = [row[0] for row in await tx.conn.fetch("SELECT id FROM orders WHERE tenant_id = $1", tx.tenant_id)]
            for order_id in self.dice.sample(ids, min(count, len(ids))):
                await tags.put(tx, order_id, self.dice.sample(self.tag_ids, self.dice.randint(0, 2)), actor="test")

    async def truth(self, asked: Asked) -> list[UUID]:
        sql = """SELECT o.*, ARRAY(SELECT sale_id FROM order_line l WHERE l.tenant_id = o.tenant_id AND l.order_id = o.id) AS sales,
                        ARRAY(SELECT tag_id FROM order_tag t WHERE t.tenant_id = o.tenant_id AND t.order_id = o.id) AS tags,
                        lower(normalize(o.contact, NFKC)) AS folded, lower(normalize($2, NFKC)) AS question
                 FROM orders o WHERE o.tenant_id = $1 ORDER BY o.created_at DESC, o.id DESC"""
        async with tenant_tx(self.pool, self.store.tenant_id) as tx:
            rows = await tx.conn.fetch(sql, tx.tenant_id, asked.q or "")
            texts = {row[0]: row[1] for row in await tx.conn.fetch("SELECT id, text FROM search_text WHERE kind = 'sale'")}
        return [row["id"] for row in rows if is_so(row, asked, texts)]

    async def found(self, asked: Asked, limit: int) -> list[UUID]:
        """Page by page."""
        seen: list[UUID] = []
        before = None
        async with tenant_tx(self.pool, self.store.tenant_id) as tx:
            while True:
                page = await latest(tx, asked, limit=limit, before=before)
                seen += [order.id for order in page.orders]
                if page.next is None:
                    return seen
                before = page.next

    def question(self, some: list[asyncpg.Record]) -> Asked:
        dice, order = self.dice, self.dice.choice(some)
        words = [*WORDS, order["id"].hex[:6], f"ord_{order['id'].hex}"]
        return Asked(
            state=dice.choice([None, None, "awaiting", "cancelled", "refused"]),
            sale_id=dice.choice([None, None, decode("sal", dice.choice(self.sales))]),
            channel=dice.choice([None, None, *CHANNELS]),
            tag_id=dice.choice([None, None, *self.tag_ids]),
            since=dice.choice([None, None, order["created_at"]]),
            until=dice.choice([None, None, order["created_at"] + dt.timedelta(microseconds=dice.choice([0, 1]))]),
            q=dice.choice([None, dice.choice(words)]),
        )

    async def every_question(self) -> list[Asked]:
        """All filters together and apart, as they fit one order."""
        sql = """SELECT o.id, state, channel, shopper_id, o.created_at, sale_id
                 FROM orders o JOIN order_line l ON (l.tenant_id, l.order_id) = (o.tenant_id, o.id) WHERE o.tenant_id = $1 LIMIT 1"""
        async with tenant_tx(self.pool, self.store.tenant_id) as tx:
            order = await tx.conn.fetchrow(sql, tx.tenant_id)
            await tags.put(tx, order["id"], self.tag_ids, actor="test")
        filters: dict[str, Any] = {name: order[name] for name in ("state", "channel", "sale_id", "shopper_id")}
        filters |= {
            "tag_id": self.tag_ids[0],
            "since": order["created_at"],
            "until": order["created_at"] + dt.timedelta(microseconds=1),
            "q": order["id"].hex,
        }
        some = [dict(each) for count in range(len(filters) + 1) for each in itertools.combinations(filters.items(), count)]
        return [Asked(**each) for each in some if not each.keys() >= {"q", "shopper_id"}]

    async def all(self) -> list[asyncpg.Record]:
        async with tenant_tx(self.pool, self.store.tenant_id) as tx:
            rows: list[asyncpg.Record] = await tx.conn.fetch("SELECT id, created_at FROM orders WHERE tenant_id = $1", tx.tenant_id)
            return rows


def is_so(row: asyncpg.Record, asked: Asked, texts: dict[UUID, str]) -> bool:
    plain = [
        asked.state in (None, row["state"]), asked.channel in (None, row["channel"]), asked.sale_id in (None, *row["sales"]),
        asked.tag_id in (None, *row["tags"]),
        asked.since is None or row["created_at"] >= asked.since, asked.until is None or row["created_at"] < asked.until,
    ]  # fmt: skip
    if asked.q is None:
        return all(plain)
    words = row["question"].split()
    number = asked.q.strip().lower().removeprefix("ord_")
    is_number = 4 <= len(number) <= 32 and set(number) <= set("0123456789abcdef")
    by_text = [text for text in [row["folded"], *(texts[sale] for sale in row["sales"])] if text and all(word in text for word in words)]
    return all(plain) and bool(words) and (bool(by_text) or (is_number and row["id"].hex.startswith(number)))


@pytest.fixture
async def book(acme: Store, globex: Store) -> Book:
    other = await Book.of(globex, 1)
    await other.sell(3)
    await index.work(other.pool, globex.tenant_id)
    return await Book.of(acme, 2)


class TestLatest:
    @pytest.mark.parametrize("contacts_max", [find.CONTACTS_MAX, 0], ids=["contact by contact", "in the order of time"])
    async def test_what_is_found_is_what_is_so(self, book: Book, monkeypatch: pytest.MonkeyPatch, contacts_max: int) -> None:
        """Before it is indexed, after, and while some of it is and some has changed since."""
        for name in ("_BY_WORDS", "_BY_WORDS_AND_TAG"):
            monkeypatch.setattr(find, name, find.by_words(contacts_max, find.SALES_MAX, read_max=3))
        monkeypatch.setattr(find, "_BY_TAG", find.by_tag(read_max=3))
        hits = 0
        for turn in range(6):
            await book.sell(5)
            await book.cancel(2)
            await book.tag(6)
            if turn % 2:
                await index.work(book.pool, book.store.tenant_id)
            some = await book.all()
            for _ in range(25):
                asked = book.question(some)
                truth = await book.truth(asked)
                assert await book.found(asked, book.dice.choice([1, 3, 100])) == truth, asked
                hits += bool(truth)
        assert hits > 40

    async def test_without_the_tail_it_would_not_be(self, book: Book) -> None:
        """Were notes lost, what they name would not be found: the comparison sees it."""
        await book.sell(2)
        async with tenant_tx(book.pool, book.store.tenant_id) as tx:
            await tx.conn.execute("DELETE FROM order_change WHERE tenant_id = $1", tx.tenant_id)
        assert await book.found(Asked(), 100) != await book.truth(Asked())

    async def test_without_a_tags_list_it_would_not_be(self, book: Book) -> None:
        """Were an order tagged and not listed under the tag, it would be found only while it is in the tail."""
        await book.sell(4)
        await index.work(book.pool, book.store.tenant_id)
        await book.tag(20)
        asked = Asked(tag_id=book.tag_ids[0])
        assert await book.found(asked, 2) == await book.truth(asked) != []
        async with tenant_tx(book.pool, book.store.tenant_id) as tx:
            await tx.conn.execute("DELETE FROM order_posting WHERE tenant_id = $1 AND term = $2", tx.tenant_id, asked.tag_id)
        assert await book.found(asked, 2) != await book.truth(asked)

    async def test_what_is_indexed_leaves_no_note_and_nothing_stale(self, book: Book) -> None:
        await book.sell(4)
        await index.work(book.pool, book.store.tenant_id)
        await book.cancel(3)
        await index.work(book.pool, book.store.tenant_id)
        async with tenant_tx(book.pool, book.store.tenant_id) as tx:
            assert await tx.conn.fetchval("SELECT count(*) FROM order_change WHERE tenant_id = $1", tx.tenant_id) == 0
            sql = """SELECT count(*) FROM order_posting p JOIN orders o ON o.tenant_id = p.tenant_id AND o.id = p.order_id
                     WHERE p.term = md5('state:awaiting')::uuid AND o.state <> 'awaiting'"""
            assert await tx.conn.fetchval(sql) == 0

    async def test_a_contact_that_is_gone_is_found_no_more(self, book: Book) -> None:
        """An erased contact leaves the index too: its text, its grams, its list."""
        await book.sell(6)
        await index.work(book.pool, book.store.tenant_id)
        async with tenant_tx(book.pool, book.store.tenant_id) as tx:
            sql = "UPDATE orders SET contact = NULL WHERE tenant_id = $1 AND contact IS NOT NULL RETURNING id"
            erased = [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id)]
            await index.note(tx, erased)
        await index.work(book.pool, book.store.tenant_id)
        async with tenant_tx(book.pool, book.store.tenant_id) as tx:
            texts = [f"{table} WHERE kind = 'contact'" for table in ("search_text", "search_gram")]
            for left in (*texts, "order_entry WHERE contact IS NOT NULL"):
                assert await tx.conn.fetchval(f"SELECT count(*) FROM {left}") == 0, left

    async def test_what_others_share_stays_when_one_is_forgotten(self, book: Book) -> None:
        """Contacts that were indexed together have the rows of their common grams together."""
        contacts = {new_id(): f"{name}@example.org" for name in ("ann", "bob", "chen")}
        gone, *others = contacts
        async with tenant_tx(book.pool, book.store.tenant_id) as tx:
            await search.add(tx, "contact", list(contacts.items()))
            assert await grams(tx, "exa") == [set(contacts)]
            await search.forget(tx, "contact", [gone])
            assert await grams(tx, "exa") == [set(others)]
            assert await grams(tx, "ann") == []
            assert await tx.conn.fetchval("SELECT count(*) FROM search_gram WHERE $1 = ANY(ids) OR id = $1", gone) == 0
            sql = f"WITH {search.finding('$2', contact=10)} SELECT id FROM found_contact"
            assert {row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, "example")} == set(others)
            await search.forget(tx, "contact", others)
            assert await tx.conn.fetchval("SELECT count(*) FROM search_gram WHERE kind = 'contact'") == 0

    async def test_a_row_says_of_how_many_texts_it_is(self, book: Book) -> None:
        """The rarest gram leads by this: were it wrong, a search would read what most have."""
        await book.sell(6)
        await index.work(book.pool, book.store.tenant_id)
        async with tenant_tx(book.pool, book.store.tenant_id) as tx:
            assert await tx.conn.fetchval("SELECT max(texts) FROM search_gram") > 1
            assert await tx.conn.fetchval("SELECT count(*) FROM search_gram WHERE texts <> coalesce(cardinality(ids), 1)") == 0


class TestCost:
    async def test_a_page_is_two_statements(self, book: Book) -> None:
        """Whatever is asked, on every page: the orders and their lines; to begin with the rarer of several lists one more."""
        await book.sell(12)
        for indexed in (False, True):
            for asked in await book.every_question():
                lists = bool(asked.sale_id or asked.state) + bool(asked.channel) + bool(asked.tag_id)
                clear = asked.shopper_id or asked.q or (asked.sale_id and not asked.tag_id)
                rarer = lists > 1 and not clear
                assert len(await statements(book, asked)) == (3 if rarer else 2), (asked, indexed)
            await index.work(book.pool, book.store.tenant_id)

    @pytest.mark.parametrize("asked", [Asked(), Asked(state="awaiting"), Asked(q="lee84", channel="web")], ids=str)
    async def test_no_table_is_read_whole_but_the_notes(self, book: Book, asked: Asked) -> None:
        await book.sell(12)
        for sql in [*await statements(book, asked), find._BY_TAG]:
            assert set(await scans(book.pool, book.store.tenant_id, sql)) <= {"order_change_pkey"}, sql

    async def test_no_table_is_read_whole_to_index(self, book: Book) -> None:
        for sql in (index._INDEX, index._UNUSED, search._KEEP, search._ADD, search._FORGET):
            assert await scans(book.pool, book.store.tenant_id, sql) == [], sql

    async def test_no_order_is_compared_with_each_other(self, book: Book) -> None:
        """Of one tenant among many a planner expects one row: it would read all lines of a batch anew for each of its orders."""
        assert await joined(book.pool, book.store.tenant_id, index._INDEX) == []
        careless = """WITH a AS MATERIALIZED (SELECT id FROM orders WHERE tenant_id = $1 AND id = ANY($2)),
                         b AS MATERIALIZED (SELECT order_id FROM order_line WHERE tenant_id = $1 AND order_id = ANY($2))
                    SELECT FROM a JOIN b ON order_id = id"""
        assert await joined(book.pool, book.store.tenant_id, careless) != []


async def grams(tx: TenantTx, gram: str) -> list[set[UUID]]:
    """Whose each row of a gram is."""
    sql = "SELECT coalesce(ids, ARRAY[id]) FROM search_gram WHERE tenant_id = $1 AND kind = 'contact' AND gram = $2"
    return [set(row[0]) for row in await tx.conn.fetch(sql, tx.tenant_id, gram)]


async def statements(book: Book, asked: Asked) -> list[str]:
    queries: list[str] = []

    def seen(record: Any) -> None:
        queries.append(record.query)

    async with book.pool.acquire() as conn, tenant_tx(conn, book.store.tenant_id) as tx:
        assert isinstance(tx, TenantTx)
        with conn.query_logger(seen):
            assert (await latest(tx, asked, limit=20)).orders
            await conn.fetchval("SELECT 1")  # the logger is told in the loop's next turn
    return [query for query in queries if query != "SELECT 1"]
