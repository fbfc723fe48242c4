"""What clients say they were told: a file of JSON lines that a load test writes down as the answers come in.

    {"order_id": "ord_…", "told": "reserved", "at": 1763820000.1, "key": "shopper 17, key a"}

`told` is one of `RESERVED` or `REFUSED`, and anything else is passed over; `at` is in unix seconds. `key` is optional: whatever names
shopper and idempotency key together, the same for every retry, so that two orders under one key are seen. `sale_id` and `quantity` are
optional too, and say of which sale there was nothing left: with them a false "sold out" is seen. Order ids are unique across tenants
(128 bits of an HMAC over the tenant).
"""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from checkout_core import ids
from checkout_core.errors import NotFound

RESERVED = ("reserved", "paid", "delivered")
REFUSED = ("sold_out", "limit")  # answers for good; a later retry may not get another


class Told(Struct, frozen=True):
    order_id: Annotated[str, Meta(max_length=64)]
    told: Annotated[str, Meta(max_length=64)]
    at: float
    key: str | None = None
    sale_id: Annotated[str, Meta(max_length=64)] | None = None
    quantity: Annotated[int, Meta(ge=1)] = 1

    @property
    def order(self) -> UUID:
        return _uuid("ord", self.order_id)

    @property
    def sale(self) -> UUID | None:
        return _uuid("sal", self.sale_id) if self.sale_id else None


class BadHistory(Exception):
    """The file is not what this module describes; the message names the line."""


class History(Struct):
    """All lines of the file, as far as the checks need them.

    sold_out  the first time a wish for (sale, quantity) was told so, in unix seconds, and its order: what was false later was false then
    """

    lines: int = 0
    answers: dict[UUID, set[str]] = {}
    keys: dict[str, set[UUID]] = {}
    sold_out: dict[tuple[UUID, int], tuple[float, UUID]] = {}

    def orders(self, answers: tuple[str, ...]) -> list[UUID]:
        return [order for order, told in self.answers.items() if told & set(answers)]


def read(path: Path) -> History:
    """Raises `BadHistory`, and `OSError` when the file cannot be read."""
    decode = msgspec.json.Decoder(Told).decode
    history = History()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                told = decode(line)
                order, sale = told.order, told.sale
            except (msgspec.DecodeError, NotFound) as error:
                raise BadHistory(f"{path}, line {number}: {error}") from None
            history.lines += 1
            history.answers.setdefault(order, set()).add(told.told)
            if told.key is not None and told.told in RESERVED + REFUSED:
                history.keys.setdefault(told.key, set()).add(order)
            if told.told == "sold_out" and sale is not None:
                first = history.sold_out.get((sale, told.quantity))
                history.sold_out[sale, told.quantity] = min(first or (told.at, order), (told.at, order))
    return history


def _uuid(prefix: str, text: str) -> UUID:
    """With its prefix or as bare hex. Raises `NotFound`."""
    return ids.decode(prefix, text if text.startswith(f"{prefix}_") else f"{prefix}_{text.replace('-', '')}")
