"""Choosing units on a page: nights by their dates, seats and numbers one by one or by how many; what a form says of it, as picks."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from api.storefront.goods import VariantView
from checkout_core.errors import AppError, BadRequest, Unprocessable
from tenants.catalog.kinds import Kind
from tenants.picks import Listed
from tenants.types.booking import nights

PICK_MAX = 64
ROOMS_MAX = 10
PREFIX = "pick."


class PickView(msgspec.Struct, frozen=True):
    """`most` of it can be taken at once; one that is there once is ticked."""

    name: str
    label: str
    surcharge_minor: int
    left: int
    most: int


class PicksView(msgspec.Struct, frozen=True):
    """`nights` are chosen by two dates, within `first` and `last`; everything else one by one."""

    kind: Literal["none", "nights", "each"]
    picks: tuple[PickView, ...] = ()
    first: str = ""
    last: str = ""


def view(kind: Kind, listed: Sequence[Listed], variant: VariantView) -> PicksView:
    if not listed:
        return PicksView("none")
    most = min(variant.limit or 100, 100)
    shown = tuple(
        PickView(
            each.pick.name, each.pick.label, each.pick.surcharge_minor or 0, each.available,
            1 if kind.type.alone(kind.config, each.pick.name) else min(most, each.available),
        )
        for each in listed
    )  # fmt: skip
    if kind.type.name != nights.NAME:
        return PicksView("each", shown)
    last = dt.date.fromisoformat(shown[-1].name) + dt.timedelta(days=1)
    return PicksView("nights", shown, shown[0].name, last.isoformat())


def read(fields: Mapping[str, str]) -> list[str]:
    """The picks that a form names, one of them twice for two of it. Raises `Unprocessable` (`bad_pick`, `picks_missing`)."""
    if "check_in" in fields:
        rooms = _number(fields.get("rooms", "1"), ROOMS_MAX)
        stay = nights.of_stay(fields["check_in"], fields.get("check_out", ""))
        return [night for night in stay for _ in range(rooms)]
    named = {name[len(PREFIX) :]: value for name, value in fields.items() if name.startswith(PREFIX)}
    if "pick" in fields:
        named.setdefault(fields["pick"], "1")
    if not all(map(is_name, named)):
        raise BadRequest("There is no such choice.")
    return [name for name, value in named.items() for _ in range(_number(value, 100))]


def is_name(text: str) -> bool:
    """Whether a pick could be called so."""
    return 0 < len(text) <= PICK_MAX and text.isprintable()


def missing() -> AppError:
    return Unprocessable("Choose one first. Nothing was changed.", code="picks_missing")


def _number(text: str, most: int) -> int:
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 5 else 0
