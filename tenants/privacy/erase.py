"""Erasing a shopper: his words go from every column the registry names, his token stops working, the books stay as they are.

The duty comes back a minute later, for what was under way in that instant, and as long as something that names him is still needed.
Each step is a transaction and can be done again; what is looked for lies sealed in the request until it is found nowhere any more.
"""

from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.keys import Keyring, archive_place
from tenants.orders import index
from tenants.privacy import find, requests
from tenants.privacy.registry import GONE, OWNED, SEARCHED, Searched, erased_columns
from tenants.privacy.requests import DataRequest

AGAIN_S = 60.0
AT_ONCE = 2000  # rows read in a transaction
SHORT = 6  # characters; a shorter word is looked for as a whole JSON string, or it would be found in anything
_encode = msgspec.json.Encoder().encode


async def ask(tx: TenantTx, shopper_id: UUID, *, actor: str) -> DataRequest:
    """Have a shopper erased. From now on his token is refused.

    Raises `NotFound`, and `Conflict` (`open_orders`) while an order of his is unpaid, undelivered or being refunded.
    """
    found = await find.shopper(tx, shopper_id)
    if found.unfinished:
        raise Conflict(
            f"{found.unfinished} orders of this shopper have not ended. Nothing was erased: let them end, or cancel them, and ask again.",
            code="open_orders",
            orders=found.unfinished,
        )
    sql = "INSERT INTO erased_shopper (tenant_id, shopper_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
    await tx.conn.execute(sql, tx.tenant_id, shopper_id)
    return await requests.ask(tx, "shopper_erasure", actor=actor, shopper_id=shopper_id)


class Words(NamedTuple):
    """What a shopper is known by in free text: his contacts, and the numbers of his payments."""

    contacts: list[str]
    payments: list[str]

    def patterns(self) -> list[bytes]:
        """As they stand in JSON, UTF-8; short ones with their quotes."""
        texts = [_encode(text) for text in (*self.contacts, *self.payments)]
        return [text if len(text) < SHORT + 2 else text[1:-1] for text in texts]


async def carry_out(pool: Pool, keyring: Keyring, tenant_id: UUID, request: DataRequest) -> None:
    """One pass. The second that finds nothing left ends the request."""
    assert request.shopper_id is not None
    async with tenant_tx(pool, tenant_id) as tx:
        words = await _words(tx, keyring, request.id, request.shopper_id)
    waiting = 0
    if patterns := words.patterns():
        for table, searched in SEARCHED.items():
            waiting += await _search(pool, tenant_id, table, searched, patterns)
    async with tenant_tx(pool, tenant_id) as tx:
        await _remove_archives(tx, request.shopper_id)
        unfinished = (await find.shopper(tx, request.shopper_id)).unfinished
        for table in OWNED:
            await _erase(tx, table, request.shopper_id)
        for table, his in GONE.items():
            await tx.conn.execute(f"DELETE FROM {table} WHERE tenant_id = $1 AND {his}", tenant_id, request.shopper_id)
        passes = int(request.progress.get("passes", 0)) + 1
        progress: dict[str, Any] = {"passes": passes, "waiting": waiting + unfinished}
        if passes > 1 and not waiting and not unfinished:
            await requests.finish(tx, request.id, progress, archive=False)
        else:
            await requests.go_on(tx, request.id, progress, after_s=AGAIN_S)
    await index.work(pool, tenant_id)  # now what search knows; should this process die here, the sweep does it


async def _words(tx: TenantTx, keyring: Keyring, request_id: UUID, shopper_id: UUID) -> Words:
    """What is to be looked for: what an earlier pass found, and what his rows hold now. Sealed into the request before a row is touched."""
    keys = await keyring.of(tx)
    place = archive_place(tx.tenant_id, request_id, -1)
    sql = "SELECT words, key_id FROM data_request WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
    sealed, key_id = await tx.conn.fetchrow(sql, tx.tenant_id, request_id)
    known = msgspec.json.decode(keys.open_(key_id, sealed, place), type=Words) if sealed else Words([], [])
    sql = "SELECT DISTINCT contact FROM orders WHERE tenant_id = $1 AND shopper_id = $2 AND contact IS NOT NULL"
    contacts = {row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, shopper_id)}
    sql = """SELECT out_trade_no FROM payment_attempt
             WHERE tenant_id = $1 AND order_id = ANY(SELECT id FROM orders WHERE tenant_id = $1 AND shopper_id = $2)"""
    payments = {row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, shopper_id)}
    folded = {variant for contact in contacts for variant in (contact, contact.strip(), contact.lower())}
    words = Words(sorted(folded.union(known.contacts)), sorted(payments.union(known.payments)))
    sql = "UPDATE data_request SET words = $3, key_id = $4 WHERE tenant_id = $1 AND id = $2"
    await tx.conn.execute(sql, tx.tenant_id, request_id, keys.seal(_encode(words), place), keys.key_id)
    return words


async def _search(pool: Pool, tenant_id: UUID, table: str, searched: Searched, patterns: list[bytes]) -> int:
    """Deal with every row of the table that holds one of `patterns`; how many are still needed, and have to be come back for."""
    key = searched.key

    def page(beyond: str) -> str:
        return f"""
            WITH page AS (SELECT {key}, {searched.ready} AS ready, {searched.content} AS content FROM {table} t
                          WHERE tenant_id = $1 {beyond} ORDER BY {key} LIMIT $2),
                 hit AS (SELECT {key}, ready FROM page
                         WHERE EXISTS (SELECT 1 FROM unnest($3::bytea[]) word WHERE position(word IN content) > 0)),
                 done AS ({searched.found} WHERE tenant_id = $1 AND ({key}) IN (SELECT {key} FROM hit WHERE ready)),
                 last AS (SELECT {key} FROM page ORDER BY {key} OFFSET $2 - 1)
            SELECT (SELECT count(*) FROM hit WHERE NOT ready), last.* FROM (VALUES (1)) AS always LEFT JOIN last ON true"""

    # A key that may be NULL is no bound of an index: the first page has a statement of its own.
    sql, last, waiting = page(""), list[Any](), 0
    while True:
        async with tenant_tx(pool, tenant_id) as tx:
            left, *last = await tx.conn.fetchrow(sql, tenant_id, AT_ONCE, patterns, *last)
        waiting += int(left)
        if last[0] is None:
            return waiting
        sql = page(f"AND ({key}) > ({', '.join(f'${n}' for n in range(4, 4 + len(last)))})")


async def _erase(tx: TenantTx, table: str, shopper_id: UUID) -> None:
    """Erase the columns of the shopper's rows. Orders that have not ended keep theirs until they have."""
    becomes = erased_columns(table)
    ended = "state <> ALL($3)" if table == "orders" else "$3::text[] IS NOT NULL"
    assignments = ", ".join(f"{column} = {to}" for column, to in becomes.items())
    sql = f"UPDATE {table} SET {assignments} WHERE tenant_id = $1 AND {OWNED[table]} AND {ended}"
    if table != "orders":
        await tx.conn.execute(sql, tx.tenant_id, shopper_id, find.UNFINISHED)
    elif changed := await tx.conn.fetch(f"{sql} RETURNING id", tx.tenant_id, shopper_id, find.UNFINISHED):
        await index.note(tx, [row[0] for row in changed])  # what search knows of them goes too


async def _remove_archives(tx: TenantTx, shopper_id: UUID) -> None:
    """What was handed out about him before, and what the store took of all, may not be handed out again."""
    sql = """SELECT id FROM data_request WHERE tenant_id = $1 AND kind <> 'shopper_erasure' AND state <> 'expired'
             AND (shopper_id = $2 OR kind IN ('store_export', 'order_export'))"""
    for (request_id,) in await tx.conn.fetch(sql, tx.tenant_id, shopper_id):
        await requests.expire(tx, request_id)
