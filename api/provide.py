"""What handlers may ask for by name. One of these opens a transaction, and a request uses one: the framework closes several
in parallel tasks, and a transaction must be closed by the task that opened it."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from litestar.di import NamedDependency, Provide
from msgspec import Struct

from api.auth import store_of
from api.callers import Merchant
from api.directory import Store
from api.idempotency import Once, key_of
from api.paging import provide_page
from api.process import Process
from api.strict import AnyRequest
from checkout_core.ids import decode
from checkout_core.tokens import Shopper
from tenants.db import TenantTx, platform_tx, tenant_tx
from tenants.platform.sessions import Staff
from tenants.profile import Person

RINGS = "rings"  # where a request's duties wait for its commit


class PlatformTx(Struct, frozen=True):
    conn: Any  # a Connection, as in `TenantTx`


async def provide_process(request: AnyRequest) -> Process:
    process: Process = request.app.state.process
    return process


# The others name `process` too, so that they come second: what may come at the same time is started as tasks, 40 µs a request.


async def provide_merchant(request: AnyRequest, process: NamedDependency[Process]) -> Merchant:
    assert isinstance(request.auth, Merchant), "the handler's guard is `needs(…)` or `signed_in`"
    return request.auth


async def provide_who(request: AnyRequest, process: NamedDependency[Process]) -> Person:
    assert isinstance(request.auth, Merchant)
    assert request.auth.person is not None, "the handler's guard is `person`"
    return request.auth.person


async def provide_shopper(request: AnyRequest, process: NamedDependency[Process]) -> Shopper:
    assert isinstance(request.auth, Shopper), "the handler's guard is `shopper`"
    return request.auth


async def provide_staff(request: AnyRequest, process: NamedDependency[Process]) -> Staff:
    assert isinstance(request.auth, Staff), "the handler's guard is `platform(…)` or `platform_staff`"
    return request.auth


async def provide_store(request: AnyRequest) -> Store:
    return await store_of(request)


async def provide_tx(request: AnyRequest, process: NamedDependency[Process]) -> AsyncIterator[TenantTx]:
    """A transaction of the tenant who asks, or else of the store that is asked. It is committed before the answer is sent."""
    tenant_id: UUID = (request.auth or await store_of(request)).tenant_id
    async with tenant_tx(process.app_pool, tenant_id) as tx:
        yield tx
    for table, row_id in request.scope["state"].get(RINGS, ()):
        process.bell.ring(table, tenant_id, row_id)


def ring_after(request: AnyRequest, table: str, row_id: UUID) -> None:
    """Ring the bell for a duty that the request's transaction `tx` leaves, once it is committed: rung sooner, nobody would find it."""
    request.scope["state"].setdefault(RINGS, []).append((table, row_id))


async def provide_platform(process: NamedDependency[Process]) -> AsyncIterator[PlatformTx]:
    """A transaction on the platform's own tables. It is committed before the answer is sent."""
    async with platform_tx(process.platform_pool) as conn:
        yield PlatformTx(conn)


async def provide_on_tenant(request: AnyRequest, process: NamedDependency[Process]) -> AsyncIterator[TenantTx]:
    """A transaction by the platform's role on the tenant that the path names: its deed and both its records are committed together."""
    async with tenant_tx(process.platform_pool, decode("ten", request.path_params["merchant_id"])) as tx:
        yield tx


async def provide_once(request: AnyRequest, tx: NamedDependency[TenantTx]) -> Once:
    return Once(tx, key_of(request), request.method, request.url.path, request.auth, await request.body())


DEPENDENCIES = {
    "process": Provide(provide_process),
    "merchant": Provide(provide_merchant),
    "who": Provide(provide_who),
    "shopper": Provide(provide_shopper),
    "staff": Provide(provide_staff),
    "platform_tx": Provide(provide_platform),
    "on_tenant": Provide(provide_on_tenant),
    "store": Provide(provide_store),
    "tx": Provide(provide_tx),
    "once": Provide(provide_once),
    "page": Provide(provide_page),
}
