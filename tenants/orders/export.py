"""The list of orders as a file for a spreadsheet, made by a duty a thousand orders at a time, each step a short transaction of its own.

What an order must be is asked as in the list (`orders.find`), and they come in its order, newest first. Each order is in it once, as it was
when its step read it; what is made after the export was asked for is not. Codes are not in it.
"""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any, Literal
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict
from checkout_core.ids import encode
from tenants import spreadsheets, workbooks
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.keys import Keyring
from tenants.orders.find import Asked, latest
from tenants.orders.read import Order
from tenants.privacy import archives, requests
from tenants.privacy.requests import DataRequest

KIND = "order_export"
Format = Literal["csv", "xlsx"]
AT_ONCE = 1000
RUNNING_MAX = 5  # exports of one store at a time
COLUMNS = (
    "order", "created_at", "state", "channel", "contact", "shopper", "items", "quantity", "amount_minor", "currency", "paid_at",
    "delivered_at", "tags",
)  # fmt: skip


class Wanted(msgspec.Struct, frozen=True):
    format: Format
    orders: Asked


async def ask(tx: TenantTx, wanted: Asked, format_: Format, *, actor: str) -> DataRequest:
    """A new export. One of the same that is under way is answered instead. Raises `Conflict` (`too_many_exports`)."""
    request = await requests.ask(tx, KIND, actor=actor, asked=msgspec.to_builtins(Wanted(format_, wanted)))
    sql = "SELECT count(*) FROM data_request WHERE tenant_id = $1 AND kind = $2 AND state = 'running'"
    if await tx.conn.fetchval(sql, tx.tenant_id, KIND) > RUNNING_MAX:
        raise Conflict("Enough exports are being made. Wait for one of them to end.", code="too_many_exports")
    return request


def wanted(request: DataRequest) -> Wanted:
    return msgspec.convert(request.asked, Wanted)


async def carry_out(pool: Pool, keyring: Keyring, tenant_id: UUID, request: DataRequest) -> None:
    """Go on from where the export is until it is done."""
    asked = wanted(request)
    while True:
        async with tenant_tx(pool, tenant_id) as tx:
            found = await requests.lock_running(tx, request.id)
            if found is None:
                return
            if await _step(tx, keyring, request, asked, found or {"rows": 0, "parts": 0, "sheets": 1, "before": None}):
                return


async def _step(tx: TenantTx, keyring: Keyring, request: DataRequest, asked: Wanted, progress: dict[str, Any]) -> bool:
    """One part, and how far it came; whether that was the last."""
    before = msgspec.convert(progress["before"], tuple[dt.datetime, UUID] | None)
    # What comes later stands before the first page, and is in none.
    page = await latest(tx, asked.orders, limit=AT_ONCE, before=before or (request.created_at, UUID(int=0)))
    if page.orders:
        tags = {row[0]: row[1] for row in await tx.conn.fetch("SELECT id, name FROM tag WHERE tenant_id = $1", tx.tenant_id)}
        rows = [_row(order, tags) for order in page.orders]
        progress["parts"] += 1
        progress["sheets"] = progress["rows"] // workbooks.SHEET_ROWS + 1
        content = spreadsheets.rows([str(each) for each in row] for row in rows) if asked.format == "csv" else workbooks.rows(rows)
        await archives.add(tx, keyring, request.id, progress["parts"], str(progress["sheets"]), content)
        progress["rows"] += len(rows)
    progress["before"] = msgspec.to_builtins(page.next)
    if page.next is None:
        await requests.finish(tx, request.id, progress, archive=True)
    else:
        await requests.go_on(tx, request.id, progress)
    return page.next is None


def _row(order: Order, tags: dict[UUID, str]) -> list[str | int]:
    items = "; ".join(f"{line.quantity} × {line.name}" for line in order.lines)
    return [
        encode("ord", order.id), _moment(order.created_at), order.state, order.channel, order.contact or "",
        encode("shp", order.shopper_id), items, sum(line.quantity for line in order.lines), order.amount_minor, order.currency,
        _moment(order.paid_at), _moment(order.delivered_at), ", ".join(sorted(tags[each] for each in order.tag_ids)),
    ]  # fmt: skip


def _moment(at: dt.datetime | None) -> str:
    return at.isoformat() if at else ""


async def file(pool: Pool, keyring: Keyring, tenant_id: UUID, request: DataRequest) -> AsyncIterator[bytes]:
    """The file of an export that is done, piece by piece."""
    parts = archives.parts(pool, keyring, tenant_id, request.id)
    if wanted(request).format == "csv":
        yield spreadsheets.BOM + spreadsheets.rows([COLUMNS])
        async for _, content in parts:
            yield content
    else:
        sheets = ((int(name), content) async for name, content in parts)
        async for piece in workbooks.file(sheets, sheets=request.progress["sheets"], header=workbooks.rows([COLUMNS])):
            yield piece
