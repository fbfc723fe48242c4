"""The gate in Redis against the rows it turns the crowd away from (I6), and the fence between their epochs (I24)."""

import time
from typing import Any
from uuid import UUID

import asyncpg

from tenants.db import dsn_for
from tenants.invariants.counters import NO_ANSWER, Counter, Counters, GateSale, gate_sales, open_counters
from tenants.invariants.look import Look
from tenants.invariants.registry import invariant

FORGOTTEN_WITHIN_S = 60

NEVER_MORE = "what a gate counts, with what it admitted and nobody has decided, is at most what its sale has left"
LOADED = "the gate of a sale that runs is open to this server, under the sale's epoch"
EQUAL = "at rest a gate counts exactly what its sale has left, knows every return, and remembers no intent"
SHOPPERS = "at rest a gate counts for each shopper the units he holds"
FORGOTTEN = f"a sale that is over is forgotten by Redis within {FORGOTTEN_WITHIN_S} s"
OLD_EPOCH = "no order was committed under an epoch that was over"
STAMPED = """orders o JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id
    JOIN sale ON sale.tenant_id = l.tenant_id AND sale.id = l.sale_id"""
NO_GATE = "no sale uses the gate: Redis counts no stock and stamps no epoch"
Offenders = list[dict[str, Any]]


@invariant("I6")
async def redis_never_counts_more(look: Look) -> None:
    sentences = (NEVER_MORE, LOADED, EQUAL, SHOPPERS, FORGOTTEN)
    try:
        async with look.conn.transaction():
            sales = await gate_sales(look.conn)
    except asyncpg.PostgresError as error:
        for sentence in sentences:
            look.failed(sentence, f"Postgres says: {error}")
        return
    if not sales:
        for sentence in sentences:
            look.unchecked(sentence, NO_GATE)
        return
    try:
        async with open_counters(look.store.settings) as counters:
            await _against_rows(look, counters, sales)
    except NO_ANSWER as error:
        for sentence in sentences:
            look.failed(sentence, f"Redis says: {str(error) or type(error).__name__}")


async def _against_rows(look: Look, counters: Counters, sales: list[GateSale]) -> None:
    start = time.perf_counter()
    pairs = list(zip(sales, await counters.of(sales), strict=True))
    # Under another epoch a counter is void: its sale was changed a moment ago, and whatever it admits counts for nothing.
    counting = [(sale, counter) for sale, counter in pairs if counter and counter.is_ours and counter.epoch == sale.epoch]
    too_many: Offenders = []
    for sale, counter in counting:
        undecided = await _undecided(look, sale, counter)
        returned = await _returned_since(look, sale, counter)
        if counter.avail + undecided > sale.left + returned:
            too_many.append(_row(sale, counter) | {"undecided": undecided})
    look.found(NEVER_MORE, len(counting), too_many, start)
    await _at_rest(look, counters, pairs)
    start, over = time.perf_counter(), [sale for sale in sales if not sale.runs]
    late = [sale for sale in over if look.store.options.at_rest or sale.over_for_s > FORGOTTEN_WITHIN_S]
    kept: Offenders = [{"tenant": sale.tenant_id, "sale": sale.id, "keys": n} for sale in late if (n := await counters.kept(sale.key))]
    look.found(FORGOTTEN, len(late), kept, start)


async def _at_rest(look: Look, counters: Counters, pairs: list[tuple[GateSale, Counter | None]]) -> None:
    if not look.store.options.at_rest:
        for sentence in (LOADED, EQUAL, SHOPPERS):
            look.unchecked(sentence, "it only has to hold when traffic has stopped (--at-rest)")
        return
    start = time.perf_counter()
    running = [(sale, counter) for sale, counter in pairs if sale.runs]
    closed = [{"tenant": s.tenant_id, "sale": s.id} for s, c in running if c is None or not c.is_ours or c.epoch != s.epoch]
    look.found(LOADED, len(running), closed, start)
    loaded = [(sale, counter) for sale, counter in running if counter and counter.is_ours and counter.epoch == sale.epoch]
    unequal = [_row(s, c) for s, c in loaded if c.avail != s.left or c.given != s.give_seq or c.entries]
    look.found(EQUAL, len(loaded), unequal)
    start, looked_at, wrong = time.perf_counter(), 0, list[dict[str, Any]]()
    for sale, _ in loaded:
        sql = """SELECT shopper_id, count(*) FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND shopper_id IS NOT NULL GROUP BY 1"""
        held = {row[0]: row[1] for row in await look.conn.fetch(sql, *sale.key)}
        counted = await counters.shoppers(sale.key)
        looked_at += len(held | counted)
        wrong += [
            {"tenant": sale.tenant_id, "sale": sale.id, "shopper": who, "counted": counted.get(who, 0), "held": held.get(who, 0)}
            for who in held.keys() | counted.keys()
            if held.get(who, 0) != counted.get(who, 0)
        ]
    look.found(SHOPPERS, looked_at, wrong, start)


def _row(sale: GateSale, counter: Counter) -> dict[str, Any]:
    return {
        "tenant": sale.tenant_id, "sale": sale.id, "counted": counter.avail, "left": sale.left, "intents": len(counter.entries),
        "given": counter.given, "give_seq": sale.give_seq,
    }  # fmt: skip


async def _undecided(look: Look, sale: GateSale, counter: Counter) -> int:
    """Units of the journal's intents that count under the sale's epoch and were not decided when the snapshot was taken."""
    counts = {e.intent_id: (e.order_id, e.intent.quantity) for e in counter.entries if e.epoch == sale.epoch and e.intent is not None}
    sql = """WITH admitted AS (SELECT * FROM unnest($2::uuid[], $3::uuid[]) AS x(order_id, intent_id))
             SELECT intent_id FROM admitted JOIN orders o USING (intent_id) WHERE o.tenant_id = $1 AND o.id = admitted.order_id
             UNION ALL
             SELECT intent_id FROM admitted JOIN give_back ON reason = 'intent:' || replace(intent_id::text, '-', '')
             WHERE tenant_id = $1 AND sale_id = $4"""
    orders: list[UUID] = [order for order, _ in counts.values()]
    decided = {row[0] for row in await look.conn.fetch(sql, sale.tenant_id, orders, list(counts), sale.id)} if counts else set()
    return sum(units for intent, (_, units) in counts.items() if intent not in decided)


async def _returned_since(look: Look, sale: GateSale, counter: Counter) -> int:
    """Units that came back after the snapshot and were given to the gate before it was read."""
    if counter.given <= sale.give_seq:
        return 0
    conn = await asyncpg.connect(dsn_for(look.store.settings, "tessera_migrator"), timeout=10)
    try:
        sql = "SELECT coalesce(sum(units), 0) FROM give_back WHERE tenant_id = $1 AND sale_id = $2 AND seq > $3 AND seq <= $4"
        return int(await conn.fetchval(sql, *sale.key, sale.give_seq, counter.given))
    finally:
        await conn.close()


@invariant("I24")
async def old_epochs_change_nothing(look: Look) -> None:
    """An order keeps the epoch that the gate stamped on its wish; under the sale's lock epochs only rise."""
    if not await look.conn.fetchval("SELECT count(*) FROM sale WHERE door = 'gate'"):
        look.unchecked(OLD_EPOCH, NO_GATE)
        return
    await look.none(
        "a return to a gate is of an epoch its sale has had",
        of="give_back",
        sql="""SELECT g.tenant_id AS tenant, g.sale_id AS sale, g.seq, g.epoch, sale.epoch AS epoch_of_sale
               FROM give_back g LEFT JOIN sale ON sale.tenant_id = g.tenant_id AND sale.id = g.sale_id
               WHERE g.epoch > sale.epoch OR sale.door IS DISTINCT FROM 'gate'""",
    )
    await look.none(
        "a sale's returns are numbered from 1 to its count, without gaps",
        of="sale WHERE door = 'gate'",
        sql="""SELECT sale.tenant_id AS tenant, sale.id AS sale, give_seq, coalesce(n, 0) AS returns, first, last
               FROM sale
               LEFT JOIN (SELECT tenant_id, sale_id, count(*) AS n, min(seq) AS first, max(seq) AS last FROM give_back GROUP BY 1, 2) given
                 ON given.tenant_id = sale.tenant_id AND given.sale_id = sale.id
               WHERE door = 'gate' AND (coalesce(n, 0) <> give_seq OR coalesce(first, 1) <> 1 OR coalesce(last, 0) <> give_seq)""",
    )
    await look.none(
        "a sale's returns were numbered as its epochs rose",
        of="give_back",
        sql="""SELECT tenant_id AS tenant, sale_id AS sale, seq, epoch, epoch_before
               FROM (SELECT *, lag(epoch) OVER (PARTITION BY tenant_id, sale_id ORDER BY seq) AS epoch_before FROM give_back) g
               WHERE epoch < epoch_before""",
    )
    await look.none(
        OLD_EPOCH,
        of=f"{STAMPED} WHERE o.epoch IS NOT NULL",
        sql=f"""SELECT tenant, sale, id AS "order", epoch, epoch_before, epoch_of_sale
                FROM (SELECT o.tenant_id AS tenant, l.sale_id AS sale, o.id, o.epoch, sale.epoch AS epoch_of_sale, sale.door,
                             max(o.epoch) OVER (PARTITION BY o.tenant_id, l.sale_id ORDER BY o.created_at, o.epoch
                                                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS epoch_before
                      FROM {STAMPED} WHERE o.epoch IS NOT NULL) o
                WHERE epoch < epoch_before OR epoch > epoch_of_sale OR door <> 'gate'""",
    )
    if unstamped := await look.conn.fetchval(f"SELECT count(*) FROM {STAMPED} WHERE o.epoch IS NULL AND sale.door = 'gate'"):
        look.unchecked(f"{OLD_EPOCH}: {unstamped} older orders", "they were committed before orders kept the epoch of their wish")
