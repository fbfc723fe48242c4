"""Prices. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from loadtests.client.core import Call, Pages, new_key


class PriceList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    name: str
    group_id: str | None
    channel: str | None
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    state: str
    created_at: dt.datetime


class PriceLists(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of the store's, by name."""

    price_lists: list[PriceList]


class NewPriceList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`group_id` null is for everyone, `channel` null for all of them. Nothing is priced by it while it is `off`."""

    name: str
    group_id: str | None = None
    channel: str | None = None
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    state: Literal["off", "on"] = "off"


class PriceListChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is named is set, all else stays. Orders that were made keep their prices."""

    name: str | UnsetType = UNSET
    group_id: str | UnsetType | None = UNSET
    channel: str | UnsetType | None = UNSET
    starts_at: dt.datetime | UnsetType | None = UNSET
    ends_at: dt.datetime | UnsetType | None = UNSET
    state: Literal["off", "on"] | UnsetType = UNSET


class ListedPrice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The current price. Its id is that of this version: a new price has another."""

    id: str
    sku_id: str
    least_quantity: int
    unit_minor: int
    since: dt.datetime


class ListedPrices(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    entries: list[ListedPrice]
    next_cursor: str | None


class NewPrice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`unit_minor` is the price of each; null takes it off the list."""

    sku_id: str
    least_quantity: int = 1
    unit_minor: int | None


class NewPrices(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is not named stays on the list as it is."""

    entries: list[NewPrice]


class SetPrices(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many prices are new, how many were taken off, and how many were so already."""

    set: int
    ended: int
    unchanged: int


class LineProblem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wrong with a line, which counts from 1 with the header's. `field` is empty when it is the line as a whole."""

    line: int
    field: str
    why: str


class PriceReport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`lines` without the header and blank ones; how many prices are new, and how many were so already. `wrong` is how many problems there
    are; the first 100 are told.
    """

    columns: list[str]
    lines: int
    set: int
    unchanged: int
    wrong: int
    problems: list[LineProblem]


class PriceVersion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A price as it was from `since` on; it holds while `ended_at` is null."""

    id: str
    list_id: str
    list_name: str
    least_quantity: int
    unit_minor: int
    since: dt.datetime
    ended_at: dt.datetime | None


class PriceHistory(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    prices: list[PriceVersion]
    next_cursor: str | None


class BuyerGroup(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    name: str
    kind: str
    created_at: dt.datetime


class BuyerGroups(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of the store's, by name."""

    buyer_groups: list[BuyerGroup]


class NewBuyerGroup(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A level of customers, or resellers."""

    name: str
    kind: Literal["level", "reseller"]


class BuyerGroupChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is named is set, all else stays."""

    name: str | UnsetType = UNSET
    kind: Literal["level", "reseller"] | UnsetType = UNSET


class GroupMember(Struct, frozen=True, kw_only=True, omit_defaults=True):
    shopper_id: str
    since: dt.datetime


class GroupMembers(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    members: list[GroupMember]
    next_cursor: str | None


class PricedBy(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A price on a list, in the version that was in force; the list's name is today's."""

    price_id: str
    list_id: str
    list_name: str
    least_quantity: int
    unit_minor: int
    since: dt.datetime


class ThenTranslated(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`description` null is the one that was written."""

    name: str
    description: str | None


class ThenProduct(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`images` are the addresses its pictures had; those that were removed since are found there no more."""

    name: str
    description: str
    images: list[str]
    translations: dict[str, Any]
    since: dt.datetime


class ThenSku(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`price_minor` was its own price. `usage_note` is told once the order is paid, `config` to the merchant alone; null otherwise."""

    name: str
    choices: dict[str, Any]
    face_value: str | None
    usage_note: str | None
    price_minor: int
    currency: str
    type: str
    config: dict[str, Any] | None
    translations: dict[str, Any]
    since: dt.datetime


class SnapshotLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was paid for the line, by which price: `priced_by` null is the SKU's own, or its sale's. `product` and `sku` are what was shown
    when the order was made, from `since` on; a `since` that is later is that of the oldest that is known, null that nothing is.
    """

    sale_id: str
    sku_id: str
    product_id: str
    quantity: int
    unit_price_minor: int
    amount_minor: int
    priced_by: PricedBy | None
    product: ThenProduct | None
    sku: ThenSku | None


class Snapshot(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As of `created_at`, the order's: what was edited since changes nothing here."""

    lines: list[SnapshotLine]
    currency: str
    created_at: dt.datetime


def list_price_lists() -> Call[PriceLists]:
    """The store's price lists, by name."""
    return Call(method="GET", path="/v1/price-lists", answers={200: PriceLists})


def create_price_list(body: NewPriceList, *, idempotency_key: str | None = None) -> Call[PriceList]:
    """Create a price list, with no prices on it."""
    return Call(
        method="POST",
        path="/v1/price-lists",
        answers={201: PriceList},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def get_price_list(list_id: str) -> Call[PriceList]:
    """Get a price list, without its prices."""
    return Call(method="GET", path=f"/v1/price-lists/{list_id}", answers={200: PriceList})


def remove_price_list(list_id: str) -> Call[None]:
    """Remove a price list; its prices end."""
    return Call(method="DELETE", path=f"/v1/price-lists/{list_id}", answers={204: None})


def change_price_list(list_id: str, body: PriceListChange, *, if_match: str) -> Call[PriceList]:
    """Change for whom, where and when a list holds; If-Match says which version was read."""
    return Call(method="PATCH", path=f"/v1/price-lists/{list_id}", answers={200: PriceList}, body=body, headers={"If-Match": if_match})


def list_prices(list_id: str, *, limit: int = 20, cursor: str | None = None) -> Pages[ListedPrices, ListedPrice]:
    """The prices on a list, by SKU."""
    return Pages(
        method="GET",
        path=f"/v1/price-lists/{list_id}/entries",
        answers={200: ListedPrices},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.entries,
    )


def put_prices(list_id: str, body: NewPrices) -> Call[SetPrices]:
    """Set up to 1,000 prices of a list, all of them or none."""
    return Call(method="PUT", path=f"/v1/price-lists/{list_id}/entries", answers={200: SetPrices}, body=body)


def import_prices(
    file: bytes,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    filename: str | None = None,
    content_type: Literal[
        "text/plain", "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/octet-stream"
    ] = "text/plain",
) -> Call[PriceReport]:
    """Set prices from a file, all of it or nothing. The body is the file: CSV or XLSX with a header, a price a line: `list` by name,
    `reference` of the SKU, `least_quantity` (1 where it is empty), `price`. All lines are checked first. What is wrong is told with line
    and field, and then nothing is saved. Sent again it changes nothing more.
    """
    return Call(
        method="POST",
        path="/v1/price-lists/imports",
        answers={200: PriceReport},
        body=file,
        headers={"X-Filename": filename, "Content-Type": content_type},
        query={"encoding": encoding, "delimiter": delimiter},
    )


def preview_prices(
    file: bytes,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    filename: str | None = None,
    content_type: Literal[
        "text/plain", "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/octet-stream"
    ] = "text/plain",
) -> Call[PriceReport]:
    """See which prices a file would set, and what is wrong in which lines, keeping nothing. The body is the file: CSV or XLSX with a
    header, a price a line: `list` by name, `reference` of the SKU, `least_quantity` (1 where it is empty), `price`. All lines are checked
    first.
    """
    return Call(
        method="POST",
        path="/v1/price-lists/previews",
        answers={200: PriceReport},
        body=file,
        headers={"X-Filename": filename, "Content-Type": content_type},
        query={"encoding": encoding, "delimiter": delimiter},
    )


def list_price_versions(sku_id: str, *, limit: int = 20, cursor: str | None = None) -> Pages[PriceHistory, PriceVersion]:
    """A SKU's prices on all lists, newest version first."""
    return Pages(
        method="GET",
        path=f"/v1/skus/{sku_id}/prices",
        answers={200: PriceHistory},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.prices,
    )


def list_buyer_groups() -> Call[BuyerGroups]:
    """The store's groups of buyers, by name."""
    return Call(method="GET", path="/v1/buyer-groups", answers={200: BuyerGroups})


def create_buyer_group(body: NewBuyerGroup, *, idempotency_key: str | None = None) -> Call[BuyerGroup]:
    """Create a group of buyers, with nobody in it."""
    return Call(
        method="POST",
        path="/v1/buyer-groups",
        answers={201: BuyerGroup},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def get_buyer_group(group_id: str) -> Call[BuyerGroup]:
    """Get a group of buyers."""
    return Call(method="GET", path=f"/v1/buyer-groups/{group_id}", answers={200: BuyerGroup})


def remove_buyer_group(group_id: str) -> Call[None]:
    """Remove a group that no price list is for."""
    return Call(method="DELETE", path=f"/v1/buyer-groups/{group_id}", answers={204: None})


def change_buyer_group(group_id: str, body: BuyerGroupChange, *, if_match: str) -> Call[BuyerGroup]:
    """Change a group's name or kind; If-Match says which version was read."""
    return Call(method="PATCH", path=f"/v1/buyer-groups/{group_id}", answers={200: BuyerGroup}, body=body, headers={"If-Match": if_match})


def put_group_member(group_id: str, shopper_id: str) -> Call[GroupMember]:
    """Put a shopper into a group."""
    return Call(method="PUT", path=f"/v1/buyer-groups/{group_id}/members/{shopper_id}", answers={200: GroupMember})


def remove_group_member(group_id: str, shopper_id: str) -> Call[None]:
    """Take a shopper out of a group."""
    return Call(method="DELETE", path=f"/v1/buyer-groups/{group_id}/members/{shopper_id}", answers={204: None})


def list_group_members(group_id: str, *, limit: int = 20, cursor: str | None = None) -> Pages[GroupMembers, GroupMember]:
    """Who is in a group."""
    return Pages(
        method="GET",
        path=f"/v1/buyer-groups/{group_id}/members",
        answers={200: GroupMembers},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.members,
    )


def get_snapshot(order_id: str) -> Call[Snapshot]:
    """What product and SKU said when an order was made, and by which prices it was."""
    return Call(method="GET", path=f"/v1/orders/{order_id}/snapshot", answers={200: Snapshot})
