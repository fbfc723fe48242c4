"""The numbers of somebody's orders, mailed to who has forgotten them.

Whoever asks is answered before anybody looks: neither the answer nor how long it takes can tell whether there are any orders. Only the
mailbox does.
"""

import datetime as dt
from uuid import UUID

from checkout_core.ids import new_id
from tenants import mails, search, stores
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.orders import index, notices

DAYS = 90
ORDERS_MAX = 20

_SAME = f"{search.FOLDED.format('contact')} = {search.FOLDED.format('$2::text')}"
# Those that are indexed under the contact, and those of the notes, which are not yet (`orders.index`).
_ORDERS = f"""
    SELECT id FROM orders
    WHERE tenant_id = $1 AND {_SAME} AND state <> 'refused' AND created_at > $3 AND id = ANY(ARRAY(
        SELECT unnest(order_ids) FROM order_change WHERE tenant_id = $1
        UNION (SELECT order_id FROM order_posting
               WHERE tenant_id = $1 AND term = {index.CONTACT.format(contact=search.FOLDED.format("$2::text"))} AND at > $3
               ORDER BY at DESC LIMIT {2 * ORDERS_MAX})))
    ORDER BY created_at DESC, id DESC LIMIT {ORDERS_MAX}"""


async def ask(tx: TenantTx, contact: str, *, locale: str, shop_url: str) -> UUID:
    """Note the wish; the id of its duty. The same work for every contact."""
    sql = """INSERT INTO order_reminder (tenant_id, id, contact, locale, shop_url) VALUES ($1, $2, $3, $4, $5)"""
    reminder_id = new_id()
    await tx.conn.execute(sql, tx.tenant_id, reminder_id, contact.lower(), locale, shop_url)
    return reminder_id


async def answer(pool: Pool, tenant_id: UUID, reminder_id: UUID) -> UUID | None:
    """The duty: owe the contact a mail with the links of his orders, if there are any; the mail's id. The wish is forgotten with it."""
    async with tenant_tx(pool, tenant_id) as tx:
        sql = "DELETE FROM order_reminder WHERE tenant_id = $1 AND id = $2 AND next_try_at <= now() RETURNING contact, locale, shop_url"
        row = await tx.conn.fetchrow(sql, tenant_id, reminder_id)
        if row is None:
            return None
        since = dt.datetime.now(dt.UTC) - dt.timedelta(days=DAYS)
        found = [each[0] for each in await tx.conn.fetch(_ORDERS, tenant_id, row["contact"], since)]
        if not found:
            return None
        links = " ".join(notices.link(row["shop_url"], order_id) for order_id in found)
        store = await stores.get(tx)
        return await mails.send(
            tx, row["contact"], "order_numbers", locale=row["locale"], store=store.name, days=str(DAYS), most=str(ORDERS_MAX), links=links
        )
