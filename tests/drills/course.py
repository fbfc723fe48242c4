"""A drill in which people press all the time: one fault after another, each followed by a look at whether people buy again."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from tenants.db import dsn_for
from tenants.invariants import gates, run
from tenants.invariants.look import Look, Options, Store
from tessera.shop import Shop
from tests.drills.crowd import Crowd
from tests.drills.drill import Outcome, Stage, Timeline

AGAIN = 5  # reservations of each sale after a fault: it sells
REDIS_S = 10.0
POSTGRES_S = 15.0
UNTOUCHED_S = 8.0  # what a fault does not concern pauses no longer than a busy machine makes it


class Course:
    """`wrong` is what was not as promised; `counts` goes to the report, with the longest pauses in ms."""

    def __init__(self, shop: Shop, crowd: Crowd) -> None:
        self.shop = shop
        self.crowd = crowd
        self.timeline = Timeline()
        self.wrong: list[str] = []
        self.counts: dict[str, int] = {}
        self.runs = 0
        self.pauses_s: dict[str, float] = defaultdict(float)  # the longest after each kind of fault

    @asynccontextmanager
    async def fault(
        self,
        name: str,
        within_s: float,
        what: str = "",
        *,
        lasting: bool = False,
        spares: tuple[str, ...] = (),
        spared_s: float = UNTOUCHED_S,
    ) -> AsyncIterator[None]:
        """The block is a fault. After it each sale must sell on.

        The longest pause counts from the block's begin, or for a `lasting` fault, which nobody can sell under, from its end, and may be
        `within_s`. Sales whose doors it `spares` sell through it, with pauses of `spared_s` at most.
        """
        told = f"{name} {what}".rstrip()
        self.timeline.note(told)
        began = time.monotonic()
        yield
        since = time.monotonic() if lasting else began
        self.timeline.note(f"{told}: over")
        self.runs += 1
        try:
            await self.crowd.sells(AGAIN)
        except TimeoutError:
            self.say(f"{told}: people cannot buy any more")
            raise
        pause_s = self.crowd.pause_s(since)
        self.timeline.note(f"{told}: people buy again; the longest pause was {pause_s:.2f} s")
        self.pauses_s[name] = max(self.pauses_s[name], pause_s)
        if pause_s > within_s:
            self.say(f"{told}: nothing was sold for {pause_s:.1f} s, longer than {within_s:.0f}")
        if spares and (pause_s := self.crowd.pause_s(began, *spares)) > spared_s:
            self.say(f"{told}: meanwhile nothing was sold for {pause_s:.1f} s at a door that should go on ({', '.join(spares)})")
        await self._look_at_gates(told)

    def say(self, wrong: str) -> None:
        self.timeline.note(f"WRONG: {wrong}")
        self.wrong.append(wrong)

    async def _look_at_gates(self, what: str) -> None:
        """A gate that counts too many says so now, as the next fault would make it count anew; and so does who sold under an old count."""
        conn = await asyncpg.connect(dsn_for(self.crowd.settings, "tessera_migrator"), timeout=10)
        try:
            look = Look(Store(conn=conn, settings=self.crowd.settings, options=Options()))
            async with run.snapshot(conn):
                await gates.redis_never_counts_more(look)
                await gates.old_epochs_change_nothing(look)
        finally:
            await conn.close()
        for claim in look.claims:
            if claim.violations:
                self.say(f"{what}: {claim.sentence}: {claim.rows[0]}")


async def play(
    stage: Stage, shop: Shop, name: str, seed: int, act: Callable[[Course], Awaitable[None]], *, answer_s: float = 3.0
) -> Outcome:
    """Open a store, let people press, act, and judge what came of it."""
    client = await stage.client()
    async with Crowd(shop, client, seed, answer_s=answer_s) as crowd:
        course = Course(shop, crowd)
        await crowd.sells(AGAIN)
        try:
            await act(course)
        except TimeoutError:
            if not course.wrong:
                raise
        await asyncio.to_thread(shop.servers.wait_ready)
        await asyncio.to_thread(shop.processes.wait_ready)
    course.timeline.note("people go home")
    wrong = course.wrong + await crowd.judge(shop.folder)
    counts = {f"{name}_ms": round(1000 * pause_s) for name, pause_s in course.pauses_s.items()} | course.counts
    counts |= {"reserved": sum(map(len, crowd.reserved.values())), "delivered": crowd.delivered}
    return Outcome(name, course.runs, wrong, round(max(course.pauses_s.values(), default=0.0), 2), counts, course.timeline.events)
