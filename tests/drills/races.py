"""Many at the same instant: the last unit, whole stocks, limits while Redis is emptied, stock that comes and goes while it is sold."""

from tests.drills.children import Played
from tests.drills.drill import Budget, Drill, Outcome, Stage


class Heats:
    """A drill of scenes, some rounds of each and of some size, each in a process of its own."""

    def __init__(self, name: str, *scenes: tuple[str, int, dict[str, int]], least: int = 1) -> None:
        self.name = name
        self._scenes = scenes
        self._least = least

    async def __call__(self, stage: Stage, budget: Budget) -> Outcome:
        children = await stage.children()
        outcome = Outcome(self.name, 0, [], counts={})
        for scene, rounds, how in self._scenes:
            wanted = budget.of(rounds, least=self._least)
            played = await children.play(scene, wanted, **{name: budget.of(size) for name, size in how.items()})
            outcome.runs += played.rounds
            outcome.violations += [f"{scene}: {sentence}" for sentence in played.wrong + played.violated]
            if played.rounds < wanted:
                outcome.violations.append(f"{scene}: {played.rounds} rounds of {wanted}")
            add(outcome.counts, played)
        return outcome


def add(counts: dict[str, int], played: Played) -> None:
    """What was told, and how orders ended: by their state alone, or as paid back."""
    for how, count in played.seen.items():
        ended = how.partition(", paid")[0].rpartition(": ")[2]
        name = "paid back" if ": succeeded" in how else ended
        counts[name] = counts.get(name, 0) + count


HEATS = (
    Heats("last unit", ("last_unit", 1000, {}), least=20),
    Heats("last unit at the gate", ("gate_last_unit", 1000, {}), least=20),
    Heats("sell-out", ("sell_out", 2, {"units": 10_000})),
    Heats("sell-out at the gate", ("gate_sell_out", 2, {"units": 10_000})),
    Heats("sell-outs of a thousand", ("sell_out", 8, {"units": 1_000}), ("gate_sell_out", 8, {"units": 1_000})),
    Heats("limits while Redis is emptied", ("gate_limits", 20, {}), least=2),
    Heats("stock changed meanwhile", ("changed", 10, {}), ("gate_changed", 10, {})),
    Heats("asked again", ("same_key", 50, {}), ("limit_of_two", 50, {}), ("plenty", 20, {}), ("gate_asked_again", 10, {}), least=2),
    Heats(
        "flash sales disturbed", *((f"gate_{scene}", 10, {}) for scene in
        ("late_commit", "given_back_twice", "admitted_twice", "left_behind", "emptied", "restored"))
    ),
)  # fmt: skip
DRILLS: dict[str, Drill] = {heats.name: heats for heats in HEATS}
