"""Play one scene against the Postgres that the environment names and a Valkey of its own; what it showed is one line of JSON.

    python -m tests.faults.play late_commit --rounds 3

A process of its own, because a safety is removed for the whole of one: `TESSERA_UNSAFE=epoch python -m …`.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

import uvloop

from tessera.embedded import Servers
from tests.faults import scenes
from tests.faults.gates import Gates, open_gates
from tests.safety.stage import open_stage, violations

ALL: tuple[Callable[[Gates, int], AsyncGenerator[list[str]]], ...] = (
    scenes.asked_again, scenes.late_commit, scenes.given_back_twice, scenes.admitted_twice, scenes.emptied, scenes.restored,
)  # fmt: skip
SCENES = {each.__name__: each for each in ALL}


async def play(names: list[str], rounds: int, valkey: Servers) -> dict[str, object]:
    """`wrong` is what the scenes counted, `violated` what the checker found when all was over."""
    wrong: list[str] = []
    played = 0
    async with open_stage() as stage, open_gates(stage, valkey) as gates:
        began = time.monotonic()
        for name in names:
            async with aclosing(SCENES[name](gates, rounds)) as scene:
                async for found in scene:
                    played += 1
                    wrong += [f"{name}: {each}" for each in found]
        for sale in gates.sales:
            await gates.tend(sale)  # what emptied Redis emptied it of earlier scenes too
        seconds = time.monotonic() - began
        violated = violations(await stage.check())
    return {"rounds": played, "seconds": round(seconds, 1), "wrong": wrong[:10], "violated": violated}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.play", description=__doc__)
    parser.add_argument("scenes", nargs="+", choices=SCENES)
    parser.add_argument("--rounds", type=int, default=1)
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tessera-gates-"))
    folder.chmod(0o755)
    environ = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "ARQ_REDIS_URL")}
    try:
        with Servers(folder, environ=environ) as valkey:
            os.environ |= valkey.environment
            print(json.dumps(uvloop.run(play(args.scenes, args.rounds, valkey))))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
