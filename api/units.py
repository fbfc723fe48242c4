"""HTTP for units of stock: lists and histories, and what staff do with units and batches. Each handler is one call into `tenants.units`."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct, structs

from api.callers import Merchant
from api.guards import needs
from api.idempotency import Once
from api.paging import Page
from api.process import Process
from checkout_core.errors import NotFound
from checkout_core.ids import decode, encode
from tenants.db import TenantTx
from tenants.units import acts, find, issue
from tenants.units.replace import replace

UnitId = Annotated[int, Meta(ge=1, le=find.LAST)]
State = Literal["available", "held", "sold", "locked", "void", "expired", "quarantined"]
Reason = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
Instant = Annotated[dt.datetime, Meta(tz=True)]


class Unit(Struct, frozen=True):
    """A piece of stock. `masked` is the beginning and the end of its code; null where it has none."""

    unit: int
    sku_id: str
    batch_id: str
    state: State
    sale_id: str | None
    order_id: str | None
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None
    masked: str | None

    @classmethod
    def of(cls, unit: find.Unit) -> "Unit":
        sale_id, order_id = unit.sale_id and encode("sal", unit.sale_id), unit.order_id and encode("ord", unit.order_id)
        sku_id, batch_id = encode("sku", unit.sku_id), encode("bat", unit.batch_id)
        return cls(unit.id, sku_id, batch_id, unit.state, sale_id, order_id, unit.valid_from, unit.valid_until, unit.masked)  # type: ignore[arg-type]  # one of them, says the table


class Units(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last. With a `state` a page may be short, or empty, though another
    follows: `available`, `held` and `sold` are looked for among 5,000 units at a time."""

    units: list[Unit]
    next_cursor: str | None


class UnitEvent(Struct, frozen=True):
    at: dt.datetime
    act: str
    actor: str | None
    from_state: str | None
    to_state: str | None
    reason: str
    order_id: str | None


class UnitHistory(Unit, frozen=True, kw_only=True):
    events: list[UnitEvent]


class UnitAct(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    units: Annotated[list[UnitId], Meta(min_length=1, max_length=acts.UNITS_MAX)]
    reason: Reason


class Replacement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Reason


class Replaced(Struct, frozen=True):
    unit: int
    replaced_by: int
    order_id: str


class IssueTerms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """In which order loose stock is allotted to sales; and how many days before its end a unit is no longer sold."""

    issue_order: issue.IssueOrder
    sell_until_days: Annotated[int, Meta(ge=0, le=3650)] = 0


def unit_number(unit_id: str) -> int:
    """A unit's number as it stands in an address. What is none names no unit: raises `NotFound`."""
    if unit_id.isascii() and unit_id.isdigit() and len(unit_id) < 20 and 1 <= int(unit_id) <= find.LAST:
        return int(unit_id)
    raise NotFound("There is no such unit.")


class UnitController(Controller):
    path = "/vault/units"
    tags = ("Stock",)

    @get(
        "/", guards=[needs("vault:read")], operation_id="listUnits", summary="List units of a SKU, of its newest batch first; codes masked"
    )
    async def latest(
        self,
        tx: NamedDependency[TenantTx],
        process: NamedDependency[Process],
        page: NamedDependency[Page],
        sku_id: Annotated[str, QueryParameter(description="Of this SKU.")],
        batch_id: Annotated[str | None, QueryParameter(description="Only those of this batch.")] = None,
        unit_state: Annotated[State | None, QueryParameter(name="state", description="Only those in this state.")] = None,
    ) -> Units:
        batch = decode("bat", batch_id) if batch_id is not None else None
        found, ended = await find.latest(
            tx,
            process.keyring,
            decode("sku", sku_id),
            batch_id=batch,
            state=unit_state,
            limit=page.limit,
            after=page.after(tuple[UUID, int]),
        )
        return Units([Unit.of(unit) for unit in found], page.turn(ended))

    @get("/{unit_id:str}", guards=[needs("vault:read")], operation_id="getUnit", summary="Get a unit, and all that became of it")
    async def get(self, unit_id: FromPath[str], tx: NamedDependency[TenantTx], process: NamedDependency[Process]) -> UnitHistory:
        unit = await find.get(tx, process.keyring, unit_number(unit_id))
        events = [
            UnitEvent(**structs.asdict(each) | {"order_id": each.order_id and encode("ord", each.order_id)})
            for each in await find.history(tx, unit)
        ]
        return UnitHistory(**structs.asdict(Unit.of(unit)), events=events)

    @post(
        "/lock", guards=[needs("vault:write")], status_code=200, operation_id="lockUnits", summary="Set units aside that nobody holds",
        description="Out of their sales, too. What is in another state is left as it is, and named.",
    )  # fmt: skip
    async def lock(self, data: JSONBody[UnitAct], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> acts.ActDone:
        return await acts.act(tx, "lock", data.units, actor=merchant.actor, reason=data.reason)

    @post(
        "/unlock",
        guards=[needs("vault:write")],
        status_code=200,
        operation_id="unlockUnits",
        summary="Let locked units be loose again",
    )
    async def unlock(self, data: JSONBody[UnitAct], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> acts.ActDone:
        return await acts.act(tx, "unlock", data.units, actor=merchant.actor, reason=data.reason)

    @post(
        "/void", guards=[needs("vault:write")], status_code=200, operation_id="voidUnits", summary="Write units off, for good",
        description="What shoppers hold or bought is left as it is, and named.",
    )  # fmt: skip
    async def void(self, data: JSONBody[UnitAct], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> acts.ActDone:
        return await acts.act(tx, "void", data.units, actor=merchant.actor, reason=data.reason)

    @post(
        "/{unit_id:str}/replacement", guards=[needs("vault:write")], operation_id="replaceUnit", summary="Replace a faulty code",
        description="The order gets another unit of the SKU at once; the faulty one is quarantined. Nothing is revealed here.",
    )  # fmt: skip
    async def replace(
        self, unit_id: FromPath[str], data: JSONBody[Replacement], once: NamedDependency[Once], merchant: NamedDependency[Merchant]
    ) -> Replaced:
        async def give() -> Replaced:
            done = await replace(once.tx, unit_number(unit_id), actor=merchant.actor, reason=data.reason)
            return Replaced(done.unit, done.replaced_by, encode("ord", done.order_id))

        return await once(give())


class IssueController(Controller):
    path = "/skus/{sku_id:str}/issue"
    tags = ("Stock",)

    @get("/", guards=[needs("vault:read")], operation_id="getIssueTerms", summary="In which order a SKU's stock is issued, and until when")
    async def get(self, sku_id: FromPath[str], tx: NamedDependency[TenantTx]) -> acts.Terms:
        return await acts.terms(tx, decode("sku", sku_id))

    @put(
        "/", guards=[needs("vault:write")], operation_id="setIssueTerms", summary="Set in which order a SKU is issued, and until when",
        description="The order concerns loose stock only: a sale gives what it has in the order in which it was allotted.",
    )  # fmt: skip
    async def set(
        self, sku_id: FromPath[str], data: JSONBody[IssueTerms], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> acts.Terms:
        new = acts.Terms(data.issue_order, data.sell_until_days)
        return await acts.set_terms(tx, decode("sku", sku_id), new, actor=merchant.actor)
