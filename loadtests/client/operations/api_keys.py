"""API keys. Written by `make client`; not to be edited."""

import datetime as dt

from msgspec import Struct

from loadtests.client.core import Call, Pages


class ApiKey(Struct, frozen=True, kw_only=True, omit_defaults=True):
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


class ApiKeys(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    api_keys: list[ApiKey]
    next_cursor: str | None


class NewApiKey(Struct, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    scopes: list[str]
    expires_at: dt.datetime | None = None


class CreatedApiKey(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`key` is shown here and nowhere again."""

    id: str
    key: str


class Rotation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """For how many seconds from now, at most seven days, the secret that is exchanged goes on working."""

    overlap_s: int


class RotatedApiKey(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`key` is shown here and nowhere again. The secret before it works until `old_until`."""

    id: str
    key: str
    old_until: dt.datetime


def list_api_keys(*, limit: int = 20, cursor: str | None = None) -> Pages[ApiKeys, ApiKey]:
    """List API keys, newest first, revoked ones too."""
    return Pages(
        method="GET", path="/v1/api-keys", answers={200: ApiKeys}, query={"limit": limit, "cursor": cursor}, rows=lambda page: page.api_keys
    )


def create_api_key(body: NewApiKey) -> Call[CreatedApiKey]:
    """Create an API key, with permissions you have."""
    return Call(method="POST", path="/v1/api-keys", answers={201: CreatedApiKey}, body=body)


def revoke_api_key(key_id: str) -> Call[None]:
    """Revoke an API key, within two seconds."""
    return Call(method="DELETE", path=f"/v1/api-keys/{key_id}", answers={204: None})


def rotate_api_key(key_id: str, body: Rotation) -> Call[RotatedApiKey]:
    """Give an API key a new secret, the old one working on for as long as you choose."""
    return Call(method="POST", path=f"/v1/api-keys/{key_id}/rotate", answers={200: RotatedApiKey}, body=body)
