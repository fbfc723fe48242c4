"""What a batch writes, column by column: what its orders share is sent once, and what they do not is each one's own."""

import pytest

from checkout_core.ids import decode, new_id
from checkout_core.intents import Intent, Outcome, SaleKey
from tenants.db import tenant_tx
from tenants.orders import allot
from tenants.orders.commit import commit_batch
from tests.shop import Store

OWN = ("id", "intent_id", "shopper_id", "quantity", "body_hash", "epoch", "contact", "lookup_hash", "channel")


@pytest.mark.parametrize(
    ("column", "sent"),
    [
        ((), ((), None)),
        ((7,), ((), 7)),
        ((None, None), ((), None)),
        (("web", "web"), ((), "web")),
        (("web", "api"), (("web", "api"), None)),
        ((None, "a"), ((None, "a"), None)),
        (("a", None), (("a", None), None)),
    ],
)
def test_own(column: tuple[object, ...], sent: object) -> None:
    assert allot.own(column) == sent


def intent(
    quantity: int = 1, said: bytes = bytes(16), contact: str | None = None, lookup: bytes | None = None, channel: str = "web"
) -> Intent:
    return Intent(new_id(), new_id(), new_id(), quantity, said, None, contact, lookup, channel)


ALIKE = [intent(), intent(), intent()]
UNLIKE = [
    intent(quantity=2, said=b"h" * 16, contact="a@example.org"),
    intent(lookup=b"x" * 32, channel="api"),
    intent(quantity=3, contact="b@example.org", lookup=b"y" * 32, channel="app"),
    intent(quantity=9),  # more than is left: refused, and its row says so
]


@pytest.mark.parametrize("limit", [0, 3])
@pytest.mark.parametrize("batch", [ALIKE, UNLIKE], ids=["alike", "unlike"])
async def test_every_order_has_what_was_wished(acme: Store, batch: list[Intent], limit: int) -> None:
    sale = SaleKey(acme.tenant_id, decode("sal", await acme.sale(7, limit_per_shopper=limit)))
    wishes = [Intent(new_id(), new_id(), new_id(), *each[3:]) for each in batch]  # anew for each case
    decided = {d.order_id: d for d in await commit_batch(acme.process.app_pool, sale, wishes)}
    async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
        sql = """SELECT o.*, coalesce(l.quantity, 0) AS quantity,
                        ARRAY(SELECT slot FROM unit u WHERE (u.tenant_id, u.order_id, u.shopper_id) = (o.tenant_id, o.id, o.shopper_id)
                              ORDER BY slot) AS slots
                 FROM orders o LEFT JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id WHERE o.tenant_id = $1"""
        found = {row["id"]: row for row in await tx.conn.fetch(sql, acme.tenant_id)}
    assert len(found) == len(wishes)
    for wish in wishes:
        row, reserved = found[wish.order_id], decided[wish.order_id].outcome is Outcome.RESERVED
        assert reserved == (wish.quantity < 9)
        assert tuple(row[name] for name in OWN if name != "quantity") == (*wish[:3], *wish[4:9])
        assert row["quantity"] == (wish.quantity if reserved else 0)
        assert row["slots"] == ([n if limit else None for n in range(1, wish.quantity + 1)] if reserved else [])
        assert (row["state"], row["refusal"] is None) == (("awaiting", True) if reserved else ("refused", False))
