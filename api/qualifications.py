"""HTTP for merchants' qualification: drafts, documents, and what may be done with what was approved."""

import datetime as dt
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.idempotency import Once
from api.paging import Page
from api.process import Process
from api.uploads import place, room, whole
from api.wire import NOTHING, Nothing
from checkout_core.errors import UnsupportedMedia
from checkout_core.ids import decode, encode
from tenants import capabilities, qualifications
from tenants.capabilities import Capabilities
from tenants.db import TenantTx, tenant_tx
from tenants.qualifications import documents, files

MEDIA_TYPES: Final = (files.PDF, files.PNG, files.JPEG, "application/octet-stream")
ENDINGS: Final = {files.PDF: "pdf", files.PNG: "png", files.JPEG: "jpg"}
Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]


class NewParticulars(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As the documents have it: the registered name, and its number in the register or of the identity card."""

    legal_name: Text
    registration_number: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\S")]


class NewQualification(NewParticulars, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: Literal["individual", "sole_trader", "company", "game_topup", "gift_cards"]


class Document(Struct, frozen=True):
    """`sha256` is of the file as it was sent; pictures are drawn anew before they are kept, and `size_bytes` is of that."""

    id: str
    shows: str
    media_type: str
    size_bytes: int
    sha256: str
    created_at: dt.datetime


class Qualification(Struct, frozen=True):
    """`reasons` are the last decision's. An approved one is in force until `valid_until`, or without end."""

    id: str
    kind: str
    state: str
    legal_name: str
    registration_number: str
    reasons: list[str]
    valid_until: dt.datetime | None
    created_at: dt.datetime
    submitted_at: dt.datetime | None
    decided_at: dt.datetime | None
    documents: list[Document]


class Qualifications(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    qualifications: list[Qualification]
    next_cursor: str | None


def view(found: qualifications.Qualification) -> Qualification:
    shown = [Document(encode("doc", d.id), d.shows, d.media_type, d.size_bytes, d.sha256, d.created_at) for d in found.documents]
    return Qualification(
        encode("qua", found.id), found.kind, found.state, found.particulars.legal_name, found.particulars.registration_number,
        found.reasons, found.valid_until, found.created_at, found.submitted_at, found.decided_at, shown,
    )  # fmt: skip


def attachment(document_id: str, opened: documents.Opened) -> Response[bytes]:
    """A download, never shown by a browser and kept by no cache."""
    headers = {
        "Content-Disposition": f'attachment; filename="{document_id}.{ENDINGS[opened.media_type]}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
    }
    return Response(opened.content, media_type="application/octet-stream", headers=headers)


def _particulars(data: NewParticulars) -> qualifications.Particulars:
    return qualifications.Particulars(data.legal_name, data.registration_number)


class QualificationController(Controller):
    path = "/qualifications"
    tags = ("Qualification",)
    guards = (needs("qualifications:write"),)
    opt = {"while_suspended": True}  # to show who one is may be what it takes

    @post("/", operation_id="createQualification", summary="Draft a qualification; one of a kind is under way at a time")
    async def create(
        self,
        data: JSONBody[NewQualification],
        once: NamedDependency[Once],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
    ) -> Qualification:
        async def create() -> Qualification:
            made = await qualifications.create(
                once.tx, process.keyring, kind=data.kind, particulars=_particulars(data), actor=merchant.actor
            )
            return view(made)

        return await once(create())

    @get("/", operation_id="listQualifications", summary="Qualifications, newest first, whatever became of them")
    async def latest(self, tx: NamedDependency[TenantTx], process: NamedDependency[Process], page: NamedDependency[Page]) -> Qualifications:
        found = await qualifications.latest(tx, process.keyring, limit=page.rows, before=page.after(UUID))
        return Qualifications(*page.cut([view(each) for each in found], [each.id for each in found]))

    @get("/{qualification_id:str}", operation_id="getQualification", summary="A qualification, and what the reviewers said")
    async def one(self, qualification_id: FromPath[str], tx: NamedDependency[TenantTx], process: NamedDependency[Process]) -> Qualification:
        return view(await qualifications.get(tx, process.keyring, decode("qua", qualification_id)))

    @post(
        "/{qualification_id:str}/particulars",
        operation_id="correctQualification",
        summary="Correct what a draft says, or one of which more is wanted",
        status_code=200,
    )
    async def correct(
        self,
        qualification_id: FromPath[str],
        data: JSONBody[NewParticulars],
        tx: NamedDependency[TenantTx],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
    ) -> Qualification:
        found = decode("qua", qualification_id)
        return view(await qualifications.correct(tx, process.keyring, found, _particulars(data), actor=merchant.actor))

    @post("/{qualification_id:str}/submit", operation_id="submitQualification", summary="Hand it to the reviewers", status_code=200)
    async def submit(
        self,
        qualification_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> Qualification:
        return view(await qualifications.submit(tx, process.keyring, decode("qua", qualification_id), actor=merchant.actor))

    @post(
        "/{qualification_id:str}/withdraw",
        operation_id="withdrawQualification",
        summary="Take it back before it is decided; its documents are deleted",
        status_code=200,
    )
    async def withdraw(
        self,
        qualification_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> Qualification:
        return view(await qualifications.withdraw(tx, process.keyring, decode("qua", qualification_id), actor=merchant.actor))

    @post(
        "/{qualification_id:str}/documents",
        request_max_body_size=None,
        body=MEDIA_TYPES,
        operation_id="addDocument",
        summary="Add a document: a PDF, PNG or JPEG of at most 10 MiB",
        description="The body is the file. The same file sent again for the same purpose is the document that is there.",
    )
    async def add_document(
        self,
        qualification_id: FromPath[str],
        request: Request[Any, Any, Any],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
        shows: Annotated[str, QueryParameter(max_length=64, description="What of the kind's documents it is, or `other`")],
    ) -> Qualification:
        if request.content_type[0] not in MEDIA_TYPES:
            raise UnsupportedMedia(f"Send the file itself as the body, as one of {', '.join(MEDIA_TYPES)}.")
        found = decode("qua", qualification_id)
        async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
            await qualifications.get(tx, process.keyring, found)  # nothing is read for what is not there
        with place(merchant.tenant_id), room():
            sent = await whole(request, bytes_max=files.BYTES_MAX)
            file = await files.examined(sent)
            async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
                await documents.add(tx, process.keyring, found, shows=shows, sent=sent, file=file, actor=merchant.actor)
                return view(await qualifications.get(tx, process.keyring, found))

    @get(
        "/{qualification_id:str}/documents/{document_id:str}",
        media_type="application/octet-stream",
        operation_id="getDocument",
        summary="Download a document; each look is recorded",
    )
    async def get_document(
        self,
        qualification_id: FromPath[str],
        document_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
    ) -> Response[bytes]:
        opened = await documents.read(tx, process.keyring, decode("qua", qualification_id), decode("doc", document_id))
        await tx.audit(merchant.actor, "qualification_document.opened", document_id, qualification=qualification_id)
        return attachment(document_id, opened)

    @delete(
        "/{qualification_id:str}/documents/{document_id:str}",
        operation_id="removeDocument",
        summary="Delete a document of a draft, or of one of which more is wanted",
        problems=[409],
    )
    async def remove_document(
        self,
        qualification_id: FromPath[str],
        document_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> None:
        await documents.remove(tx, decode("qua", qualification_id), decode("doc", document_id), actor=merchant.actor)


class CapabilityController(Controller):
    path = "/capabilities"
    tags = ("Qualification",)

    @get(
        "/",
        guards=[needs("sales:read")],
        operation_id="getCapabilities",
        summary="What this store may do, by what is known of its merchant",
    )
    async def get(self, tx: NamedDependency[TenantTx]) -> Capabilities:
        return await capabilities.of(tx)
