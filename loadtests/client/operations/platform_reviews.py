"""Platform reviews. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Any, Literal

from msgspec import Struct

from loadtests.client.core import Call, Pages
from loadtests.client.operations.catalogue import ProductOption
from loadtests.client.operations.codes import Nothing
from loadtests.client.operations.qualification import Qualification


class WaitingQualification(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`reviewer` is who took it."""

    merchant_id: str
    slug: str
    id: str
    kind: str
    state: str
    submitted_at: dt.datetime
    reviewer: str | None


class WaitingQualifications(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    qualifications: list[WaitingQualification]
    next_cursor: str | None


class Approval(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`valid_until` is when the licence runs out; kinds that are licences need it."""

    valid_until: dt.datetime | None = None


class Decision(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Told to the merchant as they are."""

    reasons: list[str]


class WaitingProduct(Struct, frozen=True, kw_only=True, omit_defaults=True):
    merchant_id: str
    slug: str
    id: str
    product_id: str
    name: str
    created_at: dt.datetime


class WaitingProducts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    reviews: list[WaitingProduct]
    next_cursor: str | None


class ReviewedText(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In one of the store's languages."""

    name: str
    description: str | None


class ReviewedSku(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`translations` are its names by language."""

    name: str
    choices: list[str]
    face_value: str | None
    translations: dict[str, Any]


class SubmittedProduct(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that the product said and showed when it was handed in. `images` are paths below the store's hosts."""

    id: str
    product_id: str
    state: str
    name: str
    description: str
    options: list[ProductOption]
    translations: dict[str, Any]
    skus: dict[str, Any]
    images: list[str]
    reasons: list[str]
    created_at: dt.datetime
    decided_at: dt.datetime | None


class ReviewRule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`after`: what is published or edited is shown and looked at. `before`: shoppers see it when it was approved. `off`: neither."""

    mode: Literal["after", "before", "off"]


def list_waiting_qualifications(*, limit: int = 20, cursor: str | None = None) -> Pages[WaitingQualifications, WaitingQualification]:
    """What waits for a reviewer, of all merchants, longest first."""
    return Pages(
        method="GET",
        path="/v1/platform/qualifications",
        answers={200: WaitingQualifications},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.qualifications,
    )


def approve_qualification(merchant_id: str, qualification_id: str, body: Approval) -> Call[Qualification]:
    """Put it in force."""
    return Call(
        method="POST",
        path=f"/v1/platform/merchants/{merchant_id}/qualifications/{qualification_id}/approve",
        answers={200: Qualification},
        body=body,
    )


def ask_more_of_qualification(merchant_id: str, qualification_id: str, body: Decision) -> Call[Qualification]:
    """Give it back to the merchant, who corrects it and submits it again."""
    return Call(
        method="POST",
        path=f"/v1/platform/merchants/{merchant_id}/qualifications/{qualification_id}/ask-more",
        answers={200: Qualification},
        body=body,
    )


def get_merchant_document(merchant_id: str, qualification_id: str, document_id: str) -> Call[str]:
    """Download a document; the merchant's audit says who looked."""
    return Call(
        method="GET",
        path=f"/v1/platform/merchants/{merchant_id}/qualifications/{qualification_id}/documents/{document_id}",
        answers={200: str},
    )


def get_merchant_qualification(merchant_id: str, qualification_id: str) -> Call[Qualification]:
    """One that was submitted, as its merchant sees it; his audit says who looked."""
    return Call(method="GET", path=f"/v1/platform/merchants/{merchant_id}/qualifications/{qualification_id}", answers={200: Qualification})


def reject_qualification(merchant_id: str, qualification_id: str, body: Decision) -> Call[Qualification]:
    """Refuse it for good; the merchant may draft another."""
    return Call(
        method="POST",
        path=f"/v1/platform/merchants/{merchant_id}/qualifications/{qualification_id}/reject",
        answers={200: Qualification},
        body=body,
    )


def revoke_qualification(merchant_id: str, qualification_id: str, body: Decision) -> Call[Qualification]:
    """Take an approved one out of force."""
    return Call(
        method="POST",
        path=f"/v1/platform/merchants/{merchant_id}/qualifications/{qualification_id}/revoke",
        answers={200: Qualification},
        body=body,
    )


def take_qualification(merchant_id: str, qualification_id: str) -> Call[Qualification]:
    """Begin to review it, or go on with a colleague's."""
    return Call(
        method="POST",
        path=f"/v1/platform/merchants/{merchant_id}/qualifications/{qualification_id}/take",
        answers={200: Qualification},
        body=Nothing(),
    )


def list_waiting_products(*, limit: int = 20, cursor: str | None = None) -> Pages[WaitingProducts, WaitingProduct]:
    """Products that wait, of all merchants."""
    return Pages(
        method="GET",
        path="/v1/platform/product-reviews",
        answers={200: WaitingProducts},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.reviews,
    )


def approve_product(merchant_id: str, review_id: str) -> Call[SubmittedProduct]:
    """Let shoppers see it as it was handed in."""
    return Call(
        method="POST",
        path=f"/v1/platform/merchants/{merchant_id}/product-reviews/{review_id}/approve",
        answers={200: SubmittedProduct},
        body=Nothing(),
    )


def get_product_review(merchant_id: str, review_id: str) -> Call[SubmittedProduct]:
    """What a product said and showed."""
    return Call(method="GET", path=f"/v1/platform/merchants/{merchant_id}/product-reviews/{review_id}", answers={200: SubmittedProduct})


def refuse_product(merchant_id: str, review_id: str, body: Decision) -> Call[SubmittedProduct]:
    """Hide it at once, for reasons that the merchant is told by mail."""
    return Call(
        method="POST",
        path=f"/v1/platform/merchants/{merchant_id}/product-reviews/{review_id}/refuse",
        answers={200: SubmittedProduct},
        body=body,
    )


def get_product_review_rule(merchant_id: str) -> Call[ReviewRule]:
    """Whether a merchant's products are reviewed."""
    return Call(method="GET", path=f"/v1/platform/merchants/{merchant_id}/product-review-rule", answers={200: ReviewRule})


def set_product_review_rule(merchant_id: str, body: ReviewRule) -> Call[ReviewRule]:
    """Have a merchant's products reviewed before or after they are shown, or not."""
    return Call(method="PUT", path=f"/v1/platform/merchants/{merchant_id}/product-review-rule", answers={200: ReviewRule}, body=body)
