"""Play one scenario against the database that the environment names, and print what it showed as one line of JSON.

    python -m tests.safety.play last_unit --rounds 100

A process of its own, because a safety is removed for the whole of one: `TESSERA_UNSAFE=row_lock python -m …`.
"""

import argparse
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import uvloop

from tests.safety import crowd, misdirected, notices, races
from tests.safety.stage import Stage, open_stage, violations

Scenario = Callable[[Stage, int], AsyncGenerator[list[str]]]
ALL: tuple[Scenario, ...] = (crowd.last_unit, crowd.limit_of_two, crowd.same_key, notices.notices, misdirected.misdirected, races.races)
SCENARIOS = {each.__name__: each for each in ALL}


async def play(name: str, rounds: int, *, until_broken: bool) -> dict[str, object]:
    """`seen` is how things ended, `wrong` what the scenario counted as not promised, `violated` what the checker found afterwards."""
    wrong: list[str] = []
    played = 0
    async with open_stage() as stage:
        began = time.monotonic()
        async with aclosing(SCENARIOS[name](stage, rounds)) as scenario:
            async for found in scenario:
                played += 1
                wrong += found
                if wrong and until_broken:
                    break
        seconds = time.monotonic() - began
        violated = violations(await stage.check())
    seen = dict(stage.seen.most_common())
    return {"rounds": played, "seconds": round(seconds, 1), "seen": seen, "wrong": wrong[:10], "violated": violated}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.safety.play", description=__doc__)
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--until-broken", action="store_true", help="stop at the first round that is not as promised")
    args = parser.parse_args()
    print(json.dumps(uvloop.run(play(args.scenario, args.rounds, until_broken=args.until_broken))))


if __name__ == "__main__":
    main()
