"""Entitlements. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Literal

from msgspec import Struct

from loadtests.client.core import Call, Pages


class EntitlementView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`type` is the product type that granted it, `unit` what it was granted with; `valid_until` null is for ever."""

    id: str
    type: str
    unit: int
    order_id: str
    sku_id: str
    shopper_id: str
    state: str
    valid_from: dt.datetime
    valid_until: str | None


class Entitlements(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    items: list[EntitlementView]
    next_cursor: str | None


class Prolongation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    days: int
    reason: str


class EntitlementUse(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A use that goes on: a device, as its program calls it."""

    name: str
    used_at: dt.datetime


class EntitlementWithUses(Struct, frozen=True, kw_only=True, omit_defaults=True):
    entitlement: EntitlementView
    uses: list[EntitlementUse]


class Revocation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    reason: str


def list_entitlements(
    *,
    limit: int = 20,
    cursor: str | None = None,
    type: str | None = None,
    state: Literal["active", "expired", "revoked"] | None = None,
    shopper_id: str | None = None,
    order_id: str | None = None,
) -> Pages[Entitlements, EntitlementView]:
    """What units entitle to, newest first."""
    return Pages(
        method="GET",
        path="/v1/entitlements",
        answers={200: Entitlements},
        query={"limit": limit, "cursor": cursor, "type": type, "state": state, "shopper_id": shopper_id, "order_id": order_id},
        rows=lambda page: page.items,
    )


def prolong_entitlement(entitlement_id: str, body: Prolongation) -> Call[EntitlementView]:
    """Have it end so many days later. Of a membership the shopper's last period is prolonged, since the others are followed by it."""
    return Call(method="POST", path=f"/v1/entitlements/{entitlement_id}/prolong", answers={200: EntitlementView}, body=body)


def get_entitlement(entitlement_id: str) -> Call[EntitlementWithUses]:
    """An entitlement, and the uses of it that go on."""
    return Call(method="GET", path=f"/v1/entitlements/{entitlement_id}", answers={200: EntitlementWithUses})


def revoke_entitlement(entitlement_id: str, body: Revocation) -> Call[EntitlementView]:
    """End it now, for good; no money goes back."""
    return Call(method="POST", path=f"/v1/entitlements/{entitlement_id}/revoke", answers={200: EntitlementView}, body=body)
