"""Vault. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Literal

from msgspec import Struct, field

from loadtests.client.core import Call, Pages, new_key


class Layout(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`delimiter` is a name of `fields.DELIMITERS`, or empty in a sheet. `columns`: a role for each, one of them `code`."""

    encoding: str
    delimiter: str = "none"
    newline: str = "lf"
    header: bool = False
    columns: list[Literal["code", "face_value", "ignore", "pick", "secret", "surcharge_minor", "valid_until"]] = field(
        default_factory=lambda: ["code"]
    )
    names: list[str] = []
    sheet: str = ""


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line that was not loaded, and why; never what it holds."""

    line: int
    kind: str
    reason: str
    detail: str


class Report(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`lines` counts every line read so far, header and blank ones included. Lists stop at LINES_REPORTED_MAX; the counts do not."""

    id: str
    sku_id: str
    state: str
    filename: str
    source: str
    note: str
    operator: str
    layout: Layout
    lines: int
    loaded: int
    duplicates: int
    duplicates_in_file: int
    duplicates_in_vault: int
    malformed_count: int
    malformed: list[int]
    blank: int
    errors: list[Line]
    failure: str | None
    created_at: dt.datetime
    finished_at: dt.datetime | None


class Imports(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last. The lines of each are in its own report."""

    imports: list[Report]
    next_cursor: str | None


class Sample(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row as it would be loaded, masked."""

    line: int
    code: str
    secret: str | None = None
    valid_until: str | None = None
    face_value: str | None = None
    label: str | None = None


class Preview(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of `codes`, `duplicates_in_file` stand earlier in the file. Which are in the vault already is found when it is loaded."""

    layout: Layout
    sample: list[Sample]
    lines: int
    codes: int
    duplicates_in_file: int
    blank: int
    malformed: int
    errors: list[Line]


def list_imports(*, limit: int = 20, cursor: str | None = None) -> Pages[Imports, Report]:
    """List imports, newest first."""
    return Pages(
        method="GET",
        path="/v1/vault/imports",
        answers={200: Imports},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.imports,
    )


def import_codes(
    file: bytes,
    *,
    sku_id: str,
    source: str = "",
    note: str = "",
    cost_minor: int | None = None,
    priority: int = 100,
    valid_from: dt.datetime | None = None,
    valid_until: dt.datetime | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: str | None = None,
    columns: str | None = None,
    filename: str | None = None,
    content_type: Literal[
        "text/plain", "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/octet-stream"
    ] = "text/plain",
    idempotency_key: str | None = None,
) -> Call[Report]:
    """Load a file of codes as stock of a SKU. The body is the file. Cut off midway, the import stays and can be resumed; its codes are
    stock once it is `loaded`.
    """
    return Call(
        method="POST",
        path="/v1/vault/imports",
        answers={201: Report},
        body=file,
        headers={"X-Filename": filename, "Content-Type": content_type, "Idempotency-Key": idempotency_key or new_key()},
        query={
            "sku_id": sku_id,
            "source": source,
            "note": note,
            "cost_minor": cost_minor,
            "priority": priority,
            "valid_from": valid_from,
            "valid_until": valid_until,
            "encoding": encoding,
            "delimiter": delimiter,
            "header": header,
            "columns": columns,
        },
        has_key=True,
    )


def preview_codes(
    file: bytes,
    *,
    sku_id: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: str | None = None,
    columns: str | None = None,
    filename: str | None = None,
    content_type: Literal[
        "text/plain", "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/octet-stream"
    ] = "text/plain",
) -> Call[Preview]:
    """See how a file would be read, keeping nothing."""
    return Call(
        method="POST",
        path="/v1/vault/previews",
        answers={200: Preview},
        body=file,
        headers={"X-Filename": filename, "Content-Type": content_type},
        query={"sku_id": sku_id, "encoding": encoding, "delimiter": delimiter, "header": header, "columns": columns},
    )


def get_import(import_id: str) -> Call[Report]:
    """How far an import is, and each line it did not load."""
    return Call(method="GET", path=f"/v1/vault/imports/{import_id}", answers={200: Report})


def resume_import(
    import_id: str,
    file: bytes,
    *,
    filename: str | None = None,
    content_type: Literal[
        "text/plain", "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/octet-stream"
    ] = "text/plain",
) -> Call[Report]:
    """Go on with an import that was cut off, given the same file from its beginning."""
    return Call(
        method="POST",
        path=f"/v1/vault/imports/{import_id}/resume",
        answers={200: Report},
        body=file,
        headers={"X-Filename": filename, "Content-Type": content_type},
    )
