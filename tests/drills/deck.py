"""A crowd that goes all ways, in a random order, until it is told to come to its end; and an importer at the command line beside it."""

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

import asyncpg

from tenants.db import CONNECTION_LOST, dsn_for
from tessera.shop import Shop
from tests.drills.drill import Stage, Timeline
from tests.drills.journeys import PATIENCE_S, Journeys, codes
from tests.drills.ways import WAYS, Way

CROWD = 8
REFUSED_S = 15.0  # that the gate may be wrong about a unit, while those who would tell it die
CODES = 40  # in a file of the importer
IMPORTS_MAX = 40  # times a file is tried, while whoever tries it dies at one place after the other


class Deck:
    """Ways, dealt to a crowd. What did not end as it should is in `wrong`."""

    def __init__(self, stage: Stage, shop: Shop, journeys: Journeys, timeline: Timeline) -> None:
        self.journeys = journeys
        self.importing = False
        self.played = 0
        self.wrong: list[str] = []
        self._stage = stage
        self._shop = shop
        self._timeline = timeline
        self._over = asyncio.Event()
        self._cards: list[tuple[Way, str]] = []
        self._crowd: list[asyncio.Task[None]] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, stage: Stage, timeline: Timeline) -> "AsyncIterator[Deck]":
        """A new store, its two sales on. The crowd is sent home at the end, wherever it is."""
        shop = await stage.shop()
        deck = cls(stage, shop, Journeys(shop, await stage.client()), timeline)
        await deck.journeys.open_store()
        try:
            yield deck
        finally:
            for task in deck._crowd:
                task.cancel()
            await asyncio.gather(*deck._crowd, return_exceptions=True)

    async def survey(self) -> None:
        """Each way once, through each door, undisturbed."""
        todo = [(way, sale) for way in WAYS for sale in self.journeys.sales.values()]
        room = asyncio.Semaphore(CROWD)

        async def go(way: Way, sale: str) -> None:
            async with room:
                await self._go(way, sale)

        await asyncio.gather(self._import(), *(go(way, sale) for way, sale in todo))
        self._stage.is_surveyed = True
        self._timeline.note("everybody has gone every way once")

    def deal(self) -> None:
        """From now on the crowd goes its ways."""
        self._crowd = [asyncio.create_task(self._shopper()) for _ in range(CROWD)] + [asyncio.create_task(self._importer())]

    async def sells(self) -> None:
        """Return when both doors have sold to somebody who came after this was called."""
        await asyncio.gather(*(self.journeys.press(sale) for sale in self.journeys.sales.values()))

    async def settle(self) -> list[str]:
        """Everybody comes to the end of his way. What was not as promised until now."""
        self._over.set()
        for task in self._crowd:
            if (await asyncio.gather(task, return_exceptions=True))[0] is not None:
                self.wrong.append(f"somebody's way ended with {task.exception()!r}")
        self._timeline.note("everybody has come to the end of his way")
        refused = [f"for {s:.1f} s a shopper was told that there was nothing for him" for s in self.journeys.refused_s if s > REFUSED_S]
        return self.wrong + self.journeys.strange + refused

    def history(self) -> Path:
        """What clients were told, as a file."""
        return self.journeys.write(self._shop.folder / f"{uuid4().hex}.history")

    async def _shopper(self) -> None:
        while not self._over.is_set():
            if not self._cards:
                self._cards = [(way, sale) for way in WAYS for sale in self.journeys.sales.values()]
                random.shuffle(self._cards)
            await self._go(*self._cards.pop())

    async def _go(self, way: Way, sale: str) -> None:
        began = time.monotonic()
        try:
            wrong = await way(self.journeys, sale)
        except Exception as error:
            wrong = repr(error)
        self.played += 1
        if wrong:
            name = f"{way.__name__} ({self.journeys.door(sale)})"
            self.wrong.append(f"{name}, {self._timeline.seconds:.1f} s after the start: {wrong}")
            self._timeline.note(f"{name} went wrong after {time.monotonic() - began:.1f} s: {wrong}")

    async def _importer(self) -> None:
        while not self._over.is_set():
            if self.importing:
                await self._import()
            else:
                await asyncio.sleep(0.1)

    async def _import(self) -> None:
        """A file of new codes at the command line, again until it is loaded: the same line, or `--resume` once there is something."""
        file = self._shop.folder / f"{uuid4().hex}.txt"
        file.write_text(codes(CODES))
        begun = ["--sku", self.journeys.sku]
        for _ in range(IMPORTS_MAX):
            what = begun if await self._imported(file) is None else ["--resume"]
            line = [sys.executable, "-m", "tessera", "import", str(file), "--store", self.journeys.slug, *what]
            process = await asyncio.create_subprocess_exec(
                *line, env=dict(self._shop.environ), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
            )
            await process.wait()
            if (state := await self._imported(file)) == "loaded":
                break
        else:
            self.wrong.append(f"a file is {state} after {IMPORTS_MAX} imports")
        file.unlink()

    async def _imported(self, file: Path) -> str | None:
        """The state of the file's import, None if it never began."""
        ending = time.monotonic() + PATIENCE_S
        while True:
            with suppress(*CONNECTION_LOST):
                conn = await asyncpg.connect(dsn_for(self.journeys.settings, "tessera_migrator"), timeout=5)
                try:
                    sql = "SELECT CASE WHEN state = 'loaded' AND loaded <> $2 THEN 'loaded in part' ELSE state END FROM vault_batch"
                    state: str | None = await conn.fetchval(f"{sql} WHERE filename = $1", file.name, CODES)
                    return state
                finally:
                    conn.terminate()
            if time.monotonic() > ending:
                return "unknown: Postgres stays away"
            await asyncio.sleep(0.1)
