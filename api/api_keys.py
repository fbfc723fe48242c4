"""HTTP for API keys. Each handler is one call into `tenants.api_keys`."""

import datetime as dt
from typing import Annotated

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.process import Process
from checkout_core.errors import Forbidden, Unprocessable
from checkout_core.ids import decode, encode
from tenants import api_keys
from tenants.accounts import SCOPES
from tenants.db import TenantTx


class NewApiKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=80)]
    scopes: Annotated[list[str], Meta(min_length=1, max_length=len(SCOPES))]


class CreatedApiKey(Struct, frozen=True):
    """`key` is shown here and nowhere again."""

    id: str
    key: str


class ApiKey(Struct, frozen=True):
    id: str
    name: str
    scopes: list[str]
    created_at: dt.datetime
    revoked_at: dt.datetime | None


class ApiKeys(Struct, frozen=True):
    api_keys: list[ApiKey]


class ApiKeyController(Controller):
    path = "/api-keys"
    tags = ("API keys",)

    # No Idempotency-Key here: keeping the answer would keep the key.
    @post("/", guards=[needs("api_keys:write")], operation_id="createApiKey", summary="Create an API key, with permissions you have")
    async def create(
        self,
        data: JSONBody[NewApiKey],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        process: NamedDependency[Process],
    ) -> CreatedApiKey:
        scopes = frozenset(data.scopes)
        if unknown := scopes - SCOPES:
            raise Unprocessable(f"There is no permission {min(unknown)[:64]!r}.", code="unknown_permission", permissions=sorted(SCOPES))
        if beyond := scopes - merchant.scopes:
            raise Forbidden(f"You cannot give {min(beyond)}, which you do not have.", code="missing_permission", permission=min(beyond))
        key_id, key = await api_keys.create(tx, process.keys.api_keys, name=data.name, scopes=scopes, actor=merchant.actor)
        return CreatedApiKey(encode("key", key_id), key)

    @get("/", guards=[needs("api_keys:write")], operation_id="listApiKeys", summary="List the newest API keys, revoked ones too")
    async def latest(self, tx: NamedDependency[TenantTx]) -> ApiKeys:
        return ApiKeys(
            [ApiKey(encode("key", key.id), key.name, key.scopes, key.created_at, key.revoked_at) for key in await api_keys.latest(tx)]
        )

    @delete("/{key_id:str}", guards=[needs("api_keys:write")], operation_id="revokeApiKey", summary="Revoke an API key, within two seconds")
    async def revoke(self, key_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> None:
        await api_keys.revoke(tx, decode("key", key_id), actor=merchant.actor)
