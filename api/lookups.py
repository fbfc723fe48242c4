"""HTTP for single codes: where one is that is given in full, and one of the vault in clear."""

import datetime as dt
from typing import Annotated, Final
from uuid import UUID

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.process import Process
from api.strict import AnyRequest
from api.units import unit_number
from checkout_core.errors import NotFound
from checkout_core.ids import encode
from tenants import vault
from tenants.db import TenantTx, tenant_tx
from tenants.vault import lookup


class CodeInFull(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """In a body, so that no log of addresses keeps it. The card number, not its secret."""

    code: Annotated[str, Meta(min_length=1, max_length=512)]


class Look(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`reason` is for the audit."""

    reason: Annotated[str, Meta(max_length=200)] = ""


NO_REASON: Final = Look()


class FoundCode(Struct, frozen=True, kw_only=True):
    """`order_id` is the order it was delivered to, or is held for; it stays when the order is refunded. `line` is the line of the file."""

    unit: int
    state: str
    sku_id: str
    import_id: str
    line: int
    sale_id: str | None
    order_id: str | None
    loaded_at: dt.datetime | None
    delivered_at: dt.datetime | None
    revealed_at: dt.datetime | None


class CodeController(Controller):
    path = "/vault"
    tags = ("Codes",)

    @post(
        "/lookups",
        guards=[needs("codes:find")],
        status_code=200,
        operation_id="findCode",
        summary="Where a code is that somebody shows in full; each look is recorded",
    )
    async def find(
        self, request: AnyRequest, data: JSONBody[CodeInFull], process: NamedDependency[Process], merchant: NamedDependency[Merchant]
    ) -> FoundCode:
        who = f"{merchant.tenant_id.hex}:{merchant.user_id or merchant.actor}"
        await process.limits.check(("code-lookups", who), connection=request)
        async with tenant_tx(process.app_pool, merchant.tenant_id) as tx:
            found = await lookup.find(tx, process.keyring, data.code, actor=merchant.actor)
        if found is None:  # and committed is that somebody looked
            raise NotFound("No code of this store's vault has this card number.", code="no_such_code")
        return FoundCode(
            unit=found.unit, state=found.state, sku_id=encode("sku", found.sku_id), import_id=encode("bat", found.batch_id),
            line=found.line, sale_id=_encoded("sal", found.sale_id), order_id=_encoded("ord", found.order_id),
            loaded_at=found.loaded_at, delivered_at=found.delivered_at, revealed_at=found.revealed_at,
        )  # fmt: skip

    @post(
        "/units/{unit_id:str}/reveal",
        guards=[needs("codes:reveal")],
        status_code=200,
        operation_id="revealUnit",
        summary="One code in clear; each look is recorded",
    )
    async def reveal(
        self,
        unit_id: FromPath[str],
        tx: NamedDependency[TenantTx],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Look] = NO_REASON,
    ) -> vault.Code:
        return await lookup.reveal_unit(tx, process.keyring, unit_number(unit_id), actor=merchant.actor, reason=data.reason)


def _encoded(prefix: str, value: UUID | None) -> str | None:
    return None if value is None else encode(prefix, value)
