"""HTTP for the exception queue: what waits for a person, and what people do with it."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.paging import Page
from api.wire import NOTHING, Nothing
from checkout_core.ids import decode, encode
from tenants import exceptions, permissions, resolutions
from tenants.db import TenantTx
from tenants.vault.exports import Member


class Case(Struct, frozen=True):
    """`state`: open, resolved. `asked_by` wants an open one closed for the reason `resolution`, and waits for another who agrees;
    `needs_two` says that this takes two people. `may_retry`: what it is about can be tried again."""

    id: str
    kind: str
    reference: str
    detail: dict[str, Any]
    created_at: dt.datetime
    state: str
    may_retry: bool
    needs_two: bool
    resolution: str | None
    asked_by: str | None
    asked_at: dt.datetime | None
    resolved_by: str | None
    resolved_at: dt.datetime | None

    @classmethod
    def of(cls, case: exceptions.Case) -> "Case":
        return cls(
            encode("exc", case.id), case.kind, case.reference, case.detail, case.created_at, case.state,
            case.state == "open" and resolutions.may_retry(case.kind), case.kind in resolutions.MONEY,
            case.resolution, case.asked_by, case.asked_at, case.resolved_by, case.resolved_at,
        )  # fmt: skip


class Exceptions(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    exceptions: list[Case]
    next_cursor: str | None


class Resolution(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done about it, in words, for your own records."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S")]


class ExceptionController(Controller):
    path = "/exceptions"
    tags = ("Exceptions",)

    @get(
        "/",
        guards=[needs("orders:read")],
        operation_id="listExceptions",
        summary="What waits for a person, oldest first; or what was closed, newest first",
    )
    async def list(
        self,
        tx: NamedDependency[TenantTx],
        page: NamedDependency[Page],
        kind: Annotated[str | None, QueryParameter(max_length=80, description="Only those of this kind.")] = None,
        case_state: Annotated[
            Literal["open", "resolved"], QueryParameter(name="state", description="`open` unless `resolved` are asked for.")
        ] = "open",
    ) -> Exceptions:
        if case_state == "open":
            found = await exceptions.open_cases(tx, kind=kind, limit=page.rows, after=page.after(UUID))
        else:
            found = await exceptions.closed(tx, kind=kind, limit=page.rows, before=page.after(UUID))
        return Exceptions(*page.cut([Case.of(c) for c in found], [c.id for c in found]))

    @get("/{exception_id:str}", guards=[needs("orders:read")], operation_id="getException", summary="A case of the exception queue")
    async def read(self, exception_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Case:
        return Case.of(await resolutions.get(tx, decode("exc", exception_id)))

    @post(
        "/{exception_id:str}/retry",
        guards=[needs("orders:write")],
        while_suspended=True,
        status_code=200,
        problems=[409],
        operation_id="retryException",
        summary="Have it tried again at once; fails it again, the case is back",
    )
    async def retry(
        self,
        exception_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> Case:
        """A refund that was refused takes `payments:write`, and is asked for with a new number."""
        await _may(tx, exception_id, merchant)
        return Case.of(await resolutions.retry(tx, decode("exc", exception_id), actor=merchant.actor))

    @post(
        "/{exception_id:str}/resolve",
        guards=[needs("orders:write")],
        while_suspended=True,
        status_code=200,
        problems=[409],
        operation_id="resolveException",
        summary="Close a case and say why; where money is given up for settled, ask another to agree, or agree",
    )
    async def resolve(
        self,
        exception_id: FromPath[str],
        data: JSONBody[Resolution],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> Case:
        """A case about money takes `payments:write`, and two people where two may: it stays open until another resolves it as well."""
        await _may(tx, exception_id, merchant)
        by = Member(merchant.actor, merchant.user_id)
        return Case.of(await resolutions.resolve(tx, decode("exc", exception_id), data.reason.strip(), by=by))

    @post(
        "/{exception_id:str}/withdraw",
        guards=[needs("orders:write")],
        while_suspended=True,
        status_code=200,
        problems=[409],
        operation_id="withdrawResolution",
        summary="Take back that a case be closed, or say no to it",
    )
    async def withdraw(
        self,
        exception_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> Case:
        await _may(tx, exception_id, merchant)
        return Case.of(await resolutions.withdraw(tx, decode("exc", exception_id), actor=merchant.actor))


async def _may(tx: TenantTx, exception_id: str, merchant: Merchant) -> None:
    case = await resolutions.get(tx, decode("exc", exception_id))
    permissions.need(resolutions.permission(case.kind), merchant.scopes)
