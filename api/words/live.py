"""A store as it lives: its day, and how its sales go."""

from typing import Any, Final

from api.words.made import DAY, DIGITS


def _step(count: int) -> dict[str, int]:
    return {"orders": count, "units": count}


def _figures(part: int) -> list[dict[str, Any]]:
    return [
        {
            "currency": "CNY", "orders": 12 * part, "paid": 10 * part, "paid_minor": 99_000 * part, "delivered": 10 * part,
            "refunds": 1, "refunded_minor": 9_900,
        }
    ]  # fmt: skip


WORDS: Final[dict[str, Any]] = {
    "as_of": f"{DAY}10:00:04Z",
    "Funnel.reserved": _step(400),
    "Funnel.waiting": _step(20),
    "Funnel.lapsed": _step(30),
    "Funnel.paid": _step(350),
    "Funnel.delivered": _step(345),
    "Funnel.refunded": _step(5),
    "last_s": 120,
    "watchEvents.types": "order.*,sale.progress",
    "last_event_id": "4711",
    "Seconds.seconds": [{"at": f"{DAY}10:00:04Z", "orders": 12, "units": 12}],
    "Second.orders": 12,
    "Second.units": 12,
    "Day.date": "2026-11-11",
    "Day.today": _figures(10),
    "Day.before": _figures(8),
    "Hour.orders": 12,
    "Hour.paid": 10,
    "PlaceInLine.status": "waiting",
    "PlaceInLine.place": 12,
    "PlaceInLine.total": 340,
    "PlaceInLine.left_s": 0,
    "PlaceInLine.estimate_s": 95,
    "PlaceInLine.held": 30,
    "PlaceInLine.again_s": 4.0,
    "Overview.open_exceptions": 2,
    "Overview.low_stock": 1,
    "SellingSale.id": f"sal_{DIGITS}",
    "SellingSale.name": "Singles' Day",
    "SellingSale.state": "open",
}
