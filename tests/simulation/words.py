"""Random words about two sales, to be said to real SQL and to the double: commits of all kinds, and whatever else moves a unit."""

import datetime as dt
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from uuid import UUID

from checkout_core.intents import Intent, SaleKey
from tenants import sales
from tenants.db import tenant_tx
from tenants.orders import allot, answers, commit, gates, release
from tenants.payments import expire

ACTOR: Final = "agreement"
LONG_AGO: Final = dt.timedelta(hours=2)

Word = Callable[[Any], Awaitable[Any]]  # said to a pool; what it answers


class Case:
    """Two sales of a tenant that has nothing else, and what is said about them."""

    def __init__(self, seed: int, tenant_id: UUID, keys: Sequence[SaleKey]) -> None:
        self.dice = random.Random(f"agreement {seed}")
        self.tenant_id = tenant_id
        self.keys = list(keys)
        self.shoppers = [self._uuid() for _ in range(5)]
        self.asked: list[Intent] = []
        self.epochs = dict.fromkeys(keys, 1)

    def next(self) -> tuple[str, Word]:
        makers = (self._commit,) * 9 + (self._together,) * 3 + (self._order,) * 4 + (self._sale,) * 3 + (self._gate,) * 2
        return self.dice.choice(makers)()

    def _uuid(self) -> UUID:
        return UUID(int=self.dice.getrandbits(128))

    def _batch(self, key: SaleKey) -> list[Intent]:
        batch = [self._intent(key) for _ in range(self.dice.choice((1, 1, 2, 4, 8)))]
        if self.dice.random() < 0.3:
            # A rush: whoever comes is new, and through one door.
            epoch = self.dice.choice((None, self.epochs[key], self.epochs[key]))
            batch = [i._replace(order_id=self._uuid(), intent_id=self._uuid(), shopper_id=self._uuid(), epoch=epoch) for i in batch]
            self.asked += batch
        return batch

    def _intent(self, key: SaleKey) -> Intent:
        dice = self.dice
        epoch = dice.choice((None, self.epochs[key], self.epochs[key], self.epochs[key], self.epochs[key], self.epochs[key] - 1))
        intent = Intent(
            self._uuid(), self._uuid(), dice.choice(self.shoppers), dice.choice((1, 1, 1, 2, 3)), dice.randbytes(16), epoch,
            dice.choice((None, "a@example.org")), dice.choice((None, b"l" * 16)), dice.choice(("web", "api")),
        )  # fmt: skip
        if self.asked and dice.random() < 0.35:
            before = dice.choice(self.asked)
            # The same wish once more; admitted once more; or another wish under the same key.
            intent = dice.choice(
                (
                    before._replace(epoch=epoch),
                    before._replace(epoch=epoch, intent_id=self._uuid()),
                    intent._replace(order_id=before.order_id, shopper_id=before.shopper_id),
                )
            )
        self.asked.append(intent)
        return intent

    def _commit(self) -> tuple[str, Word]:
        key = self.dice.choice(self.keys)
        batch = self._batch(key)
        # An intent is in the journal once.
        batch = list({intent.intent_id: intent for intent in batch}.values())
        return "commit_batch", lambda pool: commit.commit_batch(pool, key, batch)

    def _together(self) -> tuple[str, Word]:
        wishes, seen = [], set[UUID]()
        for key in self.keys:
            # A key is pressed in one sale at a time, or the other is committed by itself: which one, only chance decides.
            batch = [i for i in self._batch(key) if i.order_id not in seen]
            batch = list({intent.intent_id: intent for intent in batch}.values())
            seen |= {i.order_id for i in batch}
            if batch:
                wishes.append(commit.Wishes(key.sale_id, batch))
        return "commit_together", lambda pool: commit.commit_together(pool, self.tenant_id, wishes)

    def _tx(self, work: Callable[[Any], Awaitable[Any]]) -> Word:
        async def word(pool: Any) -> Any:
            async with tenant_tx(pool, self.tenant_id) as tx:
                return await work(tx)

        return word

    def _order(self) -> tuple[str, Word]:
        if not self.asked:
            return self._commit()
        order_id = self.dice.choice(self.asked).order_id
        known = [i for i in self.asked if i.order_id == order_id]
        match self.dice.choice(("cancel", "expire", "expire", "age", "look")):
            case "cancel":
                return "cancel", self._tx(lambda tx: release.cancel(tx, order_id))
            case "expire":
                return "lapse and expire", lambda pool: self._expire(pool, order_id)
            case "age":
                return "age", self._tx(lambda tx: tx.conn.execute(AGE, tx.tenant_id, order_id, LONG_AGO))
            case _:
                return "look", lambda pool: answers.look(pool, self.keys[0], known, known)

    async def _expire(self, pool: Any, order_id: UUID) -> Any:
        async with tenant_tx(pool, self.tenant_id) as tx:
            await tx.conn.execute(LAPSE, tx.tenant_id, order_id, LONG_AGO)
        return await expire.expire(pool, None, self.tenant_id, order_id)  # type: ignore[arg-type]  # no attempts, no provider

    def _sale(self) -> tuple[str, Word]:
        key, count = self.dice.choice(self.keys), self.dice.randint(1, 3)
        changes: dict[str, Callable[[Any], Awaitable[Any]]] = {
            "pause": lambda tx: sales.pause(tx, key.sale_id, actor=ACTOR),
            "resume": lambda tx: sales.resume(tx, key.sale_id, actor=ACTOR),
            "add_stock": lambda tx: sales.add_stock(tx, key.sale_id, count, actor=ACTOR),
            "withdraw_stock": lambda tx: sales.withdraw_stock(tx, key.sale_id, count, actor=ACTOR),
            "set_limit": lambda tx: sales.set_limit(tx, key.sale_id, count - 1, actor=ACTOR),
        }
        if self.dice.random() < 0.05:
            changes = {"end": lambda tx: sales.end(tx, key.sale_id, actor=ACTOR)}
        name = self.dice.choice(list(changes))
        return name, self._tx(changes[name])

    def _gate(self) -> tuple[str, Word]:
        key, epoch, given = self.dice.choice(self.keys), self.dice.choice((0, 1, 2, 3)), self.dice.randint(0, 4)
        now = self.epochs[key]
        words: dict[str, Word] = {
            "bump": self._tx(lambda tx: gates.bump(tx, key.sale_id)),
            "leave": lambda pool: gates.leave(pool, key, epoch),
            "count": self._tx(lambda tx: self._count(tx, key)),
            "returns_after": self._tx(lambda tx: gates.returns_after(tx, key.sale_id, now, given, 3)),
        }
        name = self.dice.choice(list(words))
        return name, words[name]

    @staticmethod
    async def _count(tx: Any, key: SaleKey) -> Any:
        sale = await allot.lock_sale(tx, key.sale_id)
        assert sale is not None
        counted, held = await gates.count(tx, sale)
        return counted, sorted(held)


LAPSE = "UPDATE orders SET hold_until = hold_until - $3::interval WHERE tenant_id = $1 AND id = $2"
AGE = "UPDATE orders SET created_at = created_at - $3::interval WHERE tenant_id = $1 AND id = $2"
