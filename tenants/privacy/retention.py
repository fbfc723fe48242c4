"""How long a store keeps what it need not keep for ever: its rules, within bounds, and the sweep that carries all of them out at once.

The audit is kept for ever, since a chain cannot lose links; it holds pseudonyms only. Books, orders and deliveries stay, without contacts.
"""

from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from checkout_core.ids import encode
from tenants.db import Pool, TenantTx

AT_ONCE = 2000  # rows a transaction
# The fewest days a rule may say; the policies of tessera_retention say the same.
LEAST = {"contact_days": 30, "reply_days": 1, "event_days": 1, "notice_days": 30, "cart_days": 1}


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """In days. What is not said is as it is for a store that never said anything."""

    contact_days: Annotated[int, Meta(ge=LEAST["contact_days"], le=3650, description="Contact and password of an order that has ended")] = (
        730
    )
    reply_days: Annotated[
        int, Meta(ge=LEAST["reply_days"], le=365, description="The answer that is given again to the same Idempotency-Key")
    ] = 7
    event_days: Annotated[int, Meta(ge=LEAST["event_days"], le=365, description="Events and mails that have been sent")] = 30
    notice_days: Annotated[int, Meta(ge=LEAST["notice_days"], le=3650, description="What a payment provider said, word for word")] = 180
    cart_days: Annotated[int, Meta(ge=LEAST["cart_days"], le=3650, description="A cart that its shopper has not touched since")] = 90


_RULES = Rules.__struct_fields__


async def get(tx: TenantTx) -> Rules:
    row = await tx.conn.fetchrow(f"SELECT {', '.join(_RULES)} FROM retention_rule WHERE tenant_id = $1", tx.tenant_id)
    return Rules(**row) if row else Rules()


async def put(tx: TenantTx, rules: Rules, *, actor: str) -> Rules:
    """The store's rules from now on. A longer time brings nothing back."""
    values = {name: f"${n}" for n, name in enumerate(_RULES, 2)}
    sql = f"""INSERT INTO retention_rule (tenant_id, {", ".join(values)}) VALUES ($1, {", ".join(values.values())})
              ON CONFLICT (tenant_id) DO UPDATE SET {", ".join(f"{name} = {value}" for name, value in values.items())}"""
    await tx.conn.execute(sql, tx.tenant_id, *msgspec.structs.astuple(rules))
    await tx.audit(actor, "retention.changed", encode("ten", tx.tenant_id), **msgspec.structs.asdict(rules))
    return rules


class _Past(NamedTuple):
    """`among` and `then` are SQL; `days` is the rule that says when the time of a row, `at`, is past."""

    table: str
    key: str
    at: str
    days: str
    among: str
    then: str


_FINISHED = "state IN ('expired', 'cancelled', 'delivered', 'refunded', 'refused')"
_SWEPT = (
    _Past("idempotent_reply", "key", "created_at", "reply_days", "true", "DELETE FROM idempotent_reply t USING past"),
    _Past("outbox", "id", "created_at", "event_days", "next_try_at IS NULL", "DELETE FROM outbox t USING past"),
    _Past("mail", "id", "created_at", "event_days", "next_try_at IS NULL", "DELETE FROM mail t USING past"),
    _Past(
        "orders", "id", "created_at", "contact_days", f"(contact IS NOT NULL OR lookup_hash IS NOT NULL) AND {_FINISHED}",
        # What search knows of them goes too.
        """, noted AS (INSERT INTO order_change (tenant_id, order_ids) SELECT tenant_id, array_agg(id) FROM past GROUP BY tenant_id)
           UPDATE orders t SET contact = NULL, lookup_hash = NULL, body_hash = decode(repeat('00', 16), 'hex') FROM past""",
    ),
    _Past(
        "payment_inbox", "id", "received_at", "notice_days", "raw <> '' AND state = 'done'",
        "UPDATE payment_inbox t SET notice = '{}', raw = '' FROM past",
    ),
    _Past("cart", "shopper_id", "updated_at", "cart_days", "true", "DELETE FROM cart t USING past"),
)  # fmt: skip


async def sweep(pool: Pool) -> dict[str, int]:
    """Do away with all that is past its time, of all stores; rows by table. `pool` belongs to the role tessera_retention.

    The policies of that role hold the least times whatever is asked here, and let it change nothing but to empty.
    """
    return {past.table: await _sweep(pool, past) for past in _SWEPT}


async def _sweep(pool: Pool, past: _Past) -> int:
    usual = getattr(Rules(), past.days)
    sql = f"""WITH past AS (SELECT t.tenant_id, t.{past.key} FROM {past.table} t LEFT JOIN retention_rule r ON r.tenant_id = t.tenant_id
                            WHERE {past.among} AND t.{past.at} < now() - make_interval(days => {LEAST[past.days]})
                              AND t.{past.at} < now() - make_interval(days => coalesce(r.{past.days}, {usual}))
                            ORDER BY t.{past.at} LIMIT {AT_ONCE})
              {past.then} WHERE t.tenant_id = past.tenant_id AND t.{past.key} = past.{past.key}"""
    swept = 0
    while True:
        done = int((await pool.execute(sql)).rpartition(" ")[2])
        swept += done
        if done < AT_ONCE:
            return swept
