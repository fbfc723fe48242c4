"""What a product type says and does. All of it has a default but `name`, `label` and `stock`."""

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar, Literal
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, Unprocessable
from tenants import entitlements, vault
from tenants.db import TenantTx
from tenants.entitlements import Entitlement
from tenants.keys import Keyring
from tenants.picks import Pick
from tenants.types.fields import Field
from tenants.vault import Content

Stock = Literal["imported", "made", "parts"]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A type that need not be told anything."""


class Sku(msgspec.Struct, frozen=True):
    """A SKU as its type sees it; `config` is the type's own `Config`."""

    id: UUID
    name: str
    currency: str
    price_minor: int
    config: Any


class Job(msgspec.Struct, frozen=True):
    """A paid line that is to be fulfilled. Its units are sold to the shopper already; `input` is what he said, by field."""

    id: UUID
    order_id: UUID
    sale_id: UUID
    sku: Sku
    shopper_id: UUID
    contact: str | None
    units: list[int]  # sorted
    input: dict[str, str]
    paid_at: dt.datetime
    due_at: dt.datetime
    tries: int
    now: dt.datetime


class Done(msgspec.Struct, frozen=True):
    """It is fulfilled, and the shopper is told `contents`: none, one for the whole line, or one a unit."""

    contents: Sequence[Content] = ()


class Later(msgspec.Struct, frozen=True):
    """Not yet: ask again at `at`. `due_at` is when somebody should have done it, `problem` what keeps them."""

    at: dt.datetime
    due_at: dt.datetime | None = None
    problem: str | None = None


class Failed(msgspec.Struct, frozen=True):
    """It cannot be fulfilled; the line is refunded."""

    problem: str


class Shown(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the buyer of a unit sees. `note` is text for him, `until` when it ends."""

    unit: int
    code: str | None = None
    secret: str | None = None
    valid_until: str | None = None
    face_value: str | None = None
    note: str | None = None

    def __repr__(self) -> str:
        return f"Shown(unit={self.unit})"  # the rest is the buyer's


class Part(msgspec.Struct, frozen=True):
    """What is sold as a part of something else: `quantity` units of a SKU. `weight` is what they weigh in its price, together; without it
    that is what they cost by themselves."""

    sku_id: UUID
    quantity: int
    weight: int | None = None


class Line(msgspec.Struct, frozen=True):
    """A line of a paid order as far as it is not refunded: what was paid for each of its units, in minor units."""

    order_id: UUID
    sale_id: UUID
    sku: Sku
    paid: dict[int, int]


class Asking(msgspec.Struct, frozen=True):
    """Who asks for an act, and in what transaction. `shopper_id` is None unless a shopper asks."""

    tx: TenantTx
    keyring: Keyring
    actor: str
    shopper_id: UUID | None = None


class Act(msgspec.Struct, frozen=True):
    """Something that can be done with units of a type over HTTP: `POST /v1/types/{type}/{name}`.

    `who` is "anyone", "shopper" or the permission that a merchant's key or person needs. `name` is a verb.
    """

    name: str
    who: str
    summary: str
    Request: type[msgspec.Struct]
    Answer: type[msgspec.Struct]
    run: Callable[[Asking, Any], Awaitable[Any]]


class ProductType:
    name: ClassVar[str]
    label: ClassVar[dict[str, str]]  # by locale
    summary: ClassVar[dict[str, str]]
    Config: ClassVar[type[msgspec.Struct]] = Nothing
    stock: ClassVar[Stock]  # where units come from: files of codes, `POST /v1/skus/{id}/units`; or it has none, but parts
    sealed: ClassVar[bool] = False  # each unit has a code of its own, from its file or from `contents`
    at_once: ClassVar[bool] = False  # delivered by the payment itself; `fulfil` is not asked
    picked: ClassVar[bool] = False  # the shopper chooses among units by their `pick`
    acts: ClassVar[Sequence[Act]] = ()

    async def check(self, tx: TenantTx, config: Any) -> None:
        """What the shape of `config` does not say: that what it names exists. Raises `Unprocessable`."""

    async def picks(self, tx: TenantTx, sku: Sku, given: Sequence[Pick]) -> list[Pick]:
        """What a merchant says shoppers may choose the SKU's units by, for a `picked` type whose stock is made: checked and made whole.

        Raises `Unprocessable` (`bad_pick`) with the first that is none.
        """
        return list(given)

    def between(self, first: str, last: str) -> list[str]:
        """The picks from `first` to `last`, of a type that counts them. Raises `Unprocessable` (`no_span`)."""
        raise Unprocessable("Picks of this type are named one by one.", code="no_span")

    def alone(self, config: Any, pick: str) -> bool:
        """Whether there is one unit of it, as of a numbered seat."""
        return False

    def parts(self, config: Any) -> Sequence[Part]:
        """What an order of it is an order of, for a type whose stock is `parts`. It has no units, and is never fulfilled itself."""
        return ()

    def fields(self, config: Any) -> Sequence[Field]:
        """What the shopper must say before he pays."""
        return ()

    def contents(self, config: Any, units: Sequence[int]) -> Sequence[Content]:
        """What to seal for units that are being made, for a `sealed` type whose stock is made."""
        raise TypeError(f"type {self.name} has nothing to seal")

    async def fulfil(self, tx: TenantTx, keyring: Keyring, job: Job) -> Done | Later | Failed:
        """Carry out what was paid for. Asked in one transaction with its outcome, under the lock of the order: again after `Later`, and
        after an error, which leaves nothing behind."""
        return Done()

    def accept(self, config: Any, contents: Sequence[Content]) -> None:
        """A person says that a line is done, and what the shopper is told. Raises `Conflict` (`not_by_hand`) for a type that does it by
        itself: what it grants nobody can put in words."""
        raise Conflict("This is done by itself, in a moment. Fail it to give the money back. Nothing was changed.", code="not_by_hand")

    async def revoke(self, tx: TenantTx, order_id: UUID, units: Sequence[int]) -> None:
        """These units of a line are being refunded, all of them or a part: what they entitle to ends."""
        await entitlements.revoke(tx, units)

    async def prolong(self, tx: TenantTx, entitlement: Entitlement, days: int) -> None:
        """Have an entitlement, whose row is locked, end so many days later. Raises `Conflict` (`no_end` for what a type does not end by a
        date, or what never ends; `revoked`)."""
        raise Conflict("What this entitles to does not end on a day that could be moved. Nothing was changed.", code="no_end")

    async def refundable(self, tx: TenantTx, line: Line, at: dt.datetime) -> int:
        """What the rule the shopper bought under gives back of a line at `at`, in minor units. A merchant may give more."""
        return sum(line.paid.values())

    async def show(self, tx: TenantTx, keyring: Keyring, units: Sequence[int], told: Sequence[Content]) -> list[Shown]:
        """What the buyer sees of delivered `units`; `told` is what `fulfil` (or a person in its place) said."""
        if self.sealed:
            return [Shown(c.unit, c.code, c.secret, c.valid_until, c.face_value) for c in await vault.reveal(tx, keyring, units)]
        each = list(told) if len(told) == len(units) else [told[0] if told else None] * len(units)
        return [
            Shown(unit, said.code or None, said.secret, said.valid_until, said.face_value, said.note) if said else Shown(unit)
            for unit, said in zip(units, each, strict=True)
        ]

    async def tend(self, tx: TenantTx, entitlement: Entitlement) -> dt.datetime | None:
        """The duty of an entitlement that is due; when it is next. It ends by itself at `valid_until`."""
        return None

    async def expired(self, tx: TenantTx, entitlement: Entitlement) -> None:
        """An entitlement has come to its end: say so to whom it matters."""
        await tx.emit("entitlement.expired", {"entitlement_id": entitlement.id, "order_id": entitlement.order_id})
