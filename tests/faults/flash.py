"""A flash sale under faults, with everything real: API processes, workers, Postgres and Valkey that are killed while shoppers press.

    python -m tests.faults.flash            every drill, two minutes
    python -m tests.faults.flash valkey     one of them

Each drill is a sale of its own. Afterwards nothing that was acknowledged may be lost, every unit must be sold once, selling must have gone
on in time, and the checker must agree. Exit code 1 when one does not hold.
"""

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
from redis.asyncio import Redis

from checkout_core.config import Settings
from tenants.invariants import run
from tenants.invariants.look import Options
from tessera.shop import Shop
from tests.drills.drill import violations
from tests.drills.scenes.gates import AOF, put_back
from tests.faults.rush import Rush

UNITS = 800
STEP_S = 10.0
PACE_S = 0.15  # of each shopper in the drill of steps, so that the sale outlasts them
APIS = 3
REDIS_S = 10.0
POSTGRES_S = 15.0
STEPS = (
    "admit.after", "admit.committed", "ack.before", "gate.counted", "gate.loaded", "give_back.read", "give_back.applied",
    "recover.committed",
)  # fmt: skip


class Shown(msgspec.Struct):
    """Of one drill: what went wrong, and the longest time from the fault on in which nobody was told "reserved"."""

    wrong: list[str]
    pause_s: float
    sold: int
    seconds: float


class Drills:
    """What is done to the shop when a third of the sale is sold."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    async def api(self, rush: Rush) -> None:
        """kill -9 of one API process of three; those who were connected to it ask again."""
        await asyncio.to_thread(self.shop.processes.kill, "api-1")

    async def worker(self, rush: Rush) -> None:
        """kill -9 of both workers."""
        for name in ("worker", "worker-2"):
            await asyncio.to_thread(self.shop.processes.kill, name)

    async def valkey(self, rush: Rush) -> None:
        await asyncio.to_thread(self.shop.servers.kill, "valkey")

    async def postgres(self, rush: Rush) -> None:
        await asyncio.to_thread(self.shop.servers.kill, "postgres")

    async def emptied(self, rush: Rush) -> None:
        """FLUSHALL: the server stays, its ident too; all that it counted is gone."""
        async with Redis.from_url(rush.settings.redis_url) as redis:
            await redis.flushall()

    async def restored(self, rush: Rush) -> None:
        """An older append-only file is put back: it counts units that were sold since."""
        servers, folder = self.shop.servers, self.shop.folder / "servers" / "valkey" / AOF
        with tempfile.TemporaryDirectory(prefix="tessera-aof-") as copy:
            await asyncio.to_thread(servers.stop, "valkey")
            await asyncio.to_thread(shutil.copytree, folder, Path(copy) / AOF)
            await asyncio.to_thread(servers.resume, "valkey")
            await rush.sold(len(rush.reserved) + UNITS // 5)
            await asyncio.to_thread(servers.stop, "valkey")
            await asyncio.to_thread(put_back, Path(copy) / AOF, folder)
            await asyncio.to_thread(servers.resume, "valkey")

    async def zombie(self, rush: Rush) -> None:
        """A process stands still between gate and commit; the sale is paused and resumed; the process goes on with what is void."""
        self.arm("admit.after", "stop")
        standing: list[int] = []
        async with asyncio.timeout(20):
            while not (standing := self.standing()):  # noqa: ASYNC110  there is no event to wait for
                await asyncio.sleep(0.01)
        await rush.change("pause")
        await rush.change("resume")
        await rush.sold(len(rush.reserved) + UNITS // 10)
        for pid in standing:
            os.kill(pid, signal.SIGCONT)

    async def changed(self, rush: Rush) -> None:
        """The merchant adds stock, takes some back, changes the limit, pauses and resumes, while shoppers press."""
        await rush.change("stock", {"add": 100})
        await rush.change("limit", {"limit_per_shopper": 2})
        await rush.change("stock", {"withdraw": 50})
        await rush.change("pause")
        await rush.change("resume")
        await rush.change("limit", {"limit_per_shopper": 1})

    async def steps(self, rush: Rush) -> None:
        """Whoever passes a step of the gate dies there: between gate, commit and journal, count and load, row and return."""
        for step in STEPS:
            if step == "recover.committed":
                await self._died_at("admit.after")  # what was left before has been decided by now
            if step.startswith("gate."):
                await rush.change("limit", {"limit_per_shopper": 1})  # a new epoch: the gate is loaded
            if not await self._died_at(step):
                rush.strange.append(f"{step}: nobody came by")

    async def _died_at(self, step: str) -> bool:
        armed, ending = self.arm(step, "kill"), time.monotonic() + STEP_S
        while armed.exists() and time.monotonic() < ending:  # noqa: ASYNC110  there is no event to wait for
            await asyncio.sleep(0.02)
        died = not armed.exists()
        armed.unlink(missing_ok=True)
        return died

    def arm(self, step: str, action: str) -> Path:
        armed = self.shop.folder / "armed" / step
        whole = armed.with_name(f".{step}")
        whole.write_text(action)
        return whole.rename(armed)

    def standing(self) -> list[int]:
        pids = [pid for name, pid in self.shop.processes.pids.items() if pid is not None and name.startswith("api")]
        return [pid for pid in pids if Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] == "T"]


DRILLS: dict[str, tuple[Callable[[Drills, Rush], Awaitable[None]], float]] = {
    "api": (Drills.api, REDIS_S),
    "worker": (Drills.worker, REDIS_S),
    "valkey": (Drills.valkey, REDIS_S),
    "postgres": (Drills.postgres, POSTGRES_S),
    "emptied": (Drills.emptied, REDIS_S),
    "restored": (Drills.restored, REDIS_S),
    "zombie": (Drills.zombie, REDIS_S),
    "changed": (Drills.changed, REDIS_S),
    "steps": (Drills.steps, REDIS_S),
}


async def drill(shop: Shop, name: str, units: int = UNITS) -> Shown:
    """One sale, one drill."""
    fault, within_s = DRILLS[name]
    began = time.monotonic()
    async with httpx.AsyncClient(timeout=3, trust_env=False, limits=httpx.Limits(max_connections=200)) as client:
        rush = Rush(shop, client, cancelling=name == "steps", pace_s=PACE_S if name == "steps" else 0)
        await rush.open(units, spare=200)
        async with asyncio.TaskGroup() as group:  # a drill that fails sends its shoppers home before their client is closed
            group.create_task(rush.run())
            await rush.sold(units // (8 if name == "steps" else 3))
            since = time.monotonic()
            await fault(Drills(shop), rush)
        shop.processes.wait_ready()
        shop.servers.wait_ready()
        wrong = await rush.judge()
        pause_s = rush.longest_pause_s(since)
        if pause_s > within_s:
            wrong.append(f"nothing was sold for {pause_s:.1f} s, longer than {within_s:.0f}")
        file = shop.folder / f"{name}.history"
        rush.write(file)
        report = await run.check(Settings.from_env(shop.environ), Options(at_rest=True, wait_s=25, history=str(file)))
        return Shown(wrong + violations(report), pause_s, len(rush.history), time.monotonic() - began)


@contextmanager
def open_shop(apis: int = APIS, **environ: str) -> Iterator[Shop]:
    """A shop of several API processes and two workers, with a folder in which failpoints are armed."""
    folder = Path(tempfile.mkdtemp(prefix="tessera-flash-"))
    folder.chmod(0o755)
    (folder / "armed").mkdir()
    switches = {"TESSERA_ENV": "test", "TESSERA_FAILPOINT": f"@{folder}/armed", "TESSERA_IP_LIMIT_FACTOR": "1000"}
    try:
        with Shop(folder, apis=apis, environ=switches | environ) as shop:
            shop.processes.run("worker-2", "worker")
            shop.processes.wait_ready()
            yield shop
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.flash", description=__doc__)
    parser.add_argument("drills", nargs="*", metavar="DRILL", help=f"of {', '.join(DRILLS)}; all when none is named")
    parser.add_argument("--units", type=int, default=UNITS)
    args = parser.parse_args()
    failed = False
    with open_shop() as shop:
        for name in args.drills or DRILLS:
            shown = asyncio.run(drill(shop, name, args.units))
            failed = failed or bool(shown.wrong)
            word = "WRONG" if shown.wrong else "as promised"
            line = f"{name:9} {word:12} {shown.sold} told reserved; longest pause {shown.pause_s:.2f} s; {shown.seconds:.0f} s in all"
            print(line, *shown.wrong, sep="\n    ", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
