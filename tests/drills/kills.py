"""kill -9 at every place, in every kind of process that passes it, while shoppers and merchants go all their ways.

One shop runs throughout: three API processes, two workers, and `tessera import` again and again. Whoever passes an armed place dies there
and is started again by its keeper; nobody who asks knows more than that an answer did not come. Each order, import and sale must end as
if nothing had happened, and at the end the checker must agree, with the provider's books and with what clients were told.
"""

import asyncio
import os
import random
import signal
import time
from bisect import insort
from itertools import combinations
from pathlib import Path

from tessera.keeper import Keepers, NotReady
from tessera.shop import Shop
from tests.drills.deck import Deck
from tests.drills.drill import Budget, Drill, Outcome, Stage, Timeline, judge
from tests.drills.places import KINDS, Log, Point, steps

KILLS_S = 270.0  # of killing, when everything is played
KILLS_MIN, KILLS_MAX_S = 200, 480.0  # it goes on until there are so many of all kinds, where a busy machine is slow to start again who died
ARMED_MAX = {"api": 3, "worker": 2, "import": 1}
PATIENCE_S = 12.0  # of an armed place, before its turn comes again later
TRIES = 3
VALKEY_EVERY_S = 20.0  # it dies, too: some places lie on the way past a gate that is away
DOUBLES = 100
VICTIMS = {"api": ("api-1", "api-2", "api-3"), "worker": ("worker", "worker-2"), "valkey": ("valkey",), "postgres": ("postgres",)}
APART_S = 0.3
RECOVERED_S, RECOVERED_POSTGRES_S = 10.0, 15.0
RECOVERED_LONG_S = 60.0  # until every process is there again
BENEATH = 30
STANDS_S = 4.0  # within which somebody must come by; else the next place is tried
GATHER_S = 0.3  # others come to stand meanwhile, and one death of Postgres serves all


class Reaper:
    """Arms places, a few at a time, until each has taken its toll."""

    def __init__(self, folder: Path, log: Log, timeline: Timeline, dice: random.Random) -> None:
        self._folder = folder
        self._log = log
        self._timeline = timeline
        self._dice = dice
        self._todo: list[tuple[float, Point]] = []  # by rank
        self._armed: dict[Point, float] = {}  # since when
        self._tries: dict[Point, int] = {}
        self.killed: list[Point] = []
        self.missed: list[Point] = []  # nobody came by, although somebody had before

    @property
    def is_done(self) -> bool:
        return not self._todo and not self._armed

    @property
    def wanted(self) -> set[str]:
        """Kinds of processes that still have places to die at."""
        return {point.kind for point in self._armed} | {point.kind for _, point in self._todo}

    @property
    def waiting(self) -> int:
        """Places whose turn has not come."""
        return len(self._todo)

    def look(self) -> None:
        """Who has died, which places are new, which are armed next."""
        for passing in self._log.read():
            point = Point(passing.name, passing.where, passing.kind)
            if passing.action == "kill":
                self._armed.pop(point, None)
                self.killed.append(point)
                self._timeline.note(f"{passing.kind} {passing.pid} dies at {passing.name} ({passing.where}, passing {passing.times})")
            if passing.kind in KINDS and point not in self._tries:
                self._tries[point] = 0
                insort(self._todo, (self._dice.random() + (not point.is_on_the_way), point))
        now = time.monotonic()
        for point, since in list(self._armed.items()):
            if now - since > PATIENCE_S and self._disarm(point):
                self._tries[point] += 1
                if self._tries[point] < TRIES:
                    self._todo.append((2.0 + self._tries[point], point))
                else:
                    self.missed.append(point)
        for kind, most in ARMED_MAX.items():
            if (room := most - sum(point.kind == kind for point in self._armed)) <= 0:
                continue
            taken = {point.file for point in self._armed}
            for entry in [entry for entry in self._todo if entry[1].kind == kind]:
                if room and (point := entry[1]).file not in taken:
                    room -= 1
                    taken.add(point.file)
                    self._todo.remove(entry)
                    point.arm(self._folder, "kill")
                    self._armed[point] = now

    def put_down(self) -> None:
        """Nobody else dies; those who just did are counted."""
        for point in list(self._armed):
            self._disarm(point)
        self.look_last()

    def look_last(self) -> None:
        for passing in self._log.read():
            if passing.action == "kill":
                self.killed.append(Point(passing.name, passing.where, passing.kind))

    def _disarm(self, point: Point) -> bool:
        """False when somebody has taken it a moment ago."""
        try:
            (self._folder / point.file).unlink()
        except FileNotFoundError:
            return False
        del self._armed[point]
        return True


async def kills(stage: Stage, budget: Budget) -> Outcome:
    """First everybody goes all ways undisturbed, which shows the places; then they are armed in a random order."""
    shop, timeline = await stage.shop(), Timeline()
    async with Deck.open(stage, timeline) as deck:
        await deck.survey()
        log = Log(shop.folder / "passed")
        reaper = Reaper(shop.folder / "armed", log, timeline, random.Random(budget.seed))
        reaper.look()
        ending = time.monotonic() + KILLS_S * budget.share
        latest = time.monotonic() + KILLS_MAX_S * budget.share
        deck.deal()
        without_valkey = time.monotonic() + VALKEY_EVERY_S / 4

        def enough() -> bool:
            return len(reaper.killed) >= KILLS_MIN * budget.share and {point.kind for point in reaper.killed} == {*KINDS}

        while not reaper.is_done and time.monotonic() < (latest if not enough() else ending):
            deck.importing = "import" in reaper.wanted
            await asyncio.sleep(0.02)
            reaper.look()
            if time.monotonic() > without_valkey:
                timeline.note("valkey dies, and the sale goes on past its gate")
                await asyncio.to_thread(shop.servers.kill, "valkey")
                without_valkey += VALKEY_EVERY_S
        reaper.put_down()
        last = time.monotonic()
        wrong = await deck.settle()
    if budget.share >= 1:
        wrong += [f"nobody passed {step}" for step in steps() if not step.is_among(log.lines)]
        if len(reaper.killed) < KILLS_MIN:
            wrong.append(f"only {len(reaper.killed)} kill points")
    wrong += await judge(shop, history=deck.history())
    counts = {
        "kill_points": len(reaper.killed), "places": len(log.passed), "nobody came": len(reaper.missed), "no turn yet": reaper.waiting,
        "journeys": deck.played, "refused for a moment": len(deck.journeys.refused_s),
    }  # fmt: skip
    return Outcome("kills", len(reaper.killed), wrong, round(time.monotonic() - last, 1), counts, timeline.events)


async def doubles(stage: Stage, budget: Budget) -> Outcome:
    """Two of API process, worker, Valkey and Postgres die within 0.3 s of each other, again and again; each pair in its turn."""
    shop, timeline, dice = await stage.shop(), Timeline(), random.Random(budget.seed)
    wrong: list[str] = []
    slowest_s = 0.0
    pairs = list(combinations(VICTIMS, 2))
    runs = budget.of(DOUBLES, least=len(pairs))
    async with Deck.open(stage, timeline) as deck:
        deck.deal()
        for run in range(runs):
            if run % len(pairs) == 0:
                dice.shuffle(pairs)
            pair = dice.sample(pairs[run % len(pairs)], 2)  # in either order
            victims = [dice.choice(VICTIMS[kind]) for kind in pair]
            for victim in victims:
                await asyncio.to_thread(_wait_ready, shop, victim)
            for victim, wait_s in zip(victims, (dice.uniform(0, APART_S), 0), strict=True):
                timeline.note(f"{victim} dies")
                await asyncio.to_thread(_keepers(shop, victim).kill, victim)
                await asyncio.sleep(wait_s)
            since = time.monotonic()
            await deck.sells()
            took_s = time.monotonic() - since
            timeline.note(f"both doors have sold again after {took_s:.1f} s")
            slowest_s = max(slowest_s, took_s)
            if took_s > (RECOVERED_POSTGRES_S if "postgres" in pair else RECOVERED_S):
                wrong.append(f"after the deaths of {' and '.join(victims)} nothing was sold for {took_s:.1f} s")
        wrong += await deck.settle()
    wrong += await judge(shop, history=deck.history())
    counts = {"journeys": deck.played, "refused for a moment": len(deck.journeys.refused_s)}
    return Outcome("doubles", runs, wrong, round(slowest_s, 1), counts, timeline.events)


async def beneath(stage: Stage, budget: Budget) -> Outcome:
    """A process stands still at its place; Postgres dies beneath it and comes back; the process goes on."""
    shop, timeline, dice = await stage.shop(), Timeline(), random.Random(budget.seed)
    async with Deck.open(stage, timeline) as deck:
        if not stage.is_surveyed:
            await deck.survey()
        log = Log(shop.folder / "passed")
        log.read()
        points = {kind: sorted(point for point in log.passed if point.kind == kind) for kind in ("api", "worker")}
        chosen = [point for of in points.values() for point in dice.sample(of, min(len(of), budget.of(BENEATH // len(points))))]
        stood = 0
        deck.deal()
        for point in chosen:
            armed = point.arm(shop.folder / "armed", "stop")
            ending = time.monotonic() + STANDS_S
            while armed.exists() and time.monotonic() < ending:  # noqa: ASYNC110  there is no event to wait for
                await asyncio.sleep(0.02)
            armed.unlink(missing_ok=True)
            await asyncio.sleep(GATHER_S)
            if standing := _standing(shop):
                timeline.note(f"{point.kind} stands at {point.name}, Postgres dies")
                await asyncio.to_thread(shop.servers.kill, "postgres")
                await asyncio.to_thread(shop.servers.wait_ready, "postgres")
                stood += 1
            for pid in standing:
                os.kill(pid, signal.SIGCONT)
        last = time.monotonic()
        wrong = await deck.settle()
    wrong += await judge(shop, history=deck.history())
    counts = {"kill_points": stood, "journeys": deck.played}
    return Outcome("beneath", stood, wrong, round(time.monotonic() - last, 1), counts, timeline.events)


def _keepers(shop: Shop, name: str) -> Keepers:
    return shop.servers if name in ("valkey", "postgres") else shop.processes


def _wait_ready(shop: Shop, name: str) -> None:
    """Whoever starts while Postgres recovers ends, and is started again and again: that may take longer than its keeper likes."""
    ending = time.monotonic() + RECOVERED_LONG_S
    while True:
        try:
            shop.servers.wait_ready()
            return _keepers(shop, name).wait_ready(name)
        except NotReady:
            if time.monotonic() > ending:
                raise


def _standing(shop: Shop) -> list[int]:
    pids = [pid for name, pid in shop.processes.pids.items() if pid is not None and name != "provider"]
    return [pid for pid in pids if _state(pid) == "T"]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


DRILLS: dict[str, Drill] = {"kills": kills, "doubles": doubles, "beneath": beneath}
