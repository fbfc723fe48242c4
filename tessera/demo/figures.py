"""What came of it, counted from Postgres and from what the clients were told; and which of it is not as it must be."""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec

# Orders that were told "reserved" and whose units nobody else may have.
LIVE = ("awaiting", "closing", "paid", "delivered")


class Books(msgspec.Struct):
    """Counted in one snapshot. Orders and units are of the sale; duplicates and the ledger of the whole store."""

    allotted: int
    sold: int  # units in state sold
    held: int  # units in state held
    orders: int  # that have or had units
    promised: int  # units of live orders
    delivered_units: int  # delivery rows
    duplicates: int  # deliveries of a code that another delivery has too
    paid: int
    delivered: int
    refunded: int
    unsettled: int  # orders that wait for something
    ledger_imbalance: int  # the sum of |sum of the entries| over all transactions, minor units


async def read_books(database_url: str, sale_id: UUID) -> Books:
    """Everything at once, as the database's owner: row-level security hides nothing from the count."""
    conn = await asyncpg.connect(database_url)
    try:
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            (duplicates,) = await conn.fetchrow(
                # By the code itself, not only by the unit: the same code under two units would be one too.
                """SELECT coalesce(sum(times - 1), 0)::bigint FROM (
                       SELECT count(*) AS times FROM delivery JOIN code USING (tenant_id, unit_id)
                       GROUP BY tenant_id, fingerprint) AS by_code"""
            )
            allotted, sold, held, delivered_units = await conn.fetchrow(
                """SELECT (SELECT allotted FROM sale WHERE id = $1),
                          (SELECT count(*) FROM unit WHERE sale_id = $1 AND state = 'sold'),
                          (SELECT count(*) FROM unit WHERE sale_id = $1 AND state = 'held'),
                          (SELECT count(*) FROM delivery WHERE sale_id = $1)""",
                sale_id,
            )
            promised = await conn.fetchval(
                """SELECT coalesce(sum(quantity), 0)::bigint
                   FROM order_line l JOIN orders o ON o.tenant_id = l.tenant_id AND o.id = l.order_id
                   WHERE l.sale_id = $1 AND o.state = ANY($2)""",
                sale_id, LIVE,
            )  # fmt: skip
            states = dict(
                await conn.fetch(
                    """SELECT state, count(*) FROM orders o
                       WHERE EXISTS (SELECT FROM order_line l WHERE (l.tenant_id, l.order_id) = (o.tenant_id, o.id) AND l.sale_id = $1)
                       GROUP BY state""",
                    sale_id,
                )
            )
            paid = await conn.fetchval(
                """SELECT count(DISTINCT (p.tenant_id, p.order_id))
                   FROM payment p JOIN order_line l ON l.tenant_id = p.tenant_id AND l.order_id = p.order_id
                   WHERE p.disposition = 'applied' AND l.sale_id = $1""",
                sale_id,
            )
            imbalance = await conn.fetchval(
                """SELECT coalesce(sum(abs(total)), 0)::bigint
                   FROM (SELECT sum(amount_minor) AS total FROM ledger_entry GROUP BY tenant_id, tx_id) AS by_tx"""
            )
    finally:
        await conn.close()
    waiting = ("awaiting", "closing", "paid", "refunding")
    orders = sum(states.values()) - states.get("refused", 0)
    return Books(
        allotted, sold, held, orders, promised, delivered_units, duplicates, paid, states.get("delivered", 0), states.get("refunded", 0),
        sum(states.get(state, 0) for state in waiting), imbalance,
    )  # fmt: skip


def assemble(
    books: Books, rush: dict[str, Any], tail: dict[str, Any], invariants: dict[str, str], imports: dict[str, Any]
) -> dict[str, Any]:
    """The report that scripts go on from. A figure that nobody measured is null."""
    told = max(books.promised, books.delivered_units, rush["units"], rush["pay"]["codes"])
    sold_out = tail["rush"]
    return {
        "units": books.allotted,
        "sold": books.sold,
        "oversold": max(0, told - books.allotted),
        "duplicates": books.duplicates + rush["pay"]["duplicates"],
        "paid": books.paid,
        "delivered": books.delivered,
        "refunded": books.refunded,
        "ledger_imbalance": books.ledger_imbalance,
        "invariants": invariants,
        "reserve": {"per_s": rush["reserve"]["per_s"], **times(rush["reserve"]["latency_ms"]), "cpu_us": cpu(rush["reserve"])},
        "sold_out": {
            "per_s": sold_out["per_s"],
            **times(sold_out["latency_ms_by_answer"].get("sold_out", {})),
            "cpu_us": cpu(sold_out),
            "open": {"rate_per_s": tail["open"]["rate_per_s"], **times(tail["open"]["rush"]["latency_ms"])},
        },
        "imports": imports,
        "shoppers": rush["shoppers"],
        "presses": rush["presses"],
        "answers": {"reserved": rush["reserve"]["answers"], **rush["rush"]["codes"]},
    }


def shortcomings(
    report: dict[str, Any], books: Books, rush: dict[str, Any], tail: dict[str, Any], imports: dict[str, Any], units: int
) -> list[str]:
    """What is not as it must be, in words; empty when all is well."""
    orders = rush["orders"]
    must = {
        "units": (report["units"], units),
        "sold": (report["sold"], units),
        "units clients were told are theirs": (rush["units"], units),
        "codes clients saw": (rush["pay"]["codes"], units),
        "oversold": (report["oversold"], 0),
        "duplicates": (report["duplicates"], 0),
        "paid orders": (report["paid"], orders),
        "delivered orders": (report["delivered"], orders),
        "refunded orders": (report["refunded"], 0),
        "unsettled orders": (books.unsettled, 0),
        "ledger imbalance": (report["ledger_imbalance"], 0),
        "presses without a decision": (rush["undecided"], 0),
        "reserved after the sale was sold out": (tail["orders"] + tail["open"]["orders"], 0),
        "answers of the tail other than sold out": (_others(tail) + _others(tail["open"]), 0),
        **{f"import of {file}": (report["imports"].get(file), expected) for file, expected in imports.items()},
    }
    short = [f"{what}: {is_}, must be {should}" for what, (is_, should) in must.items() if is_ != should]
    short += [f"{name} is violated" for name, status in report["invariants"].items() if status == "violated"]
    short += [f"a client: {each}" for each in rush["violations"] + tail["violations"] + tail["open"]["violations"]]
    if not any(status == "holds" for status in report["invariants"].values()):
        short.append("the checker proved nothing")
    return short


def _others(tail: dict[str, Any]) -> int:
    answers, failures = tail["rush"]["statuses"], tail["rush"]["failures"]
    said: int = sum(answers.values()) + sum(failures.values()) - tail["rush"]["codes"].get("sold_out", 0)
    return said


def times(latency_ms: dict[str, float]) -> dict[str, float | None]:
    return {f"{point}_ms": latency_ms.get(point) for point in ("p50", "p99")}


def cpu(run: dict[str, Any]) -> dict[str, float | None]:
    return {role: run["cpu_us"].get(role) for role in ("api", "redis", "postgres")}
