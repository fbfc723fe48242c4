"""Stock. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Literal

from msgspec import Struct

from loadtests.client.core import Call, Pages, new_key


class UnitEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    at: dt.datetime
    act: str
    actor: str | None
    from_state: str | None
    to_state: str | None
    reason: str
    order_id: str | None


class UnitHistory(Struct, frozen=True, kw_only=True, omit_defaults=True):
    unit: int
    sku_id: str
    batch_id: str
    state: Literal["available", "expired", "held", "locked", "quarantined", "sold", "void"]
    sale_id: str | None
    order_id: str | None
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None
    masked: str | None
    events: list[UnitEvent]


class Unit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A piece of stock. `masked` is the beginning and the end of its code; null where it has none."""

    unit: int
    sku_id: str
    batch_id: str
    state: Literal["available", "expired", "held", "locked", "quarantined", "sold", "void"]
    sale_id: str | None
    order_id: str | None
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None
    masked: str | None


class Units(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last. With a `state` a page may be short, or empty, though another
    follows: `available`, `held` and `sold` are looked for among 5,000 units at a time.
    """

    units: list[Unit]
    next_cursor: str | None


class UnitAct(Struct, frozen=True, kw_only=True, omit_defaults=True):
    units: list[int]
    reason: str


class UnitRefused(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A unit that was left as it is, for it is in this state."""

    unit: int
    state: str


class ActDone(Struct, frozen=True, kw_only=True, omit_defaults=True):
    units: list[int]
    refused: list[UnitRefused]


class Replacement(Struct, frozen=True, kw_only=True, omit_defaults=True):
    reason: str


class Replaced(Struct, frozen=True, kw_only=True, omit_defaults=True):
    unit: int
    replaced_by: int
    order_id: str


class Batch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    sku_id: str
    priority: int
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None
    recalled_as: str | None


class BatchTerms(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of batches with a lower `priority` go first where the SKU's issue order says so."""

    priority: int = 100
    valid_from: dt.datetime | None = None
    valid_until: dt.datetime | None = None


class ListedBatch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`kind` is imported or made. `cost_minor` is what all of it cost; of one that is `loading` there is no stock yet."""

    id: str
    sku_id: str
    priority: int
    valid_from: dt.datetime | None
    valid_until: str | None
    recalled_as: str | None
    kind: str
    state: str
    filename: str
    source: str
    note: str
    operator: str
    cost_minor: int | None
    loaded: int
    recall_reason: str | None
    created_at: dt.datetime


class Batches(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    batches: list[ListedBatch]
    next_cursor: str | None


class Recall(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`locked` can be taken back, `void` cannot."""

    fate: Literal["locked", "void"]
    reason: str


class Recalled(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`moved` were for sale or loose, `held` are of shoppers who may still pay, `sold` of those who have."""

    moved: int
    held: int
    sold: int


class Restored(Struct, frozen=True, kw_only=True, omit_defaults=True):
    moved: int


class Terms(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a SKU's stock is issued; a unit is sold until so many days before its end."""

    issue_order: Literal["expiring", "fifo", "priority"]
    sell_until_days: int


class IssueTerms(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In which order loose stock is allotted to sales; and how many days before its end a unit is no longer sold."""

    issue_order: Literal["expiring", "fifo", "priority"]
    sell_until_days: int = 0


class Threshold(Struct, frozen=True, kw_only=True, omit_defaults=True):
    low_stock_at: int


class StockWatch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`units` can still be sold, loose or in sales, as was seen at `looked_at`: exact up to `low_stock_at`, beyond it at least so many.
    `low_since`: since when they are no more than `low_stock_at`; null while they are more.
    """

    sku_id: str
    low_stock_at: int
    units: int | None
    low_since: str | None
    looked_at: dt.datetime | None


class StockWatches(Struct, frozen=True, kw_only=True, omit_defaults=True):
    items: list[StockWatch]
    next_cursor: str | None


def get_unit(unit_id: str) -> Call[UnitHistory]:
    """Get a unit, and all that became of it."""
    return Call(method="GET", path=f"/v1/vault/units/{unit_id}", answers={200: UnitHistory})


def list_units(
    *,
    sku_id: str,
    limit: int = 20,
    cursor: str | None = None,
    batch_id: str | None = None,
    state: Literal["available", "held", "sold", "locked", "void", "expired", "quarantined"] | None = None,
) -> Pages[Units, Unit]:
    """List units of a SKU, of its newest batch first; codes masked."""
    return Pages(
        method="GET",
        path="/v1/vault/units",
        answers={200: Units},
        query={"limit": limit, "cursor": cursor, "sku_id": sku_id, "batch_id": batch_id, "state": state},
        rows=lambda page: page.units,
    )


def lock_units(body: UnitAct) -> Call[ActDone]:
    """Set units aside that nobody holds. Out of their sales, too. What is in another state is left as it is, and named."""
    return Call(method="POST", path="/v1/vault/units/lock", answers={200: ActDone}, body=body)


def replace_unit(unit_id: str, body: Replacement, *, idempotency_key: str | None = None) -> Call[Replaced]:
    """Replace a faulty code. The order gets another unit of the SKU at once; the faulty one is quarantined. Nothing is revealed here."""
    return Call(
        method="POST",
        path=f"/v1/vault/units/{unit_id}/replacement",
        answers={201: Replaced},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def unlock_units(body: UnitAct) -> Call[ActDone]:
    """Let locked units be loose again."""
    return Call(method="POST", path="/v1/vault/units/unlock", answers={200: ActDone}, body=body)


def void_units(body: UnitAct) -> Call[ActDone]:
    """Write units off, for good. What shoppers hold or bought is left as it is, and named."""
    return Call(method="POST", path="/v1/vault/units/void", answers={200: ActDone}, body=body)


def get_batch(batch_id: str) -> Call[Batch]:
    """When and in which turn a batch is sold."""
    return Call(method="GET", path=f"/v1/vault/batches/{batch_id}", answers={200: Batch})


def set_batch(batch_id: str, body: BatchTerms) -> Call[Batch]:
    """Set a batch's priority and dates. New dates become those of all its units that nobody holds or bought."""
    return Call(method="PUT", path=f"/v1/vault/batches/{batch_id}", answers={200: Batch}, body=body)


def list_batches(*, limit: int = 20, cursor: str | None = None, sku_id: str | None = None) -> Pages[Batches, ListedBatch]:
    """What came in together, imported or made, newest first."""
    return Pages(
        method="GET",
        path="/v1/vault/batches",
        answers={200: Batches},
        query={"limit": limit, "cursor": cursor, "sku_id": sku_id},
        rows=lambda page: page.batches,
    )


def recall_batch(batch_id: str, body: Recall) -> Call[Recalled]:
    """Take a batch off every shelf, at once. What is held stays with who holds it, and is set aside if it comes back. List the sold ones to
    replace them.
    """
    return Call(method="POST", path=f"/v1/vault/batches/{batch_id}/recall", answers={200: Recalled}, body=body)


def restore_batch(batch_id: str, body: Replacement) -> Call[Restored]:
    """End a recall: its locked units are loose stock again."""
    return Call(method="POST", path=f"/v1/vault/batches/{batch_id}/restore", answers={200: Restored}, body=body)


def get_issue_terms(sku_id: str) -> Call[Terms]:
    """In which order a SKU's stock is issued, and until when."""
    return Call(method="GET", path=f"/v1/skus/{sku_id}/issue", answers={200: Terms})


def set_issue_terms(sku_id: str, body: IssueTerms) -> Call[Terms]:
    """Set in which order a SKU is issued, and until when. The order concerns loose stock only: a sale gives what it has in the order in
    which it was allotted.
    """
    return Call(method="PUT", path=f"/v1/skus/{sku_id}/issue", answers={200: Terms}, body=body)


def watch_stock(sku_id: str, body: Threshold) -> Call[StockWatch]:
    """Be told, by mail and webhook, when a SKU has as few units left."""
    return Call(method="PUT", path=f"/v1/vault/stock-watches/{sku_id}", answers={200: StockWatch}, body=body)


def unwatch_stock(sku_id: str) -> Call[None]:
    """Watch a SKU's stock no longer."""
    return Call(method="DELETE", path=f"/v1/vault/stock-watches/{sku_id}", answers={204: None})


def list_stock_watches(
    *, limit: int = 20, cursor: str | None = None, stock: Literal["low", "enough"] | None = None
) -> Pages[StockWatches, StockWatch]:
    """SKUs whose stock is watched, and which are low."""
    return Pages(
        method="GET",
        path="/v1/vault/stock-watches",
        answers={200: StockWatches},
        query={"limit": limit, "cursor": cursor, "stock": stock},
        rows=lambda page: page.items,
    )
