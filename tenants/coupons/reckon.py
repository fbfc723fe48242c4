"""What coupons take off, in whole minor units, and which of them together take off most. Arithmetic alone: nothing is read or kept here.

Percents come before fixed amounts, each of what those before it left; a threshold is of what the things cost without any coupon. A percent
is rounded down. What is taken off is divided among the lines by what they cost (`tenants.orders.shares`), and every unit still costs at
least 1: an order for nothing there is none.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Final, Literal, NamedTuple
from uuid import UUID

from tenants.coupons.share import Share
from tenants.orders.shares import Claim, divide

TOGETHER_MAX: Final = 3  # coupons of an order
CONSIDERED_MAX: Final = 12  # of those that take off most by themselves, which go best together is tried: 298 ways
WHOLE_BP: Final = 10_000

Why = Literal["out_of_scope", "threshold", "worth_nothing", "used_up", "not_the_best", "not_together"]


class Good(NamedTuple):
    """A line: `units` that cost `amount_minor` together, and the ids that a scope may name it by."""

    key: UUID
    units: int
    amount_minor: int
    names: frozenset[UUID]


class Rule(NamedTuple):
    """What a piece takes off. `left_minor` is what its coupon may still give away, None for any amount."""

    grant_id: UUID
    coupon_id: UUID
    kind: str
    off_minor: int
    off_bp: int
    cap_minor: int | None
    threshold_minor: int
    scope: str
    names: frozenset[UUID]
    stack_group: str
    exclusive: bool
    left_minor: int | None


class Unfit(NamedTuple):
    """Why a piece takes nothing off. `missing_minor` is what the cart lacks of its threshold."""

    rule: Rule
    why: Why
    missing_minor: int = 0


class Reckoned(NamedTuple):
    shares: list[Share]
    unfit: list[Unfit]

    @property
    def discount_minor(self) -> int:
        return sum(share.discount_minor for share in self.shares)


def best(rules: Sequence[Rule], goods: Sequence[Good]) -> Reckoned:
    """Those of `rules` that take off most together. Of equals the fewer; then those that stand first."""
    fit: list[tuple[int, int, Rule]] = []
    unfit: list[Unfit] = []
    for n, rule in enumerate(rules):
        found = _alone(rule, goods)
        if isinstance(found, Unfit):
            unfit.append(found)
        elif any(rule.coupon_id == other.coupon_id for _, _, other in fit):
            unfit.append(Unfit(rule, "not_together"))
        else:
            fit.append((-found.discount_minor, n, rule))
    fit.sort()
    considered = [rule for _, _, rule in fit[:CONSIDERED_MAX]]
    chosen: list[Share] = []
    chosen_rules: Sequence[Rule] = ()
    most = 0
    for count in range(1, TOGETHER_MAX + 1):
        for together in combinations(considered, count):
            if not go_together(together):
                continue
            shares = apply(together, goods)
            worth = sum(share.discount_minor for share in shares)
            if worth > most and len(shares) == count:
                chosen, chosen_rules, most = shares, together, worth
    # One that fits but was not chosen cannot be with these, or takes nothing more off beside them.
    rest = [rule for _, _, rule in fit if rule not in chosen_rules]
    return Reckoned(
        chosen, unfit + [Unfit(rule, "not_the_best" if go_together([rule, *chosen_rules]) else "not_together") for rule in rest]
    )


def exactly(rules: Sequence[Rule], goods: Sequence[Good]) -> Reckoned:
    """All of `rules`, as far as each takes something off beside the others."""
    unfit = [found for rule in rules if isinstance(found := _alone(rule, goods), Unfit)]
    fit = [rule for rule in rules if all(rule is not each.rule for each in unfit)]
    if not go_together(fit):
        return Reckoned([], unfit + [Unfit(rule, "not_together") for rule in fit])
    shares = apply(fit, goods)
    taken = {share.grant_id for share in shares}
    return Reckoned(shares, unfit + [Unfit(rule, "worth_nothing") for rule in fit if rule.grant_id not in taken])


def go_together(rules: Sequence[Rule]) -> bool:
    """At most one of each group and of each coupon, and of those that go alone only one."""
    if len(rules) < 2:
        return True
    groups, coupons = {rule.stack_group for rule in rules}, {rule.coupon_id for rule in rules}
    return len(groups) == len(coupons) == len(rules) <= TOGETHER_MAX and not any(rule.exclusive for rule in rules)


def apply(rules: Sequence[Rule], goods: Sequence[Good]) -> list[Share]:
    """What each takes off of what those before it left; one for which nothing is left is left out."""
    shares = []
    costs = {good.key: good.amount_minor for good in goods}
    for rule in sorted(rules, key=lambda rule: (rule.kind != "percent", -rule.off_bp, rule.coupon_id)):
        lines = [good for good in goods if _is_in(rule, good)]
        off = _off(rule, sum(costs[good.key] for good in lines), sum(good.units for good in lines))
        if off <= 0:
            continue
        left = sum(costs[good.key] for good in lines) - off
        after = divide(left, [Claim(good.key, good.units, costs[good.key]) for good in lines])
        share = {good.key: costs[good.key] - cost for good, cost in zip(lines, after, strict=True) if cost < costs[good.key]}
        costs |= dict(zip((good.key for good in lines), after, strict=True))
        shares.append(Share(rule.grant_id, rule.coupon_id, share))
    return shares


def units(amount_minor: int, paid: Sequence[int]) -> list[int]:
    """What each unit of a line costs, that cost `paid` before, now that the line costs `amount_minor`."""
    return divide(amount_minor, [Claim(UUID(int=len(paid) - n), 1, each) for n, each in enumerate(paid)])


def _alone(rule: Rule, goods: Sequence[Good]) -> Share | Unfit:
    lines = [good for good in goods if _is_in(rule, good)]
    whole = sum(good.amount_minor for good in lines)
    if not lines:
        return Unfit(rule, "out_of_scope")
    if whole < rule.threshold_minor:
        return Unfit(rule, "threshold", rule.threshold_minor - whole)
    shares = apply([rule], goods)
    if not shares:
        return Unfit(rule, "worth_nothing")
    if rule.left_minor is not None and shares[0].discount_minor > rule.left_minor:
        return Unfit(rule, "used_up")
    return shares[0]


def _off(rule: Rule, cost_minor: int, units: int) -> int:
    off = rule.off_minor if rule.kind == "fixed" else cost_minor * rule.off_bp // WHOLE_BP
    return min(off, cost_minor - units, *(() if rule.cap_minor is None else (rule.cap_minor,)))


def _is_in(rule: Rule, good: Good) -> bool:
    return rule.scope == "all" or (rule.scope == "only") == bool(rule.names & good.names)
