"""The shelf, and carts of what lies there."""

from typing import Any, Final

from api.words.made import DAY

WORDS: Final[dict[str, Any]] = {
    "base_minor": 19_800,
    "base_price_minor": 9_900,
    "bundle_id": None,
    "bundle_quantity": None,
    "cart_days": 90,
    "picked": False,
    "takes_new_stock": True,
    "CartLine.picks": [],
    "CartView.updated_at": f"{DAY}10:00:04Z",
    "CartProblem.code": "sold_out",
    "CartProblem.detail": "Fewer of Video membership are left than you asked for. Nothing was reserved.",
    "QuotedLine.picks": [],
    "QuotedLine.problem": None,
}
