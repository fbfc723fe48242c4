"""A check that has not been seen to fail proves nothing: each safety is removed from the product's path, and the checker must see it.

A control is a scene without one safety. After each run the checker looks, with what the shoppers wrote down and with the provider's books;
what the scene itself counts does not matter here. The ten of `CONTROLS` are those that are promised, `TWINS` the others there are. With
nothing removed the same scenes are played by `payments` and `races`.
"""

from typing import NamedTuple

from tests.drills.drill import Budget, Drill, Outcome, Stage

RUNS_MAX = 20


class Control(NamedTuple):
    removed: str  # as `checkout_core.safeties` names them
    scene: str
    breaks: tuple[str, ...]  # promises, of which at least one must be found broken
    how: dict[str, int] = {}


CONTROLS = {
    "no row lock": Control("row_lock", "plenty", ("I1", "I2")),
    "no unique slot": Control("unique_slot", "limit_of_two", ("I8",)),
    "no epoch check": Control("epoch", "gate_late_commit", ("I24",)),
    "ident ignored": Control("ident", "gate_restored", ("I6",)),
    "ack before commit": Control("commit_first", "gate_changed", ("I7",)),
    "journal deleted before commit": Control("journal", "gate_left_behind", ("I6",)),
    "give-back without its number": Control("give_back_seq", "gate_given_back_twice", ("I6",)),
    "no amount check": Control("amount_check", "notices", ("I13",)),
    "no closing": Control("closing", "pay_or_expire", ("I15",), {"at_once": 1}),
    "no inbox": Control("inbox", "notices", ("I12", "I19")),
}
TWINS = {
    "no lock and no count": Control("row_lock,allotment", "last_unit", ("I1", "I2")),
    "no lock of the order": Control("order_lock", "pay_or_expire", ("I15",), {"at_once": 1}),
    "an order id by chance": Control("idempotent_order", "same_key", ("I18",)),
    "no look for holders": Control("holders", "gate_asked_again", ("I18",)),
    "a journal cleared by order": Control("ack_intent", "gate_admitted_twice", ("I6",)),
    "select, then update": Control("", "select_then_update", ("I1", "I2")),
}


def control(name: str, what: Control, count: str) -> Drill:
    """Play until the checker sees it; 20 runs are too many."""

    async def drill(stage: Stage, budget: Budget) -> Outcome:
        children = await stage.children()
        played = await children.play(what.scene, RUNS_MAX, removed=what.removed, until_caught=True, **what.how)
        caught = sorted({line.partition(":")[0] for line in played.violated} & {*what.breaks})
        missed = [] if caught else [f"{what.scene} without {what.removed} was not caught in {played.rounds} runs: {played.violated[:3]}"]
        return Outcome(name, played.rounds, missed, counts={count: 1, f"{count}_caught": len(caught) and 1})

    return drill


DRILLS: dict[str, Drill] = {name: control(name, each, "controls") for name, each in CONTROLS.items()} | {
    name: control(name, each, "twins") for name, each in TWINS.items()
}
