"""Settings of Postgres and Valkey, one at a time: what is chosen against something else, in turns, A B B A.

All presses of a candidate are on new shoppers of one sale, and each begins right after a checkpoint, as a sale does whose units were loaded
long before: whoever is first to change a page writes all of it to the WAL. Where two rounds meet, the same value is pressed twice, switched
to both times as to any other: what differs between those two is noise, and a difference that noise can make is called none.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, cast

import asyncpg
from redis import Redis

from loadtests.bench import afterwards, press
from loadtests.bench.candidates import TRIED, Candidate, Values, Where
from loadtests.bench.figures import summary
from loadtests.bench.press import Pressed, Wrong
from loadtests.bench.racers import BATCHED, OURS, Racer
from loadtests.bench.races import Hall, cpu
from loadtests.bench.sizes import CONNECTIONS
from loadtests.bench.trials import LEAST_ROUNDS, of_the_same, ratios, turns
from tenants.db import PLANNING
from tessera.embedded import Servers

ROUNDS: Final = 3
WARM_UP: Final = 512  # reservations after a switch that nobody counts: sessions hear of it, or are opened and prepare their statements
HEARD_S: Final = 10.0  # until servers have what they were given


def wanted(names: Iterable[str] = ()) -> list[Candidate]:
    """Those named, or all. Raises KeyError for a name nobody has."""
    named = set(names)
    if strange := named - {candidate.name for candidate in TRIED}:
        raise KeyError(", ".join(sorted(strange)))
    return [candidate for candidate in TRIED if not named or candidate.name in named]


def racers_of(candidates: Iterable[Candidate]) -> list[Racer]:
    """Everybody who is pressed on."""
    return list({racer.name: racer for each in candidates for values in ({}, *each.others) for racer in (racer_of(each, values),)}.values())


def racer_of(candidate: Candidate, values: Values) -> Racer:
    """Whom to press on: for what is said when a session opens, an API process that says so; else the shop."""
    if candidate.where is not Where.SESSION:
        return OURS
    if not values:
        return BATCHED
    said = [part for name, value in values.items() for part in ("--session", f"{name}={value}")]
    return BATCHED._replace(name="-".join(["batched", *values, *values.values()]), arguments=("batched", *said))


class Switch:
    """Gives servers other values; what they have at first is what is chosen."""

    def __init__(self, servers: Servers, redis: Redis) -> None:
        self._servers = servers
        self._redis = redis
        self._chosen: dict[str, str] = dict(PLANNING)

    def chosen(self, candidate: Candidate) -> str:
        """What is chosen, as the server says it."""
        return self._chosen.get(candidate.name, "")

    def note(self, candidates: Iterable[Candidate]) -> None:
        """Remember what the servers have, before anything is switched."""
        for candidate in candidates:
            for name in candidate.names:
                if candidate.where is Where.VALKEY:
                    self._chosen |= cast("dict[str, str]", self._redis.config_get(name))
                elif candidate.where is not Where.SESSION:
                    self._chosen[name] = asyncio.run(self._ask(f"SHOW {name}"))

    def to(self, candidate: Candidate, values: Values) -> None:
        """Give `values` to the candidate's servers, and what is chosen for all they have besides. Raises `Wrong` when that is not heard."""
        if candidate.where is Where.VALKEY:
            self._config_set({name: self._chosen[name] for name in candidate.names} | dict(values))
        elif candidate.where is not Where.SESSION:
            asyncio.run(self._alter_system(values))
            if candidate.where is Where.POSTGRES_START:
                self._servers.restart("postgres")
            asyncio.run(self._heard(values))

    def do(self, sql: str) -> None:
        """In Postgres, as its administrator."""
        asyncio.run(self._ask(sql))

    def _config_set(self, values: Values) -> None:
        for name, value in values.items():
            self._redis.config_set(name, value)
        # An append-only file that is switched on is written anew first.
        wait("Valkey writes its file", lambda: not cast("Any", self._redis.info("persistence"))["aof_rewrite_in_progress"])

    async def _alter_system(self, values: Values) -> None:
        conn = await asyncpg.connect(self._servers.database_url)
        try:
            await conn.execute("ALTER SYSTEM RESET ALL")
            for name, value in values.items():
                await conn.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            await conn.execute("SELECT pg_reload_conf()")
        finally:
            await conn.close()

    async def _heard(self, values: Values) -> None:
        altered = "SELECT array_agg(name ORDER BY name) FROM pg_settings WHERE sourcefile LIKE '%postgresql.auto.conf'"
        deadline = time.monotonic() + HEARD_S
        while (found := await self._ask(altered) or []) != sorted(values):
            if time.monotonic() > deadline:
                raise Wrong(f"new sessions have other values of {found}, and not of {sorted(values)}")
            await asyncio.sleep(0.02)

    async def _ask(self, sql: str) -> Any:
        """In a session of its own."""
        conn = await asyncpg.connect(self._servers.database_url)
        try:
            return await conn.fetchval(sql)
        finally:
            await conn.close()


def wait(what: str, is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HEARD_S
    while not is_so():
        if time.monotonic() > deadline:
            raise Wrong(f"in vain waited for {HEARD_S:.0f} s: {what}")
        time.sleep(0.02)


def run(hall: Hall, candidates: Sequence[Candidate], rounds: int) -> dict[str, Any]:
    """Every candidate's ratios, round by round, and the noise beside them. Raises `Wrong`."""
    switch = Switch(hall.rig.shop.servers, hall.rig.redis)
    switch.note(candidates)
    history = hall.rig.shop.folder / "settings.jsonl"
    found: dict[str, Any] = {}
    for candidate in candidates:
        plan = turns(len(candidate.others), max(rounds, LEAST_ROUNDS))
        pressed = rush(hall, switch, candidate, plan, history)
        by_value = [[each for turn, each in zip(plan, pressed, strict=True) if turn == which] for which in range(len(candidate.others) + 1)]
        found[candidate.name] = {
            "where": candidate.where.value,
            "chosen": switch.chosen(candidate),
            "chosen_pressed": summary(by_value[0]),
            "others": {
                candidate.label(values): list(map(ratios, those, by_value[0]))
                for values, those in zip(candidate.others, by_value[1:], strict=True)
            },
            "noise": of_the_same(plan, pressed),
        }
    press.prove(hall.rig, "all settings", history)
    return found


def rush(hall: Hall, switch: Switch, candidate: Candidate, plan: Sequence[int], history: Path) -> list[Pressed]:
    """The presses of one candidate, turn by turn."""
    rig, count = hall.rig, hall.size.presses // 2
    sale = rig.open_sale(OURS, len(plan) * (count + WARM_UP) + press.SPARE)
    switch.do("VACUUM (ANALYZE)")  # or autovacuum does it when it likes
    pressed = []
    for which in plan:
        values: Values = candidate.others[which - 1] if which else {}
        switch.to(candidate, values)
        racer = racer_of(candidate, values)

        def reserve(presses: int, racer: Racer = racer) -> Pressed:
            report = press.load(rig, racer, sale, presses, connections=CONNECTIONS, history=history)
            press.expect_all(racer, report, presses)
            afterwards.finish(rig)
            return press.pressed_of(report)

        reserve(WARM_UP)
        switch.do("CHECKPOINT")
        each = reserve(count)
        pressed.append(each)
        what = candidate.label(values) if which else switch.chosen(candidate)
        hall.say(f"{candidate.name:26} {what:24} {each.per_s:>7,.0f}/s  {cpu(each)}  p99 {each.latency_ms['p99']:.1f} ms")
    switch.to(candidate, {})
    rig.end_sale(sale)
    return pressed
