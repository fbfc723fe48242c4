"""Play seeds of the simulation; the checkout protocol on one loop, with virtual time.

    python -m tests.simulation 17                 one seed; a failure with its timeline, made as small as it goes
    python -m tests.simulation --seeds 10000      that many from --first on, on all cores
    python -m tests.simulation --agree 10000      random batches to the double of Postgres and to a real one: every row the same

A seed always plays the same. TESSERA_UNSAFE=epoch plays without a safety. Exit code 1 when a promise was broken.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from checkout_core.config import Settings
from tenants.migrate import migrate
from tessera.embedded import Servers
from tests.simulation import plan as plans
from tests.simulation.agreement import Disagreement, agree
from tests.simulation.many import play_all
from tests.simulation.play import Outcome, play
from tests.simulation.shrink import shrink


def tell(outcome: Outcome) -> None:
    for note in outcome.timeline:
        print(f"{note.at_s:9.4f}  {note.who:10} {note.what}")
    print(f"seed {outcome.seed}: {outcome.seconds:.1f} s of virtual time, {outcome.steps} steps, {outcome.answers}")
    print(f"timeline {outcome.fingerprint}")
    for violation in outcome.violations:
        print(f"  VIOLATION {violation}")


def agree_with_sql(batches: int, first: int) -> int:
    """On a Postgres of our own."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tessera-sim-") as folder:
        Path(folder).chmod(0o755)  # Postgres runs as another user
        with Servers(folder, fsync=False, environ={}) as servers:
            settings = Settings.from_env(servers.environment | {"TESSERA_ENV": "test", "TESSERA_SECRET": "5e" * 32})
            asyncio.run(migrate(settings))
            try:
                said = asyncio.run(agree(settings, batches, first))
            except Disagreement as error:
                print(error)
                return 1
    print(f"{said} random batches in {time.monotonic() - began:.0f} s: double and real SQL agree, row for row")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("seed", nargs="?", type=int)
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--agree", type=int, default=0, metavar="BATCHES")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--until-broken", action="store_true", help="stop at the first seed that breaks a promise")
    parser.add_argument("--json", action="store_true", help="one line for programs, no timeline")
    parser.add_argument("--faults", default=",".join(plans.FAULTS), help="only these, as in plan.py, a comma between two")
    args = parser.parse_args()
    faults = args.faults.split(",")
    if args.seed is not None:
        outcome = play(plans.make(args.seed, faults))
        tell(shrink(plans.make(args.seed, faults)) if outcome.violations else outcome)
        return bool(outcome.violations)
    if args.agree:
        return agree_with_sql(args.agree, args.first)
    began = time.monotonic()
    broken: dict[int, list[str]] = {}
    answers: Counter[str] = Counter()
    played = steps = 0
    for verdict in play_all(args.first, args.seeds, args.processes, faults):
        played, steps = played + 1, steps + verdict.steps
        answers.update(verdict.answers)
        if verdict.violations:
            broken[verdict.seed] = verdict.violations
            if not args.json:
                print(f"seed {verdict.seed}: {verdict.violations[0]}", flush=True)
            if args.until_broken or len(broken) >= 50:
                break
    seconds = time.monotonic() - began
    shown = {"seeds": played, "steps": steps, "seconds": round(seconds, 1), "answers": dict(answers.most_common()), "broken": broken}
    if args.json:
        print(json.dumps(shown))
        return 0
    print(f"{played} seeds, {steps} steps in {seconds:.1f} s; answers {shown['answers']}; {len(broken)} seeds broke a promise")
    if broken:
        print(f"The first of them, made small (again: make sim SEED={min(broken)}):")
        tell(shrink(plans.make(min(broken), faults)))
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
