"""Units that shoppers choose among: nights, seats, and what their acts need to succeed."""

import datetime as dt
from functools import cache
from typing import Any

from tests.fuzz.api.place import Place
from tests.fuzz.api.scenes.scene import ALWAYS, Given, Scene

HALL = {"venue": "Old Theatre", "classes": [{"id": "stalls", "label": "Stalls"}], "opens_min": 600}
NOW = dt.datetime.now(dt.UTC)


def day(days: int) -> str:
    """As the store counts days: in Shanghai."""
    return (NOW + dt.timedelta(hours=8, days=days)).date().isoformat()


def picked(place: Place) -> dict[str, Scene]:
    ask = place.ask

    def sku(type_: str, config: dict[str, Any], **units: Any) -> tuple[str, str]:
        """One with units, all in a sale."""
        new = {"product_id": place.ids["product_id"][0], "name": type_, "price_minor": 100, "type": type_, "config": config}
        made = str(ask("POST", "/v1/skus", new)["id"])
        ask("POST", f"/v1/skus/{made}/units", units)
        sale = ask("POST", "/v1/sales", {"sku_id": made, "name": type_, "units": "all", "limit_per_shopper": 0})
        return made, str(sale["id"])

    @cache
    def rooms() -> tuple[str, str]:
        return sku("booking", {"fields": [], "early_h": 15}, quantity=400, span={"first": day(0), "last": day(1)})

    @cache
    def seats() -> tuple[str, str]:
        times = {"starts_at": (NOW + dt.timedelta(hours=1)).isoformat(), "ends_at": (NOW + dt.timedelta(hours=9)).isoformat()}
        return sku("ticket", HALL, quantity=400, picks=[{"pick": "gala.stalls", **times}])

    @cache
    def coming() -> tuple[str, str]:
        """A session whose door is still closed, and whose holders have names."""
        times = {"starts_at": (NOW + dt.timedelta(days=2)).isoformat(), "ends_at": (NOW + dt.timedelta(days=3)).isoformat()}
        field = {"name": "holder", "label": {"en": "Holder"}, "required": False}
        return sku("ticket", HALL | {"fields": [field]}, quantity=10, picks=[{"pick": "later.stalls", **times}])

    @cache
    def transferable() -> tuple[str, str]:
        return place.paid(sale_id=coming()[1]), coming()[1]

    def code(sale_id: str) -> str:
        order = place.paid(sale_id=sale_id)
        return str(ask("GET", f"/v1/orders/{order}/codes", headers=place.headers["shopper"])["codes"][0]["code"])

    def ticket(*, used: bool = False) -> Given | None:
        if not place.house.whole:
            return None
        given = {"code": code(seats()[1]), "session": None}
        if used:
            ask("POST", "/v1/types/ticket/check_in", given)
        return Given(given)

    def stay(*, come: bool = False) -> Given | None:
        if not place.house.whole:
            return None
        given = {"code": code(rooms()[1])}
        if come:
            ask("POST", "/v1/types/booking/check_in", given)
        return Given(given)

    def holder(_: str) -> Given | None:
        if not place.house.whole:
            return None
        order, sale = transferable()
        return Given({"order_id": order, "sale_id": sale, "values": {"holder": "Ann"}})

    one_more = {"quantity": 1, "picks": [], "span": {"first": day(2), "last": day(3)}, "note": "", "cost_minor": None}
    return {
        "makeUnits": Scene(lambda _: Given({"sku_id": rooms()[0], **one_more})),
        "changePicks": Scene(lambda _: Given({"sku_id": rooms()[0], "picks": [{"pick": day(0), "is_on": True}]})),
        "listOfferedPicks": Scene(lambda _: Given({"sku_id": rooms()[0]})),
        "nightsBooking": Scene(lambda _: Given({"sku_id": rooms()[0], "check_in": day(0), "check_out": day(2)})),
        "checkInTicket": Scene(lambda _: ticket()),
        "undoCheckInTicket": Scene(lambda _: ticket(used=True), ALWAYS),
        "statusTicket": Scene(lambda _: ticket()),
        "transferTicket": Scene(holder),
        "checkInBooking": Scene(lambda _: stay()),
        "checkOutBooking": Scene(lambda _: stay(come=True)),
    }
