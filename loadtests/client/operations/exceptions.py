"""Exceptions. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Any, Literal

from msgspec import Struct

from loadtests.client.core import Call, Pages
from loadtests.client.operations.codes import Nothing


class Case(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`state`: open, resolved. `asked_by` wants an open one closed for the reason `resolution`, and waits for another who agrees;
    `needs_two` says that this takes two people. `may_retry`: what it is about can be tried again.
    """

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


class Exceptions(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    exceptions: list[Case]
    next_cursor: str | None


class Resolution(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was done about it, in words, for your own records."""

    reason: str


def list_exceptions(
    *, limit: int = 20, cursor: str | None = None, kind: str | None = None, state: Literal["open", "resolved"] = "open"
) -> Pages[Exceptions, Case]:
    """What waits for a person, oldest first; or what was closed, newest first."""
    return Pages(
        method="GET",
        path="/v1/exceptions",
        answers={200: Exceptions},
        query={"limit": limit, "cursor": cursor, "kind": kind, "state": state},
        rows=lambda page: page.exceptions,
    )


def get_exception(exception_id: str) -> Call[Case]:
    """A case of the exception queue."""
    return Call(method="GET", path=f"/v1/exceptions/{exception_id}", answers={200: Case})


def resolve_exception(exception_id: str, body: Resolution) -> Call[Case]:
    """Close a case and say why; where money is given up for settled, ask another to agree, or agree. A case about money takes
    `payments:write`, and two people where two may: it stays open until another resolves it as well.
    """
    return Call(method="POST", path=f"/v1/exceptions/{exception_id}/resolve", answers={200: Case}, body=body)


def retry_exception(exception_id: str) -> Call[Case]:
    """Have it tried again at once; fails it again, the case is back. A refund that was refused takes `payments:write`, and is asked for
    with a new number.
    """
    return Call(method="POST", path=f"/v1/exceptions/{exception_id}/retry", answers={200: Case}, body=Nothing())


def withdraw_resolution(exception_id: str) -> Call[Case]:
    """Take back that a case be closed, or say no to it."""
    return Call(method="POST", path=f"/v1/exceptions/{exception_id}/withdraw", answers={200: Case}, body=Nothing())
