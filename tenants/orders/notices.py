"""Mails about an order, sent again: where it is found, never what was bought with it. The proof stays with who has it."""

import re
from uuid import UUID

from checkout_core.errors import Conflict, TooMany
from checkout_core.ids import encode
from tenants import mails, stores
from tenants.db import TenantTx
from tenants.mails.words import LOCALES
from tenants.orders import read, release

HOURLY_MAX = 3  # mails about one order
_ADDRESS = re.compile(mails.ADDRESS)


def is_mail(contact: str | None) -> bool:
    return contact is not None and _ADDRESS.fullmatch(contact) is not None


async def resend(tx: TenantTx, order_id: UUID, *, shop_url: str, actor: str, to: str | None = None) -> UUID:
    """Owe the contact of a delivered order, or the address `to`, a mail that leads to it below `shop_url`; the mail's id.

    Raises `NotFound`; `Conflict` (`not_delivered`, `no_mail_address`); `TooMany` (`mailed_lately`) after `HOURLY_MAX`.
    """
    await release.lock(tx, order_id)
    order = await read.get(tx, order_id)
    if order.state != "delivered":
        raise Conflict(f"The order is {order.state}: there is nothing to send.", code="not_delivered", state=order.state)
    recipient = to or (order.contact or "").strip()
    if not is_mail(recipient):
        raise Conflict("No mail address was left with this order. Say where the mail is to go.", code="no_mail_address")
    # By the clock, not by the transaction's begin: a neighbour that held the row before may have begun later.
    sql = """SELECT count(*), ceil(extract(epoch FROM min(created_at) + interval '1 hour' - clock_timestamp()))::integer FROM order_mail
             WHERE tenant_id = $1 AND order_id = $2 AND created_at > now() - interval '1 hour'"""
    lately, wait_s = await tx.conn.fetchrow(sql, tx.tenant_id, order_id)
    if lately >= HOURLY_MAX:
        raise TooMany("Enough mails about this order were sent within the hour.", code="mailed_lately", retry_after_s=max(1, wait_s))
    store = await stores.get(tx)
    number = encode("ord", order_id)
    mail_id = await mails.send(
        tx, recipient, "order_ready", locale=locale_of(store.locale), store=store.name, number=number, link=link(shop_url, order_id)
    )
    sql = "INSERT INTO order_mail (tenant_id, order_id, id, asked_by, elsewhere) VALUES ($1, $2, $3, $4, $5)"
    await tx.conn.execute(sql, tx.tenant_id, order_id, mail_id, actor, to is not None)
    await tx.audit(actor, "order.mailed", number, mail=encode("mai", mail_id), elsewhere=to is not None)
    return mail_id


def link(shop_url: str, order_id: UUID) -> str:
    """The page that asks for the proof, with the number filled in."""
    return f"{shop_url}/orders?order={encode('ord', order_id)}"


def locale_of(tag: str) -> str:
    """The language of ours that comes next to a store's."""
    return next((locale for locale in LOCALES if locale[:2] == tag[:2]), "en")
