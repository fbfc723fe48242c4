"""Who is a member: asked by himself, or by the merchant's program."""

import datetime as dt
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from checkout_core.errors import Unprocessable
from checkout_core.ids import decode, encode
from tenants.db import TenantTx
from tenants.orders import find
from tenants.types.base import Act, Asking
from tenants.types.membership import members
from tenants.types.membership.members import Membership, Standing

ORDERS_MAX = 100  # the newest with a contact: among these are those of whoever is a member by it

Sku = Annotated[str, Meta(max_length=64)]


class MembershipQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With `sku_id` of one kind of membership only."""

    sku_id: Sku | None = None


class MemberQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of a shopper, or of whoever left `contact` with an order. Anybody may leave any: ask by it only of somebody who has shown that it is
    his."""

    shopper_id: Annotated[str, Meta(max_length=64)] | None = None
    contact: Annotated[str, Meta(min_length=1, max_length=254)] | None = None
    sku_id: Sku | None = None


class MembershipView(msgspec.Struct, frozen=True):
    """`standing`: active, grace (it has ended, and can still be renewed as if it had not) or ended. `periods` have not ended yet."""

    sku_id: str
    shopper_id: str
    standing: Standing
    since: dt.datetime
    until: dt.datetime
    grace_until: Annotated[dt.datetime, Meta(examples=["2026-11-15T00:00:00Z"])]
    periods: Annotated[int, Meta(examples=[2])]

    @classmethod
    def of(cls, found: Membership) -> "MembershipView":
        ids = (encode("sku", found.sku_id), encode("shp", found.shopper_id))
        return cls(*ids, found.standing, found.since, found.until, found.grace_until, found.periods)


class Memberships(msgspec.Struct, frozen=True):
    """`member`: whether one of these is active, or in its grace."""

    member: Annotated[bool, Meta(examples=[True])]
    memberships: list[MembershipView]


async def status(asking: Asking, question: MembershipQuestion) -> Memberships:
    """The shopper's own."""
    assert asking.shopper_id is not None, "the act is a shopper's"
    return await _found(asking.tx, [asking.shopper_id], question.sku_id)


async def check(asking: Asking, question: MemberQuestion) -> Memberships:
    """Raises `Unprocessable` (`whom`) unless one of the two says whom."""
    if (question.shopper_id is None) == (question.contact is None):
        raise Unprocessable("Ask by shopper_id or by contact, one of them.", code="whom")
    if question.shopper_id is not None:
        return await _found(asking.tx, [decode("shp", question.shopper_id)], question.sku_id)
    return await _found(asking.tx, await _with_contact(asking.tx, question.contact or ""), question.sku_id)


async def _with_contact(tx: TenantTx, contact: str) -> list[UUID]:
    page = await find.latest(tx, find.Asked(q=contact), limit=ORDERS_MAX)
    return sorted({order.shopper_id for order in page.orders if _folded(order.contact or "") == _folded(contact)})


def _folded(contact: str) -> str:
    return contact.strip().casefold()


async def _found(tx: TenantTx, shopper_ids: list[UUID], sku: str | None) -> Memberships:
    sku_id = decode("sku", sku) if sku is not None else None
    found = [each for shopper_id in shopper_ids for each in await members.of_shopper(tx, shopper_id, sku_id)]
    return Memberships(any(each.standing != "ended" for each in found), [MembershipView.of(each) for each in found])


ACTS: Final = (
    Act("status", "shopper", "What you are a member of, and until when", MembershipQuestion, Memberships, status),
    Act("check", "orders:read", "Whether somebody is a member, by his shopper id or his contact", MemberQuestion, Memberships, check),
)
