"""Points. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Literal

from msgspec import Struct

from loadtests.client.core import Call, Pages, new_key


class PointsLevel(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """From `growth` on; who has it earns `earn_percent` of the points, at the prices of the group."""

    id: str
    name: str
    growth: int
    earn_percent: int
    group_id: str | None


class PointsProgram(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the store says of points and levels."""

    enabled: bool = False
    earn_points: int = 1
    earn_minor: int = 100
    hold_days: int = 0
    expiry: Literal["days", "month_end", "never"] = "never"
    expiry_count: int = 365
    sign_in_points: int = 0
    growth_points: int = 1
    growth_minor: int = 100
    period_days: int | None = None
    grace_days: int = 0
    levels: list[PointsLevel]


class NewLevel(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """With an `id` the level that is there already; members keep it. `group_id` is a group of buyers, whose prices it has."""

    name: str
    growth: int
    earn_percent: int = 100
    group_id: str | None = None
    id: str | None = None


class NewPointsProgram(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of it: what is not named is as it is for a store that never said anything. `levels` from the lowest."""

    enabled: bool = False
    earn_points: int = 1
    earn_minor: int = 100
    hold_days: int = 0
    expiry: Literal["days", "month_end", "never"] = "never"
    expiry_count: int = 365
    sign_in_points: int = 0
    growth_points: int = 1
    growth_minor: int = 100
    period_days: int | None = None
    grace_days: int = 0
    levels: list[NewLevel] = []


class PointsStanding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`level` null is none yet. `until` is when it must have been earned again; null for one that is for ever. `missing` is the growth that
    `next` takes still.
    """

    level: PointsLevel | None
    growth: int
    since: dt.datetime | None
    until: str | None
    in_grace: bool
    next: PointsLevel | None
    missing: int


class PointsAccount(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`balance` is what is `available` and what is `held` together. `owed` is taken from what comes next. `expiring` of them are over at
    `expires_at`. `sign_in_points` is what signing in brings today: 0 where it brings none, or did.
    """

    balance: int
    available: int
    held: int
    owed: int
    expiring: int
    expires_at: dt.datetime | None
    standing: PointsStanding
    signed_in_today: bool
    sign_in_points: int


class PointsEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`kind`: order, sign_in, staff, refund, owed, expired. `number` counts the account's entries; `balance` is what there was after it."""

    number: int
    amount: int
    kind: str
    balance: int
    order_id: str | None
    reason: str | None
    at: dt.datetime


class PointsStatement(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    entries: list[PointsEntry]
    next_cursor: str | None


class SignedIn(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`points` is what it brought: 0 for who was there today already."""

    points: int
    account: PointsAccount


class LevelChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`name` as the level was called then; null is no level any more."""

    name: str | None
    growth: int
    at: dt.datetime


class PointsAccountWithLevels(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`levels` are the last twenty changes, the last first."""

    account: PointsAccount
    levels: list[LevelChange]


class Adjustment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """So many are given, or taken when `amount` is negative. The shopper reads the reason."""

    amount: int
    reason: str


def get_points_program() -> Call[PointsProgram]:
    """What the store says of points and levels."""
    return Call(method="GET", path="/v1/points/program", answers={200: PointsProgram})


def put_points_program(body: NewPointsProgram, *, if_match: str) -> Call[PointsProgram]:
    """Set all that the store says of points and levels; If-Match says which version was read."""
    return Call(method="PUT", path="/v1/points/program", answers={200: PointsProgram}, body=body, headers={"If-Match": if_match})


def get_my_points() -> Call[PointsAccount]:
    """Your points and your level."""
    return Call(method="GET", path="/v1/points", answers={200: PointsAccount})


def list_my_points_entries(*, limit: int = 20, cursor: str | None = None) -> Pages[PointsStatement, PointsEntry]:
    """Your statement of points, the last first."""
    return Pages(
        method="GET",
        path="/v1/points/entries",
        answers={200: PointsStatement},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.entries,
    )


def sign_in_for_points() -> Call[SignedIn]:
    """Take today's points, once in a day of the store."""
    return Call(method="POST", path="/v1/points/sign-ins", answers={200: SignedIn})


def get_points(shopper_id: str) -> Call[PointsAccountWithLevels]:
    """A shopper's points and level."""
    return Call(method="GET", path=f"/v1/shoppers/{shopper_id}/points", answers={200: PointsAccountWithLevels})


def list_points_entries(shopper_id: str, *, limit: int = 20, cursor: str | None = None) -> Pages[PointsStatement, PointsEntry]:
    """A shopper's statement, the last first."""
    return Pages(
        method="GET",
        path=f"/v1/shoppers/{shopper_id}/points/entries",
        answers={200: PointsStatement},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.entries,
    )


def adjust_points(shopper_id: str, body: Adjustment, *, idempotency_key: str | None = None) -> Call[PointsEntry]:
    """Give a shopper points, or take some that he may spend."""
    return Call(
        method="POST",
        path=f"/v1/shoppers/{shopper_id}/points/entries",
        answers={201: PointsEntry},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )
