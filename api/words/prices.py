"""What prices for some, and what an order was made of, look like in examples (`api.examples`)."""

from typing import Any, Final

from api.words.made import DIGITS

_LISTS: Final = ("PriceList", "NewPriceList", "PriceListChange")
_GROUPS: Final = ("BuyerGroup", "NewBuyerGroup", "BuyerGroupChange")

WORDS: Final[dict[str, Any]] = {
    "list_id": f"prl_{DIGITS}",
    "group_id": f"grp_{DIGITS}",
    "price_id": f"pri_{DIGITS}",
    "PriceList.id": f"prl_{DIGITS}",
    "BuyerGroup.id": f"grp_{DIGITS}",
    **{f"{name}.id": f"pri_{DIGITS}" for name in ("ListedPrice", "PriceVersion")},
    **{f"{name}.name": "Resellers, from ten" for name in _LISTS},
    **{f"{name}.state": "on" for name in _LISTS},
    **{f"{name}.name": "Resellers" for name in _GROUPS},
    **{f"{name}.kind": "reseller" for name in _GROUPS},
    "list_name": "Resellers, from ten",
    "least_quantity": 10,
    "unit_minor": 8_900,
    "ended_at": None,
    "PriceReport.lines": 999,
    "PriceReport.columns": ["list", "reference", "least_quantity", "price"],
    "set": 2,
    "ended": 1,
    "unchanged": 997,
    "ThenProduct.images": [f"/images/{DIGITS}.webp"],
    "ThenProduct.translations": {"zh-CN": {"name": "影视会员", "description": None}},
    "ThenSku.name": "One year",
    "ThenSku.translations": {"zh-CN": "一年"},
    "ThenSku.type": "code",
    "ThenSku.config": None,
    "ThenSku.face_value": "12 months",
    "ThenTranslated.name": "影视会员",
    "SnapshotLine.unit_price_minor": 8_900,
    "SnapshotLine.quantity": 10,
    "SnapshotLine.amount_minor": 89_000,
}
