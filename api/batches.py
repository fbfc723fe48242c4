"""HTTP for batches: what came in together, when and in which turn it is sold, and taken back. Each handler is one call into `tenants`."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct, structs

from api.callers import Merchant
from api.guards import needs
from api.paging import Page
from api.units import Instant, Reason, Replacement
from api.wire import check_times
from checkout_core.ids import decode, encode
from tenants.db import TenantTx
from tenants.units import acts
from tenants.vault import batches


class Recall(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`locked` can be taken back, `void` cannot."""

    fate: Literal["locked", "void"]
    reason: Reason


class Restored(Struct, frozen=True):
    moved: int


class BatchTerms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units of batches with a lower `priority` go first where the SKU's issue order says so."""

    priority: Annotated[int, Meta(ge=0, le=9999)] = 100
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class Batch(Struct, frozen=True):
    id: str
    sku_id: str
    priority: int
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None
    recalled_as: str | None

    @classmethod
    def of(cls, batch: acts.Batch) -> "Batch":
        return cls(**structs.asdict(batch) | {"id": encode("bat", batch.id), "sku_id": encode("sku", batch.sku_id)})


class ListedBatch(Batch, frozen=True, kw_only=True):
    """`kind` is imported or made. `cost_minor` is what all of it cost; of one that is `loading` there is no stock yet."""

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

    @classmethod
    def of_(cls, batch: batches.Listed) -> "ListedBatch":
        return cls(**structs.asdict(batch) | {"id": encode("bat", batch.id), "sku_id": encode("sku", batch.sku_id)})


class Batches(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    batches: list[ListedBatch]
    next_cursor: str | None


class BatchController(Controller):
    path = "/vault/batches"
    tags = ("Stock",)

    @get("/", guards=[needs("vault:read")], operation_id="listBatches", summary="What came in together, imported or made, newest first")
    async def latest(
        self,
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        sku_id: Annotated[str | None, QueryParameter(description="Only those of this SKU.")] = None,
    ) -> Batches:
        sku = decode("sku", sku_id) if sku_id is not None else None
        found = await batches.listed(tx, sku_id=sku, limit=page.rows, before=page.after(UUID))
        return Batches(*page.cut([ListedBatch.of_(each) for each in found], [each.id for each in found]))

    @get("/{batch_id:str}", guards=[needs("vault:read")], operation_id="getBatch", summary="When and in which turn a batch is sold")
    async def get(self, batch_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Batch:
        return Batch.of(await acts.batch(tx, decode("bat", batch_id)))

    @put(
        "/{batch_id:str}", guards=[needs("vault:write")], operation_id="setBatch", summary="Set a batch's priority and dates",
        description="New dates become those of all its units that nobody holds or bought.",
    )  # fmt: skip
    async def set(
        self, batch_id: FromPath[str], data: JSONBody[BatchTerms], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> Batch:
        check_times(data.valid_from, data.valid_until)
        changed = await acts.set_batch(tx, decode("bat", batch_id), **structs.asdict(data), actor=merchant.actor)
        return Batch.of(changed)

    @post(
        "/{batch_id:str}/recall", guards=[needs("vault:write")], status_code=200, operation_id="recallBatch",
        summary="Take a batch off every shelf, at once",
        description="What is held stays with who holds it, and is set aside if it comes back. List the sold ones to replace them.",
    )  # fmt: skip
    async def recall(
        self, batch_id: FromPath[str], data: JSONBody[Recall], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> acts.Recalled:
        return await acts.recall(tx, decode("bat", batch_id), data.fate, actor=merchant.actor, reason=data.reason)

    @post(
        "/{batch_id:str}/restore", guards=[needs("vault:write")], status_code=200, operation_id="restoreBatch",
        summary="End a recall: its locked units are loose stock again",
    )  # fmt: skip
    async def restore(
        self, batch_id: FromPath[str], data: JSONBody[Replacement], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> Restored:
        return Restored(await acts.restore(tx, decode("bat", batch_id), actor=merchant.actor, reason=data.reason))
