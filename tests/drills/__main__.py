"""Everything that may die, dies; the checker, the provider's books and the clients' notes judge. Also `make drill`.

    python -m tests.drills                  every drill, at most 30 minutes
    python -m tests.drills kills valkey     these topics, or single drills by name
    python -m tests.drills --long           again and again, each time by another course of chance, until something fails or Ctrl-C

Writes build/drill.json and build/drill.md after each round. Exit code 1 when anything was not as promised, or the first was not finished.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import count

from tests.drills import report
from tests.drills.drill import Budget, Drill, Outcome, Stage, open_stage
from tests.drills.topics import AT_ONCE, SHORT, TOPICS


async def play(stage: Stage, topic: str, drills: dict[str, Drill], budget: Budget) -> list[Outcome]:
    """Drills of one topic: one after another, or so many at once as the topic bears."""
    room = asyncio.Semaphore(AT_ONCE.get(topic, 1))

    async def one(name: str, drill: Drill) -> Outcome:
        async with room:
            began = time.monotonic()
            try:
                outcome = await drill(stage, budget)
            except Exception as error:
                outcome = Outcome(name, 0, [f"the drill itself failed: {error!r}"])
            tell(topic, outcome, time.monotonic() - began)
            return outcome

    return await asyncio.gather(*(one(name, drill) for name, drill in drills.items()))


def tell(topic: str, outcome: Outcome, seconds: float) -> None:
    word = "WRONG" if outcome.violations else "as promised"
    recovered = "" if outcome.recovered_s is None else f"; recovered within {outcome.recovered_s:.1f} s"
    counts = "".join(f", {name} {count}" for name, count in outcome.counts.items())
    print(f"{topic + ' ' + outcome.name:32} {word:12} {outcome.runs} runs{counts}{recovered}; {seconds:.0f} s in all", flush=True)
    for violation in outcome.violations[:20]:
        print(f"    {violation}", flush=True)


def chosen(names: Sequence[str]) -> dict[str, dict[str, Drill]]:
    """Topics with their drills, as named; all when nothing is."""
    found = {topic: {n: d for n, d in drills.items() if not names or topic in names or n in names} for topic, drills in TOPICS.items()}
    return {topic: drills for topic, drills in found.items() if drills}


async def run(args: argparse.Namespace) -> bool:
    """Play what is asked for; whether all was as promised."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)  # type: ignore[union-attr]
    began = time.monotonic()
    outcomes: list[Outcome] = []
    report.forget()
    for seed in count(args.seed):
        for topic, drills in chosen(args.names).items():
            async with open_stage() as stage:
                outcomes += await play(stage, topic, drills, Budget(SHORT[topic] if args.short else 1.0, seed))
        report.write(outcomes, time.monotonic() - began)
        if not args.long or not report.passed(outcomes):
            break
    return report.passed(outcomes)


def main() -> int:
    known = sorted({*TOPICS, *(name for drills in TOPICS.values() for name in drills)})
    parser = argparse.ArgumentParser(
        prog="python -m tests.drills", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--seed", type=int, default=0, help="another course of chance")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--long", action="store_true", help="without end")
    how.add_argument("--short", action="store_true", help="a part of it, as in the tests")
    args = parser.parse_args()
    if unknown := set(args.names) - set(known):
        parser.error(f"no drill is named {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    with suppress(asyncio.CancelledError):
        good = asyncio.run(run(args))
        print(f"build/drill.json and build/drill.md: {'all as promised' if good else 'NOT as promised'}")
        return 0 if good else 1
    return 1


if __name__ == "__main__":
    sys.exit(main())
