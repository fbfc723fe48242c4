"""HTTP for the list of the platform's staff."""

import datetime as dt
from typing import Literal
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.guards import platform
from api.paging import Page
from api.provide import PlatformTx
from api.wire import Mail
from checkout_core.ids import decode, encode
from tenants.platform import staff as people
from tenants.platform.sessions import Staff


class NewStaff(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    mail: Mail
    role: Literal["admin", "reviewer", "support"]


class NewStaffEnrolment(Struct, frozen=True):
    """`enrolment` is shown here and nowhere again: whoever holds it until `ends_at` may enrol."""

    id: str
    enrolment: str
    ends_at: dt.datetime


class StaffMember(Struct, frozen=True):
    """`enrolled_at` is the first sign-in."""

    id: str
    mail: str
    role: str
    enrolled_at: dt.datetime | None
    created_at: dt.datetime


class StaffMembers(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    staff: list[StaffMember]
    next_cursor: str | None


class StaffController(Controller):
    path = "/platform/staff"
    tags = ("Platform staff",)

    @get("/", guards=[platform("staff:read")], operation_id="listPlatformStaff", summary="Everybody of the platform's staff, newest first")
    async def all(self, platform_tx: NamedDependency[PlatformTx], page: NamedDependency[Page]) -> StaffMembers:
        found = await people.everybody(platform_tx.conn, limit=page.rows, before=page.after(UUID))
        return StaffMembers(*page.cut([StaffMember(encode("pst", p.id), *p[1:]) for p in found], [p.id for p in found]))

    # No Idempotency-Key here: keeping the answer would keep the enrolment.
    @post("/", guards=[platform("staff:write")], operation_id="addPlatformStaff", summary="Add somebody, who enrols within an hour")
    async def create(
        self, data: JSONBody[NewStaff], platform_tx: NamedDependency[PlatformTx], staff: NamedDependency[Staff]
    ) -> NewStaffEnrolment:
        made = await people.add(platform_tx.conn, mail=data.mail, role=data.role, actor=staff.actor)
        return NewStaffEnrolment(encode("pst", made.staff_id), made.secret, made.ends_at)

    @delete(
        "/{staff_id:str}",
        guards=[platform("staff:write")],
        operation_id="removePlatformStaff",
        summary="End somebody's access, at once",
        problems=[409],  # the last admin
    )
    async def remove(self, staff_id: FromPath[str], platform_tx: NamedDependency[PlatformTx], staff: NamedDependency[Staff]) -> None:
        await people.remove(platform_tx.conn, decode("pst", staff_id), actor=staff.actor)
