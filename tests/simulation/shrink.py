"""Make a failing plan smaller, piece by piece, while it still breaks the same promise."""

from typing import Final

from tests.simulation.plan import Plan
from tests.simulation.play import Outcome, play

TRIES_MAX: Final = 150


def shrink(plan: Plan) -> Outcome:
    """The smallest failing play found; its violations begin like those of `plan`."""
    best = play(plan)
    if not best.violations:
        return best
    promise = best.violations[0].partition(":")[0]
    tries = 0
    size = max(len(plan.wishes), 1)
    while size and tries < TRIES_MAX:
        smaller = False
        for field in ("events", "wishes"):
            at = 0
            while at < len(getattr(plan, field)) and tries < TRIES_MAX:
                parts = getattr(plan, field)
                candidate = plan._replace(**{field: parts[:at] + parts[at + size :]})
                tries += 1
                outcome = play(candidate)
                if any(violation.startswith(promise) for violation in outcome.violations):
                    plan, best, smaller = candidate, outcome, True
                else:
                    at += size
        if not smaller or size > 1:
            size //= 2
    return best
