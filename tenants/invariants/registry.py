"""The promises, in words, and which functions prove each.

A module of a family registers its functions with `@invariant("I3")`. A promise nobody proves yet stays in the list and reads
"not checked": nothing is left out silently.
"""

from collections.abc import Awaitable, Callable

from tenants.invariants.look import Look

Check = Callable[[Look], Awaitable[None]]

PROMISES: dict[str, str] = {
    "I1": "Every unit loaded is in exactly one state, and every sale counts its units right.",
    "I2": "A unit is held or sold if and only if it belongs to a line of a live order.",
    "I3": "A unit is delivered at most once, for ever.",
    "I4": "A unit that was delivered never returns to stock.",
    "I5": "A plaintext is loaded once per tenant.",
    "I6": "Redis never counts more units than Postgres has available, and exactly as many at rest.",
    "I7": "Whoever was told “reserved” has a committed order.",
    "I8": "No shopper holds more of a sale than its limit.",
    "I9": "No unit is lost to a sale, and nobody is told “sold out” while stock is left.",
    "I10": "Every ledger transaction sums to zero, and entries are never changed.",
    "I11": "Every balance is what the payments and refunds make it.",
    "I12": "The provider's books and ours agree, to the minor unit.",
    "I13": "An order's amount is the sum of its lines, and only that amount pays for it.",
    "I14": "Refunds never exceed payments, and money that came for nothing goes back once.",
    "I15": "What was paid for is delivered or refunded.",
    "I16": "Every hold ends at most 60 s after its time.",
    "I17": "Every duty is done or has its next time, and none is overdue.",
    "I18": "The same wish under the same key is one order with one answer.",
    "I19": "Each event of a provider has at most one effect.",
    "I20": "What we ask of a provider carries a reference that was committed before.",
    "I21": "No tenant can read or write a row of another.",
    "I22": "No code lies in the clear outside the answer that reveals it.",
    "I23": "Who did what cannot be changed afterwards, and every reveal is on record.",
    "I24": "A commit stamped with an old epoch never changes stock.",
    "I25": "A coupon stays within its bounds, a piece is one order's at most, and what it takes off is what that does not pay.",
    "I26": "A shopper's points are the sum of what he got and gave, and of what is left of his lots; never below zero.",
    "I27": "An order earns points once, and gives back the share that is refunded, at most what it earned.",
}

CHECKS: dict[str, list[Check]] = {name: [] for name in PROMISES}


def invariant(name: str) -> Callable[[Check], Check]:
    """Register a function that looks for what breaks the promise `name`; several may share one."""

    def register(check: Check) -> Check:
        CHECKS[name].append(check)
        return check

    return register
