"""A flash sale in a real Redis, in the words the tests are written in: shoppers and orders have names, answers are one line."""

from collections.abc import Iterable
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

from checkout_core import journal, keys
from checkout_core.admission import Count, Gatekeeper, Return
from checkout_core.intents import Intent, SaleKey
from checkout_core.partitions import Partitions
from checkout_core.resp import Link
from tests.checkout_core.twin import Stored


def named(name: str) -> UUID:
    return uuid5(NAMESPACE_OID, name)


def wish(order: str, shopper: str = "", quantity: int = 1) -> Intent:
    """A new intent for the order with this name; without a shopper's name it is a shopper of its own."""
    return Intent(named(order), uuid4(), named(shopper or f"shopper of {order}"), quantity, b"h" * 16, None, "a@example.org", b"l" * 32)


class Gate:
    def __init__(self, keeper: Gatekeeper, partitions: Partitions) -> None:
        self.keeper = keeper
        self.partitions = partitions
        self.sale = SaleKey(uuid4(), uuid4())
        self.keys = keys.of(self.sale)
        self.wishes: dict[str, Intent] = {}  # the last one of each order

    @property
    def link(self) -> Link:
        return self.partitions.link(self.keys.partition)

    async def now_ms(self) -> int:
        """By the clock of Redis."""
        seconds, micros = await self.link.call("TIME")
        return int(seconds) * 1000 + int(micros) // 1000

    async def load(self, avail: int = 3, *, epoch: int = 1, limit: int = 2, held: Iterable[tuple[str, int]] = (), **changes: Any) -> str:
        count = Count(epoch, **{"state": "open", "avail": avail, "limit": limit, **changes})
        return (await self.keeper.load(self.sale, count, [(named(shopper), units) for shopper, units in held])).name

    async def press(self, *wishes: Intent) -> str:
        """`ADMITTED SOLD_OUT LIMIT+`, where a plus says that the shopper may hold something; or `PAUSED` and the like for all."""
        admission = await self.keeper.admit(self.sale, wishes)
        if admission.gate.name != "OPEN":
            assert admission.answers == []
            return admission.gate.name
        return " ".join(f"{code.name}{'+' * holds}" for code, holds in admission.answers)

    async def buy(self, *orders: str) -> str:
        """Each `order`, `order shopper` or `order shopper quantity`."""
        wishes = []
        for text in orders:
            order, *rest = text.split()
            intent = self.wishes[order] = wish(order, *rest[:1], *map(int, rest[1:]))
            wishes.append(intent)
        return await self.press(*wishes)

    async def ack(self, *intents: Intent) -> int:
        return await self.keeper.ack(self.sale, [(i.order_id, i.intent_id) for i in intents])

    async def give(self, epoch: int, *rows: tuple[int, str, int]) -> str:
        """Rows are (seq, shopper or '', units): `APPLIED given=1`."""
        returns = [Return(seq, named(shopper) if shopper else None, units, units) for seq, shopper, units in rows]
        status, given, _ = await self.keeper.give_back(self.sale, epoch, returns)
        return f"{status.name} given={given}"

    async def stored(self) -> Stored:
        """Everything Redis holds of the sale."""
        link = self.link
        fields = pairs(await link.call("HGETALL", self.keys.sale))
        by = {UUID(bytes=shopper): int(units) for shopper, units in pairs(await link.call("HGETALL", self.keys.by)).items()}
        entries = [journal.unpack(*entry) for entry in pairs(await link.call("HGETALL", self.keys.journal)).items()]
        assert all(entry.intent is not None and entry.intent.epoch == entry.epoch for entry in entries)
        held = Stored(by=by, journal={entry.order_id: entry.intent for entry in entries if entry.intent})
        for name, value in fields.items():
            text = value.decode()
            is_number = name not in (b"ident", b"state")
            setattr(held, name.decode(), (int(text) if text else None) if is_number else text)
        return held


def pairs(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
