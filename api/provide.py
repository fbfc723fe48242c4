"""What handlers may ask for by name. One of these opens a transaction, and a request uses one: the framework closes several
in parallel tasks, and a transaction must be closed by the task that opened it."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from litestar import Request
from litestar.di import NamedDependency, Provide

from api.auth import store_of
from api.callers import Merchant
from api.directory import Store
from api.idempotency import Once, key_of
from api.process import Process
from checkout_core.tokens import Shopper
from tenants.db import TenantTx, tenant_tx

AnyRequest = Request[Any, Any, Any]


async def provide_process(request: AnyRequest) -> Process:
    process: Process = request.app.state.process
    return process


# The others name `process` too, so that they come second: what may come at the same time is started as tasks, 40 µs a request.


async def provide_merchant(request: AnyRequest, process: NamedDependency[Process]) -> Merchant:
    assert isinstance(request.auth, Merchant), "the handler's guard is `needs(…)` or `signed_in`"
    return request.auth


async def provide_shopper(request: AnyRequest, process: NamedDependency[Process]) -> Shopper:
    assert isinstance(request.auth, Shopper), "the handler's guard is `shopper`"
    return request.auth


async def provide_store(request: AnyRequest) -> Store:
    return await store_of(request)


async def provide_tx(request: AnyRequest, process: NamedDependency[Process]) -> AsyncIterator[TenantTx]:
    """A transaction of the tenant who asks, or else of the store that is asked. It is committed before the answer is sent."""
    tenant_id: UUID = (request.auth or await store_of(request)).tenant_id
    async with tenant_tx(process.app_pool, tenant_id) as tx:
        yield tx


async def provide_once(request: AnyRequest, tx: NamedDependency[TenantTx]) -> Once:
    return Once(tx, key_of(request), request.method, request.url.path, request.auth, await request.body())


DEPENDENCIES = {
    "process": Provide(provide_process),
    "merchant": Provide(provide_merchant),
    "shopper": Provide(provide_shopper),
    "store": Provide(provide_store),
    "tx": Provide(provide_tx),
    "once": Provide(provide_once),
}
