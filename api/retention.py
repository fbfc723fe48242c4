"""HTTP for how long a store keeps things, and for how it leaves."""

import datetime as dt

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Struct

from api.callers import Merchant
from api.guards import needs
from api.process import Process
from api.wire import Password
from tenants.db import TenantTx
from tenants.privacy import leaving, retention
from tenants.privacy.retention import Rules


class RetentionController(Controller):
    path = "/retention"
    tags = ("Data rights",)

    @get("/", guards=[needs("store:read")], operation_id="getRetention", summary="How long the store keeps what it need not keep for ever")
    async def read(self, tx: NamedDependency[TenantTx]) -> Rules:
        return await retention.get(tx)

    @put(
        "/",
        guards=[needs("store:write")],
        while_suspended=True,
        operation_id="putRetention",
        summary="Change how long; a longer time brings nothing back",
    )
    async def change(self, data: JSONBody[Rules], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> Rules:
        return await retention.put(tx, data, actor=merchant.actor)


class Goodbye(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Your own password, once more."""

    password: Password


class LeavingView(Struct, frozen=True):
    """`state`: asked, cancelled, deleting, deleted. Until `delete_at` it can be cancelled."""

    state: str
    asked_at: dt.datetime
    delete_at: dt.datetime

    @classmethod
    def of(cls, found: leaving.Leaving) -> "LeavingView":
        return cls(found.state, found.asked_at, found.delete_at)


class LeavingController(Controller):
    path = "/off-boarding"
    tags = ("Data rights",)

    @get("/", guards=[needs("store:read")], operation_id="getOffBoarding", summary="Whether and when the store leaves")
    async def read(self, process: NamedDependency[Process], merchant: NamedDependency[Merchant]) -> LeavingView:
        return LeavingView.of(await leaving.get(process.platform_pool, merchant.tenant_id))

    @post(
        "/",
        guards=[needs("store:write")],
        status_code=202,
        while_suspended=True,
        operation_id="startOffBoarding",
        summary="Close the store now and delete it in thirty days; the owner's password is asked for",
    )
    async def ask(self, data: JSONBody[Goodbye], process: NamedDependency[Process], merchant: NamedDependency[Merchant]) -> LeavingView:
        if merchant.person is None:
            raise leaving.owner_only()
        await process.limits.check(("goodbyes", merchant.actor))
        left = await leaving.ask(
            process.platform_pool, process.app_pool, process.passwords, merchant.tenant_id, merchant.person.id, data.password
        )
        return LeavingView.of(left)

    @delete(
        "/",
        guards=[needs("store:write")],
        status_code=200,
        problems=[409],
        while_suspended=True,
        operation_id="cancelOffBoarding",
        summary="Stay after all",
    )
    async def cancel(self, process: NamedDependency[Process], merchant: NamedDependency[Merchant]) -> LeavingView:
        stays = await leaving.cancel(process.platform_pool, process.app_pool, merchant.tenant_id, actor=merchant.actor)
        return LeavingView.of(stays)
