"""The flash sale: a crowd at the gate in Redis, few winners, everybody else told that it is sold out, and pressing again.

RESERVE is the first wave, until the last unit is reserved, and counts rows committed in Postgres; SOLD-OUT is all that comes after.
"""

import json
import os
import secrets
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from api.process import Keys
from checkout_core import ids, tokens
from checkout_core.config import Settings
from tessera.demo.figures import Books, cpu, times
from tessera.demo.merchant import FLASH_LIMIT, Failed

SHOPPERS = 20_000
SHOPPERS_A_UNIT = 4
PRESSES_A_SHOPPER = 11
PAY = 250  # winners who pay; the others' holds run on
OPEN_WITHIN_S = 30.0


def units_of(shoppers: int) -> int:
    return shoppers // SHOPPERS_A_UNIT


def make_guests(settings: Settings, tenant_id: UUID, count: int, file: Path) -> list[str]:
    """Tokens in bulk, signed with the secret as the API would; in `file` for the loader, readable by its owner only."""
    key = Keys.of(settings.secret).shoppers
    guests = [tokens.issue(key, tenant_id) for _ in range(count)]
    with open(os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8") as out:
        out.writelines(json.dumps({"shopper_id": ids.encode("shp", shopper.id), "token": token}) + "\n" for token, shopper in guests)
    return [token for token, _ in guests]


def until_open(api_url: str, slug: str, sale_id: str, token: str) -> None:
    """Wait until the worker has loaded the gate: it then knows that nobody may have more than the limit. Raises `Failed`."""
    headers = {"Authorization": f"Bearer {token}", "X-Tessera-Store": slug}
    wish = {"sale_id": sale_id, "quantity": FLASH_LIMIT + 1}
    end = time.monotonic() + OPEN_WITHIN_S
    with httpx.Client(base_url=api_url, headers=headers, timeout=OPEN_WITHIN_S, trust_env=False) as client:
        while True:
            answer = client.post("/v1/checkouts", json=wish, headers={"Idempotency-Key": secrets.token_hex(8)})
            code = answer.json().get("code")
            if code == "limit":
                return
            if code != "closed" or time.monotonic() > end:
                raise Failed(f"the gate of the flash sale did not open: {answer.status_code} {answer.text[:300]}")
            time.sleep(0.2)


def assemble(books: Books, crowd: dict[str, Any]) -> dict[str, Any]:
    """What report.json says of the flash sale. A figure that nobody measured is null."""
    first, tail = crowd["reserve"], crowd["tail"] or {}
    committed = min(books.orders, first["orders"])  # rows, of those that were told by then
    told = max(books.promised, books.sold + books.held, crowd["units"])
    refused = tail.get("codes", {}).get("sold_out", 0)
    return {
        "units": books.allotted,
        "sold": books.sold + books.held,
        "oversold": max(0, told - books.allotted),
        "shoppers": crowd["shoppers"],
        "requests": requests(crowd["rush"]) + requests(tail),
        "orders": books.orders,
        "paid": books.paid,
        "delivered": books.delivered,
        "reserve": {
            "per_s": _per_s(committed, first["seconds"]),
            **times(first["latency_ms"]),
            "cpu_us": {role: us and round(us * first["answers"] / max(1, committed), 1) for role, us in cpu(first).items()},
        },
        "sold_out": {
            "per_s": _per_s(refused, tail.get("seconds", 0.0)),
            **times(tail.get("latency_ms_by_answer", {}).get("sold_out", {})),
            "cpu_us": cpu(tail or {"cpu_us": {}}),
        },
    }


def shortcomings(flash: dict[str, Any], books: Books, crowd: dict[str, Any], shoppers: int) -> list[str]:
    """What is not as it must be, in words; empty when exactly the stock was sold and everybody was told the truth."""
    units = units_of(shoppers)
    pay = min(PAY, units)
    must = {
        "units": (flash["units"], units),
        "units held or sold": (flash["sold"], units),
        "units of live orders": (books.promised, units),
        "units clients were told are theirs": (crowd["units"], units),
        "orders clients were told are theirs": (crowd["orders"], books.orders),
        "oversold": (flash["oversold"], 0),
        "requests": (flash["requests"], PRESSES_A_SHOPPER * shoppers),
        "paid orders": (books.paid, pay),
        "delivered orders": (books.delivered, pay),
        "codes their buyers saw": (crowd["pay"]["codes"], pay),
        "codes seen twice": (crowd["pay"]["duplicates"], 0),
        "orders that wait to be paid": (books.unsettled, units - pay),
        "presses without a decision": (crowd["undecided"], 0),
    }
    short = [f"flash sale: {what}: {is_}, must be {should}" for what, (is_, should) in must.items() if is_ != should]
    return short + [f"a client of the flash sale: {each}" for each in crowd["violations"]]


def requests(run: dict[str, Any]) -> int:
    """Presses that were answered, and those that were not."""
    return int(sum(run.get("statuses", {}).values()) + sum(run.get("failures", {}).values()))


def _per_s(count: int, seconds: float) -> float | None:
    return round(count / seconds, 1) if seconds else None
