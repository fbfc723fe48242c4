"""All of a batch in one trip, or nothing of it: what is reserved at once is as a commit would have written it, the rest is left to one."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import asyncpg
import pytest

from checkout_core.config import Settings
from checkout_core.ids import decode, new_id
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from tenants.db import tenant_tx
from tenants.migrate import ours
from tenants.orders import allot, at_once, commit, commit_batch, hoarding
from tenants.orders.at_once import Left
from tests.shop import Store
from tests.tenants.orders.test_together import wish

MADE = re.compile(r"CREATE (OR REPLACE )?FUNCTION reserve")
FUNCTION = [text for migration in ours() for text in migration.statements() if MADE.match(text)][-1]


async def sale_of(store: Store, units: int = 5, **changes: object) -> SaleKey:
    return SaleKey(store.tenant_id, decode("sal", await store.sale(units, **changes)))


async def reserve(store: Store, sale: SaleKey, *wishes: Intent) -> list[Decision] | Left:
    return await at_once.reserve(store.process.app_pool, sale, wishes)


async def rows(store: Store, table: str) -> list[dict[str, Any]]:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        found = await tx.conn.fetch(f"SELECT * FROM {table} WHERE tenant_id = $1", store.tenant_id)
    return [dict(row) for row in found]


# Batches that nothing speaks against: alike, of several units, and each its own.
BATCHES = {
    "one": [wish()],
    "alike": [wish(), wish(), wish()],
    "several units": [wish(quantity=2), wish(), wish(quantity=3)],
    "unlike": [
        Intent(new_id(), new_id(), new_id(), 2, b"h" * 16, None, "a@example.org", None, "web"),
        Intent(new_id(), new_id(), new_id(), 1, b"i" * 16, None, None, b"l" * 32, "api"),
    ],
}


class TestReserve:
    @pytest.mark.parametrize("limit", [0, 3])
    @pytest.mark.parametrize("batch", BATCHES)
    async def test_leaves_what_a_commit_leaves(self, acme: Store, globex: Store, batch: str, limit: int) -> None:
        """The same wishes at two stores, decided once in each way: everything is equal but the ids and the clock."""
        left = []
        for store in (acme, globex):
            sale = await sale_of(store, 9, limit_per_shopper=limit)
            # In the order of their ids, in which units are given.
            ids = sorted(new_id() for _ in BATCHES[batch])
            wishes = [i._replace(order_id=own, intent_id=new_id(), shopper_id=new_id()) for i, own in zip(BATCHES[batch], ids, strict=True)]
            if store is acme:
                decided = await reserve(store, sale, *wishes)
            else:
                async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
                    decided = await commit.commit(tx, sale.sale_id, list(wishes))
            assert isinstance(decided, list)
            assert [(d.outcome, d.order_id, d.quantity, d.amount_minor) for d in decided] == [
                (Outcome.RESERVED, i.order_id, i.quantity, 9900 * i.quantity) for i in wishes
            ]
            ranks = {i.order_id: n for n, i in enumerate(wishes)} | {i.intent_id: n for n, i in enumerate(wishes)}
            ranks |= {i.shopper_id: n for n, i in enumerate(wishes)} | {store.tenant_id: -1, sale.sale_id: -2}
            left.append({table: await _told(store, table, ranks) for table in ("orders", "order_line", "unit", "sale", "order_change")})
            # What was told is what is written.
            written = {row["id"]: (row["created_at"], row["hold_until"], row["currency"]) for row in await rows(store, "orders")}
            assert {d.order_id: (d.created_at, d.hold_until, d.currency) for d in decided} == written
        assert left[0] == left[1]

    async def test_a_foreign_sale_is_like_none(self, acme: Store, globex: Store) -> None:
        theirs = await sale_of(globex)
        for sale in (SaleKey(acme.tenant_id, theirs.sale_id), SaleKey(acme.tenant_id, new_id())):
            assert await reserve(acme, sale, wish()) is Left.TAKEN
        assert await rows(globex, "orders") == []

    async def test_the_session_belongs_to_nobody_afterwards(self, acme: Store) -> None:
        sale = await sale_of(acme)
        async with acme.process.app_pool.acquire() as conn:
            assert isinstance(await at_once.reserve(conn, sale, [wish()]), list)
            assert not await conn.fetchval("SELECT current_setting('app.tenant_id', true)")
            assert await conn.fetchval("SELECT count(*) FROM orders") == 0

    async def test_it_is_the_application_s_alone(self, acme: Store) -> None:
        sql = """SELECT array_agg(rolname ORDER BY rolname) FROM pg_roles
                 WHERE rolname LIKE 'tessera_%' AND has_function_privilege(oid, $1::oid, 'EXECUTE')"""
        async with acme.process.app_pool.acquire() as conn:
            function = await conn.fetchval("SELECT oid FROM pg_proc WHERE proname = 'reserve'")
            assert await conn.fetchval(sql, function) == ["tessera_app", "tessera_migrator"]

    async def test_of_two_at_the_same_time_one_does_not_wait(self, acme: Store) -> None:
        sale = await sale_of(acme)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await allot.lock_sale(tx, sale.sale_id)
            assert await reserve(acme, sale, wish()) is Left.TAKEN
            assert isinstance(await at_once.reserve(tx.conn, sale, [wish()]), list), "who holds the row may go on"

    async def test_a_key_that_wins_in_another_sale_at_the_same_time_takes_all_of_it_back(self, acme: Store) -> None:
        here, there = await sale_of(acme), await sale_of(acme)
        contested = wish()
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await commit.commit(tx, there.sale_id, [contested])
            waits = asyncio.create_task(reserve(acme, here, wish(), contested))
            await asyncio.sleep(0.1)
            assert not waits.done()
        with pytest.raises(asyncpg.UniqueViolationError):
            await waits
        assert [row["id"] for row in await rows(acme, "orders")] == [contested.order_id]
        assert {row["id"]: row["committed"] for row in await rows(acme, "sale")} == {here.sale_id: 0, there.sale_id: 1}
        [first, second] = await commit_batch(acme.process.app_pool, here, [wish(), contested])
        assert (first.outcome, second.outcome) == (Outcome.RESERVED, Outcome.RESERVED)

    async def test_many_at_once_sell_each_unit_once(self, acme: Store) -> None:
        sale = await sale_of(acme, 40)
        batches = [[wish() for _ in range(4)] for _ in range(12)]
        decided = await asyncio.gather(*(commit_batch(acme.process.app_pool, sale, batch) for batch in batches))
        outcomes = [d.outcome for each in decided for d in each]
        assert (outcomes.count(Outcome.RESERVED), outcomes.count(Outcome.SOLD_OUT)) == (40, 8)
        held = [row["order_id"] for row in await rows(acme, "unit") if row["state"] == "held"]
        assert len(held) == len(set(held)) == 40


async def _told(store: Store, table: str, ranks: dict[Any, int]) -> list[dict[str, Any]]:
    """Rows with ids as places in the batch, without what differs by chance or by the clock."""
    first = min(row["id"] for row in await rows(store, "unit"))
    chance = ("sku_id", "batch_id", "created_at", "hold_until", "next_try_at", "starts_at", "limit_since")
    found = []
    for row in await rows(store, table):
        if table == "order_change":  # as chance would have it, its id too
            found.append({"order_id": [ranks[order_id] for order_id in row["order_ids"]], "tries": row["tries"]})
            continue
        row = {name: ranks.get(value, value) for name, value in row.items() if name not in chance}
        if table == "unit":
            row["id"] -= first
            row["rank"] -= first
        if table == "sale":
            row["last_unit"] -= first
        found.append(row)
    return sorted(found, key=lambda row: str(row["id" if "id" in row else "order_id"]))


class Case(NamedTuple):
    """A batch that something speaks against, the guard in the function that sees it, and what a commit then says."""

    guards: tuple[str, ...]
    arrange: Callable[[Store], Awaitable[tuple[SaleKey, list[Intent]]]]
    outcomes: tuple[Outcome, ...]


async def _paused(store: Store) -> tuple[SaleKey, list[Intent]]:
    sale = await sale_of(store)
    await store.ask("POST", f"/v1/sales/sal_{sale.sale_id.hex}/pause", store.merchant)
    return sale, [wish()]


async def _wrong_door(store: Store) -> tuple[SaleKey, list[Intent]]:
    sale = await sale_of(store)
    [row] = await rows(store, "sale")
    return sale, [wish()._replace(epoch=row["epoch"])]


async def _old_epoch(store: Store) -> tuple[SaleKey, list[Intent]]:
    sale = await sale_of(store, door="gate")
    [row] = await rows(store, "sale")
    return sale, [wish()._replace(epoch=row["epoch"] - 1)]


async def _not_yet(store: Store) -> tuple[SaleKey, list[Intent]]:
    return await sale_of(store, starts_at="2126-01-01T00:00:00Z"), [wish()]


async def _too_many(store: Store) -> tuple[SaleKey, list[Intent]]:
    return await sale_of(store, 3), [wish(quantity=2), wish(quantity=2)]


async def _beyond_the_limit(store: Store) -> tuple[SaleKey, list[Intent]]:
    return await sale_of(store, limit_per_shopper=1), [wish(), wish(quantity=2)]


async def _again(store: Store) -> tuple[SaleKey, list[Intent]]:
    sale, before = await sale_of(store), wish()
    await commit_batch(store.process.app_pool, sale, [before])
    return sale, [before, wish()]


async def _has_one(store: Store) -> tuple[SaleKey, list[Intent]]:
    sale, shopper = await sale_of(store, limit_per_shopper=2), new_id()
    await commit_batch(store.process.app_pool, sale, [wish(shopper)])
    return sale, [wish(shopper), wish()]


async def _owes(store: Store) -> tuple[SaleKey, list[Intent]]:
    sale, shopper = await sale_of(store, hoarding.UNPAID_MAX + 2), new_id()
    for _ in range(hoarding.UNPAID_MAX):
        await commit_batch(store.process.app_pool, sale, [wish(shopper)])
    return sale, [wish(shopper), wish()]


async def _let_lapse(store: Store) -> tuple[SaleKey, list[Intent]]:
    sale, shopper = await sale_of(store, hoarding.LAPSED_MAX + 2), new_id()
    for _ in range(hoarding.LAPSED_MAX):
        await commit_batch(store.process.app_pool, sale, [wish(shopper)])
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        await tx.conn.execute("UPDATE orders SET state = 'expired', next_try_at = NULL WHERE tenant_id = $1", store.tenant_id)
    return sale, [wish(shopper)]


RESERVED, SOLD_OUT, LIMIT = Outcome.RESERVED, Outcome.SOLD_OUT, Outcome.LIMIT
CASES = {
    "paused": Case(("s.state",), _paused, (Outcome.PAUSED,)),
    "wrong door": Case(("(s.door",), _wrong_door, (Outcome.WRONG_DOOR,)),
    "old epoch": Case(("s.epoch",), _old_epoch, (Outcome.STALE,)),
    "not yet": Case(("fence IS NULL AND",), _not_yet, (Outcome.NOT_STARTED,)),
    # Two look at it: the counter, so that nobody reads an index of units that are gone, and what is found.
    "too many": Case(("s.committed", "cardinality(ranks)"), _too_many, (RESERVED, SOLD_OUT)),
    "beyond the limit": Case(("s.limit_per_shopper > 0 AND most",), _beyond_the_limit, (RESERVED, LIMIT)),
    "again": Case(("EXISTS (SELECT FROM orders WHERE tenant_id = tenant AND id",), _again, (RESERVED, RESERVED)),
    "has one": Case(("s.limit_per_shopper > 0 AND EXISTS",), _has_one, (RESERVED, RESERVED)),
    "owes": Case(("EXISTS (\n        SELECT FROM unnest(shoppers)",), _owes, (RESERVED, Outcome.UNPAID_CAP)),
    "let lapse": Case(("EXISTS (\n        SELECT FROM unnest(shoppers)",), _let_lapse, (Outcome.COOL_DOWN,)),
}  # fmt: skip


@asynccontextmanager
async def without(settings: Settings, *guards: str) -> AsyncIterator[asyncpg.Connection]:
    """A session of the application in which the function has lost these guards; nobody else sees it, and it ends with the block."""
    text = FUNCTION
    for guard in guards:
        text, count = re.subn(rf"    IF {re.escape(guard)}.*?RETURN; END IF;\n", "", text, count=1, flags=re.DOTALL)
        assert count == 1, f"the function has no guard {guard!r}"
    admin = await asyncpg.connect(settings.database_url)
    try:
        transaction = admin.transaction()
        await transaction.start()
        await admin.execute(text)
        await admin.execute("SET LOCAL ROLE tessera_app")
        yield admin
        await transaction.rollback()
    finally:
        await admin.close()


@pytest.mark.parametrize("name", CASES)
class TestWhatSpeaksAgainstIt:
    async def test_is_left_to_the_commit(self, acme: Store, name: str) -> None:
        sale, wishes = await CASES[name].arrange(acme)
        before = {table: await rows(acme, table) for table in ("orders", "order_line", "unit", "sale", "order_change")}
        assert await reserve(acme, sale, *wishes) is Left.CONTESTED
        assert {table: await rows(acme, table) for table in before} == before, "nothing has happened"
        decided = await commit_batch(acme.process.app_pool, sale, wishes)
        assert sorted(d.outcome for d in decided) == sorted(CASES[name].outcomes)

    async def test_would_not_be_seen_without_its_guard(self, acme: Store, settings: Settings, name: str) -> None:
        sale, wishes = await CASES[name].arrange(acme)
        async with without(settings, *CASES[name].guards) as conn:
            try:
                decided = await at_once.reserve(conn, sale, wishes)
            except asyncpg.IntegrityConstraintViolationError:
                return  # what was to be written contradicts what is there
            assert isinstance(decided, list), "something else speaks against it: this guard is not tested"


def test_every_guard_has_a_case() -> None:
    guards = re.findall(r"    IF (.*?)RETURN; END IF;\n", FUNCTION, flags=re.DOTALL)
    # Whose row is taken is tried above.
    tested = {"NOT free"}.union(*[case.guards for case in CASES.values()])
    assert len(guards) == len(tested) == 11
    assert all(any(guard.startswith(start) for start in tested) for guard in guards)


class TestColumnsOf:
    async def test_whoever_comes_twice_is_looked_at_closer(self, acme: Store) -> None:
        sale, shopper, twice = await sale_of(acme), new_id(), wish()
        for batch in ([wish(shopper), wish(shopper)], [twice, twice], [wish(), wish()._replace(epoch=1)]):
            assert at_once.columns_of(batch) is None
            assert await reserve(acme, sale, *batch) is Left.CONTESTED
