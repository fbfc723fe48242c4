"""Platform merchants. Written by `make client`; not to be edited."""

import datetime as dt

from msgspec import Struct

from loadtests.client.core import Call, Pages


class Standing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest qualification of a kind."""

    kind: str
    state: str
    valid_until: dt.datetime | None


class PlatformMerchant(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`qualifications` has the newest of each kind that was ever submitted."""

    id: str
    slug: str
    name: str
    created_at: dt.datetime
    suspended_at: dt.datetime | None
    suspended_for: str | None
    qualifications: list[Standing]


class PlatformMerchants(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    merchants: list[PlatformMerchant]
    next_cursor: str | None


class PlatformMerchantDetail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    slug: str
    name: str
    created_at: dt.datetime
    suspended_at: dt.datetime | None
    suspended_for: str | None
    qualifications: list[Standing]
    hosts: list[str]
    mails: list[str]


class Reason(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Kept in both records, and told to the merchant."""

    reason: str


class ReservedSlug(Struct, frozen=True, kw_only=True, omit_defaults=True):
    slug: str
    reason: str
    created_at: dt.datetime


class ReservedSlugs(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    reserved_slugs: list[ReservedSlug]
    next_cursor: str | None


class NewReservedSlug(Struct, frozen=True, kw_only=True, omit_defaults=True):
    slug: str
    reason: str


def list_merchants(
    *, limit: int = 20, cursor: str | None = None, state: str | None = None, slug: str | None = None, mail: str | None = None
) -> Pages[PlatformMerchants, PlatformMerchant]:
    """Merchants, newest first; or those that are looked for."""
    return Pages(
        method="GET",
        path="/v1/platform/merchants",
        answers={200: PlatformMerchants},
        query={"limit": limit, "cursor": cursor, "state": state, "slug": slug, "mail": mail},
        rows=lambda page: page.merchants,
    )


def get_merchant(merchant_id: str) -> Call[PlatformMerchantDetail]:
    """One merchant."""
    return Call(method="GET", path=f"/v1/platform/merchants/{merchant_id}", answers={200: PlatformMerchantDetail})


def lift_suspension(merchant_id: str, body: Reason) -> Call[PlatformMerchantDetail]:
    """Open a store again."""
    return Call(
        method="POST", path=f"/v1/platform/merchants/{merchant_id}/lift-suspension", answers={200: PlatformMerchantDetail}, body=body
    )


def suspend_merchant(merchant_id: str, body: Reason) -> Call[PlatformMerchantDetail]:
    """Close a store everywhere, within two seconds; what is paid is still delivered or refunded."""
    return Call(method="POST", path=f"/v1/platform/merchants/{merchant_id}/suspend", answers={200: PlatformMerchantDetail}, body=body)


def list_reserved_slugs(*, limit: int = 20, cursor: str | None = None) -> Pages[ReservedSlugs, ReservedSlug]:
    """Slugs that no merchant gets, in their order."""
    return Pages(
        method="GET",
        path="/v1/platform/reserved-slugs",
        answers={200: ReservedSlugs},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.reserved_slugs,
    )


def reserve_slug(body: NewReservedSlug) -> Call[ReservedSlug]:
    """Keep a slug back; one that is a merchant's is refused."""
    return Call(method="POST", path="/v1/platform/reserved-slugs", answers={201: ReservedSlug}, body=body)


def free_slug(slug: str) -> Call[None]:
    """Let merchants have a slug."""
    return Call(method="DELETE", path=f"/v1/platform/reserved-slugs/{slug}", answers={204: None})
