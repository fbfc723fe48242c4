"""HTTP for API keys. Each handler is one call into `tenants.api_keys`."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.paging import Page
from api.process import Process
from checkout_core.ids import decode, encode
from tenants import api_keys
from tenants.db import TenantTx
from tenants.permissions import PERMISSIONS, check_within, known

OVERLAP_S_MAX = 7 * 24 * 3600


class NewApiKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=80)]
    scopes: Annotated[list[str], Meta(min_length=1, max_length=len(PERMISSIONS))]
    expires_at: Annotated[dt.datetime, Meta(tz=True)] | None = None


class CreatedApiKey(Struct, frozen=True):
    """`key` is shown here and nowhere again."""

    id: str
    key: str


class Rotation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how many seconds from now, at most seven days, the secret that is exchanged goes on working."""

    overlap_s: Annotated[int, Meta(ge=0, le=OVERLAP_S_MAX)]


class RotatedApiKey(Struct, frozen=True):
    """`key` is shown here and nowhere again. The secret before it works until `old_until`."""

    id: str
    key: str
    old_until: dt.datetime


class ApiKey(Struct, frozen=True):
    """`prefix` is how its text begins. `made_by` is whom it answers to: it may no more than he. `last_used_at` is exact to a minute."""

    id: str
    name: str
    scopes: list[str]
    created_at: dt.datetime
    revoked_at: dt.datetime | None
    prefix: str | None
    made_by: str | None
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None
    old_until: dt.datetime | None

    @classmethod
    def of(cls, key: api_keys.ApiKey) -> "ApiKey":
        made_by = encode("usr", key.made_by) if key.made_by else None
        return cls(**key._asdict() | {"id": encode("key", key.id), "made_by": made_by})


class ApiKeys(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    api_keys: list[ApiKey]
    next_cursor: str | None


def _ends(merchant: Merchant) -> dt.datetime | None:
    """When the key that asks does; a person does not end with his session."""
    return merchant.expires_at if merchant.person is None else None


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
        scopes = known(data.scopes)
        check_within(scopes, merchant.scopes)
        key_id, key = await api_keys.create(
            tx, process.keys.api_keys, name=data.name, scopes=scopes, actor=merchant.actor, made_by=merchant.user_id,
            expires_at=data.expires_at, maker_ends=_ends(merchant),
        )  # fmt: skip
        return CreatedApiKey(encode("key", key_id), key)

    @get("/", guards=[needs("api_keys:write")], operation_id="listApiKeys", summary="List API keys, newest first, revoked ones too")
    async def latest(self, tx: NamedDependency[TenantTx], page: NamedDependency[Page]) -> ApiKeys:
        found = await api_keys.latest(tx, limit=page.rows, before=page.after(UUID))
        return ApiKeys(*page.cut([ApiKey.of(key) for key in found], [key.id for key in found]))

    @post(
        "/{key_id:str}/rotate",
        guards=[needs("api_keys:write")],
        while_suspended=True,
        operation_id="rotateApiKey",
        summary="Give an API key a new secret, the old one working on for as long as you choose",
        status_code=200,
    )
    async def rotate(
        self,
        key_id: FromPath[str],
        data: JSONBody[Rotation],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        process: NamedDependency[Process],
    ) -> RotatedApiKey:
        key, old_until = await api_keys.rotate(
            tx, process.keys.api_keys, decode("key", key_id), overlap=dt.timedelta(seconds=data.overlap_s),
            actor=merchant.actor, made_by=merchant.user_id, own=merchant.scopes, maker_ends=_ends(merchant),
        )  # fmt: skip
        return RotatedApiKey(key_id, key, old_until)

    @delete(
        "/{key_id:str}",
        guards=[needs("api_keys:write")],
        while_suspended=True,
        operation_id="revokeApiKey",
        summary="Revoke an API key, within two seconds",
    )
    async def revoke(self, key_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> None:
        await api_keys.revoke(tx, decode("key", key_id), actor=merchant.actor)
