"""The double against real SQL: the same random words to both, and every row the same afterwards.

    python -m tests.simulation --agree 10000

What is said to Postgres is the product's own; what is said to the double goes through `contract` and `statements`, as in a simulated shop.
"""

import asyncio
import contextvars
import datetime as dt
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from checkout_core.config import Settings
from checkout_core.errors import AppError
from checkout_core.intents import Decision, SaleKey
from tenants import catalog, sales
from tenants.db import create_pool, dsn_for, tenant_tx
from tests.simulation.contract import doubled
from tests.simulation.loop import EPOCH_S, virtual
from tests.simulation.pool import Pool
from tests.simulation.postgres import Database
from tests.simulation.statements import run
from tests.simulation.words import ACTOR, Case, Word

WORDS: Final = 20  # said in a case
PRICE_MINOR: Final = 700
KEYS: Final = {
    "sale": ("id",),
    "unit": ("id",),
    "orders": ("id",),
    "order_line": ("order_id", "sale_id"),
    "give_back": ("sale_id", "reason"),
}


class Said(NamedTuple):
    """A word, what real SQL answered, and all rows after it."""

    what: str
    word: Word
    answered: Any
    rows: dict[str, list[Any]]


async def say(word: Word, pool: Any) -> Any:
    """What it answers, in a form that has no clock in it."""
    try:
        return plain(await word(pool))
    except AppError as error:
        return type(error).__name__, error.code


def plain(value: Any) -> Any:
    match value:
        case Decision():
            hold_s = (value.hold_until - value.created_at).total_seconds() if value.hold_until else None
            return (int(value.outcome), value.order_id, value.state, value.quantity, value.amount_minor, value.currency, hold_s)
        case sales.Sale():
            return (value.id, value.state, value.limit_per_shopper, value.epoch, value.allotted, value.committed)
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
        case str() if value.startswith(("UPDATE", "DONE")):
            return None
        case tuple():
            return tuple(plain(item) for item in value)
        case _:
            return value


CLOCKS: Final = (
    "created_at", "hold_until", "next_try_at", "paid_at", "delivered_at", "ended_at", "starts_at", "ends_at", "limit_since", "created_xid"
)  # fmt: skip


def rows_of(table: str, rows: Sequence[Any]) -> list[Any]:
    """Comparable: times are whether they are there, a hold how long it is."""
    found = []
    for row in rows:
        fields = {name: value for name, value in dict(row).items() if name not in CLOCKS}
        fields |= {f"has {name}": dict(row)[name] is not None for name in CLOCKS if name in dict(row) and name != "created_at"}
        if table == "orders" and row["hold_until"] is not None:
            fields["hold_s"] = round((row["hold_until"] - row["created_at"]).total_seconds(), 3)
        found.append((tuple(str(row[name]) for name in KEYS[table]), fields))
    return sorted(found, key=lambda pair: pair[0])


class Disagreement(AssertionError):
    """The double and real SQL differ."""


async def agree(settings: Settings, batches: int, first: int = 0) -> int:
    """Say at least `batches` commits to both. Returns how many; raises `Disagreement`."""
    said = 0
    pool = await create_pool(dsn_for(settings, "tessera_app"), size=2)
    admin = await asyncpg.connect(settings.database_url)
    try:
        seed = first
        while said < batches:
            said += await _case(seed, pool, admin)
            seed += 1
    finally:
        await admin.close()
        await pool.close()
    return said


async def _case(seed: int, pool: Any, admin: Any) -> int:
    dice = random.Random(f"stock {seed}")
    tenant_id = UUID(int=dice.getrandbits(128))
    await admin.execute("SET session_replication_role = replica")  # a tenant is not needed for what is looked at
    async with tenant_tx(pool, tenant_id) as tx:
        await tx.conn.execute("INSERT INTO store (tenant_id, slug, name) VALUES ($1, 'things', 'Things')", tenant_id)
        keys = [await _offer(dice, tx, admin) for _ in range(2)]
    case = Case(seed, tenant_id, keys)
    before = await _read(admin, tenant_id)
    course: list[Said] = []
    for _ in range(WORDS):
        for row in await admin.fetch("SELECT id, epoch FROM sale WHERE tenant_id = $1", tenant_id):
            case.epochs[SaleKey(tenant_id, row[0])] = row[1]
        what, word = case.next()
        answered = await say(word, pool)
        course.append(Said(what, word, answered, {table: rows_of(table, rows) for table, rows in (await _read(admin, tenant_id)).items()}))
    _against_double(seed, before, course)
    return sum(said.what.startswith("commit") for said in course)


@contextmanager
def _no_loop() -> Iterator[None]:
    """The loop that talks to Postgres stands still, with its clock, while the other one runs."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(running)


def _against_double(seed: int, before: dict[str, list[Any]], course: list[Said]) -> None:
    with _no_loop(), virtual(seed) as loop, doubled():
        database = Database(loop, random.Random(seed), contextvars.copy_context(), run)
        for table, rows in before.items():
            for row in rows:
                database.tables[table][_key(table, row)] = dict(row)
        pool = Pool(database, 2)
        for number, said in enumerate(course):
            answered = loop.run_until_complete(say(said.word, pool))
            rows = {table: rows_of(table, database.all(table)) for table in KEYS}
            if answered != said.answered:
                raise Disagreement(f"seed {seed}, word {number} ({said.what}): real SQL says {said.answered}, the double {answered}")
            for table in KEYS:
                if rows[table] != said.rows[table]:
                    real, double = said.rows[table], rows[table]
                    wrong = [pair for pair in zip(real, double, strict=False) if pair[0] != pair[1]][:1] or [(len(real), len(double))]
                    raise Disagreement(f"seed {seed}, word {number} ({said.what}), table {table}: real {wrong[0][0]}, double {wrong[0][1]}")


def _key(table: str, row: Any) -> tuple[Any, ...]:
    return (row["tenant_id"], *(row[name] for name in KEYS[table]))


async def _read(admin: Any, tenant_id: UUID) -> dict[str, list[Any]]:
    return {table: await admin.fetch(f"SELECT * FROM {table} WHERE tenant_id = $1", tenant_id) for table in KEYS}


async def _offer(dice: random.Random, tx: Any, admin: Any) -> SaleKey:
    """A sale of a SKU of its own, with some loose units beside it."""
    product = await catalog.create_product(tx, name="thing", description="", actor=ACTOR)
    sku = await catalog.create_sku(
        tx, product_id=product.id, name="100", price_minor=PRICE_MINOR, currency="CNY", code_pattern=None, actor=ACTOR
    )
    units, loose, batch_id = dice.choice((1, 2, 4, 8)), dice.choice((0, 2, 5)), UUID(int=dice.getrandbits(128))
    sql = "INSERT INTO vault_batch (tenant_id, id, sku_id, state, operator, loaded) VALUES ($1, $2, $3, 'loaded', 'test', $4)"
    await tx.conn.execute(sql, tx.tenant_id, batch_id, sku.id, units + loose)
    sql = "INSERT INTO unit (tenant_id, id, sku_id, batch_id) SELECT $1, nextval('unit_id_seq'), $2, $3 FROM generate_series(1, $4)"
    await tx.conn.execute(sql, tx.tenant_id, sku.id, batch_id, units + loose)
    years = dt.timedelta(days=3650)  # the two clocks lie years apart
    now = dt.datetime.fromtimestamp(EPOCH_S, dt.UTC)
    starts_at = now + years if dice.random() < 0.1 else now - 3 * years
    sale = await sales.create(
        tx, sku_id=sku.id, name="a sale", units=units, limit_per_shopper=dice.choice((0, 1, 2, 3)), price_minor=None, starts_at=starts_at,
        ends_at=None, hold_s=900, actor=ACTOR, door=dice.choice(("gate", "gate", "direct")),
    )  # fmt: skip
    return SaleKey(tx.tenant_id, sale.id)
