"""Data rights. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Any

from msgspec import Struct

from loadtests.client.core import Call, Pages, new_key
from loadtests.client.operations.codes import Nothing


class DataRequestView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`state`: running, done, expired. `progress` counts what is done. An archive can be downloaded from done to `expires_at`."""

    id: str
    kind: str
    state: str
    shopper_id: str | None
    progress: dict[str, Any]
    created_at: dt.datetime
    finished_at: dt.datetime | None
    expires_at: dt.datetime | None


class ShopperView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`unfinished` orders have to end before the shopper can be erased. `contact` is the last that was left with one of them."""

    id: str
    orders: int
    unfinished: int
    last_order_at: dt.datetime | None
    erased_at: dt.datetime | None
    contact: str | None


class ShopperPage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last. A page may be short, or empty, and not the last."""

    items: list[ShopperView]
    next_cursor: str | None


class ShopperSearch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In a body, so that no log of addresses keeps it."""

    contact: str


class Shoppers(Struct, frozen=True, kw_only=True, omit_defaults=True):
    items: list[ShopperView]


class DataRequests(Struct, frozen=True, kw_only=True, omit_defaults=True):
    items: list[DataRequestView]
    next_cursor: str | None


class Rules(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In days. What is not said is as it is for a store that never said anything."""

    contact_days: int = 730
    reply_days: int = 7
    event_days: int = 30
    notice_days: int = 180
    cart_days: int = 90


class LeavingView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`state`: asked, cancelled, deleting, deleted. Until `delete_at` it can be cancelled."""

    state: str
    asked_at: dt.datetime
    delete_at: dt.datetime


class Goodbye(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Your own password, once more."""

    password: str


def erase_shopper(shopper_id: str, *, idempotency_key: str | None = None) -> Call[DataRequestView]:
    """Erase a shopper, for good; his books stay under his pseudonym."""
    return Call(
        method="POST",
        path=f"/v1/shoppers/{shopper_id}/erasure",
        answers={202: DataRequestView},
        body=Nothing(),
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def export_shopper(shopper_id: str, *, idempotency_key: str | None = None) -> Call[DataRequestView]:
    """Have everything held about a shopper put into an archive."""
    return Call(
        method="POST",
        path=f"/v1/shoppers/{shopper_id}/exports",
        answers={202: DataRequestView},
        body=Nothing(),
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def list_shoppers(*, limit: int = 20, cursor: str | None = None, q: str | None = None) -> Pages[ShopperPage, ShopperView]:
    """Who ordered, by the last order, newest first."""
    return Pages(
        method="GET",
        path="/v1/shoppers",
        answers={200: ShopperPage},
        query={"limit": limit, "cursor": cursor, "q": q},
        rows=lambda page: page.items,
    )


def get_shopper(shopper_id: str) -> Call[ShopperView]:
    """What is held about a shopper, in figures."""
    return Call(method="GET", path=f"/v1/shoppers/{shopper_id}", answers={200: ShopperView})


def search_shoppers(body: ShopperSearch) -> Call[Shoppers]:
    """Who left this contact with an order."""
    return Call(method="POST", path="/v1/shoppers/search", answers={200: Shoppers}, body=body)


def download_archive(request_id: str) -> Call[str]:
    """The archive of an export, as ZIP; each download is recorded."""
    return Call(method="GET", path=f"/v1/data-requests/{request_id}/archive", answers={200: str})


def export_store(*, idempotency_key: str | None = None) -> Call[DataRequestView]:
    """Have all data of the store put into an archive, codes sealed."""
    return Call(
        method="POST",
        path="/v1/data-requests/store-exports",
        answers={202: DataRequestView},
        body=Nothing(),
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def list_data_requests(*, limit: int = 20, cursor: str | None = None) -> Pages[DataRequests, DataRequestView]:
    """Exports and erasures, newest first."""
    return Pages(
        method="GET",
        path="/v1/data-requests",
        answers={200: DataRequests},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.items,
    )


def get_data_request(request_id: str) -> Call[DataRequestView]:
    """How far an export or erasure is."""
    return Call(method="GET", path=f"/v1/data-requests/{request_id}", answers={200: DataRequestView})


def get_retention() -> Call[Rules]:
    """How long the store keeps what it need not keep for ever."""
    return Call(method="GET", path="/v1/retention", answers={200: Rules})


def put_retention(body: Rules) -> Call[Rules]:
    """Change how long; a longer time brings nothing back."""
    return Call(method="PUT", path="/v1/retention", answers={200: Rules}, body=body)


def get_off_boarding() -> Call[LeavingView]:
    """Whether and when the store leaves."""
    return Call(method="GET", path="/v1/off-boarding", answers={200: LeavingView})


def start_off_boarding(body: Goodbye) -> Call[LeavingView]:
    """Close the store now and delete it in thirty days; the owner's password is asked for."""
    return Call(method="POST", path="/v1/off-boarding", answers={202: LeavingView}, body=body)


def cancel_off_boarding() -> Call[LeavingView]:
    """Stay after all."""
    return Call(method="DELETE", path="/v1/off-boarding", answers={200: LeavingView})
