"""The duty of a request about data: carry it out, or remove the archive whose week is over."""

from uuid import UUID

from tenants.db import Pool, tenant_tx
from tenants.keys import Keyring
from tenants.orders import export
from tenants.privacy import erase, requests, shopper_export, store_export

WAYS = {
    "shopper_export": shopper_export.carry_out,
    "shopper_erasure": erase.carry_out,
    "store_export": store_export.carry_out,
    export.KIND: export.carry_out,
}


async def carry_out(pool: Pool, keyring: Keyring, tenant_id: UUID, request_id: UUID) -> None:
    request = await requests.claim(pool, tenant_id, request_id)
    if request is None:
        return
    if request.state == "running":
        await WAYS[request.kind](pool, keyring, tenant_id, request)
        return
    async with tenant_tx(pool, tenant_id) as tx:
        await requests.expire(tx, request_id)
