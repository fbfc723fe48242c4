"""Play one seed: the crowd, the faults, the rest, the verdict."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from typing import Any, Final, NamedTuple
from unittest.mock import patch

from tenants import duties
from tests.simulation import contract, judge
from tests.simulation.crowd import Told, press, shop
from tests.simulation.faults import happen, mend
from tests.simulation.loop import Stalled, owner, virtual
from tests.simulation.plan import TRAFFIC_S, Plan, Wish
from tests.simulation.world import Note, World, order_id_of

REST_MAX_S: Final = 120.0
PROBES_MAX: Final = 16


class Outcome(NamedTuple):
    seed: int
    violations: list[str]
    timeline: list[Note]
    answers: dict[str, int]
    seconds: float  # of virtual time
    steps: int

    @property
    def fingerprint(self) -> str:
        """The same for the same seed, in every process."""
        return blake2b(repr(self.timeline).encode(), digest_size=8).hexdigest()


def play(plan: Plan) -> Outcome:
    with ExitStack() as stack:
        loop = stack.enter_context(virtual(plan.seed))
        stack.enter_context(contract.doubled())
        stack.enter_context(patch.object(duties, "TABLES", ("orders", "sale")))
        world = World(plan, loop)
        stack.enter_context(_heard(world))
        notes: list[Told] = []
        loop.set_exception_handler(lambda _, about: world.wrong.append(f"unhandled: {about.get('message')}: {about.get('exception')!r}"))
        try:
            loop.run_until_complete(_course(world, notes))
        except Stalled as error:
            world.wrong.append(f"I17: {error}")
        world.wrong += [f"the double has not learnt: {sql}" for sql in world.db.unlearnt]
        answers: dict[str, int] = {}
        for note in notes:
            answers[note.answer] = answers.get(note.answer, 0) + 1
        return Outcome(plan.seed, list(dict.fromkeys(world.wrong)), world.timeline, answers, loop.time(), loop.steps)


class _Ear(logging.Handler):
    """What processes log belongs to the timeline."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        proc = owner()
        self._world.note(proc.name if proc else "-", f"logs: {record.getMessage()}")


@contextmanager
def _heard(world: World) -> Iterator[None]:
    ear, root = _Ear(world), logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers[:], root.level = [ear], logging.WARNING
    try:
        yield
    finally:
        root.handlers[:], root.level = before, level


async def _course(world: World, notes: list[Told]) -> None:
    def look(found: Iterator[str]) -> None:
        for what in found:
            if what not in world.wrong:
                world.wrong.append(what)
                world.note("JUDGE", what)

    world.watch = lambda: look(judge.after_a_script(world))
    crowd = [asyncio.create_task(shop(world, wish, notes)) for wish in world.plan.wishes]
    events = [asyncio.create_task(happen(world, event)) for event in world.plan.events]
    await asyncio.wait(events, timeout=TRAFFIC_S + 4) if events else None
    for task in events:
        if not task.done():
            task.cancel()
        elif (error := task.exception()) is not None:
            raise error
    mend(world)
    world.note("—", "everything is mended")
    await asyncio.gather(*crowd)
    await asyncio.sleep(judge.MEMORY_S)  # what memories may still say
    mended = world.loop.time()
    while not judge.is_at_rest(world) and world.loop.time() < mended + REST_MAX_S:  # noqa: ASYNC110  nothing sets an event when all rest
        await asyncio.sleep(0.5)
    look(judge.at_rest(world))
    await _probe(world, notes, look)
    look(judge.stock(world))
    look(judge.told(world, notes))


async def _probe(world: World, notes: list[Told], look: Any) -> None:
    """At rest a stranger gets what is left, each unit of it, and then hears that it is sold out."""
    for number, sale in enumerate(world.sales):
        row = judge.sale_row(world, sale)
        left = row["allotted"] - row["committed"]
        if not judge.is_sold(world, sale) or left > PROBES_MAX or world.wrong:
            continue
        answers = [await _stranger(world, notes, 1000 * (number + 1) + n, number) for n in range(left + 1)]
        if answers != ["reserved"] * left + ["sold_out"]:
            look(iter([f"I9: at rest {left} units are left, strangers are told {answers}"]))


async def _stranger(world: World, notes: list[Told], shopper: int, sale: int) -> str:
    wish = Wish(0, shopper, sale, "probe", 1, True, 5.0, 1, 0, 0, "leave")
    world.probes.add(order_id_of(wish.shopper, wish.key))
    for _ in range(5):
        told = await press(world, wish, notes, retried=False)
        if told.answer != "?":
            break
        await asyncio.sleep(1)
    return told.answer
