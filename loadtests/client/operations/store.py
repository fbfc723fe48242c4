"""Store. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from loadtests.client.core import Call, new_key
from loadtests.client.operations.codes import Nothing


class StoreImage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`path` is below any of the store's hosts, and never changes its content."""

    path: str
    media_type: str
    width: int
    height: int


class Store(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A store's settings, with its pictures by kind: `logo`, `banner`, `favicon`. `mode` is `live`, or `test` in a sandbox."""

    name: str
    currency: str
    zone: str
    locale: str
    locales: list[str]
    contact: str
    primary_color: str | None
    primary_color_dark: str | None
    accent_color: str | None
    accent_color_dark: str | None
    banner: str
    notice: str
    footer: str
    seo_title: str
    seo_description: str
    refund_policy: str
    privacy_policy: str
    terms: str
    closed: bool
    closed_notice: str
    opens_at: dt.datetime | None
    slug: str
    mode: str
    images: dict[str, Any]


class StoreChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is named is set, all else stays. A colour that is null is the platform's own again. A `closed` store sells nothing until it is
    opened again: its pages say so with `closed_notice` and, as long as that is to come, `opens_at`, which opens nothing by itself.
    """

    name: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    locale: str | UnsetType = UNSET
    locales: list[str] | UnsetType = UNSET
    contact: str | UnsetType = UNSET
    primary_color: str | UnsetType | None = UNSET
    primary_color_dark: str | UnsetType | None = UNSET
    accent_color: str | UnsetType | None = UNSET
    accent_color_dark: str | UnsetType | None = UNSET
    banner: str | UnsetType = UNSET
    notice: str | UnsetType = UNSET
    footer: str | UnsetType = UNSET
    seo_title: str | UnsetType = UNSET
    seo_description: str | UnsetType = UNSET
    refund_policy: str | UnsetType = UNSET
    privacy_policy: str | UnsetType = UNSET
    terms: str | UnsetType = UNSET
    closed: bool | UnsetType = UNSET
    closed_notice: str | UnsetType = UNSET
    opens_at: dt.datetime | UnsetType | None = UNSET


class Address(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The store's sub-domain, and the host that links to it name: that, or a domain of its own."""

    slug: str
    host: str
    primary_host: str


class NewAddress(Struct, frozen=True, kw_only=True, omit_defaults=True):
    slug: str


class NewPrimary(Struct, frozen=True, kw_only=True, omit_defaults=True):
    host: str


class Proof(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The TXT record that proves the domain."""

    name: str
    value: str


class Domain(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`pending` until the proof is found, then `active`; `lost` when it stayed away, and then not served. `problem` is for people."""

    id: str
    domain: str
    state: str
    problem: str
    proof: Proof
    verified_at: dt.datetime | None
    checked_at: dt.datetime | None
    next_check_at: dt.datetime | None
    created_at: dt.datetime


class Domains(Struct, frozen=True, kw_only=True, omit_defaults=True):
    domains: list[Domain]


class NewDomain(Struct, frozen=True, kw_only=True, omit_defaults=True):
    domain: str


class Channel(Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: str
    name: str
    is_built_in: bool
    is_enabled: bool


class Channels(Struct, frozen=True, kw_only=True, omit_defaults=True):
    channels: list[Channel]


class ChannelChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    is_enabled: bool = True


class Visibility(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The channels that show it; null for all, none when empty."""

    channels: list[str] | None


class Sandbox(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`api_key` is shown here and nowhere again; it is of the sandbox alone."""

    tenant_id: str
    slug: str
    store_host: str
    api_key: str


class Figures(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`orders` were made, that is, held units; `paid` is by the provider's time, and `paid_minor` their amount; `delivered` completely;
    `refunds` that were asked for and are paid back, and what they paid.
    """

    currency: str
    orders: int
    paid: int
    paid_minor: int
    delivered: int
    refunds: int
    refunded_minor: int


class Hour(Struct, frozen=True, kw_only=True, omit_defaults=True):
    starts_at: dt.datetime
    orders: int
    paid: int


class Day(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`today` since midnight in the store's `zone`; `before` is the day before up to the same minute. A row for each currency, the store's
    own first. `hours` are the last 24, oldest first, the one that runs included. All is counted up to `as_of`: now, but in a rush.
    """

    date: str
    zone: str
    as_of: str
    today: list[Figures]
    before: list[Figures]
    hours: list[Hour]


class SellingSale(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`committed` of the `allotted` units are held or sold."""

    id: str
    name: str
    state: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    allotted: int
    committed: int


class Overview(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What takes a permission that the asker does not have is null. `day` and `open_exceptions` (1000: at least so many) take orders:read,
    `low_stock` (SKUs) vault:read, `sales` (open or paused, the newest 20) sales:read.
    """

    day: Day | None
    open_exceptions: int | None
    low_stock: int | None
    sales: list[SellingSale] | None


def get_store() -> Call[Store]:
    """The store's settings; the ETag is their version."""
    return Call(method="GET", path="/v1/store", answers={200: Store})


def change_store(body: StoreChange, *, if_match: str) -> Call[Store]:
    """Change settings; If-Match says which version was read."""
    return Call(method="PATCH", path="/v1/store", answers={200: Store}, body=body, headers={"If-Match": if_match})


def put_store_image(
    kind: str, file: bytes, *, filename: str | None = None, content_type: Literal["image/png", "image/jpeg", "image/webp"] = "image/png"
) -> Call[StoreImage]:
    """Set the logo, banner or favicon: a PNG, JPEG or WebP, which is encoded anew."""
    return Call(
        method="PUT",
        path=f"/v1/store/images/{kind}",
        answers={200: StoreImage},
        body=file,
        headers={"X-Filename": filename, "Content-Type": content_type},
    )


def delete_store_image(kind: str) -> Call[None]:
    """Remove the picture of a kind."""
    return Call(method="DELETE", path=f"/v1/store/images/{kind}", answers={204: None})


def get_address() -> Call[Address]:
    """The store's sub-domain and primary host."""
    return Call(method="GET", path="/v1/store/address", answers={200: Address})


def move_store(body: NewAddress) -> Call[Address]:
    """Take another sub-domain; the old one leads on for 90 days."""
    return Call(method="PUT", path="/v1/store/address", answers={200: Address}, body=body)


def set_primary_host(body: NewPrimary) -> Call[Address]:
    """Choose the host that links to the store name."""
    return Call(method="PUT", path="/v1/store/address/primary", answers={200: Address}, body=body)


def list_domains() -> Call[Domains]:
    """The store's domains, oldest first."""
    return Call(method="GET", path="/v1/domains", answers={200: Domains})


def add_domain(body: NewDomain, *, idempotency_key: str | None = None) -> Call[Domain]:
    """Claim a domain; its proof is looked for at once."""
    return Call(
        method="POST",
        path="/v1/domains",
        answers={201: Domain},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def get_domain(domain_id: str) -> Call[Domain]:
    """A domain, and how its proof stands."""
    return Call(method="GET", path=f"/v1/domains/{domain_id}", answers={200: Domain})


def remove_domain(domain_id: str) -> Call[None]:
    """Stop serving a domain."""
    return Call(method="DELETE", path=f"/v1/domains/{domain_id}", answers={204: None})


def verify_domain(domain_id: str) -> Call[Domain]:
    """Look for the proof now; a lost domain is pending again."""
    return Call(method="POST", path=f"/v1/domains/{domain_id}/verify", answers={202: Domain}, body=Nothing())


def list_channels() -> Call[Channels]:
    """The store's channels."""
    return Call(method="GET", path="/v1/channels", answers={200: Channels})


def put_channel(code: str, body: ChannelChange) -> Call[Channel]:
    """Add, rename, enable or disable a channel."""
    return Call(method="PUT", path=f"/v1/channels/{code}", answers={200: Channel}, body=body)


def get_product_channels(product_id: str) -> Call[Visibility]:
    """Where a product's sales are shown."""
    return Call(method="GET", path=f"/v1/products/{product_id}/channels", answers={200: Visibility})


def set_product_channels(product_id: str, body: Visibility) -> Call[Visibility]:
    """Choose where a product's sales are shown."""
    return Call(method="PUT", path=f"/v1/products/{product_id}/channels", answers={200: Visibility}, body=body)


def get_sale_channels(sale_id: str) -> Call[Visibility]:
    """Where a sale is shown."""
    return Call(method="GET", path=f"/v1/sales/{sale_id}/channels", answers={200: Visibility})


def set_sale_channels(sale_id: str, body: Visibility) -> Call[Visibility]:
    """Choose where a sale is shown."""
    return Call(method="PUT", path=f"/v1/sales/{sale_id}/channels", answers={200: Visibility}, body=body)


def enter_sandbox() -> Call[Sandbox]:
    """Open the store's sandbox, or get another key to it."""
    return Call(method="POST", path="/v1/sandbox", answers={201: Sandbox}, body=Nothing())


def get_overview() -> Call[Overview]:
    """The store today, beside yesterday, and what waits."""
    return Call(method="GET", path="/v1/overview", answers={200: Overview})
