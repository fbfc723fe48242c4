"""What units of stock look like."""

from typing import Any, Final

from api.words.made import DIGITS

WORDS: Final[dict[str, Any]] = {
    "expired": 0,
    "locked": 0,
    "moved": 988,
    "Recalled.sold": 400,
    "replaced_by": 951_204,
    "ActDone.units": [950_896],
    "UnitRefused.state": "sold",
    "Units.units": [
        {
            "unit": 950_896,
            "sku_id": f"sku_{DIGITS}",
            "batch_id": f"bat_{DIGITS}",
            "state": "available",
            "sale_id": None,
            "order_id": None,
            "valid_from": None,
            "valid_until": "2027-12-31T16:00:00Z",
            "masked": "YK…96",
        }
    ],
    "UnitAct.units": [950_896],
    "UnitEvent.act": "lock",
    "UnitEvent.actor": f"usr_{DIGITS}",
    "from_state": "available",
    "to_state": "locked",
    "UnitEvent.reason": "the supplier asks to wait",
    "UnitAct.reason": "the supplier asks to wait",
    "Recall.reason": "the supplier asks to wait",
    "Replacement.reason": "the shopper says it was used",
    "masked": "YK…96",
    "priority": 100,
    "recalled_as": None,
    "sell_until_days": 3,
    "Look.reason": "the shopper asks for it by telephone",
    "Batch.id": f"bat_{DIGITS}",
    "ListedBatch.id": f"bat_{DIGITS}",
    "ListedBatch.kind": "imported",
    "ListedBatch.state": "loaded",
    "ListedBatch.valid_until": "2027-12-31T16:00:00Z",
    "ListedBatch.cost_minor": 700_000,
    "recall_reason": None,
    "Batch.valid_until": "2027-12-31T16:00:00Z",
    "BatchTerms.valid_until": "2027-12-31T16:00:00Z",
    "UnitHistory.state": "available",
    "UnitHistory.valid_until": "2027-12-31T16:00:00Z",
    "importCodes.valid_until": "2027-12-31T16:00:00Z",
    "valid_from": "2026-11-11T00:00:00Z",
    "unit_id": "950896",
    "batch_id": f"bat_{DIGITS}",
}
