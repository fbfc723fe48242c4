"""HTTP for reviewing: what waits, and one merchant's qualification with its documents and the decisions about it."""

import datetime as dt
from typing import Annotated, NamedTuple
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.guards import platform
from api.paging import Page
from api.process import Process
from api.provide import PlatformTx
from api.qualifications import Qualification, attachment, view
from api.wire import NOTHING, Nothing
from checkout_core.ids import decode, encode
from tenants.db import TenantTx
from tenants.keys import Keyring
from tenants.platform import reviews
from tenants.platform.sessions import Staff


class WaitingQualification(Struct, frozen=True):
    """`reviewer` is who took it."""

    merchant_id: str
    slug: str
    id: str
    kind: str
    state: str
    submitted_at: dt.datetime
    reviewer: str | None


class WaitingQualifications(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    qualifications: list[WaitingQualification]
    next_cursor: str | None


class Approval(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`valid_until` is when the licence runs out; kinds that are licences need it."""

    valid_until: Annotated[dt.datetime, Meta(tz=True)] | None = None


class Decision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Told to the merchant as they are."""

    reasons: Annotated[list[Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S")]], Meta(min_length=1, max_length=20)]


class WaitingController(Controller):
    path = "/platform/qualifications"
    tags = ("Platform reviews",)

    @get(
        "/",
        guards=[platform("qualifications:read")],
        operation_id="listWaitingQualifications",
        summary="What waits for a reviewer, of all merchants, longest first",
    )
    async def waiting(self, platform_tx: NamedDependency[PlatformTx], page: NamedDependency[Page]) -> WaitingQualifications:
        found = await reviews.waiting(platform_tx.conn, limit=page.rows, after=page.after(tuple[dt.datetime, UUID]))
        shown = [
            WaitingQualification(encode("ten", w.tenant_id), w.slug, encode("qua", w.id), w.kind, w.state, w.submitted_at, w.reviewer)
            for w in found
        ]
        return WaitingQualifications(*page.cut(shown, [(each.submitted_at, each.id) for each in found]))


class Review(NamedTuple):
    """What every decision needs: whose it is, which, and who decides."""

    tx: TenantTx
    keyring: Keyring
    qualification_id: UUID
    actor: str


async def provide_review(
    merchant_id: FromPath[str],
    qualification_id: FromPath[str],
    on_tenant: NamedDependency[TenantTx],
    process: NamedDependency[Process],
    staff: NamedDependency[Staff],
) -> Review:
    return Review(on_tenant, process.keyring, decode("qua", qualification_id), staff.actor)


class ReviewController(Controller):
    path = "/platform/merchants/{merchant_id:str}/qualifications/{qualification_id:str}"
    tags = ("Platform reviews",)
    dependencies = {"review": Provide(provide_review)}

    @get(
        "/",
        guards=[platform("qualifications:read")],
        operation_id="getMerchantQualification",
        summary="One that was submitted, as its merchant sees it; his audit says who looked",
    )
    async def one(self, review: NamedDependency[Review]) -> Qualification:
        tx, keyring, qualification_id, actor = review
        return view(await reviews.get(tx, keyring, qualification_id, actor=actor))

    @get(
        "/documents/{document_id:str}",
        guards=[platform("qualifications:review")],
        media_type="application/octet-stream",
        operation_id="getMerchantDocument",
        summary="Download a document; the merchant's audit says who looked",
    )
    async def document(self, document_id: FromPath[str], review: NamedDependency[Review]) -> Response[bytes]:
        tx, keyring, qualification_id, actor = review
        return attachment(document_id, await reviews.document(tx, keyring, qualification_id, decode("doc", document_id), actor=actor))

    @post(
        "/take",
        guards=[platform("qualifications:review")],
        operation_id="takeQualification",
        summary="Begin to review it, or go on with a colleague's",
        status_code=200,
    )
    async def take(self, review: NamedDependency[Review], data: JSONBody[Nothing] = NOTHING) -> Qualification:
        tx, keyring, qualification_id, actor = review
        return view(await reviews.take(tx, keyring, qualification_id, actor=actor))

    @post(
        "/approve",
        guards=[platform("qualifications:review")],
        operation_id="approveQualification",
        summary="Put it in force",
        status_code=200,
    )
    async def approve(self, data: JSONBody[Approval], review: NamedDependency[Review]) -> Qualification:
        tx, keyring, qualification_id, actor = review
        return view(await reviews.approve(tx, keyring, qualification_id, valid_until=data.valid_until, actor=actor))

    @post(
        "/reject",
        guards=[platform("qualifications:review")],
        operation_id="rejectQualification",
        summary="Refuse it for good; the merchant may draft another",
        status_code=200,
    )
    async def reject(self, data: JSONBody[Decision], review: NamedDependency[Review]) -> Qualification:
        return await _decide(review, "reject", data)

    @post(
        "/ask-more",
        guards=[platform("qualifications:review")],
        operation_id="askMoreOfQualification",
        summary="Give it back to the merchant, who corrects it and submits it again",
        status_code=200,
    )
    async def ask_more(self, data: JSONBody[Decision], review: NamedDependency[Review]) -> Qualification:
        return await _decide(review, "ask_more", data)

    @post(
        "/revoke",
        guards=[platform("qualifications:review")],
        operation_id="revokeQualification",
        summary="Take an approved one out of force",
        status_code=200,
    )
    async def revoke(self, data: JSONBody[Decision], review: NamedDependency[Review]) -> Qualification:
        return await _decide(review, "revoke", data)


async def _decide(review: Review, act: str, data: Decision) -> Qualification:
    tx, keyring, qualification_id, actor = review
    return view(await reviews.decide(tx, keyring, qualification_id, act, reasons=data.reasons, actor=actor))
