"""The index of orders: what was made or changed is noted in its transaction, and indexed a moment later by the duty of that note.

A note (`order_change`) names orders, not what became of them: they are read when they are indexed, and until then every search reads the
orders of all notes too (`orders.find`). So an answer is exact at any time, and whoever commits writes one row for a whole batch.
"""

from collections.abc import Sequence
from uuid import UUID

from tenants import search
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.orders import tally

NOTES = 500  # indexed in one transaction, while they name no more than so many orders
ORDERS = 5_000
NOTE = "INSERT INTO order_change (tenant_id, order_ids)"
# A term of a posting; those of a sale and of a contact are their ids.
STATE = "md5('state:' || {state})::uuid"
CHANNEL = "md5('channel:' || {channel})::uuid"
STATE_IN_SALE = "md5('state:' || {state} || '|sale:' || {sale})::uuid"
CONTACT = "md5({contact})::uuid"

# One indexer of a tenant at a time: the one who read an order later must also write later.
_ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended('order_change' || $1::text, 0))"
_TAKE = f"""SELECT id, order_ids FROM (
                SELECT id, order_ids, sum(cardinality(order_ids)) OVER (ORDER BY id) - cardinality(order_ids) AS before
                FROM order_change WHERE tenant_id = $1 ORDER BY id LIMIT {NOTES}) AS notes
            WHERE before < {ORDERS}"""
# $2 the orders, $3 the notes that named them. Each look-up is spelt so that no planner can turn it round: inside CASE, IN is
# no join. And nothing is joined: of one tenant among many a planner expects one order and one line, and would compare each with each.
_INDEX = f"""
    WITH read AS MATERIALIZED (
        SELECT o.*, e.state AS old_state, e.contact AS old_contact FROM (
            SELECT id AS order_id, created_at AS at, state, channel, {search.FOLDED.format("contact")} AS contact,
                   amount_minor, currency, paid_at, delivered_at FROM orders
            WHERE tenant_id = $1 AND id = ANY($2)) AS o
        LEFT JOIN LATERAL (
            SELECT state, contact FROM order_entry WHERE tenant_id = $1 AND at = o.at AND order_id = o.order_id OFFSET 0) AS e ON true),
    fresh AS MATERIALIZED (SELECT * FROM read WHERE state IS DISTINCT FROM old_state OR contact IS DISTINCT FROM old_contact),
    line AS MATERIALIZED (
        SELECT f.order_id, f.at, f.state, f.old_state, l.sale_id, l.quantity FROM fresh AS f CROSS JOIN LATERAL (
            SELECT sale_id, quantity FROM order_line WHERE tenant_id = $1 AND order_id = f.order_id OFFSET 0) AS l),
    term AS MATERIALIZED (
        SELECT {STATE.format(state="state")} AS term, at, order_id FROM fresh WHERE state IS DISTINCT FROM old_state
        UNION ALL SELECT {CHANNEL.format(channel="channel")}, at, order_id FROM fresh WHERE old_state IS NULL
        UNION ALL SELECT {CONTACT.format(contact="contact")}, at, order_id FROM fresh
        WHERE contact IS NOT NULL AND contact IS DISTINCT FROM old_contact
        UNION ALL SELECT sale_id, at, order_id FROM line WHERE old_state IS NULL
        UNION ALL SELECT {STATE_IN_SALE.format(state="state", sale="sale_id")}, at, order_id FROM line
        WHERE state IS DISTINCT FROM old_state),
    stale AS MATERIALIZED (
        SELECT {STATE.format(state="old_state")} AS term, at, order_id FROM fresh WHERE state <> old_state
        UNION ALL SELECT {STATE_IN_SALE.format(state="old_state", sale="sale_id")}, at, order_id FROM line WHERE state <> old_state
        UNION ALL SELECT {CONTACT.format(contact="old_contact")}, at, order_id FROM fresh
        WHERE old_contact IS NOT NULL AND old_contact IS DISTINCT FROM contact),
    gone AS (DELETE FROM order_posting AS p
             WHERE tenant_id = $1 AND term = ANY(ARRAY(SELECT term FROM stale)) AND at = ANY(ARRAY(SELECT at FROM stale))
               AND order_id = ANY(ARRAY(SELECT order_id FROM stale))
               AND CASE WHEN (p.term, p.at, p.order_id) IN (SELECT term, at, order_id FROM stale) THEN true END),
    entries AS (INSERT INTO order_entry (tenant_id, at, order_id, state, contact)
                SELECT $1, at, order_id, state, contact FROM fresh ORDER BY at, order_id
                ON CONFLICT (tenant_id, at, order_id) DO UPDATE SET state = excluded.state, contact = excluded.contact),
    postings AS (INSERT INTO order_posting (tenant_id, term, at, order_id)
                 SELECT $1, term, at, order_id FROM term ORDER BY term, at, order_id ON CONFLICT DO NOTHING),
    minutes AS ({tally.KEEP_MINUTES.format(changed="fresh")}),
    tallies AS ({tally.KEEP_TALLIES.format(line="line")}),
    done AS (DELETE FROM order_change WHERE tenant_id = $1 AND id = ANY($3))
    SELECT (SELECT array_agg(ROW({CONTACT.format(contact="contact")}, contact)) FROM (
                SELECT DISTINCT contact FROM fresh WHERE contact <> '' AND NOT EXISTS (
                    SELECT FROM search_text
                    WHERE tenant_id = $1 AND kind = 'contact' AND id = {CONTACT.format(contact="fresh.contact")} OFFSET 0)) AS new),
           (SELECT array_agg(DISTINCT {CONTACT.format(contact="old_contact")}) FROM fresh WHERE old_contact <> coalesce(contact, ''))"""
_UNUSED = """SELECT id FROM unnest($2::uuid[]) AS x(id)
             WHERE NOT EXISTS (SELECT FROM order_posting WHERE tenant_id = $1 AND term = x.id OFFSET 0)"""


async def note(tx: TenantTx, order_ids: Sequence[UUID]) -> None:
    """Say in the transaction that changes them that these orders are to be indexed anew."""
    await tx.conn.execute(f"{NOTE} VALUES ($1, $2)", tx.tenant_id, order_ids)


async def work(pool: Pool, tenant_id: UUID) -> int:
    """The duty: index all that is noted of a tenant; how many notes. Nothing while somebody else is at it: he or the next sweep goes on."""
    count, done = 0, 1
    while done:
        async with tenant_tx(pool, tenant_id) as tx:
            done = await _some(tx)
        count += done
    return count


async def _some(tx: TenantTx) -> int:
    if not await tx.conn.fetchval(_ALONE, str(tx.tenant_id)):
        return 0
    notes = await tx.conn.fetch(_TAKE, tx.tenant_id)
    if not notes:
        return 0
    order_ids = list({order_id for note in notes for order_id in note["order_ids"]})
    contacts, dropped = await tx.conn.fetchrow(_INDEX, tx.tenant_id, order_ids, [note["id"] for note in notes])
    await search.add(tx, "contact", [tuple(contact) for contact in contacts or ()])
    if dropped:
        unused = [row[0] for row in await tx.conn.fetch(_UNUSED, tx.tenant_id, dropped)]
        await search.forget(tx, "contact", unused)
    return len(notes)
