"""Lines to Postgres, Valkey and the provider are slow, deaf, rude or bytewise, those of API processes or workers. Nobody waits for ever."""

import asyncio
from itertools import product
from typing import Final

from tests.drills.course import POSTGRES_S, REDIS_S, UNTOUCHED_S, Course, play
from tests.drills.drill import Budget, Drill, Outcome, Stage
from tests.drills.lines import DEPENDENCIES, KINDS, Dependency, Kind, lined_shop
from tests.drills.proxy import BLACK_HOLE, BYTEWISE, HALF_CLOSE, PASS, RESET, SLOW, STALL, Fault, Proxy

ANSWER_S: Final = 45.0  # beyond every bound: who waits so long was forgotten
# A press is given up after 8 s; but a process that has forgotten its store, like every other route, waits for Postgres: 5 s for a
# connection, 12 s for a statement. The rest is for a busy machine.
BOUND_S: Final = 5 + 12 + 3

# What happens to the bytes to the server and to those that come back, and for how long.
FAULTS: dict[str, tuple[Fault, Fault, float]] = {
    "slow": (SLOW, SLOW, 2.0),
    "reset": (RESET, RESET, 1.0),
    "bytewise": (BYTEWISE, BYTEWISE, 2.0),
    "half_closed": (PASS, HALF_CLOSE, 1.0),
    "stalled": (PASS, STALL, 3.0),
    "deaf": (BLACK_HOLE, BLACK_HOLE, 10.0),
}
# Sales that go on while the line is ill, by their doors.
SPARED: dict[tuple[Kind, Dependency], tuple[str, ...]] = {("api", "postgres"): (), ("api", "valkey"): ("direct",)}
SHORT_S: Final = 2.0  # in the short form
# So long a line is deaf over which more depends than one answer. A worker that is cut off in its transactions keeps a sale waiting until
# Postgres has ended them: each holds the row 4 s, and those that waited for it (for two locks, 3 s each) get it one after another.
DEAF_S: dict[tuple[Kind, Dependency], float] = {
    ("api", "postgres"): BOUND_S + 5.0,
    ("worker", "postgres"): POSTGRES_S + 2.0,
    ("worker", "valkey"): 5.0,  # its patience is 2 s
}


async def ill(course: Course, proxy: Proxy, fault: str, kind: Kind, dependency: Dependency, budget: Budget) -> None:
    up, down, lasts_s = FAULTS[fault]
    if fault == "deaf":
        lasts_s = DEAF_S.get((kind, dependency), lasts_s)
    spares = SPARED.get((kind, dependency), ("direct", "gate"))
    within_s, spared_s = (POSTGRES_S, POSTGRES_S) if dependency == "postgres" else (REDIS_S, UNTOUCHED_S)
    async with course.fault(fault, within_s, f"from {kind} to {dependency}", lasting=True, spares=spares, spared_s=spared_s):
        proxy.up, proxy.down = up, down
        await asyncio.sleep(lasts_s if budget.share >= 1 else min(lasts_s, SHORT_S))
        proxy.up = proxy.down = PASS


async def drill(stage: Stage, budget: Budget) -> Outcome:
    """Each illness on each line in turn; in the short form on one line."""
    shop, lines = await lined_shop(stage)
    ways = list(product(KINDS, DEPENDENCIES))

    async def act(course: Course) -> None:
        for number, fault in enumerate(FAULTS):
            for way in ways if budget.share >= 1 else [ways[(number + budget.seed) % len(ways)]]:
                await ill(course, lines.proxies[way], fault, *way, budget)
        crowd = course.crowd
        for what, seconds in sorted(crowd.slowest.items()):
            if seconds > BOUND_S:
                course.say(f"{what} was answered after {seconds:.1f} s")
        if crowd.unheard:
            course.say(f"{crowd.unheard} requests were not answered within {ANSWER_S:.0f} s")
        course.counts |= {"slowest_answer_ms": round(1000 * max(crowd.slowest.values()))}

    return await play(stage, shop, "lines", budget.seed, act, answer_s=ANSWER_S)


DRILLS: dict[str, Drill] = {"lines": drill}
