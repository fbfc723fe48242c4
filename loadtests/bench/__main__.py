"""Race our checkout against what people would write instead.

    python -m loadtests.bench                  all of it, a quarter of an hour; fills docs/benchmarks.md and draws docs/images/bench-*.svg
    python -m loadtests.bench --smoke          a look at it, a minute and a half; writes to build/ only
    python -m loadtests.bench --only P3,P6     some goals; also capacity, latency, processes
    python -m loadtests.bench --settings       settings of Postgres and Valkey against other values (`--settings jit,io-threads` for some)
    python -m loadtests.bench --million        a million checkouts in one run, and what grows (`--million 100000` for fewer)
    python -m loadtests.bench --profile        where the time goes, two minutes: needs perf, and py-spy for Python's functions

What was measured before stays in bench.json unless it is measured anew. A goal that is missed is said and is no failure; exit code 1 means
that somebody answered wrongly, or that the checker found a violation.
"""

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from loadtests.bench import compiled, machine, million, races, report, settings, sweeps
from loadtests.bench.press import ROOT, Wrong
from loadtests.bench.profiles import run as profile
from loadtests.bench.racers import OURS, Racer
from loadtests.bench.races import Hall
from loadtests.bench.rig import Rig
from loadtests.bench.sizes import FULL, SMOKE, SPARED

PARTS: Final = races.NEEDED | sweeps.NEEDED
MILLION: Final = 1_000_000
BUILD: Final = ROOT / "build"
GUIDE: Final = ROOT / "docs" / "benchmarks.md"


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="one short round of everything")
    parser.add_argument("--only", default="", metavar="P1,…", help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"of each race ({FULL.rounds})")
    parser.add_argument("--out", type=Path, default=BUILD, help="where bench.json goes (build); the guide is filled from there only")
    parser.add_argument("--million", type=int, nargs="?", const=MILLION, metavar="N", help="only this, N checkouts (%(const)s)")
    parser.add_argument("--settings", nargs="?", const="", metavar="NAME,…", help="only this, some or all of the candidates")
    parser.add_argument("--profile", action="store_true", help="only this: CPU by layer")
    args = parser.parse_args(argv)
    args.parts = {part for part in args.only.split(",") if part} or set(PARTS)
    if strange := args.parts - set(PARTS):
        parser.error(f"there is no {', '.join(sorted(strange))}; there are {', '.join(PARTS)}")
    try:
        args.candidates = settings.wanted(filter(None, (args.settings or "").split(",")))
    except KeyError as strange:
        parser.error(f"nobody tries {strange}")
    return args


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    size = SMOKE if args.smoke else FULL
    if args.rounds:
        size = size._replace(rounds=args.rounds)
    began = time.monotonic()

    def say(words: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {words}", flush=True)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whoever ends it still has everything put away
    for module in compiled.MODULES:
        say(f"{module.__name__} is {module.__file__}")
    wanted: dict[str, Racer] = {racer.name: racer for part in sorted(args.parts) for racer in PARTS[part]}
    if args.million:
        wanted = {OURS.name: OURS}
    elif args.settings is not None:
        wanted = {racer.name: racer for racer in settings.racers_of(args.candidates)}
    elif args.profile:
        wanted = dict(profile.RACERS)
    folder = Path(tempfile.mkdtemp(prefix="tessera-bench-"))
    folder.chmod(0o755)
    try:
        with Rig(folder, wanted.values(), args.out / "peers", SPARED if args.smoke else ()) as rig:
            say(f"{len(rig.racers)} racers are up")
            if rig.missing:
                say("not here: " + ", ".join(f"{name} ({why})" for name, why in rig.missing.items()))
            found: dict[str, Any] = {"machine": machine.about_the_machine() | asyncio.run(machine.about_the_servers(rig))}
            found |= measure(Hall(rig, size, say), args) | {"missing": rig.missing}
    except Wrong as wrong:
        print(f"bench: {wrong}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    everything = keep(args.out, "bench-smoke.json" if args.smoke else "bench.json", found)
    if args.settings is None and not args.profile:
        print(report.goals_as_text(found))
    if args.out == BUILD and not args.smoke and args.million in (None, MILLION):
        publish(everything)
    say("done")
    return 0


def measure(hall: Hall, args: argparse.Namespace) -> dict[str, Any]:
    """Everything that was asked for. Raises `Wrong`."""
    if args.million:
        return {"million": million.run(hall, args.million)}
    if args.settings is not None:
        return {"settings": settings.run(hall, args.candidates, args.rounds or settings.ROUNDS)}
    if args.profile:
        return {"profile": profile.run(hall)}
    return race(hall, args.parts)


def race(hall: Hall, parts: set[str]) -> dict[str, Any]:
    """The goals and the sweeps."""
    hall.prove_contracts()
    hall.say("every racer keeps the contract")
    found: dict[str, Any] = {}
    if "P8" in parts:
        found["P8"] = races.compiled_parts(hall)
    if "P1" in parts:
        found["P1"] = races.core_alone(hall)
    found |= races.reserving(hall, parts)
    for name, run in (("P5", races.sold_out), ("P7", races.at_rest)):
        if name in parts:
            found[name] = run(hall)
    for name, sweep in (("capacity", sweeps.capacity), ("latency", sweeps.latency), ("processes", sweeps.processes)):
        if name in parts:
            found[name] = sweep(hall)
    return found


def keep(folder: Path, name: str, found: dict[str, Any]) -> dict[str, Any]:
    """Put what was found among what was found before, each candidate's settings by themselves; all of it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    before: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    everything = before | found | {name: before.get(name, {}) | found[name] for name in ("settings",) if name in found}
    file.write_text(json.dumps(everything, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return everything


def publish(found: dict[str, Any]) -> None:
    """Fill the guide, and draw."""
    GUIDE.write_text(report.fill(GUIDE.read_text(encoding="utf-8"), found), encoding="utf-8")
    for file in report.draw(found, GUIDE.parent / report.IMAGES):
        print(f"drew {file.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
