"""Orders at work: tags, notes, exports, acts."""

from typing import Any, Final

from api.words.made import DIGITS

WORDS: Final[dict[str, Any]] = {
    "export_id": f"dat_{DIGITS}",
    "tag_id": f"tag_{DIGITS}",
    "tag_ids": [f"tag_{DIGITS}"],
    "order_ids": [f"ord_{DIGITS}"],
    "mail_id": f"mai_{DIGITS}",
    "Note.id": f"nte_{DIGITS}",
    "OrderExport.id": f"dat_{DIGITS}",
    "Tag.id": f"tag_{DIGITS}",
    "Tag.name": "Call back",
    "NewTag.name": "Call back",
    "author": f"usr_{DIGITS}",
    "words": "He rang: the code came through, all is well.",
    "Resending.mail": "ann@example.org",
    "OrderAct.act": "tag",
    "OrderAct.reason": None,
    "Cancellation.reason": "shopper_asked",
    "PartToRefund.units": [4711],
    "PartToRefund.sale_ids": None,
    "refunded_minor": 0,
    "OrderResult.code": None,
    "OrderResult.detail": None,
    "done": True,
    "TimelineEntry.kind": "act",
    "TimelineEntry.detail": {"action": "order.cancelled", "reason": "shopper_asked"},
    "entry_id": f"aud_{DIGITS}",
    "days": 90,
    "OrderExport.format": "csv",
    "OrderExport.state": "done",
    "rows": 1_000_000,
    "NewOrderExport.format": "csv",
    "NewOrderExport.state": "delivered",
    "NewOrderExport.q": None,
    "NewOrderExport.shopper_id": None,
    "listMyOrders.state": "delivered",
}
