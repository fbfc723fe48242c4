"""A batch that nothing speaks against, reserved in one round trip by the function `reserve` of migrations 0032 and 0036.

In a rush nearly every batch is one: everybody comes once, nobody has been here before, there is enough for all. Whatever else there is to
decide (a limit reached, the last units, a key that was used, an order unpaid) is decided by `commit`, which needs four more trips. The two
agree row for row; tests/tenants/orders/test_at_once.py holds them against each other. Measured: docs/decisions/0018.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Any, Final

from checkout_core import safeties
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from tenants.db import Connection, Pool, by_itself
from tenants.orders import allot, hoarding

_SQL: Final = f"SELECT * FROM reserve({', '.join(f'${n}' for n in range(1, 24))})"
_HOARDING: Final = (hoarding.UNPAID_MAX, hoarding.LAPSED_MAX, hoarding.WINDOW)
_RESERVED: Final = Outcome.RESERVED
_made = tuple.__new__  # of a NamedTuple, in a loop over a batch: half the time of its own name
SAFETIES: Final = ("row_lock", "allotment", "unique_slot", "epoch")  # built in here; a test that removes one removes it from `commit`
QUANTITY_MAX: Final = 10_000  # units of an order
_SAFE: Final = all(map(safeties.on, SAFETIES))


class Left(Enum):
    """Why nothing was decided."""

    TAKEN = "somebody else holds the sale's row, or there is no such sale"
    CONTESTED = "something speaks against a wish"


async def reserve(source: Pool | Connection, sale: SaleKey, intents: Sequence[Intent]) -> list[Decision] | Left:
    """Reserve what all of `intents` ask for, in a transaction of its own or in that of a connection; or do nothing and say why.

    It waits for nobody who holds the sale's row. For no intents it plans what the others will need (`tenants.warm`).
    Raises what a commit raises: `Unavailable`, and asyncpg's errors when another transaction was faster.
    """
    columns = columns_of(intents) if _SAFE else None
    if columns is None:
        return Left.CONTESTED
    free, at, until, price, currency = await by_itself(source, _SQL, sale.tenant_id, sale.sale_id, *columns, *_HOARDING)
    if at is None:
        return Left.CONTESTED if free else Left.TAKEN
    return [_made(Decision, (_RESERVED, i[0], "awaiting", i[3], i[3] * price, currency, at, until)) for i in intents]


def columns_of(intents: Sequence[Intent]) -> list[Any] | None:
    """The batch as the function takes it; None for one that it would not decide: somebody comes twice, or through two doors."""
    ordered = sorted(intents)
    columns = list(zip(*ordered, strict=True)) or [()] * len(Intent._fields)
    ids, intent_ids, shoppers, quantities, hashes, epochs, contacts, lookups, channels, _ = columns
    most = max(quantities, default=1)
    # Far more than an order may ask for: a damaged wish. Its units are not listed one by one, or they would fill the memory.
    if len(set(shoppers)) < len(shoppers) or len(set(epochs)) > 1 or most > QUANTITY_MAX:
        return None
    own = [allot.own(c) for c in (quantities, hashes, contacts, lookups, channels)]
    units: Sequence[Any] = (ids, shoppers, ())
    if most > 1:
        units = list(zip(*[(i[0], i[2], n) for i in ordered for n in range(1, i[3] + 1)], strict=True))
    return [epochs[0] if epochs else None, ids, intent_ids, shoppers, *[c for c, _ in own], *[alike for _, alike in own], *units, most]
