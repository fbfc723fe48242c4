"""Product types, and what waits to be fulfilled."""

from typing import Any, Final

from api.words.made import DAY

WORDS: Final[dict[str, Any]] = {
    "acts": [],
    "Field.choices": [],
    "config": {},
    "confirm": False,
    "contents": [],
    "due_at": f"{DAY}22:00:00Z",
    "given": False,
    "hint": "",
    "input": {"account": "deer-2026"},
    "label": {"zh-CN": "充值账号", "en": "Account"},
    "max_length": 100,
    "min_length": 1,
    "pattern": None,
    "picked": False,
    "Fulfilment.problem": None,
    "Fulfilment.finished_at": None,
    "required": True,
    "Transfer.values": {"holder": "Ann"},
    "Said.values": {"account": "deer-2026"},
    "who": "anyone",
    "Failure.problem": "The account does not exist.",
    "Field.kind": "text",
    "Field.name": "account",
    "Fulfilment.state": "pending",
    "NewSku.type": "code",
    "NewUnits.note": "",
    "NewUnits.quantity": 100,
    "Sku.type": "code",
    "SkuWithStock.type": "code",
    "Told.note": "Topped up.",
    "CodeView.note": None,
    "TypeAct.name": "validate",
    "TypeAct.summary": "Whether a key is good",
    "TypeView.name": "code",
    "TypeView.stock": "imported",
    "TypeView.summary": {"zh-CN": "卡密", "en": "Card code"},
}
