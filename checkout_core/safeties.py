"""Safeties that a test may remove, to see the checker catch what then goes wrong. `config` refuses the switch outside tests."""

import os
from typing import Final

KNOWN: Final = frozenset(
    {
        "row_lock",  # the sale's row and the picked units are locked before they change
        "unique_slot",  # a shopper's slots are read before the limit is decided
        "idempotent_order",  # the order id follows from the idempotency key
        "body_hash",  # the same key with another body is refused
        "commit_before_ack",  # "reserved" is said after COMMIT
        "amount_check",  # a payment counts only at the order's amount, currency and payee
        "closing",  # an order is closed at the provider before its units return
        "inbox",  # a notice is remembered, so that its repetition has no effect
        "order_lock",  # confirm and expire lock the order's row
        "signature",  # a notice must be signed by the provider
    }
)


def _removed() -> frozenset[str]:
    names = frozenset(filter(None, os.environ.get("TESSERA_UNSAFE", "").split(",")))
    if names and os.environ.get("TESSERA_ENV") != "test":
        raise ValueError("TESSERA_UNSAFE removes safeties and is refused unless TESSERA_ENV=test.")
    if unknown := names - KNOWN:
        raise ValueError(f"TESSERA_UNSAFE names no safety: {', '.join(sorted(unknown))}.")
    return names


_off = _removed()


def on(name: str) -> bool:
    """Whether the safety is present; it always is outside tests."""
    assert name in KNOWN, name
    return name not in _off
