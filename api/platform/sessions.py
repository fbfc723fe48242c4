"""HTTP for staff who enrol, sign in and sign out. Nobody has to be somebody yet."""

import datetime as dt
from typing import Annotated, Any

from litestar import Controller, Request, delete, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.auth import bearer
from api.guards import anyone, platform_staff
from api.limits import per_address
from api.process import Process
from api.wire import END, NewPassword
from tenants.platform import sessions, staff
from tenants.platform.sessions import Staff

Code = Annotated[str, Meta(pattern=f"^[0-9]{{6}}{END}", description="What the authenticator shows now. It is taken once.")]


class NewEnrolment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`enrolment` is the secret that `tessera platform-staff add` or an admin was shown."""

    enrolment: Annotated[str, Meta(max_length=100)]
    password: NewPassword


class SecondFactor(Struct, frozen=True):
    """For an authenticator, shown here and nowhere again. The first sign-in spends the enrolment."""

    mail: str
    totp_secret: str
    totp_uri: str


class StaffCredentials(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    mail: Annotated[str, Meta(max_length=254)]
    password: Annotated[str, Meta(max_length=256)]
    totp: Code


class StaffSession(Struct, frozen=True):
    """Ends at `expires_at`, and half an hour after it was last used."""

    token: str
    expires_at: dt.datetime


class EnrolmentController(Controller):
    path = "/platform/enrolments"
    tags = ("Platform staff",)

    # No Idempotency-Key here: keeping the answer would keep the second factor.
    @post(
        "/",
        guards=[anyone, per_address("platform-enrolments")],
        operation_id="enrolPlatformStaff",
        summary="Set the password and the second factor of one of the platform's staff",
        problems=[401],
    )
    async def create(self, data: JSONBody[NewEnrolment], process: NamedDependency[Process]) -> SecondFactor:
        done = await staff.enrol(
            process.platform_pool, passwords=process.passwords, seals=process.staff_seals, secret=data.enrolment, password=data.password
        )
        return SecondFactor(*done)


class PlatformSessionController(Controller):
    path = "/platform/sessions"
    tags = ("Platform staff",)

    @post(
        "/",
        guards=[anyone, per_address("platform-sign-ins")],
        operation_id="signInPlatformStaff",
        summary="Sign in as one of the platform's staff",
        problems=[401],
    )
    async def create(self, data: JSONBody[StaffCredentials], process: NamedDependency[Process]) -> StaffSession:
        await process.limits.check(("platform-sign-ins-of-mail", data.mail.lower()))
        session = await sessions.sign_in(
            process.platform_pool, passwords=process.passwords, seals=process.staff_seals, mail=data.mail, password=data.password,
            code=data.totp,
        )  # fmt: skip
        return StaffSession(session.token, session.expires_at)

    @delete("/current", guards=[platform_staff], operation_id="signOutPlatformStaff", summary="Sign out")
    async def end(self, staff: NamedDependency[Staff], request: Request[Any, Any, Any], process: NamedDependency[Process]) -> None:
        await sessions.sign_out(process.platform_pool, bearer(request) or "", actor=staff.actor)
