"""Platform staff. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Any, Literal

from msgspec import Struct

from loadtests.client.core import Call, Pages


class NewEnrolment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`enrolment` is the secret that `tessera platform-staff add` or an admin was shown."""

    enrolment: str
    password: str


class SecondFactor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """For an authenticator, shown here and nowhere again. The first sign-in spends the enrolment."""

    mail: str
    totp_secret: str
    totp_uri: str


class StaffCredentials(Struct, frozen=True, kw_only=True, omit_defaults=True):
    mail: str
    password: str
    totp: str


class StaffSession(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Ends at `expires_at`, and half an hour after it was last used."""

    token: str
    expires_at: dt.datetime


class StaffMember(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`enrolled_at` is the first sign-in."""

    id: str
    mail: str
    role: str
    enrolled_at: dt.datetime | None
    created_at: dt.datetime


class StaffMembers(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    staff: list[StaffMember]
    next_cursor: str | None


class NewStaff(Struct, frozen=True, kw_only=True, omit_defaults=True):
    mail: str
    role: Literal["admin", "reviewer", "support"]


class NewStaffEnrolment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`enrolment` is shown here and nowhere again: whoever holds it until `ends_at` may enrol."""

    id: str
    enrolment: str
    ends_at: dt.datetime


class PlatformRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`merchant_id` is whom it concerned, if anybody: his own audit has it too."""

    id: str
    at: dt.datetime
    actor: str
    action: str
    subject: str
    merchant_id: str | None
    detail: dict[str, Any]


class PlatformRecords(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    records: list[PlatformRecord]
    next_cursor: str | None


def enrol_platform_staff(body: NewEnrolment) -> Call[SecondFactor]:
    """Set the password and the second factor of one of the platform's staff."""
    return Call(method="POST", path="/v1/platform/enrolments", answers={201: SecondFactor}, body=body)


def sign_in_platform_staff(body: StaffCredentials) -> Call[StaffSession]:
    """Sign in as one of the platform's staff."""
    return Call(method="POST", path="/v1/platform/sessions", answers={201: StaffSession}, body=body)


def sign_out_platform_staff() -> Call[None]:
    """Sign out."""
    return Call(method="DELETE", path="/v1/platform/sessions/current", answers={204: None})


def list_platform_staff(*, limit: int = 20, cursor: str | None = None) -> Pages[StaffMembers, StaffMember]:
    """Everybody of the platform's staff, newest first."""
    return Pages(
        method="GET",
        path="/v1/platform/staff",
        answers={200: StaffMembers},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.staff,
    )


def add_platform_staff(body: NewStaff) -> Call[NewStaffEnrolment]:
    """Add somebody, who enrols within an hour."""
    return Call(method="POST", path="/v1/platform/staff", answers={201: NewStaffEnrolment}, body=body)


def remove_platform_staff(staff_id: str) -> Call[None]:
    """End somebody's access, at once."""
    return Call(method="DELETE", path=f"/v1/platform/staff/{staff_id}", answers={204: None})


def list_platform_records(
    *, limit: int = 20, cursor: str | None = None, merchant_id: str | None = None
) -> Pages[PlatformRecords, PlatformRecord]:
    """What the platform's staff did, newest first."""
    return Pages(
        method="GET",
        path="/v1/platform/records",
        answers={200: PlatformRecords},
        query={"limit": limit, "cursor": cursor, "merchant_id": merchant_id},
        rows=lambda page: page.records,
    )
