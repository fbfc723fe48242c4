"""Play one scene against the migrated database that the environment names, and print what it showed as one line of JSON.

    python -m tests.drills.play last_unit --rounds 100

A process of its own, because a safety is removed for the whole of one: `TESSERA_UNSAFE=row_lock python -m …`. Scenes of flash sales get a
Valkey of their own, which they may hurt.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from tessera.embedded import Servers
from tests.drills import peer
from tests.drills.children import Played
from tests.drills.scenes import crowds, flash, misdirected, notices, pay_or_expire
from tests.drills.scenes.gates import open_gates
from tests.drills.scenes.market import open_market

Scene = Callable[..., AsyncGenerator[list[str]]]

AT_THE_COUNTER: dict[str, Scene] = {
    "last_unit": crowds.last_unit,
    "last_few": crowds.last_few,
    "plenty": crowds.plenty,
    "sell_out": crowds.sell_out,
    "changed": crowds.changed,
    "limit_of_two": crowds.limit_of_two,
    "same_key": crowds.same_key,
    "notices": notices.notices,
    "misdirected": misdirected.misdirected,
    "pay_or_expire": pay_or_expire.pay_or_expire,
    "select_then_update": peer.select_then_update,
}
AT_THE_GATE: dict[str, Scene] = {
    "gate_last_unit": flash.last_unit,
    "gate_sell_out": flash.sell_out,
    "gate_changed": flash.changed,
    "gate_limits": flash.limits,
    "gate_asked_again": flash.asked_again,
    "gate_late_commit": flash.late_commit,
    "gate_given_back_twice": flash.given_back_twice,
    "gate_admitted_twice": flash.admitted_twice,
    "gate_left_behind": flash.left_behind,
    "gate_emptied": flash.emptied,
    "gate_restored": flash.restored,
}
SCENES = AT_THE_COUNTER | AT_THE_GATE


async def play(name: str, rounds: int, *, until_caught: bool, valkey: Servers | None = None, **how: Any) -> Played:
    """The checker looks when all is over; with `until_caught` after each round, and a violation ends it."""
    wrong: list[str] = []
    violated: list[str] = []
    played = 0
    async with AsyncExitStack() as stack:
        market = await stack.enter_async_context(open_market())
        place: Any = market if valkey is None else await stack.enter_async_context(open_gates(market, valkey))
        began = time.monotonic()
        async with aclosing(SCENES[name](place, rounds, **how)) as scene:
            async for found in scene:
                played += 1
                wrong += found
                if until_caught and (violated := await market.check()):
                    break
        seconds = time.monotonic() - began
        violated = violated or await market.check()
    return Played(name, played, round(seconds, 1), dict(market.seen.most_common()), wrong[:10], violated)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.drills.play", description=__doc__)
    parser.add_argument("scene", choices=SCENES)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--until-caught", action="store_true", help="the checker looks after each round, and the first violation ends it")
    parser.add_argument("--how", type=json.loads, default={}, help="what else the scene takes, as JSON")
    args = parser.parse_args()
    if args.scene in AT_THE_COUNTER:
        print(msgspec.json.encode(uvloop.run(play(args.scene, args.rounds, until_caught=args.until_caught, **args.how))).decode())
        return
    folder = Path(tempfile.mkdtemp(prefix="tessera-gates-"))
    folder.chmod(0o755)
    environ = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "ARQ_REDIS_URL")}
    try:
        with Servers(folder, environ=environ) as valkey:
            os.environ |= valkey.environment
            shown = uvloop.run(play(args.scene, args.rounds, until_caught=args.until_caught, valkey=valkey, **args.how))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(msgspec.json.encode(shown).decode())


if __name__ == "__main__":
    main()
