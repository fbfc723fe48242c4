"""HTTP for the sandbox: the merchant's second store, in which nothing is real."""

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Struct

from api.callers import Merchant
from api.guards import needs
from api.process import Process
from api.wire import NOTHING, Nothing
from checkout_core.ids import encode
from tenants import sandboxes


class Sandbox(Struct, frozen=True):
    """`api_key` is shown here and nowhere again; it is of the sandbox alone."""

    tenant_id: str
    slug: str
    store_host: str
    api_key: str


class SandboxController(Controller):
    path = "/sandbox"
    tags = ("Store",)

    # No Idempotency-Key here: keeping the answer would keep the key.
    @post("/", guards=[needs("api_keys:write")], operation_id="enterSandbox", summary="Open the store's sandbox, or get another key to it")
    async def enter(
        self, merchant: NamedDependency[Merchant], process: NamedDependency[Process], data: JSONBody[Nothing] = NOTHING
    ) -> Sandbox:
        made = await sandboxes.enter(
            process.platform_pool, process.app_pool, merchant.tenant_id, pepper=process.keys.api_keys,
            base_domain=process.settings.base_domain, scopes=merchant.scopes, actor=merchant.actor,
        )  # fmt: skip
        return Sandbox(encode("ten", made.tenant_id), made.slug, made.host, made.api_key)
