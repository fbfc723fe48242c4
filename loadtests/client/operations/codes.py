"""Codes. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Literal

from msgspec import Struct

from loadtests.client.core import Call, Pages, new_key


class CodeInFull(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In a body, so that no log of addresses keeps it. The card number, not its secret."""

    code: str


class FoundCode(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`order_id` is the order it was delivered to, or is held for; it stays when the order is refunded. `line` is the line of the file."""

    unit: int
    state: str
    sku_id: str
    import_id: str
    line: int
    sale_id: str | None
    order_id: str | None
    loaded_at: dt.datetime | None
    delivered_at: dt.datetime | None
    revealed_at: dt.datetime | None


class Look(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`reason` is for the audit."""

    reason: str = ""


class Code(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A revealed code, with the unit it belongs to."""

    unit: int
    code: str
    secret: str | None = None
    valid_until: str | None = None
    face_value: str | None = None


class Nothing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of a request that says all in its address: `{}`, or no body at all."""


class ExportView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`state`: requested, approved, refused, downloaded, expired. `units` were chosen when it was asked for; `exported` of them were in the
    file: what was sold or allotted meanwhile was not.
    """

    id: str
    kind: Literal["batch", "order", "stock"]
    of: str
    reason: str
    units: int
    state: Literal["approved", "downloaded", "expired", "refused", "requested"]
    asked_by: str
    decided_by: str | None
    exported: int | None
    created_at: dt.datetime
    decided_at: dt.datetime | None
    downloaded_at: dt.datetime | None
    expires_at: dt.datetime


class Exports(Struct, frozen=True, kw_only=True, omit_defaults=True):
    items: list[ExportView]
    next_cursor: str | None


class NewExport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of `sku_id` (loose stock, the last loaded first), `import_id` (a batch) and `order_id` (what it was delivered)."""

    reason: str
    sku_id: str | None = None
    import_id: str | None = None
    order_id: str | None = None
    units: int = 20000


class RotationView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`state`: running, done. `codes_renewed` of `codes`, and so many others, are sealed anew; `turn` counts the looks at all of them. A
    rotation is done, and the keys before are removed, when a look a minute later finds nothing left.
    """

    id: str
    purposes: list[Literal["fingerprint", "seal"]]
    state: Literal["done", "running"]
    codes: int
    codes_renewed: int
    others_renewed: int
    turn: int
    asked_by: str
    created_at: dt.datetime
    finished_at: dt.datetime | None


class Rotations(Struct, frozen=True, kw_only=True, omit_defaults=True):
    items: list[RotationView]
    next_cursor: str | None


class NewRotation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`seal`: the key that codes, credentials and documents lie under; `fingerprint`: the one by which a code is known again."""

    purposes: list[Literal["fingerprint", "seal"]]


def find_code(body: CodeInFull) -> Call[FoundCode]:
    """Where a code is that somebody shows in full; each look is recorded."""
    return Call(method="POST", path="/v1/vault/lookups", answers={200: FoundCode}, body=body)


def reveal_unit(unit_id: str, body: Look | None = None) -> Call[Code]:
    """One code in clear; each look is recorded."""
    return Call(method="POST", path=f"/v1/vault/units/{unit_id}/reveal", answers={200: Code}, body=body or Look())


def approve_export(code_export_id: str) -> Call[ExportView]:
    """Consent to an export that somebody else asked for."""
    return Call(method="POST", path=f"/v1/vault/exports/{code_export_id}/approve", answers={200: ExportView}, body=Nothing())


def download_export(code_export_id: str) -> Call[str]:
    """The file, once, for who asked for it; what of it was for sale is void from then on."""
    return Call(method="POST", path=f"/v1/vault/exports/{code_export_id}/download", answers={200: str}, body=Nothing())


def list_exports(*, limit: int = 20, cursor: str | None = None) -> Pages[Exports, ExportView]:
    """Exports of codes, newest first."""
    return Pages(
        method="GET",
        path="/v1/vault/exports",
        answers={200: Exports},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.items,
    )


def request_export(body: NewExport, *, idempotency_key: str | None = None) -> Call[ExportView]:
    """Ask for many codes as a file; another member approves it within a day."""
    return Call(
        method="POST",
        path="/v1/vault/exports",
        answers={201: ExportView},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def get_export(code_export_id: str) -> Call[ExportView]:
    """What an export is of, and where it stands."""
    return Call(method="GET", path=f"/v1/vault/exports/{code_export_id}", answers={200: ExportView})


def refuse_export(code_export_id: str) -> Call[ExportView]:
    """Refuse an export, or take back one's own."""
    return Call(method="POST", path=f"/v1/vault/exports/{code_export_id}/refuse", answers={200: ExportView}, body=Nothing())


def list_rotations(*, limit: int = 20, cursor: str | None = None) -> Pages[Rotations, RotationView]:
    """Rotations of keys, newest first."""
    return Pages(
        method="GET",
        path="/v1/vault/rotations",
        answers={200: Rotations},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.items,
    )


def rotate_keys(body: NewRotation, *, idempotency_key: str | None = None) -> Call[RotationView]:
    """Have newer keys from now on, and everything sealed anew under them while the shop sells."""
    return Call(
        method="POST",
        path="/v1/vault/rotations",
        answers={202: RotationView},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def get_rotation(rotation_id: str) -> Call[RotationView]:
    """How far a rotation is."""
    return Call(method="GET", path=f"/v1/vault/rotations/{rotation_id}", answers={200: RotationView})
