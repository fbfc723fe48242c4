"""Safeties that a test may remove, to see the checker catch what then goes wrong. `config` refuses the switch outside tests."""

import os
from typing import Final

KNOWN: Final = frozenset(
    {
        "row_lock",  # the sale's row and the picked units are locked before they change
        "allotment",  # the count of committed units moves by what was taken, under the CHECK that it fits the allotment
        "unique_slot",  # a shopper's units fill slots of the sale, and a slot is unique
        "idempotent_order",  # the order id follows from the idempotency key
        "body_hash",  # the same key with another body is refused
        "amount_check",  # a payment counts only at the order's amount and currency
        "closing",  # an order is closed at the provider before its units return
        "order_lock",  # confirm, expire and cancel lock the order's row
        "inbox",  # a payment is known by the provider's transaction, so that a notice told again has no effect
        "epoch",  # what was admitted under an old epoch counts for nothing
        "ident",  # a gate is open only to the server it was loaded on
        "give_back_seq",  # a return to a gate is applied once, by its number
        "commit_first",  # whoever is told "reserved" has a committed order
        "journal",  # an admitted intent stays in the journal until it is decided
        "ack_intent",  # a journal entry is removed only by the intent it holds
        "holders",  # no refusal before a look at what the shopper may hold already
        "key_line",  # a newer key is made when nobody is sealing with the one before
        "each_fingerprint",  # while fingerprint keys are rotated, a code is looked for under each of them
        "edit_line",  # whoever writes down what a product is shown as holds the product: of two at once the second has seen the first
        "audit_chain",  # entries of the audit are linked, each to the one before
        "sweep",  # the sweep finishes duties whose bell was lost
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
