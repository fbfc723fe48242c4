"""Qualification. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Literal

from msgspec import Struct

from loadtests.client.core import Call, Pages, new_key
from loadtests.client.operations.codes import Nothing


class Document(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`sha256` is of the file as it was sent; pictures are drawn anew before they are kept, and `size_bytes` is of that."""

    id: str
    shows: str
    media_type: str
    size_bytes: int
    sha256: str
    created_at: dt.datetime


class Qualification(Struct, frozen=True, kw_only=True, omit_defaults=True):
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


class NewParticulars(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As the documents have it: the registered name, and its number in the register or of the identity card."""

    legal_name: str
    registration_number: str


class Qualifications(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    qualifications: list[Qualification]
    next_cursor: str | None


class NewQualification(Struct, frozen=True, kw_only=True, omit_defaults=True):
    legal_name: str
    registration_number: str
    kind: Literal["company", "game_topup", "gift_cards", "individual", "sole_trader"]


class Capabilities(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`live`: an account at a provider with real money is connected, and the other three apply to sales. `qualifications` are in force."""

    live: bool
    live_providers: bool
    sale_units_max: int
    categories: list[str]
    qualifications: list[str]


def add_document(
    qualification_id: str,
    file: bytes,
    *,
    shows: str,
    filename: str | None = None,
    content_type: Literal["application/pdf", "image/png", "image/jpeg", "application/octet-stream"] = "application/pdf",
) -> Call[Qualification]:
    """Add a document: a PDF, PNG or JPEG of at most 10 MiB. The body is the file. The same file sent again for the same purpose is the
    document that is there.
    """
    return Call(
        method="POST",
        path=f"/v1/qualifications/{qualification_id}/documents",
        answers={201: Qualification},
        body=file,
        headers={"X-Filename": filename, "Content-Type": content_type},
        query={"shows": shows},
    )


def correct_qualification(qualification_id: str, body: NewParticulars) -> Call[Qualification]:
    """Correct what a draft says, or one of which more is wanted."""
    return Call(method="POST", path=f"/v1/qualifications/{qualification_id}/particulars", answers={200: Qualification}, body=body)


def list_qualifications(*, limit: int = 20, cursor: str | None = None) -> Pages[Qualifications, Qualification]:
    """Qualifications, newest first, whatever became of them."""
    return Pages(
        method="GET",
        path="/v1/qualifications",
        answers={200: Qualifications},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.qualifications,
    )


def create_qualification(body: NewQualification, *, idempotency_key: str | None = None) -> Call[Qualification]:
    """Draft a qualification; one of a kind is under way at a time."""
    return Call(
        method="POST",
        path="/v1/qualifications",
        answers={201: Qualification},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def get_document(qualification_id: str, document_id: str) -> Call[str]:
    """Download a document; each look is recorded."""
    return Call(method="GET", path=f"/v1/qualifications/{qualification_id}/documents/{document_id}", answers={200: str})


def remove_document(qualification_id: str, document_id: str) -> Call[None]:
    """Delete a document of a draft, or of one of which more is wanted."""
    return Call(method="DELETE", path=f"/v1/qualifications/{qualification_id}/documents/{document_id}", answers={204: None})


def get_qualification(qualification_id: str) -> Call[Qualification]:
    """A qualification, and what the reviewers said."""
    return Call(method="GET", path=f"/v1/qualifications/{qualification_id}", answers={200: Qualification})


def submit_qualification(qualification_id: str) -> Call[Qualification]:
    """Hand it to the reviewers."""
    return Call(method="POST", path=f"/v1/qualifications/{qualification_id}/submit", answers={200: Qualification}, body=Nothing())


def withdraw_qualification(qualification_id: str) -> Call[Qualification]:
    """Take it back before it is decided; its documents are deleted."""
    return Call(method="POST", path=f"/v1/qualifications/{qualification_id}/withdraw", answers={200: Qualification}, body=Nothing())


def get_capabilities() -> Call[Capabilities]:
    """What this store may do, by what is known of its merchant."""
    return Call(method="GET", path="/v1/capabilities", answers={200: Capabilities})
