"""What a commit has decided, as the columns of its one writing statement: orders, their lines, their units, the sales' counters."""

import datetime as dt
from collections.abc import Sequence

from checkout_core.intents import Intent
from tenants.db import TenantTx
from tenants.orders import allot, index
from tenants.orders.sale import Sale

# Behind what gives the units ($1 to $9). Parts that share nothing but their arguments: each keeps the plan it would have alone.
# `x` are the orders: what all of one sale share is in `s`, by its number; and what all orders say alike comes once (`allot.own`).
# The note is all that a batch pays for being found later (`orders.index`).
_ORDERS = f""",
    s AS (SELECT * FROM unnest($2::uuid[], $10::uuid[], $11::bigint[], $12::text[], $13::timestamptz[], $14::timestamptz[])
          WITH ORDINALITY AS s(sale_id, sku_id, price, currency, now, hold_until, n)),
    x AS (SELECT coalesce(n, $26) AS n, id, intent_id, shopper_id, coalesce(refusal, $27) AS refusal, coalesce(quantity, $28) AS quantity,
                 coalesce(body_hash, $29) AS body_hash, coalesce(epoch, $30) AS epoch, coalesce(contact, $31) AS contact,
                 coalesce(lookup_hash, $32) AS lookup_hash, coalesce(channel, $33) AS channel
          FROM unnest($15::uuid[], $16::uuid[], $17::uuid[], $18::bigint[], $19::smallint[], $20::integer[], $21::bytea[],
                      $22::bigint[], $23::text[], $24::bytea[], $25::text[])
          AS x(id, intent_id, shopper_id, n, refusal, quantity, body_hash, epoch, contact, lookup_hash, channel)),
    made AS (
        INSERT INTO orders (tenant_id, id, intent_id, shopper_id, state, refusal, amount_minor, currency, body_hash, contact, lookup_hash,
                            channel, created_at, hold_until, next_try_at, epoch)
        SELECT $1, id, intent_id, shopper_id, CASE WHEN refusal IS NULL THEN 'awaiting' ELSE 'refused' END, refusal,
               CASE WHEN refusal IS NULL THEN quantity * price ELSE 0 END, currency, body_hash, contact, lookup_hash, channel, now,
               CASE WHEN refusal IS NULL THEN hold_until END, CASE WHEN refusal IS NULL THEN hold_until END, epoch
        FROM x JOIN s USING (n) ON CONFLICT DO NOTHING RETURNING id),
    lines AS (
        INSERT INTO order_line (tenant_id, order_id, sale_id, sku_id, quantity, unit_price_minor)
        SELECT $1, id, sale_id, sku_id, quantity, price FROM x JOIN s USING (n) WHERE refusal IS NULL),
    noted AS ({index.NOTE} SELECT $1, $15::uuid[] WHERE cardinality($15::uuid[]) > 0)
    SELECT count(*) FROM made"""


class Draft:
    def __init__(self) -> None:
        self.given = allot.Given()
        self.intents: list[Intent] = []
        self._sales: list[tuple[Sale, dt.datetime]] = []
        self._numbers: list[int] = []
        self._refusals: list[int | None] = []

    def begin(self, sale: Sale, hold_until: dt.datetime) -> None:
        """What is reserved and refused from here on is of `sale`."""
        self.given.begin(sale)
        self._sales.append((sale, hold_until))

    def reserve(self, intent: Intent, units: Sequence[int], last: int, slots: Sequence[int]) -> None:
        """`last` is the highest rank of the units."""
        self._add(intent, None)
        self.given.add(units, last, intent.order_id, intent.shopper_id, slots)

    def refuse(self, intent: Intent, outcome: int) -> None:
        self._add(intent, int(outcome))

    def _add(self, intent: Intent, refusal: int | None) -> None:
        self.intents.append(intent)
        self._numbers.append(len(self._sales))
        self._refusals.append(refusal)

    async def write(self, tx: TenantTx) -> int:
        """In one round trip; how many of the orders did not exist yet. Of fewer than all, nothing may stay."""
        columns = zip(*self.intents, strict=True) if self.intents else ((),) * len(Intent._fields)
        ids, intent_ids, shoppers, quantities, hashes, epochs, contacts, lookups, channels, *_ = columns
        sales = [sale for sale, _ in self._sales]
        # The epoch is the one stamped on the wish, not the row's: one that slipped past the fence is seen by it (I24).
        own = [allot.own(c) for c in (self._numbers, self._refusals, quantities, hashes, epochs, contacts, lookups, channels)]
        written: int = await tx.conn.fetchval(
            self.given.statement + _ORDERS, tx.tenant_id, *self.given.columns,
            [s.sku_id for s in sales], [s.price_minor for s in sales], [s.currency for s in sales], [s.now for s in sales],
            [until for _, until in self._sales],
            ids, intent_ids, shoppers, *[column for column, _ in own], *[shared for _, shared in own],
        )  # fmt: skip
        return written
