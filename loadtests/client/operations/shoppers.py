"""Shoppers. Written by `make client`; not to be edited."""

import datetime as dt

from msgspec import Struct

from loadtests.client.core import Call


class NewGuest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`channel` is what each order with this token will carry: one of the store's; `api` when none is named."""

    channel: str | None = None


class ShopperToken(Struct, frozen=True, kw_only=True, omit_defaults=True):
    token: str
    shopper_id: str
    expires_at: dt.datetime


def create_shopper_token(body: NewGuest | None = None) -> Call[ShopperToken]:
    """Become a guest."""
    return Call(method="POST", path="/v1/shopper-tokens", answers={201: ShopperToken}, body=body or NewGuest())
