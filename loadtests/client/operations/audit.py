"""Audit. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Any

from msgspec import Struct

from loadtests.client.core import Call, Pages


class AuditEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`actor` is `usr_…`, `key_…` or `shp_…`. `detail` holds ids and figures, never a code or a contact."""

    id: str
    at: dt.datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


class AuditPage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    items: list[AuditEntry]
    next_cursor: str | None


def export_audit_csv(
    *,
    actor: str | None = None,
    action: str | None = None,
    subject: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> Call[str]:
    """All entries as CSV, newest first; no cell can become a formula."""
    return Call(
        method="GET",
        path="/v1/audit/export/csv",
        answers={200: str},
        query={"actor": actor, "action": action, "subject": subject, "since": since, "until": until},
    )


def export_audit_json_lines(
    *,
    actor: str | None = None,
    action: str | None = None,
    subject: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> Call[str]:
    """All entries as JSON lines, newest first."""
    return Call(
        method="GET",
        path="/v1/audit/export/jsonl",
        answers={200: str},
        query={"actor": actor, "action": action, "subject": subject, "since": since, "until": until},
    )


def list_audit(
    *,
    limit: int = 20,
    cursor: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    subject: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> Pages[AuditPage, AuditEntry]:
    """Who did what, newest first."""
    return Pages(
        method="GET",
        path="/v1/audit",
        answers={200: AuditPage},
        query={"limit": limit, "cursor": cursor, "actor": actor, "action": action, "subject": subject, "since": since, "until": until},
        rows=lambda page: page.items,
    )
