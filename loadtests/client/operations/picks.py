"""Picks. Written by `make client`; not to be edited."""

import datetime as dt

from msgspec import Struct

from loadtests.client.core import Call, Pages


class PickView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`available` units of it are free, whether a sale has them or not, counted up to 100."""

    pick: str
    label: str
    surcharge_minor: int
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    offered_until: str | None
    available: int
    is_on: bool


class Picks(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    picks: list[PickView]
    next_cursor: str | None


class PickChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is left out stays as it is. With `is_on` false nobody can choose it any more."""

    pick: str
    label: str | None = None
    surcharge_minor: int | None = None
    is_on: bool


class PickChanges(Struct, frozen=True, kw_only=True, omit_defaults=True):
    picks: list[PickChange]


def list_picks(
    sku_id: str, *, limit: int = 20, cursor: str | None = None, since: dt.datetime | None = None, until: dt.datetime | None = None
) -> Pages[Picks, PickView]:
    """What a SKU's units are chosen by, what is offered longest last."""
    return Pages(
        method="GET",
        path=f"/v1/skus/{sku_id}/picks",
        answers={200: Picks},
        query={"limit": limit, "cursor": cursor, "since": since, "until": until},
        rows=lambda page: page.picks,
    )


def change_picks(sku_id: str, body: PickChanges) -> Call[Picks]:
    """Labels, surcharges, and whether they are offered; all of those that are named, or none."""
    return Call(method="PATCH", path=f"/v1/skus/{sku_id}/picks", answers={200: Picks}, body=body)
