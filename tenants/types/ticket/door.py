"""At the door: whether a ticket lets somebody in, and that it did. One scan at a time decides: the entitlement's row is locked."""

import datetime as dt
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import decode, encode
from tenants import entitlements, inputs, picks
from tenants.db import TenantTx
from tenants.entitlements import Entitlement
from tenants.types import entry
from tenants.types.base import Act, Asking, Line
from tenants.types.entry import Code, Reason
from tenants.types.ticket.sessions import NAME, seat

USE: Final = "entry"
Result = Literal["good", "admitted", "already", "revoked", "wrong_session", "too_early", "too_late"]


class Scan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """With `session` only tickets of that one are let in at this door."""

    code: Code
    session: Annotated[str, Meta(min_length=1, max_length=24)] | None = None


class Undo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`reason` is for your own records."""

    code: Code
    reason: Reason


class Transfer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`values`: what the ticket's form asks of its holder, anew."""

    order_id: Annotated[str, Meta(max_length=36)]
    sale_id: Annotated[str, Meta(max_length=36)]
    values: Annotated[dict[Annotated[str, Meta(max_length=32)], Annotated[str, Meta(max_length=1000)]], Meta(max_length=20)]


class Transferred(msgspec.Struct, frozen=True):
    order_id: str


class TicketScan(msgspec.Struct, frozen=True):
    """`admitted`: let them in, this once. `good`: they could be. `already`: somebody was, at `admitted_at`. `holder` is what the buyer said
    of who comes, and is told with `admitted` only."""

    result: Result
    session: str
    seat: str
    opens_at: dt.datetime
    closes_at: dt.datetime | None
    admitted_at: dt.datetime | None = None
    holder: dict[str, str] | None = None


async def check_in(asking: Asking, scan: Scan) -> TicketScan:
    """Raises `NotFound`."""
    tx = asking.tx
    ticket = await entry.find(tx, NAME, scan.code)
    seen = await _look(tx, ticket, scan.session)
    if seen.result != "good":
        return seen
    await entitlements.use(tx, ticket.id, USE, actor=asking.actor)
    await tx.audit(asking.actor, "ticket.checked_in", encode("ord", ticket.order_id), seat=ticket.data["pick"])
    at = await entry.used_at(tx, ticket, USE)
    return msgspec.structs.replace(seen, result="admitted", admitted_at=at, holder=await entry.said(asking, ticket))


async def undo(asking: Asking, request: Undo) -> TicketScan:
    """Raises `NotFound`, `Conflict` (`not_admitted`)."""
    tx = asking.tx
    ticket = await entry.find(tx, NAME, request.code)
    if not await entitlements.give_back(tx, ticket.id, USE):
        raise Conflict("Nobody was let in with this ticket. Nothing was changed.", code="not_admitted")
    detail = {"seat": ticket.data["pick"], "reason": request.reason}
    await tx.audit(asking.actor, "ticket.check_in_undone", encode("ord", ticket.order_id), **detail)
    return await _look(tx, ticket, None)


async def status(asking: Asking, scan: Scan) -> TicketScan:
    """Raises `NotFound`."""
    return await _look(asking.tx, await entry.find(asking.tx, NAME, scan.code, lock=False), scan.session)


async def transfer(asking: Asking, request: Transfer) -> Transferred:
    """Somebody else comes. Raises as `inputs.give`, and `Conflict` (`door_open`) once the door of a session has opened."""
    tx, order_id, sale_id = asking.tx, decode("ord", request.order_id), decode("sal", request.sale_id)
    sku_id = await tx.conn.fetchval(
        "SELECT sku_id FROM order_line WHERE tenant_id = $1 AND order_id = $2 AND sale_id = $3", tx.tenant_id, order_id, sale_id
    )
    if sku_id is None or await _type(tx, sku_id) != NAME:
        raise NotFound("There is no such order.")
    assert asking.shopper_id is not None, "a shopper asks"
    given = {"shopper_id": asking.shopper_id, "states": ("paid", "delivered")}
    await inputs.give(tx, asking.keyring, order_id, sale_id, request.values, **given)  # type: ignore[arg-type]
    now = await tx.conn.fetchval("SELECT now()")
    if any(ticket.valid_from <= now for ticket in await entitlements.of_order(tx, order_id, sku_id)):
        raise Conflict("The door is open: it is too late for somebody else to come. Nothing was changed.", code="door_open")
    await tx.audit(asking.actor, "ticket.transferred", encode("ord", order_id))
    return Transferred(request.order_id)


async def admitted(tx: TenantTx, line: Line) -> set[int]:
    """The units of a line with which somebody was let in."""
    found = await entitlements.of_order(tx, line.order_id, line.sku.id)
    return {ticket.unit_id for ticket in found if await entry.used_at(tx, ticket, USE)}


async def _look(tx: TenantTx, ticket: Entitlement, session: str | None) -> TicketScan:
    now, at = await tx.conn.fetchval("SELECT now()"), await entry.used_at(tx, ticket, USE)
    its = seat(ticket.data["pick"])
    result: Result = "good"
    if ticket.state == "revoked":
        result = "revoked"
    elif at is not None:
        result = "already"
    elif session not in (None, its.session):
        result = "wrong_session"
    elif now < ticket.valid_from:
        result = "too_early"
    elif ticket.state == "expired" or (ticket.valid_until is not None and ticket.valid_until <= now):
        result = "too_late"
    label = (await picks.of_units(tx, [ticket.unit_id]))[ticket.unit_id].label
    return TicketScan(result, its.session, label, ticket.valid_from, ticket.valid_until, at)


async def _type(tx: TenantTx, sku_id: UUID) -> str | None:
    found: str | None = await tx.conn.fetchval("SELECT type FROM sku WHERE tenant_id = $1 AND id = $2", tx.tenant_id, sku_id)
    return found


ACTS: Final = (
    Act("check_in", "orders:write", "Let the holder of a ticket in, once", Scan, TicketScan, check_in),
    Act("undo_check_in", "orders:write", "Somebody was let in by mistake: the ticket is good again", Undo, TicketScan, undo),
    Act("status", "orders:read", "Whether a ticket would let its holder in", Scan, TicketScan, status),
    Act("transfer", "shopper", "Say who comes in the place of the holder, until the door opens", Transfer, Transferred, transfer),
)
