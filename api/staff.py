"""HTTP for staff: who works for a merchant. Each handler is one call into `tenants.memberships`."""

import datetime as dt
from uuid import UUID

from litestar import Controller, delete, get, patch
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.callers import Merchant
from api.guards import needs
from api.paging import Page
from api.process import Process
from api.roles import RoleRef
from checkout_core.ids import decode, encode
from tenants import memberships, roles
from tenants.db import TenantTx


class Person(Struct, frozen=True):
    id: str
    mail: str
    role: str
    created_at: dt.datetime


class Staff(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    staff: list[Person]
    next_cursor: str | None


class NewPlace(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    role: RoleRef


class StaffController(Controller):
    path = "/staff"
    tags = ("Staff",)

    @get("/", guards=[needs("staff:read")], operation_id="listStaff", summary="List the people who work for you")
    async def list(
        self,
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
        page: NamedDependency[Page],
    ) -> Staff:
        after = page.after(UUID)
        found = await memberships.staff(process.app_pool, process.platform_pool, merchant.tenant_id, limit=page.rows, after=after)
        shown = [Person(encode("usr", each.user_id), each.mail, each.role.text, each.created_at) for each in found]
        return Staff(*page.cut(shown, [each.user_id for each in found]))

    @patch(
        "/{user_id:str}",
        guards=[needs("staff:write")],
        while_suspended=True,
        operation_id="changeStaffRole",
        summary="Give somebody another role, within two seconds",
        status_code=204,
    )
    async def change(
        self, user_id: FromPath[str], data: JSONBody[NewPlace], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]
    ) -> None:
        role = roles.ref(data.role)
        own = await memberships.still(tx, merchant.user_id, merchant.scopes)
        await memberships.change(tx, decode("usr", user_id), role, actor=merchant.actor, own=own)

    @delete(
        "/{user_id:str}",
        guards=[needs("staff:write")],
        while_suspended=True,
        operation_id="removeStaff",
        summary="Remove somebody: his sessions and keys end within two seconds",
        problems=[409],
    )
    async def remove(self, user_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> None:
        own = await memberships.still(tx, merchant.user_id, merchant.scopes)
        await memberships.remove(tx, decode("usr", user_id), actor=merchant.actor, own=own)
